"""From a network's answer to the best-fitting simulated map: the inverse problem, solved locally.

A network reads class and unknowns off a map at once, to a percent or so. Simulated maps then follow
the given one by :mod:`gapscope.inference.least_squares`, over the sites of the symmetric window and
all energies. Of several classes the one with the smallest chi is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import qmc

from gapscope.dataset.recipe import Recipe
from gapscope.dataset.samples import simulate_samples
from gapscope.errors import MaterialFileError, NumericsError
from gapscope.inference.kinds import require_one_impurity
from gapscope.inference.least_squares import Fit, follow
from gapscope.physics import Material
from gapscope.physics.group.found import EXACT
from gapscope.physics.lattice import symmetric_window
from gapscope.problem.draft import Draft
from gapscope.problem.paper import stored_problem
from gapscope.problem.problem import Problem
from gapscope.problem.quantities import difference, quantity
from gapscope.problem.states import Sample, States
from gapscope.problem.unknown import Unknown
from gapscope.simulation.materials import material
from gapscope.simulation.numerics import Converged, Numerics

if TYPE_CHECKING:
    from gapscope.learning.network.run_config import RunConfig

BATCH = 64
ACCURACY = 2e-5
"""Relative accuracy of simulated maps, whose errors add up over thousands of sites and must not be
seen in a likelihood, nor in finite differences. By the method converged it costs a tenth more time
than 0.005."""
LEAST_PROBABILITY = 0.01
LEAST_SHARE = 1 / 15
"""The least value of what is positive, over the lower end of its range."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Guess:
    """A class with values of its unknowns, in its own normalisation.

    ``chi`` is the relative distance of its map, infinite where it has not been compared.
    """

    label: str
    values: Mapping[str, float]
    chi: float = float("inf")


@dataclass(frozen=True)
class Conditions:
    """What is known of maps.

    Parameters
    ----------
    problem : their classes and unknowns.
    draft : all that they have in common.
    numerics : energies, window and method.
    tolerance : meV to which the crystal's symmetry holds.
    centre : whether r = 0 is compared, too.
    """

    problem: Problem
    draft: Draft
    numerics: Numerics
    tolerance: float = EXACT
    centre: bool = True

    @classmethod
    def of(cls, config: RunConfig, window: int, crystal: Material | None = None) -> Self:
        """Those of a dataset's maps at the energies that a network sees, cut to a window.

        Parameters
        ----------
        config : that of the network's run or model, with what it keeps of its dataset.
        crystal : the normal state; by default the material that the recipe names.

        Raises
        ------
        MaterialFileError : there is no such material, or another one is given.
        MapFileError : the network has learned from maps of several impurities.
        """
        require_one_impurity(config)
        recipe = Recipe.from_dict(config.dataset["recipe"])
        crystal = crystal_of(config.dataset, crystal)
        return cls(
            stored_problem(config.dataset),
            recipe.draft(crystal),
            replace(recipe.numerics(), energies=config.energies, window=window),
            recipe.symmetry_tolerance,
        )

    @cached_property
    def states(self) -> States:
        """What builds samples."""
        return States(self.problem, self.draft, self.tolerance)

    def sample(self, guess: Guess) -> Sample:
        """All that the map of a guess follows from."""
        return self.states.sample(self.problem.labels.index(guess.label), guess.values)

    def values(self, points: Sequence[Guess]) -> Array:
        """drho of guesses at all energies and sites of the symmetric window, (guesses, n)."""
        samples = [self.sample(one) for one in points]
        maps, _ = simulate_samples(samples, accurate(self.numerics))
        return np.asarray(maps[..., self.sites].reshape(len(points), -1))

    def differences(self, point: Guess) -> Array:
        """The finite difference of each unknown of a guess's class."""
        return np.array([difference(one) for one in self.free(point)])

    def moved(self, point: Guess, step: Array) -> Guess:
        """The guess with its unknowns changed: on a logarithmic scale by their logarithms, on a
        circle around it, and what is positive no further down than LEAST_SHARE allows."""
        values = {
            one.name: _moved(one, point.values[one.name], by)
            for one, by in zip(self.free(point), step.tolist(), strict=True)
        }
        return Guess(point.label, values)

    def free(self, guess: Guess) -> list[Unknown]:
        """The unknowns of a guess's class."""
        one = self.problem.classes[self.problem.labels.index(guess.label)]
        return [self.problem.unknown(name) for name in one.unknowns]

    @cached_property
    def sites(self) -> NDArray[np.bool_]:
        """The symmetric window; without r = 0 where that is not compared."""
        if not self.centre:
            return self.sites_away
        return symmetric_window(self.draft.material.lattice, self.numerics.window)

    @property
    def sites_away(self) -> NDArray[np.bool_]:
        """The symmetric window without r = 0, where a tip sees the impurity's own orbitals."""
        sites = symmetric_window(self.draft.material.lattice, self.numerics.window)
        sites[self.numerics.window // 2, self.numerics.window // 2] = False
        return sites


def accurate(numerics: Numerics) -> Numerics:
    """Numerics whose error no likelihood sees; those of a grid as they are."""
    method = numerics.method
    if not isinstance(method, Converged):
        return numerics
    return replace(numerics, method=replace(method, accuracy=min(method.accuracy, ACCURACY)))


def crystal_of(dataset: Mapping[str, Any], crystal: Material | None = None) -> Material:
    """The normal state of a dataset's maps: the one given, or the one that its recipe names.

    Raises
    ------
    MaterialFileError : no such material, or one of another name than the dataset's.
    """
    if crystal is None:
        crystal = material(dataset["recipe"]["material"])
    known = dataset.get("material", crystal.name)
    if crystal.name != known:
        raise MaterialFileError(
            f"Maps of this network are simulated with its own material, {known}.",
            crystal.name,
            "Give that one.",
        )
    return crystal


def refine(
    maps: NDArray[np.floating],
    starts: Sequence[Sequence[Guess]],
    conditions: Conditions,
    *,
    rounds: int = 4,
) -> list[Guess]:
    """The best-fitting state of each map.

    Parameters
    ----------
    maps : drho(r), (n, energies, L, L) in 1/meV, with r = 0 at index L/2.
    starts : for each map one or more guesses that are near enough, say within a tenth of the gap,
        0.2 rad and 20 meV of eps0; each is followed.
    conditions : how the maps came about; its window is theirs.
    rounds : steps of least squares; each costs one simulated map per start, and one per unknown.

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
    best = []
    for first in range(0, len(starts), BATCH):
        own = slice(first, first + BATCH)
        fits = [
            Fit(np.asarray(one[:, conditions.sites], dtype=np.float64).ravel(), start)
            for one, guesses in zip(maps[own], starts[own], strict=True)
            for start in guesses
        ]
        follow(fits, conditions, rounds)
        ends = iter(fits)
        for guesses in starts[own]:
            nearest = min((next(ends) for _ in guesses), key=lambda fit: fit.distance)
            best.append(replace(nearest.point, chi=nearest.distance))
    return best


def refine_predictions(
    predictions: xr.Dataset, maps: NDArray[np.floating], conditions: Conditions
) -> xr.Dataset:
    """A network's predictions with their refinement beside them.

    Every class with a probability of at least LEAST_PROBABILITY is followed from the network's
    numbers. Adds, over ``sample``, refined_label (index into the attribute labels), refined_NAME of
    each unknown, NaN where the class has none, and chi, the relative distance of the best simulated
    map: near zero where the model explains the map, near one where it does not.

    Raises
    ------
    NumericsError : see :func:`refine`.
    """
    problem = conditions.problem
    samples = range(predictions.sizes["sample"])
    starts = [_starts(predictions.isel(sample=i), problem) for i in samples]
    best = refine(maps, starts, conditions)
    label = np.array([problem.labels.index(one.label) for one in best], dtype=np.int8)
    variables = {
        f"refined_{unknown.name}": (
            "sample",
            np.array([one.values.get(unknown.name, np.nan) for one in best]),
            {"units": unknown.unit},
        )
        for unknown in problem.unknowns
    }
    chi = ("sample", np.array([one.chi for one in best]), {"units": "1"})
    return predictions.assign({"refined_label": ("sample", label), **variables, "chi": chi})


def _starts(one: xr.Dataset, problem: Problem) -> list[Guess]:
    """The likely classes of one prediction; where it gives no angle, from angles all around."""
    probability = one["probability"].values
    given = {u.name: float(one[u.name]) for u in problem.unknowns}
    starts = []
    for index in np.flatnonzero(probability >= min(LEAST_PROBABILITY, probability.max())):
        own = [problem.unknown(name) for name in problem.classes[index].unknowns]
        known = {
            u.name: u.drawn(0.5) if np.isnan(given[u.name]) else _allowed(u, given[u.name])
            for u in own
        }
        free = [u for u in own if u.circular and np.isnan(given[u.name])]
        for around in _around(len(free)):
            angles = {u.name: u.drawn(x) for u, x in zip(free, around, strict=True)}
            starts.append(Guess(problem.labels[index], known | angles))
    return starts


def _around(angles: int) -> list[list[float]]:
    """Evenly spread points of as many unit circles: one, four, sixteen."""
    if not angles:
        return [[]]
    count = min(angles, 2)
    spread: list[list[float]] = qmc.Sobol(angles, scramble=False).random_base2(2 * count).tolist()
    return spread


def _moved(unknown: Unknown, value: float, by: float) -> float:
    """A value further on; no step is longer than the unknown's range."""
    if unknown.circular:
        return float(unknown.on_circle(np.asarray(value + by)))
    if span := unknown.span:
        by = float(np.clip(by, -span, span))
    logarithmic = unknown.scale == "logarithmic"
    return _allowed(unknown, value * float(np.exp(by)) if logarithmic else value + by)


def _allowed(unknown: Unknown, value: float) -> float:
    """The nearest value that has a meaning."""
    least = LEAST_SHARE * unknown.low if unknown.positive else quantity(unknown.name).least
    return max(value, least)
