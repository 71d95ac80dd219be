"""The simulated map that an answer stands for, beside the map itself, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.dataset.samples import simulate_samples
from gapscope.inference.refine import Conditions, Guess
from gapscope.physics.fourier import qpi_image
from gapscope.physics.lattice import Lattice

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Beside:
    """A map as the network sees it, at its first energy, and a simulated one.

    Attributes
    ----------
    seen, simulated : Re rho(q), (L, L); of a map without a scale both in units of their <|rho|>.
    left : their difference; without a scale that of asinh(rho / <|rho|>), as distances count.
    share : root mean square of what is left, over the map's; at all energies.
    which : the simulated map in words.
    """

    seen: Array
    simulated: Array
    left: Array
    share: float
    which: str


def answer_beside(
    one: xr.Dataset, window: Array, conditions: Conditions, posterior: xr.DataTree | None = None
) -> Beside | None:
    """The map of the best answer: the posterior's best map, the refined one, or the network's.

    Parameters
    ----------
    one : a sample of predictions.
    window : drho (energies, L, L) in 1/meV, as the network saw it.
    posterior : of this map, if there is one.

    Returns
    -------
    None where the network gives an unknown of its class no value: there is no such map then.
    """
    guess, which = _answer(one, conditions, posterior)
    if any(np.isnan(value) for value in guess.values.values()):
        return None
    maps, _ = simulate_samples([conditions.sample(guess)], conditions.numerics)
    found = np.asarray(maps[0], dtype=np.float64)
    sites = conditions.sites.copy()
    if posterior is not None:  # whose likelihood leaves r = 0 out
        sites[len(sites) // 2, len(sites) // 2] = False
    left = window - found
    share = float(np.linalg.norm(left[:, sites]) / np.linalg.norm(window[:, sites]))
    lattice = conditions.draft.material.lattice
    seen, simulated = (even_image(values[0], lattice) for values in (window, found))
    return Beside(seen, simulated, seen - simulated, share, which)


def nearest_beside(window: Array, nearest: xr.Dataset) -> Beside:
    """A measured map and its nearest simulated one.

    Parameters
    ----------
    window : drho (energies, L, L) as the network saw it, in any unit.
    nearest : one map of :func:`gapscope.inference.nearest.nearest_maps`, qpi_re (q1, q2).
    """
    seen = even_image(window[0], Lattice.from_dict(nearest.attrs))
    seen, simulated = (
        values / np.abs(values).mean() for values in (seen, nearest["qpi_re"].values)
    )
    shape = np.arcsinh(seen)
    left = shape - np.arcsinh(simulated)
    share = float(np.linalg.norm(left) / np.linalg.norm(shape))
    return Beside(seen, simulated, left, share, "nearest simulated map")


def _answer(
    one: xr.Dataset, conditions: Conditions, posterior: xr.DataTree | None
) -> tuple[Guess, str]:
    problem = conditions.problem
    if posterior is not None:
        summary = posterior.to_dataset()
        number = int(summary["probability"].values.argmax())
        best = summary["best"].isel({"class": number})
        of_class = problem.classes[number]
        values = {name: float(best.sel(unknown=name)) for name in of_class.unknowns}
        return Guess(of_class.label, values), "best map of the posterior"
    kind, which = "", "simulated at the network's answer"
    if "refined_label" in one:
        kind, which = "refined_", "simulated, refined"
    of_class = problem.classes[int(one[f"{kind}label"])]
    values = {name: float(one[f"{kind}{name}"]) for name in of_class.unknowns}
    return Guess(of_class.label, values), which


def even_image(values: Array, lattice: Lattice) -> Array:
    """Re rho(q), (L, L), of drho (L, L) on lattice sites."""
    return np.asarray(qpi_image(values[None], lattice)[0].real, dtype=np.float64)
