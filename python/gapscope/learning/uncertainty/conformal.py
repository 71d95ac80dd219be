"""Split-conformal prediction: intervals, sets and p-values that hold whatever the network is worth.

If n calibration scores and a new one are exchangeable, the new one is at most the k-th smallest
of the n, k = ceil((n + 1) level), with a probability of at least ``level`` (Vovk, Gammerman and
Shafer 2005; Angelopoulos and Bates, arXiv:2107.07511, section 1). Scores are grouped by the
predicted class, a function of the map alone: the statement holds in every group (Vovk's Mondrian
taxonomies).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import CalibrationError

Sorted = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Nonconformity scores of a calibration set in rising order, by group and pooled."""

    groups: tuple[Sorted, ...]
    pooled: Sorted

    @classmethod
    def of(cls, scores: NDArray[np.floating], group: NDArray[np.integer], groups: int) -> Self:
        """Scores (n,), NaN where a sample has none, of samples of the groups 0 .. groups - 1."""
        known = np.isfinite(scores)
        values, group = scores[known].astype(np.float64), group[known]
        return cls(tuple(np.sort(values[group == g]) for g in range(groups)), np.sort(values))

    def bounds(self, level: float) -> NDArray[np.float64]:
        """Per group, the score that a new sample's exceeds with a probability <= 1 - level.

        A group with less than level / (1 - level) scores takes all groups' scores: there the
        statement holds on average over the groups only.

        Raises
        ------
        CalibrationError : the level is not between 0 and 1, or all scores are too few for it.
        """
        require_level(level)
        pooled = bound(self.pooled, level)
        if pooled is None:
            raise CalibrationError(
                f"A level of {level:g} needs {math.ceil(level / (1 - level))} calibration maps.",
                f"{len(self.pooled)} maps",
                "Ask for a lower level, or calibrate with more maps.",
            )
        found = (bound(scores, level) for scores in self.groups)
        return np.array([pooled if q is None else q for q in found])


def bound(scores: Sorted, level: float) -> float | None:
    """The ceil((n + 1) level)-th smallest of n sorted scores; None where n is too small for it."""
    # Rounding keeps (n + 1) level, where it is whole, from being taken for the next number.
    k = math.ceil(round((len(scores) + 1) * level, 9))
    return float(scores[k - 1]) if k <= len(scores) else None


def p_values(scores: Sorted, new: NDArray[np.floating]) -> NDArray[np.float64]:
    """(1 + number of calibration scores >= the new one) / (n + 1): at most p with probability p."""
    larger = len(scores) - np.searchsorted(scores, new, side="left")
    return np.asarray((1 + larger) / (len(scores) + 1))


def require_level(level: float) -> None:
    """Raise CalibrationError unless a level lies between 0 and 1."""
    if not 0 < level < 1:
        raise CalibrationError("A level lies between 0 and 1.", level, "Give for example 0.9.")
