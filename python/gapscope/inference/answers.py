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
ANSWER, NEAREST = "simulated at the network's answer", "nearest simulated map"


@dataclass(frozen=True)
class Beside:
    """A map as the network sees it, and a simulated one.

    Attributes
    ----------
    seen, simulated : Re rho(q), (energies, L, L); of a map without a scale both in units of their
        <|rho|> over all energies.
    left : their difference; without a scale that of asinh(rho / <|rho|>), as distances count.
    shares, share : root mean square of what is left, over the map's, of each energy and of all.
    which : the simulated map in words.
    """

    seen: Array
    simulated: Array
    left: Array
    shares: Array
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
    unseen = "centre_left" in one and not np.isnan(float(one["centre_left"]))
    # The likelihood of a posterior leaves r = 0 out.
    sites = conditions.sites_away if unseen or posterior is not None else conditions.sites
    left = window - found
    shares, share = _shares(left[:, sites], window[:, sites])
    lattice = conditions.draft.material.lattice
    seen, simulated = (even_images(values, lattice) for values in (window, found))
    return Beside(seen, simulated, seen - simulated, shares, share, which)


def nearest_beside(window: Array, nearest: xr.Dataset, which: str = NEAREST) -> Beside:
    """A measured map and a simulated one.

    Parameters
    ----------
    window : drho (energies, L, L) as the network saw it, in any unit.
    nearest : one map of :func:`gapscope.inference.nearest.nearest_maps`, qpi_re (q1, q2), or
        (energy, q1, q2) of several.
    which : what it is, in words.
    """
    seen = even_images(window, Lattice.from_dict(nearest.attrs))
    simulated = nearest["qpi_re"].values.reshape(seen.shape)
    seen, simulated = (values / np.abs(values).mean() for values in (seen, simulated))
    shape = np.arcsinh(seen)
    left = shape - np.arcsinh(simulated)
    shares, share = _shares(left, shape)
    return Beside(seen, simulated, left, shares, share, which)


def _shares(left: Array, values: Array) -> tuple[Array, float]:
    """Norms of what is left over those of the maps, of each energy and of all together."""
    own, all_of = (np.linalg.norm(one.reshape(len(one), -1), axis=1) for one in (left, values))
    return own / all_of, float(np.linalg.norm(own) / np.linalg.norm(all_of))


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
    kind, which = "", ANSWER
    if "refined_label" in one:
        kind, which = "refined_", "simulated, refined"
    of_class = problem.classes[int(one[f"{kind}label"])]
    values = {name: float(one[f"{kind}{name}"]) for name in of_class.unknowns}
    return Guess(of_class.label, values), which


def even_images(values: Array, lattice: Lattice) -> Array:
    """Re rho(q), (energies, L, L), of drho (energies, L, L) on lattice sites."""
    return np.asarray(qpi_image(values, lattice).real, dtype=np.float64)
