"""What the parameter head learns: the unknowns of a problem, as numbers of the size of one.

A circle is learned as its sine and cosine (paper, eq. 15), which have no seam; angle and phase of a
state of two components, where it is asked for, as :mod:`gapscope.learning.data.stokes` says.
Anything else is x, or log x on a logarithmic scale, less its mean and over its standard deviation
in the training split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gapscope.learning.data.stokes import (
    from_sphere,
    in_range,
    sphere_of,
    to_sphere,
    turned_moment,
)
from gapscope.problem.moves import ALONG_Z, MOMENT
from gapscope.problem.problem import Problem
from gapscope.problem.unknown import Unknown

Array = NDArray[np.float64]
Values = Mapping[str, Array]
SAME = 1e-9
"""Relative spread below which an unknown does not vary: rounding."""


@dataclass(frozen=True)
class TargetScaling:
    """Means and standard deviations over the training split, by unknown.

    Attributes
    ----------
    mean, deviation : of x, or of log x; circles have none.
    """

    mean: Mapping[str, float]
    deviation: Mapping[str, float]

    @classmethod
    def of(cls, problem: Problem, values: Values) -> Self:
        """Statistics of a split's unknowns; one that does not vary keeps its unit."""
        mean, deviation = {}, {}
        for unknown in problem.learned:
            if unknown.circular:
                continue
            column = unknown.straightened(values[unknown.name])[:, 0]
            known = column[np.isfinite(column)]
            mean[unknown.name] = float(known.mean()) if len(known) else 0.0
            spread = float(known.std()) if len(known) else 0.0
            varies = spread > SAME * abs(mean[unknown.name])
            deviation[unknown.name] = spread if varies else 1.0
        return cls(mean, deviation)


@dataclass(frozen=True)
class Targets:
    """From unknowns to targets and back.

    Parameters
    ----------
    stokes : whether angle and phase of two components are learned as Stokes parameters.
    """

    problem: Problem
    scaling: TargetScaling
    stokes: bool = False

    def encode(self, values: Values, label: NDArray[np.integer]) -> NDArray[np.float32]:
        """Targets (n, columns) of samples of classes; NaN where a class has no such unknown."""
        return self._encoded(values, label).astype(np.float32)

    def decode(self, outputs: NDArray[np.floating], label: NDArray[np.integer]) -> dict[str, Array]:
        """Unknowns (n,) of outputs (n, columns) for maps that are taken for these classes; what has
        no meaning for its class is some number."""
        given: Array = np.asarray(outputs, dtype=np.float64)
        found = {}
        for unknown, columns in self._columns():
            own = given[:, columns]
            if unknown.name in self._sphere:
                continue
            if not unknown.circular:
                name = unknown.name
                own = own * self.scaling.deviation[name] + self.scaling.mean[name]
            found[unknown.name] = unknown.restored(own)
        if self._sphere:
            found |= self._states(given, label, found)
        return {one.name: found[one.name] for one in self.problem.learned}

    def moved_back(
        self, outputs: NDArray[np.floating], label: NDArray[np.integer], move: int
    ) -> Array:
        """Outputs (n, columns) for moved maps as they are for the maps themselves.

        What a move leaves alone stays as it is; sine and cosine, and Stokes parameters, keep their
        length, which tells how sure a network is.
        """
        given: Array = np.asarray(outputs, dtype=np.float64)
        moved = self.decode(given, label)
        values = self.problem.moved_back(moved, label, move)
        encoded = self._encoded(values, label)
        back = given.copy()
        for unknown, columns in self._columns():
            changed = values[unknown.name] != moved[unknown.name]
            if self._sphere and unknown.name in (*MOMENT, ALONG_Z):
                changed = self._pairs[label]
            new = encoded[changed, columns]
            if unknown.circular:
                new = new * np.linalg.norm(given[changed, columns], axis=1, keepdims=True)
            back[changed, columns] = new
        if self._sphere:
            rows = np.flatnonzero(self._pairs[label])
            at = np.ix_(rows, self._three)
            length = np.linalg.norm(self._vector(given[rows]), axis=0)
            back[at] = encoded[at] * length[:, None]
        return back

    @property
    def columns(self) -> int:
        """Number of targets."""
        return column_count(self.problem, self.stokes)

    @cached_property
    def _sphere(self) -> tuple[str, ...]:
        """Angle and phase that are learned together; nothing where none are."""
        return (self.stokes and sphere_of(self.problem)) or ()

    @cached_property
    def _pairs(self) -> NDArray[np.bool_]:
        """(classes,): which have both."""
        return self.problem.has(self._sphere[1])

    @cached_property
    def _three(self) -> NDArray[np.int64]:
        """Columns of s2, s1 and s3."""
        place = {one.name: columns.start for one, columns in self._columns()}
        angle, phase = (place[name] for name in self._sphere)
        return np.array([angle, angle + 1, phase])

    def _vector(self, outputs: Array) -> Array:
        """s2, s1, s3 (3, n) of outputs; where they are learned with s3 > 0, without less."""
        s2, s1, s3 = outputs[:, self._three].T
        return np.stack([s2, s1, np.maximum(s3, 0.0) if self.problem.reversible else s3])

    def _states(self, given: Array, label: NDArray[np.integer], found: Values) -> dict[str, Array]:
        """Angles, phases and moments that Stokes parameters stand for."""
        angle, phase = self._sphere
        pairs = self._pairs[label]
        s2, s1, s3 = self._vector(given)
        a, p = from_sphere(s2, s1, np.where(pairs, s3, 0.0))
        values = {**found, angle: a, phase: np.where(pairs, p, from_sphere(s2, s1, s3)[1])}
        two = self.problem.unknown(angle), self.problem.unknown(phase)
        values |= in_range(values, *two, self.problem.reversible, pairs)
        circles = [one for one in self.problem.unknowns if one.circular]
        return values | {one.name: one.on_circle(values[one.name]) for one in circles}

    def _encoded(self, values: Values, label: NDArray[np.integer]) -> Array:
        values = {name: np.asarray(column, dtype=np.float64) for name, column in values.items()}
        three: tuple[Array, ...] = ()
        if self._sphere:
            a, p = (values[name] for name in self._sphere)
            s2, s1, s3 = to_sphere(a, np.where(self._pairs[label], p, np.nan))
            if self.problem.reversible:
                values |= turned_moment(values, s3 < 0)
                s3 = np.abs(s3)
            three = np.stack([s2, s1], axis=1), s3[:, None]
        parts = []
        for unknown in self.problem.learned:
            known = self.problem.has(unknown.name)[label]
            if unknown.name in self._sphere:
                columns = three[self._sphere.index(unknown.name)]
            else:
                columns = unknown.straightened(values[unknown.name])
                if not unknown.circular:
                    name = unknown.name
                    columns = (columns - self.scaling.mean[name]) / self.scaling.deviation[name]
            parts.append(np.where(known[:, None], columns, np.nan))
        return np.concatenate(parts, axis=1)

    def _columns(self) -> list[tuple[Unknown, slice]]:
        """Each unknown with its columns among the targets."""
        found, first = [], 0
        for unknown in self.problem.learned:
            last = first + _width(unknown, self._sphere)
            found.append((unknown, slice(first, last)))
            first = last
        return found


def column_count(problem: Problem, stokes: bool) -> int:
    """Number of targets of a problem; raises TrainingError as ``stokes.sphere_of`` does."""
    sphere = (stokes and sphere_of(problem)) or ()
    return sum(_width(one, sphere) for one in problem.unknowns)


def _width(unknown: Unknown, sphere: tuple[str, ...]) -> int:
    return 1 if unknown.name in sphere[1:] else unknown.columns
