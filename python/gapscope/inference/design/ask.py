"""What to measure next for a map: ``gapscope.design``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import SettingError
from gapscope.inference.design.candidates import Candidate, candidates, usual_energies
from gapscope.inference.design.measure import DRAWS, judged
from gapscope.inference.design.result import aims_of, design_dataset
from gapscope.inference.posterior import ask
from gapscope.inference.refine import Conditions
from gapscope.problem.problem import Problem
from gapscope.support.progress import in_chunks

if TYPE_CHECKING:
    from gapscope.learning.prediction.predictor import Predictor

Array = NDArray[np.float64]
MOMENT = (5.0, 50.0)
"""meV along z, of a magnetic defect."""
LEAST_DRAWS = 16
SAME = 1e-5
"""Share to which sizes of one map agree."""


def design(
    map: str | Path | xr.Dataset,
    posterior: str | Path | xr.DataTree | None = None,
    model: str | Path | Predictor | None = None,
    *,
    energies: Sequence[float] | None = None,
    window: int | None = None,
    quieter: float = 2.0,
    potential: tuple[float, float] | None = None,
    moment: tuple[float, float] = MOMENT,
    noise: float | Sequence[float] | None = None,
    aim: str = "all",
    draws: int = DRAWS,
    seed: int = 0,
    material: str | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Next measurements of a map's superconductor, the one that is expected to tell most first.

    Candidates are a map at another energy around the same impurity, maps around another scalar and
    another magnetic one, a larger field of view, and less noise. Each is simulated for states that
    the posterior leaves, and analysed together with what is known already; the gain is the mutual
    information in nats between the new data and the class with the superconductor's unknowns,
    potential and moment of impurities integrated out (D. V. Lindley, Ann. Math. Stat. 27, 986
    (1956)). It is computed for normal distributions around draws of the posterior, in each of which
    maps are linear; see :mod:`gapscope.inference.design.gain`.

    Parameters
    ----------
    map : what :func:`gapscope.simulate` returns, or its file.
    posterior : what :func:`gapscope.posterior` returns for it, or its file; without it, it
        is computed first.
    model : the one that the posterior was begun with; see :func:`gapscope.posterior`.
    energies : in meV, of maps to consider; by default up to the gap.
    window : sites per side of the larger field of view, by default twice the map's.
    quieter : how many times less noise than now.
    potential : least and largest potential of another defect in meV; by default as the problem has
        it, or -300 to 300.
    moment : least and largest moment along z of a magnetic one in meV.
    noise : see :func:`gapscope.posterior`, where that is computed first. A new map has the noise of
        this one on each site.
    aim : what candidates are sorted by: ``all`` (gain), ``irrep`` (entropy of the class) or the
        name of an unknown (its standard deviation).
    draws : of the posterior, about; every one costs Green's functions.

    Returns
    -------
    xarray.Dataset over ``candidate``, best first: ``gain`` in nats, ``entropy`` of the class
    afterwards in nats (``entropy_now`` before), ``halving``, the probability that it falls to a
    half or less, each with the standard error NAME_error of the simulations; ``deviation``
    (candidate, class, unknown) and ``deviation_now`` (class, unknown), the expected posterior
    standard deviation if the class is the map's; ``time``, sites times energies over the noise
    squared, relative to the map's.

    Raises
    ------
    SettingError : a posterior that has collapsed or is of another problem or map, or candidates
        that mean nothing.
    NumericsError : noise that is not positive, or what does not fit into memory.
    MapFileError, MaterialFileError, RunError, KernelError, JuliaNotFoundError : see
        :func:`gapscope.posterior`.
    """
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < LEAST_DRAWS:
        raise SettingError(
            f"Draws of the posterior are a whole number, {LEAST_DRAWS} or more.",
            draws,
            f"Give {DRAWS}, or leave it out.",
        )
    image, conditions, predictor = ask.compared(map, model, material)
    numerics, problem = conditions.numerics, conditions.problem
    tree = None
    if posterior is not None:
        if noise is not None:
            raise SettingError(
                "A posterior that is given knows the noise.", f"noise = {noise}", "Leave it out."
            )
        tree = posterior if isinstance(posterior, xr.DataTree) else ask.read_posterior(posterior)
        _require_same(tree, conditions)
        _require_own(tree, image[:, conditions.sites_away])
    aims = aims_of(problem)
    if aim not in aims:
        raise SettingError(
            f"Candidates are sorted by {', '.join(aims[:-1])} or {aims[-1]}.", aim, "Give one."
        )

    def offered(energies: Sequence[float]) -> list[Candidate]:
        return candidates(
            problem,
            numerics.energies,
            numerics.window,
            energies=energies,
            larger=2 * numerics.window if window is None else window,
            quieter=quieter,
            potential=potential,
            moment=moment,
        )

    offered(energies or ())  # what is refused is refused before the posterior
    if tree is None:
        tree = ask.posterior(
            map, predictor, noise=noise, seed=seed, material=material, progress=progress
        )
    if energies is None:
        energies = usual_energies(numerics.energies, _gap(tree, conditions))
    told = judged(
        tree,
        conditions,
        noise_of(tree, image[:, conditions.sites_away]),
        offered(energies),
        draws=draws,
        seed=seed,
        walk=_tell if progress else None,
    )
    return design_dataset(told, conditions, aim, seed)


def noise_of(tree: xr.DataTree, image: NDArray[np.floating]) -> Array:
    """(energies,): standard deviation of a map's noise in 1/meV, as it is stated, or as the best
    map of the leading class leaves it.

    Parameters
    ----------
    image : the map at the sites that the posterior is of, (energies, sites) in 1/meV.
    """
    summary = tree.to_dataset()
    level = np.asarray(summary["noise"].values, dtype=np.float64)
    if summary.attrs["noise_known"]:
        return level
    left = summary["residual"].values[int(summary["probability"].values.argmax())]
    size = np.sqrt((image.astype(np.float64) ** 2).mean(axis=1))
    return np.asarray(np.maximum(left * size, level))


def _require_same(tree: xr.DataTree, conditions: Conditions) -> None:
    """Raise SettingError unless a posterior is one of these conditions."""
    summary = tree.to_dataset()
    stated = Problem.from_dict(json.loads(summary.attrs["problem"]))
    expected = {
        "problem": json.loads(json.dumps(conditions.problem.to_dict())),
        "energies": list(conditions.numerics.energies),
        "sites": int(conditions.sites_away.sum()),
    }
    given = {
        "problem": json.loads(json.dumps(stated.to_dict())),
        "energies": summary["energy"].values.tolist(),
        "sites": int(summary.attrs["sites"]),
    }
    wrong = [name for name, value in expected.items() if given[name] != value]
    if wrong:
        told = "; ".join(f"{name} {given[name]}, not {expected[name]}" for name in wrong[-2:])
        raise SettingError(
            "The posterior is one of this map by the same network.",
            told if wrong != ["problem"] else f"classes and unknowns of {', '.join(stated.labels)}",
            "Name the network that the posterior was begun with by --model (model=), or leave the"
            " posterior out.",
        )


def _require_own(tree: xr.DataTree, image: NDArray[np.floating]) -> None:
    """Raise SettingError where a posterior is one of another map; older files do not tell."""
    summary = tree.to_dataset()
    if "map_size" not in summary:
        return
    size = np.sqrt((image.astype(np.float64) ** 2).mean(axis=1))
    if not np.allclose(summary["map_size"].values, size, rtol=SAME, atol=0):
        raise SettingError(
            "The posterior is one of this map.",
            f"one of a map with root mean squares of {summary['map_size'].values.tolist()} 1/meV,"
            f" not {size.tolist()}",
            "Give the map that the posterior was computed for, or leave the posterior out.",
        )


def _gap(tree: xr.DataTree, conditions: Conditions) -> float:
    """Gap of the leading class in meV."""
    summary = tree.to_dataset()
    leading = summary.isel({"class": int(summary["probability"].values.argmax())})
    if "gap" in summary["unknown"].values:
        gap = float(leading["mean"].sel(unknown="gap"))
        if np.isfinite(gap):
            return gap
    return conditions.draft.gap


def _tell(steps: Iterator[None], total: int) -> None:
    """Go through the Green's functions with a word about the time, and a bar."""
    unit = "Green's function/Green's functions"
    for numbers in in_chunks([[one] for one in range(total)], unit, lambda: 0.0):
        for _ in numbers:
            next(steps)
    for _ in steps:  # what follows the last one
        pass
