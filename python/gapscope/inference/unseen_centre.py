"""A map that has no value at r = 0, as laboratories mask the impurity's site: what stands there.

Around an impurity most of a map's power lies on its site, and a network reads the potential off it.
So the value is that of the map that is simulated at the network's own answer, times the factor by
which that map fits the given one on all other sites, at each energy: an answer, its map, and the
next answer with that value, from zero on. It may end at another value where the first answer is far
off; that map then leaves much of the given one, more than its noise.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.dataset.samples import simulate_samples
from gapscope.inference.refine import Conditions, Guess
from gapscope.inference.simulated_maps import predict_windows
from gapscope.learning.prediction.predictor import Predictor

ROUNDS = 3
"""Simulated maps; later ones change little."""
Window = NDArray[np.float32]


def is_unseen(window: Window) -> bool:
    """Whether a map (energies, L, L) has no value at r = 0, at index L/2, at some energy."""
    middle = window.shape[-1] // 2
    return bool(np.isnan(window[:, middle, middle]).any())


def filled(window: Window, predictor: Predictor, conditions: Conditions) -> tuple[Window, float]:
    """The map with values at r = 0 where it had none, and the share of it on all other sites that
    the map leaves which they are of: root mean squares over sites and, at each relative to the map,
    energies.

    Parameters
    ----------
    window : drho (energies, L, L) in 1/meV, finite everywhere else.
    conditions : the network's, see :class:`gapscope.inference.refine.Conditions`.

    Raises
    ------
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
    """
    middle = window.shape[-1] // 2
    unseen = np.isnan(window[:, middle, middle])
    made = window.copy()
    made[unseen, middle, middle] = 0
    given = window[:, conditions.sites_away].astype(np.float64)
    left = 1.0
    for _ in range(ROUNDS):
        answer = predict_windows(made[None], predictor).isel(sample=0)
        sample = conditions.sample(_answer(answer, conditions))
        simulated = np.asarray(simulate_samples([sample], conditions.numerics)[0][0], np.float64)
        own = simulated[:, conditions.sites_away]
        factor = (own * given).sum(axis=1) / np.square(own).sum(axis=1)
        made[unseen, middle, middle] = (factor * simulated[:, middle, middle])[unseen]
        apart = given - factor[:, None] * own
        shares = np.square(apart).sum(axis=1) / np.square(given).sum(axis=1)
        left = float(np.sqrt(shares.mean()))
    return made, left


def _answer(one: xr.Dataset, conditions: Conditions) -> Guess:
    """The network's state; the middle of a range where it gives no number."""
    problem = conditions.problem
    of_class = problem.classes[int(one["label"])]
    values = {name: float(one[name]) for name in of_class.unknowns}
    for name, value in values.items():
        if np.isnan(value):
            values[name] = problem.unknown(name).drawn(0.5)
    return Guess(of_class.label, values)
