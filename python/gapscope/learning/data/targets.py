"""What the parameter head learns: the unknowns of a problem, as numbers of the size of one.

A circle is learned as its sine and cosine (paper, eq. 15), which have no seam. Anything else is x,
or log x on a logarithmic scale, less its mean and over its standard deviation in the training
split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

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
    """From unknowns to targets and back."""

    problem: Problem
    scaling: TargetScaling

    def encode(self, values: Values, label: NDArray[np.integer]) -> NDArray[np.float32]:
        """Targets (n, columns) of samples of classes; NaN where a class has no such unknown."""
        parts = []
        for unknown in self.problem.learned:
            known = self.problem.has(unknown.name)[label]
            columns = self._standardised(unknown, unknown.straightened(values[unknown.name]))
            parts.append(np.where(known[:, None], columns, np.nan))
        return np.concatenate(parts, axis=1).astype(np.float32)

    def decode(self, outputs: NDArray[np.floating]) -> dict[str, Array]:
        """Unknowns (n,) of outputs (n, columns), whatever the class."""
        given: Array = np.asarray(outputs, dtype=np.float64)
        found = {}
        for unknown, columns in self._columns():
            own = given[:, columns]
            if not unknown.circular:
                name = unknown.name
                own = own * self.scaling.deviation[name] + self.scaling.mean[name]
            found[unknown.name] = unknown.restored(own)
        return found

    def moved_back(
        self, outputs: NDArray[np.floating], label: NDArray[np.integer], move: int
    ) -> Array:
        """Outputs (n, columns) for moved maps as they are for the maps themselves.

        What a move leaves alone stays as it is; sine and cosine keep their length, which tells how
        sure a network is.
        """
        given: Array = np.asarray(outputs, dtype=np.float64)
        moved = self.decode(given)
        values = self.problem.moved_back(moved, label, move)
        back = given.copy()
        for unknown, columns in self._columns():
            changed = values[unknown.name] != moved[unknown.name]
            new = self._standardised(unknown, unknown.straightened(values[unknown.name][changed]))
            if unknown.circular:
                new = new * np.linalg.norm(given[changed, columns], axis=1, keepdims=True)
            back[changed, columns] = new
        return back

    def _columns(self) -> list[tuple[Unknown, slice]]:
        """Each unknown with its columns among the targets."""
        found, first = [], 0
        for unknown in self.problem.learned:
            found.append((unknown, slice(first, first + unknown.columns)))
            first += unknown.columns
        return found

    def _standardised(self, unknown: Unknown, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        if unknown.circular:
            return columns
        name = unknown.name
        return np.asarray((columns - self.scaling.mean[name]) / self.scaling.deviation[name])
