"""The unknowns of a class as a unit cube, on which the prior is uniform.

A coordinate is the number between 0 and 1 that a dataset's value is drawn by: linear, logarithmic
or once around a circle. Coordinates that change the Green's function come first, those of the
impurity, whose maps cost a T-matrix, after them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gapscope.inference.posterior.mixture import shorter
from gapscope.problem.impurities import IMPURITY
from gapscope.problem.problem import Problem
from gapscope.problem.quantities import LARGEST_DIFFERENCE, difference
from gapscope.problem.unknown import Unknown

Array = NDArray[np.float64]
SAME = 1e-7


@dataclass(frozen=True, eq=False)
class Cube:
    """The cube of a class.

    Parameters
    ----------
    index : number of the class.
    """

    problem: Problem
    index: int

    @property
    def label(self) -> str:
        """Name of the class."""
        return self.problem.labels[self.index]

    @cached_property
    def unknowns(self) -> tuple[Unknown, ...]:
        """One for each coordinate."""
        own = [self.problem.unknown(name) for name in self.problem.classes[self.index].unknowns]
        return tuple(sorted(own, key=lambda one: one.name in IMPURITY))

    @property
    def names(self) -> list[str]:
        """Names of the unknowns."""
        return [one.name for one in self.unknowns]

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return len(self.unknowns)

    @cached_property
    def outer(self) -> int:
        """Number of coordinates that change the Green's function."""
        return sum(one.name not in IMPURITY for one in self.unknowns)

    @cached_property
    def circles(self) -> NDArray[np.bool_]:
        """Which coordinates run once around a circle."""
        return np.array(
            [u.circular and u.high - u.low > u.period * (1 - 1e-9) for u in self.unknowns],
            dtype=bool,
        )

    def values(self, point: Array) -> dict[str, float]:
        """Unknowns of a point by name."""
        return {
            one.name: one.drawn(x) for one, x in zip(self.unknowns, point.tolist(), strict=True)
        }

    def columns(self, points: Array) -> dict[str, Array]:
        """Unknowns of points (n, k) by name, (n,) each."""
        return {
            one.name: np.array([one.drawn(x) for x in column.tolist()])
            for one, column in zip(self.unknowns, points.T, strict=True)
        }

    def point(self, values: Mapping[str, float]) -> Array:
        """The point of values; where these lie outside of a range, the nearest in it."""
        return np.array([_coordinate(one, values[one.name]) for one in self.unknowns])

    @cached_property
    def differences(self) -> Array:
        """(k,): coordinates' finite differences, by which maps are differentiated; that of a fixed
        unknown changes nothing."""
        return np.array(
            [difference(u) / u.span if u.span else LARGEST_DIFFERENCE for u in self.unknowns]
        )

    def moved(self, point: Array, step: Array) -> Array:
        """A point further on: around circles, and no further than to the cube's faces; where an
        angle leaves its range and the map has another name that does not, by that name."""
        moved = point + step
        moved = np.where(self.circles, moved % 1.0, moved)
        beyond = self._angles & ((moved < 0) | (moved > 1))
        held = np.where(beyond, moved, np.clip(moved, 0.0, 1.0))
        if beyond.any() and (known := self.problem.other_names(self.index, self.values(held))):
            return self.point(known[0])
        return np.asarray(np.clip(held, 0.0, 1.0))

    @cached_property
    def _angles(self) -> NDArray[np.bool_]:
        return np.array([one.circular for one in self.unknowns], dtype=bool)

    def inside(self, points: Array) -> NDArray[np.bool_]:
        """(...,): whether points (..., k) lie in the cube."""
        return np.asarray(((points >= 0) & (points <= 1)).all(axis=-1))

    def twins(self, point: Array) -> list[tuple[Array, Array]]:
        """Points with the same map as another, and the sign that each coordinate has there; the
        point itself, with signs of one, is the first.

        Two names of a state differ by angles turned, mirrored or both. A twin may lie outside of
        the cube, by the nearest of its turns, where its surroundings reach into it.
        """
        found = [(point, np.ones(self.size))]
        for twin in self._named(point):
            if any(self.apart(twin, known) < SAME for known, _ in found):
                continue
            signs = np.ones(self.size)
            for k in range(self.size):
                step = (1e-4 if point[k] < 0.5 else -1e-4) * (np.arange(self.size) == k)
                moved = self._named(point + step)
                apart = [self.apart(one, twin) for one in moved]
                away = shorter(moved[int(np.argmin(apart))] - twin, self.circles)
                signs[k] = np.sign(away[k] * step[k]) or 1.0
            found.append((twin, signs))
        return found

    def _named(self, point: Array) -> list[Array]:
        """Points of all names of a map, where each angle's turn is the nearest to its range."""
        return [
            np.array([_coordinate(u, one[u.name], beyond=True) for u in self.unknowns])
            for one in self.problem.other_names(self.index, self.values(point), anywhere=True)
        ]

    def apart(self, one: Array, other: Array) -> float:
        """Largest difference of two points' coordinates, on circles the shorter way round."""
        return float(np.abs(shorter(one - other, self.circles)).max(initial=0.0))


def _coordinate(unknown: Unknown, value: float, *, beyond: bool = False) -> float:
    """Between 0 and 1, at the nearest end outside of the range; ``beyond``: of angles, outside."""
    low, high = unknown.low, unknown.high
    if high == low:
        return 0.5
    if unknown.circular:
        past = (value - low) % unknown.period
        if past - (high - low) > unknown.period - past:
            past -= unknown.period
        share = past / (high - low)
        return float(share if beyond else np.clip(share, 0, 1))
    # By halving, since what is drawn rises with the number that it is drawn by, however that is.
    below, above = 0.0, 1.0
    for _ in range(52):
        middle = (below + above) / 2
        below, above = (middle, above) if unknown.drawn(middle) < value else (below, middle)
    return 0.0 if value <= low else 1.0 if value >= high else (below + above) / 2
