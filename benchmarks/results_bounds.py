"""Smallest possible errors of a state's parameters, beside those of the network.

The Cramer-Rao bound from finite differences of finely converged maps: white noise on every site of
the hexagon, theta, gap and eps0 unknown.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import gapscope as gs
from gapscope.instrument.site_noise import NoiseModel
from gapscope.physics import LABELS, printed_gap
from gapscope.physics.lattice import symmetric_window
from gapscope.plots.results import absolute_errors
from paper_states import PaperState
from results_page import Page
from results_robustness import noisy
from results_states import asked, random_states, simulated, specification, truth_of
from results_statistics import least_squares_shift, standard_errors

RATIOS = (3.0, 10.0, 100.0)
STEPS = {"theta": 0.02, "gap": 0.01, "eps0": 0.5}
"""Steps of central differences: rad, meV and meV."""
FINE = gs.Converged(5e-4)
TRAINING = gs.Converged(0.005)


def moved(state: PaperState, name: str, step: float) -> PaperState:
    """A state with theta, gap (in the normalisation of its class) or eps0 moved by a step."""
    if name == "gap":
        labelled = state.labelled_gap + step
        return replace(state, labelled_gap=labelled, gap=printed_gap(state.irrep, labelled))
    return replace(state, **{name: getattr(state, name) + step})


def neighbours(state: PaperState) -> list[PaperState]:
    """A state and those half a step to both sides of it, for each parameter it has."""
    return [
        state,
        *(
            moved(state, name, sign * step / 2)
            for name, step in STEPS.items()
            for sign in (1, -1)
            if getattr(state, name) is not None
        ),
    ]


def jacobian(maps: NDArray[np.float64], state: PaperState) -> NDArray[np.float64]:
    """Derivatives (parameters, L, L) by the parameters in the order of STEPS; no theta: zero."""
    made = np.zeros((len(STEPS), *maps.shape[1:]))
    pairs = iter(maps[1:].reshape(-1, 2, *maps.shape[1:]))
    for row, (name, step) in enumerate(STEPS.items()):
        if getattr(state, name) is not None:
            above, below = next(pairs)
            made[row] = (above - below) / step
    return made


def even(maps: NDArray[np.float64]) -> NDArray[np.float64]:
    """The part of maps (..., L, L) that r -> -r leaves; r = -L/2 is taken for its own image."""
    return (maps + np.roll(maps[..., ::-1, ::-1], (1, 1), axis=(-2, -1))) / 2


def state_limits(page: Page, state: PaperState) -> xr.Dataset:
    """Smallest and found errors of one state.

    Variables
    ---------
    bound : (view, snr, parameter), smallest standard errors from ``image``, Re rho(q) of the
        network's window, which is the part of the map even in r; from ``window``, the map there;
        from ``hexagon``, the whole simulated map. All have the noise of the network's window.
    network : (snr, parameter), root mean square errors over draws of that noise.
    shift, white : (parameter,), what the datasets' numerical error does to parameters fitted by
        least squares, and the bound under white noise of its estimated size.
    """
    recipe, predictor = page.recipe, page.predictor
    lattice, size = predictor.config.lattice, predictor.size
    numerics = replace(recipe.numerics(), method=FINE)
    window, edge = recipe.window, (recipe.window - size) // 2
    maps, _ = simulated([specification(recipe, s) for s in neighbours(state)], numerics, window)
    rough, estimate = simulated(
        [specification(recipe, state)], replace(numerics, method=TRAINING), window
    )
    model = NoiseModel.on(lattice, size)
    inner = maps[0][:, edge : window - edge, edge : window - edge]
    unit = model.contrast(inner)[:, None, None]
    seen = np.pad(symmetric_window(lattice, size), edge)
    slopes = jacobian(maps, state) / unit
    views = {
        "image": even(slopes)[..., seen],
        "window": slopes[..., seen],
        "hexagon": slopes[..., symmetric_window(lattice, window)],
    }
    bounds = [
        [standard_errors(view.reshape(len(STEPS), -1).T, 1 / ratio) for ratio in RATIOS]
        for view in views.values()
    ]
    draws = np.repeat(inner[None], page.count(8, 2), axis=0)
    truth = truth_of([state] * len(draws))
    network = []
    for ratio in RATIOS:
        predictions = asked(predictor, noisy(model, draws, "Gaussian", ratio), truth)
        errors = [absolute_errors(predictions, name) for name in STEPS]
        network.append(np.sqrt(np.mean(np.square(errors), axis=1)))
    flat = views["window"].reshape(len(STEPS), -1).T
    error = ((rough[0] - maps[0]) / unit)[:, seen].reshape(-1)
    away = inner.copy()
    away[:, size // 2, size // 2] = 0
    sigma = estimate[0] * np.linalg.norm(away / unit, axis=(-2, -1)) / np.sqrt(seen.sum())
    return xr.Dataset(
        {
            "label": LABELS.index(state.label),
            "bound": (("view", "snr", "parameter"), np.array(bounds)),
            "network": (("snr", "parameter"), np.array(network)),
            "shift": ("parameter", np.abs(least_squares_shift(flat, error))),
            "white": ("parameter", standard_errors(flat, float(sigma.max()))),
            "estimate": float(estimate.max()),
        },
        coords={"view": list(views), "snr": list(RATIOS), "parameter": list(STEPS)},
    )


def limits_of(page: Page, label: str) -> xr.Dataset:
    """Limits of random states of a class."""
    wanted = page.count(40, 1)
    states = random_states(page.recipe, wanted * len(LABELS))
    found = [state_limits(page, state) for state in states if state.label == label]
    return xr.concat(found, "state", data_vars="all")
