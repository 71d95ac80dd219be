"""What the parameter head learns: sin 2theta, cos 2theta (paper, eq. 15), eps0 and gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

TARGETS = ("sin 2theta", "cos 2theta", "eps0", "gap")


@dataclass(frozen=True)
class TargetScaling:
    """Means and standard deviations, over the training split, of eps0 and gap in meV."""

    eps0_mean: float
    eps0_deviation: float
    gap_mean: float
    gap_deviation: float

    @classmethod
    def of(cls, eps0: NDArray[np.float64], gap: NDArray[np.float64]) -> Self:
        """Statistics of a split; a parameter that does not vary keeps its unit."""
        return cls(
            float(eps0.mean()), float(eps0.std()) or 1.0, float(gap.mean()), float(gap.std()) or 1.0
        )

    def encode(
        self, theta: NDArray[np.float64], eps0: NDArray[np.float64], gap: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Targets (samples, 4) in the order of TARGETS; NaN where theta is NaN."""
        columns = (
            np.sin(2 * theta),
            np.cos(2 * theta),
            (eps0 - self.eps0_mean) / self.eps0_deviation,
            (gap - self.gap_mean) / self.gap_deviation,
        )
        return np.stack(columns, axis=-1).astype(np.float32)

    def decode(self, outputs: NDArray[np.floating]) -> dict[str, NDArray[np.float64]]:
        """theta = atan2(sin, cos)/2 in [0, pi), eps0 and gap in meV, each (samples,)."""
        sine, cosine, eps0, gap = np.asarray(outputs, dtype=np.float64).T
        return {
            "theta": np.arctan2(sine, cosine) / 2 % np.pi,
            "eps0": eps0 * self.eps0_deviation + self.eps0_mean,
            "gap": gap * self.gap_deviation + self.gap_mean,
        }


def circular_error(theta: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of angles on the circle of circumference pi: min(|d| mod pi, pi - |d| mod pi)."""
    d = np.abs(theta - truth) % np.pi
    return np.minimum(d, np.pi - d)
