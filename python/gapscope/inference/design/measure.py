"""Candidates of one map, simulated for the draws of its posterior and judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.inference.design.candidates import Candidate
from gapscope.inference.design.gain import Expected, Simulations, entropy, expected, places_now
from gapscope.inference.design.linear import Impurity, Local, linearised
from gapscope.inference.design.states import Draws, draws_of
from gapscope.inference.posterior.credible import centre
from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.responses import Responses
from gapscope.inference.refine import Conditions
from gapscope.problem.unknown import Unknown
from gapscope.support.memory import require_memory

Array = NDArray[np.float64]
Defect = tuple[Unknown, Unknown] | None
Walk = Callable[[Iterator[None], int], None]
"""Goes through an iterator of so many Green's functions, and may tell."""
DRAWS = 256
SIMULATIONS = 512
NOW = 2048
"""Points that today's deviations are of."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What is expected of each candidate.

    Parameters
    ----------
    classes : posterior's draws of each class that may be the map's.
    now : entropy of the class in nats.
    deviations_now, deviations : (classes, unknowns) and (candidates, classes, unknowns), of the
        problem's classes and unknowns in the order of tables; NaN where a class is not counted or
        has no such unknown, and for unknowns of the impurity.
    """

    candidates: tuple[Candidate, ...]
    expected: tuple[Expected, ...]
    classes: tuple[Draws, ...]
    now: float
    deviations_now: Array
    deviations: Array


def judged(
    tree: xr.DataTree,
    conditions: Conditions,
    level: Array,
    candidates: Sequence[Candidate],
    *,
    draws: int = DRAWS,
    simulations: int = SIMULATIONS,
    seed: int = 0,
    walk: Walk | None = None,
    responses: Callable[[Conditions], Responses] = Responses,
) -> Judged:
    """What is expected of candidates, given the posterior of a map.

    Parameters
    ----------
    tree : the posterior.
    conditions : of the map.
    level : (energies,), standard deviation of the map's noise in 1/meV; at other energies their
        root mean square.
    draws : of the posterior, about.
    walk : goes through the Green's functions that are needed.
    responses : makes those of conditions.

    Raises
    ------
    SettingError : the posterior's weights have collapsed.
    NumericsError : the maps do not fit into memory.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
    """
    rng = np.random.Generator(np.random.Philox(key=[seed, 0]))
    problem = conditions.problem
    cubes = [Cube(problem, index) for index in range(len(problem.classes))]
    classes = draws_of(tree, cubes, draws, rng)
    settings = _settings(conditions, candidates)
    _require_memory(settings, classes)
    found: dict[tuple[int, int, int], Local] = {}
    steps = _steps(settings, classes, [responses(one.conditions) for one in settings], found, seed)
    total = len(settings) * sum(len(one.outer) for one in classes)
    if walk is None:
        for _ in steps:
            pass
    else:
        walk(steps, total)
    common: Simulations | None = None
    results, deviations = [], []
    for candidate in candidates:
        number, setting = next(
            (i, one) for i, one in enumerate(settings) if one.window == candidate.window
        )
        which = setting.defects.index(candidate.defect)
        energies = [setting.energies[which].index(one) for one in candidate.energies]
        own = [found[number, i, which].at(energies) for i in range(len(classes))]
        common = common or Simulations(own, simulations, seed)
        one = expected(own, noise_of(candidate, conditions.numerics.energies, level), common)
        results.append(one)
        deviations.append(_deviations(cubes, one.places))
    kept = [found[0, i, 0] for i in range(len(classes))]
    before = {one.draws.cube.index: places_now(one, NOW) for one in kept}
    return Judged(
        tuple(candidates),
        tuple(results),
        tuple(classes),
        float(entropy(np.array([one.probability for one in classes]))),
        _deviations(cubes, before),
        np.stack(deviations),
    )


def noise_of(candidate: Candidate, energies: Sequence[float], level: Array) -> Array:
    """Standard deviation in 1/meV of a candidate's noise at each of its energies; see
    :func:`judged`."""
    known = dict(zip(energies, level.tolist(), strict=True))
    other = float(np.sqrt((level**2).mean()))
    return np.array([known.get(one, other) / candidate.quieter for one in candidate.energies])


@dataclass(frozen=True, eq=False)
class _Setting:
    """Candidates with the same window.

    Parameters
    ----------
    conditions : with all their energies.
    defects : other impurities, None for the map's own, each with its energies.
    """

    window: int
    conditions: Conditions
    defects: list[Defect]
    energies: list[list[float]]


def _settings(conditions: Conditions, candidates: Sequence[Candidate]) -> list[_Setting]:
    made = []
    for window in dict.fromkeys(one.window for one in candidates):
        own = [one for one in candidates if one.window == window]
        every = list(dict.fromkeys(energy for one in own for energy in one.energies))
        numerics = replace(conditions.numerics, energies=every, window=window)
        defects: list[Defect] = []
        energies: list[list[float]] = []
        for candidate in own:
            if candidate.defect not in defects:
                defects.append(candidate.defect)
                energies.append([])
            mine = energies[defects.index(candidate.defect)]
            mine += [one for one in candidate.energies if one not in mine]
        made.append(_Setting(window, replace(conditions, numerics=numerics), defects, energies))
    return made


def _steps(
    settings: Sequence[_Setting],
    classes: Sequence[Draws],
    responses: Sequence[Responses],
    found: dict[tuple[int, int, int], Local],
    seed: int,
) -> Iterator[None]:
    """One step for each Green's function; fills ``found`` by setting, class and defect."""
    for number, (setting, own) in enumerate(zip(settings, responses, strict=True)):
        every = setting.conditions.numerics.energies
        for i, draws in enumerate(classes):
            impurities = [
                Impurity(draws, own, one, _generator(seed, i, which))
                for which, one in enumerate(setting.defects)
            ]
            wanted = [[every.index(one) for one in mine] for mine in setting.energies]
            locals_ = yield from linearised(draws, own, impurities, wanted)
            for which, one in enumerate(locals_):
                found[number, i, which] = one


def _generator(seed: int, number: int, which: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed, 2**32 + 64 * number + which]))


def _require_memory(settings: Sequence[_Setting], classes: Sequence[Draws]) -> None:
    """Raise NumericsError where maps and slopes of all draws do not fit into memory."""

    def needed(one: _Setting) -> float:
        size = max(draws.cube.size for draws in classes) + 3
        count = sum(len(draws) for draws in classes)
        # At one energy they are of double precision, too, while they are compared.
        energies = sum(map(len, one.energies)) + 4
        return 4.0 * energies * count * size * one.window**2

    total = sum(needed(one) for one in settings)
    smaller = settings[:1]
    require_memory(
        f"Maps of {sum(len(one) for one in classes)} states for"
        f" {', '.join(f'{one.window} x {one.window}' for one in settings)} sites",
        total,
        [
            ("a smaller field of view", lambda: sum(needed(one) for one in smaller)),
        ],
    )


def _deviations(cubes: Sequence[Cube], places: dict[int, Array]) -> Array:
    """(classes, unknowns): mean over simulations of the standard deviation."""
    shown = cubes[0].problem.shown
    made = np.full((len(cubes), len(shown)), np.nan)
    for index, points in places.items():
        cube = cubes[index]
        for k, unknown in enumerate(cube.unknowns[: cube.outer]):
            values = np.array([unknown.drawn(x) for x in _inside(points[..., k], unknown)])
            values = values.reshape(points.shape[:2])
            equal = np.full(points.shape[1], 1 / points.shape[1])
            each = [centre(one, equal, unknown.period)[1] for one in values]
            made[index, shown.index(unknown)] = np.mean(each)
    return made


def _inside(places: Array, unknown: Unknown) -> list[float]:
    """Coordinates in a flat list; a circle's go on, others end where the prior does."""
    flat = places.ravel()
    inside: list[float] = (flat if unknown.circular else np.clip(flat, 0.0, 1.0)).tolist()
    return inside
