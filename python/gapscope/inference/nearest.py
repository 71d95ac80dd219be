"""The simulated training maps that are most like measured ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.dataset.recipe import Recipe
from gapscope.dataset.samples import alike, simulate_samples
from gapscope.errors import PreparationError
from gapscope.inference.refine import Conditions, Guess
from gapscope.instrument.integrated import integrated_densities
from gapscope.instrument.setpoint import regulated
from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.prediction.predictor import Predictor
from gapscope.physics.fourier import qpi_image
from gapscope.physics.lattice import window_coordinates
from gapscope.problem.paper import predicted_problem
from gapscope.problem.problem import Problem
from gapscope.support.resources import MEASURED_MODEL, find_model

NEAREST = 3
"""Simulated maps that are shown beside a measured one."""


def nearest_states(windows: NDArray[np.float64], predictor: Predictor) -> dict[str, Any]:
    """Variables nearest_* over (sample, rank) for maps (n, 1, size, size) in the network's window;
    none where the network knows no training maps."""
    if predictor.emulators is None or not predictor.emulators.known:
        return {}
    config = predictor.config
    problem = config.problem
    images = momentum_images(windows, config.crystal_lattice)
    label, targets, distance, acquisition = predictor.emulators.nearest(images, NEAREST)
    setpoints = Recipe.from_dict(config.dataset["recipe"]).setpoints
    decoded = config.targets.decode(targets.reshape(-1, targets.shape[-1]), label.ravel())
    over = ("sample", "rank")
    variables: dict[str, Any] = {"nearest_label": (over, label.astype(np.int8))}
    for unknown in problem.unknowns:
        values = decoded[unknown.name].reshape(label.shape)
        known = np.where(problem.has(unknown.name)[label], values, np.nan)
        variables[f"nearest_{unknown.name}"] = (over, known, {"units": unknown.unit})
    taken = np.array([np.nan, *setpoints])[acquisition]
    return variables | {
        "nearest_setpoint": (over, taken, {"units": "mV"}),
        "nearest_distance": (over, distance, {"units": "1"}),
    }


def with_answers(predictions: xr.Dataset) -> xr.Dataset:
    """Predictions of measured maps with the network's own answers as rank 0 of the nearest states,
    at constant height and without a distance.

    Where impurities are unknown, no training map is near, and the map of the answer says more.
    Predictions of which one has no value of an unknown of its class are returned as they are.
    """
    problem = predicted_problem(predictions.attrs)
    label = predictions["label"].values
    over, shape = ("sample", "rank"), (len(label), 1)
    own: dict[str, Any] = {"nearest_label": (over, label.reshape(shape).astype(np.int8))}
    for unknown in problem.unknowns:
        held = problem.has(unknown.name)[label]
        values = np.where(held, predictions[unknown.name], np.nan)
        if np.isnan(values[held]).any():
            return predictions
        own[f"nearest_{unknown.name}"] = (over, values.reshape(shape), {"units": unknown.unit})
    for name, unit in (("setpoint", "mV"), ("distance", "1")):
        own[f"nearest_{name}"] = (over, np.full(shape, np.nan), {"units": unit})
    answers = xr.Dataset(own)
    known = [name for name in own if name in predictions]
    if known:
        answers = xr.concat([answers, predictions[known].reset_coords(drop=True)], "rank")
    return predictions.drop_vars(known).merge(answers)


def nearest_maps(predictions: xr.Dataset, model: str | Path = MEASURED_MODEL) -> xr.Dataset:
    """The nearest simulated maps of some predictions, simulated anew and taken as they were, and
    those of answers that :func:`with_answers` put before them.

    Returns ldos_change, qpi_re and qpi_im over (sample, rank, r1, r2) and (sample, rank, q1, q2),
    in 1/meV, under the conditions of the training maps of ``model``; of a network for several
    energies over (sample, rank, energy, ...).

    Raises
    ------
    PreparationError : predictions of a network without surfaces, which knows no training maps.
    """
    if "nearest_label" not in predictions:
        raise PreparationError(
            "Nearest maps are found by the surfaces of a network.",
            "a network without surfaces",
            "Train one with --surfaces, or surfaces = true among the options of its training.",
        )
    config = RunFolder(find_model(model)).config()
    size = config.training.network.input_size
    recipe = Recipe.from_dict(config.dataset["recipe"])
    conditions = Conditions.of(config, size)
    states = predictions.stack(map=("sample", "rank"))
    guesses = [_guess(states.isel(map=i), conditions.problem) for i in range(states.sizes["map"])]
    samples = [conditions.sample(one) for one in guesses]
    change, density = simulate_samples(samples, conditions.numerics)
    drho = np.asarray(change)
    for number, setpoint in enumerate(recipe.setpoints):
        taken = np.flatnonzero(states["nearest_setpoint"].values == setpoint)
        for (broadening,), some in alike([samples[i] for i in taken], "broadening").items():
            rows = taken[some]
            chosen = [samples[i].specification for i in rows]
            contour = recipe.contours(broadening)[number]
            (flowing,) = integrated_densities(chosen, [contour], size, conditions.numerics.method)
            relative = flowing.change / flowing.clean[:, None, None]
            for i in range(drho.shape[1]):
                drho[rows, i] = regulated(drho[rows, i], relative, density[rows, i])
    energies = drho.shape[1]
    over: tuple[str, ...] = ("sample", "rank")
    shape = tuple(predictions.sizes[name] for name in over)
    if energies > 1:
        over, shape = (*over, "energy"), (*shape, energies)
    drho = drho.reshape(*shape, size, size)
    lattice = conditions.draft.material.lattice
    rho, r = qpi_image(drho, lattice), window_coordinates(size)
    units = {"units": "1/meV"}
    return xr.Dataset(
        {
            "ldos_change": ((*over, "r1", "r2"), drho, units),
            "qpi_re": ((*over, "q1", "q2"), rho.real, units),
            "qpi_im": ((*over, "q1", "q2"), rho.imag, units),
        },
        {"r1": r, "r2": r, "q1": r / size, "q2": r / size},
        lattice.to_dict(),
    )


def _guess(state: xr.Dataset, problem: Problem) -> Guess:
    one = problem.classes[int(state["nearest_label"])]
    return Guess(one.label, {name: float(state[f"nearest_{name}"]) for name in one.unknowns})
