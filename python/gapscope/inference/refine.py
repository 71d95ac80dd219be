"""From a network's answer to the best-fitting simulated map: the inverse problem, solved locally.

A network reads irrep, gap, theta and eps0 off a map at once, to a percent or so. Simulated maps
then follow the given one by nonlinear least squares (K. Levenberg, Quart. Appl. Math. 2, 164
(1944); D. Marquardt, SIAM J. Appl. Math. 11, 431 (1963)): the parameters p minimise

    chi^2(p) = ||drho(p) - drho||^2 / ||drho||^2

over the sites of the symmetric window and all energies, with derivatives by finite differences. Of
several irreps the one with the smallest chi is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.dataset.recipe import Recipe
from gapscope.errors import NumericsError
from gapscope.physics import LABELS, Impurity, Material, Pairing, Specification
from gapscope.physics.lattice import symmetric_window
from gapscope.simulation.maps import simulate_batch
from gapscope.simulation.materials import material
from gapscope.simulation.numerics import Numerics
from gapscope.support.resources import find_model

STEPS = np.array([0.005, 0.005, 0.5])
"""Finite differences of gap (meV), theta (rad), eps0 (meV), well above a map's own error."""

LEAST_GAP = 0.02
FIRST_DAMPING = 1e-3
BATCH = 64
LEAST_PROBABILITY = 0.01


@dataclass(frozen=True)
class Conditions:
    """What is known of the maps: material, impurity, energies, broadening and method."""

    material: Material
    impurity: Impurity
    numerics: Numerics

    @classmethod
    def of(cls, recipe: Recipe, window: int) -> Self:
        """Those of a dataset's maps, cut to a window."""
        numerics = recipe.numerics()
        return cls(
            material(recipe.material), recipe.impurity.impurity(), replace(numerics, window=window)
        )


@dataclass(frozen=True)
class Candidate:
    """A state of a class: gap in meV in the class's normalisation, theta in rad, eps0 in meV.

    ``chi`` is the relative distance of its map, infinite where it has not been compared. A12u is
    represented by A1u, and its theta is NaN.
    """

    label: str
    gap: float
    theta: float
    eps0: float
    chi: float = float("inf")

    def specification(self, conditions: Conditions) -> Specification:
        """The state with the impurity."""
        if self.label == "A12u":
            pairing = Pairing("A1u", self.gap)
        else:
            pairing = Pairing(self.label, self.gap, theta=self.theta)
        return Specification(conditions.material, pairing, conditions.impurity, eps0=self.eps0)

    def moved(self, step: NDArray[np.float64]) -> Candidate:
        """Parameters plus a step (gap, theta, eps0)."""
        return replace(
            self,
            gap=max(self.gap + float(step[0]), LEAST_GAP),
            theta=(self.theta + float(step[1])) % np.pi,
            eps0=self.eps0 + float(step[2]),
            chi=float("inf"),
        )

    @property
    def free(self) -> NDArray[np.int64]:
        """Which of gap, theta, eps0 the class has."""
        return np.array([0, 2] if self.label == "A12u" else [0, 1, 2])


def refine(
    maps: NDArray[np.floating],
    starts: Sequence[Sequence[Candidate]],
    conditions: Conditions,
    *,
    rounds: int = 4,
) -> list[Candidate]:
    """The best-fitting state of each map.

    Parameters
    ----------
    maps : drho(r), (n, energies, L, L) in 1/meV, with r = 0 at index L/2.
    starts : for each map one or more states near enough, say within a tenth of the gap, 0.2 rad and
        20 meV; each is followed.
    conditions : how the maps came about; its window is theirs.
    rounds : steps of least squares; each costs up to four simulated maps per start.

    Raises
    ------
    NumericsError : maps that do not fit the conditions, or a map without a start.
    """
    window = conditions.numerics.window
    expected = (len(starts), len(conditions.numerics.energies), window, window)
    if maps.shape != expected or not all(starts):
        raise NumericsError(
            "Refinement needs maps (n, energies, L, L) of the conditions, and a start for each.",
            f"maps {maps.shape}, {len(starts)} starts for {expected}",
            "Cut the maps to the window, or change the conditions.",
        )
    sites = symmetric_window(conditions.material.lattice, window)
    best = []
    for first in range(0, len(starts), BATCH):
        own = slice(first, first + BATCH)
        fits = [
            _Fit(np.asarray(one[:, sites], dtype=np.float64).ravel(), start)
            for one, candidates in zip(maps[own], starts[own], strict=True)
            for start in candidates
        ]
        _follow(fits, conditions, sites, rounds)
        ends = iter(fits)
        for candidates in starts[own]:
            states = [next(ends).state for _ in candidates]
            best.append(min(states, key=lambda state: state.chi))
    return best


def refine_predictions(
    predictions: xr.Dataset, maps: NDArray[np.floating], conditions: Conditions
) -> xr.Dataset:
    """A network's predictions with their refinement beside them.

    Every class with a probability of at least LEAST_PROBABILITY is followed from the network's
    parameters. Adds, over ``sample``, refined_label (index into the attribute labels), refined_gap
    and refined_eps0 in meV, refined_theta in rad (NaN for A12u), and chi, the relative distance of
    the best simulated map: near zero where the model explains the map, near one where it does not.

    Raises
    ------
    NumericsError : see :func:`refine`.
    """
    samples = range(predictions.sizes["sample"])
    best = refine(maps, [_starts(predictions.isel(sample=i)) for i in samples], conditions)
    columns: dict[str, tuple[list[float], str]] = {
        "refined_gap": ([state.gap for state in best], "meV"),
        "refined_theta": ([state.theta for state in best], "rad"),
        "refined_eps0": ([state.eps0 for state in best], "meV"),
        "chi": ([state.chi for state in best], "1"),
    }
    label = np.array([LABELS.index(state.label) for state in best], dtype=np.int8)
    variables = {
        name: ("sample", np.array(values), {"units": units})
        for name, (values, units) in columns.items()
    }
    return predictions.assign({"refined_label": ("sample", label), **variables})


def refine_files(
    predictions: xr.Dataset, files: Sequence[str | Path], model: str | Path
) -> xr.Dataset:
    """Predictions of a model for map files, refined under the conditions of its training maps.

    Parameters
    ----------
    predictions, files, model : result and arguments of
        :func:`gapscope.inference.map_files.predict`.

    Raises
    ------
    MapFileError, RunError, SchemaVersionError : see :func:`gapscope.inference.map_files.predict`.
    """
    # Keras takes seconds to import, and refining maps in memory does not need it.
    from gapscope.inference.map_files import network_maps
    from gapscope.learning.model_folder.run import RunFolder

    config = RunFolder(find_model(model)).config()
    conditions = Conditions.of(
        Recipe.from_dict(config.dataset["recipe"]), config.training.network.input_size
    )
    return refine_predictions(predictions, network_maps(files, config), conditions)


def _starts(one: xr.Dataset) -> list[Candidate]:
    """The likely classes of one prediction; where it gives no angle, from angles all around."""
    probability, theta = one["probability"].values, float(one["theta"])
    likely = np.flatnonzero(probability >= min(LEAST_PROBABILITY, probability.max()))
    around = np.pi / 4 * np.arange(4) if np.isnan(theta) else np.array([theta])
    gap, eps0 = max(float(one["gap"]), LEAST_GAP), float(one["eps0"])
    return [
        Candidate(LABELS[i], gap, float(angle), eps0)
        for i in likely
        for angle in ([np.nan] if LABELS[i] == "A12u" else around)
    ]


@dataclass
class _Fit:
    """One start on its way: the given map, the best state so far and its map, the damping."""

    target: NDArray[np.float64]
    state: Candidate
    map: NDArray[np.float64] | None = None
    damping: float = FIRST_DAMPING

    def offer(self, state: Candidate, simulated: NDArray[np.float64]) -> None:
        """Take a state whose map is nearer; otherwise damp the next step more."""
        distance = np.linalg.norm(simulated - self.target) / np.linalg.norm(self.target)
        if distance < self.state.chi:
            self.state = replace(state, chi=float(distance))
            self.map = simulated
            self.damping /= 5
        else:
            self.damping *= 25

    def step(self, shifted: NDArray[np.float64]) -> NDArray[np.float64]:
        """Damped step from the maps of the shifted states, in the order of ``free``."""
        assert self.map is not None
        free = self.state.free
        slopes = (shifted - self.map) / STEPS[free, None]
        normal = slopes @ slopes.T
        damped = normal + self.damping * np.diag(np.diag(normal))
        step = np.zeros(3)
        step[free] = np.linalg.solve(damped, slopes @ (self.target - self.map))
        return step


def _follow(
    fits: list[_Fit], conditions: Conditions, sites: NDArray[np.bool_], rounds: int
) -> None:
    def simulated(states: list[Candidate]) -> NDArray[np.float64]:
        specifications = [state.specification(conditions) for state in states]
        maps = simulate_batch(specifications, conditions.numerics).ldos_change
        return np.asarray(maps[..., sites].reshape(len(states), -1))

    for fit, its_map in zip(fits, simulated([fit.state for fit in fits]), strict=True):
        fit.offer(fit.state, its_map)
    slopes: dict[int, NDArray[np.float64]] = {}
    for _ in range(rounds):
        stale = [i for i, fit in enumerate(fits) if i not in slopes]
        shifted = [
            fits[i].state.moved(np.where(np.arange(3) == k, STEPS, 0.0))
            for i in stale
            for k in fits[i].state.free
        ]
        made = iter(simulated(shifted)) if shifted else iter(())
        slopes |= {i: np.stack([next(made) for _ in fits[i].state.free]) for i in stale}
        moved = [fit.state.moved(fit.step(slopes[i])) for i, fit in enumerate(fits)]
        for i, (fit, state, its_map) in enumerate(zip(fits, moved, simulated(moved), strict=True)):
            before = fit.state
            fit.offer(state, its_map)
            if fit.state is not before:
                del slopes[i]
