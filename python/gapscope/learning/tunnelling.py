"""What the tip's feedback and the energy resolution make of the map of one impurity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import TrainingError
from gapscope.learning.inputs import cut

Real = NDArray[np.float64]

LEAST_CURRENT = 0.1
"""N/N0 is never less: sums of single impurities' changes may fall below zero, currents do not."""


@dataclass(frozen=True)
class Feedback:
    """What the tip's feedback sees around one impurity.

    Attributes
    ----------
    density : rho0 at the map's energies, (energies,), in the unit of the map.
    integrals : (N_1 - N0)/N0 up to every setpoint, (setpoints, W, W).
    """

    density: NDArray[np.floating]
    integrals: NDArray[np.floating]


@dataclass(frozen=True)
class Broadened:
    """What a coarse energy resolution sees of one impurity at a map's energy.

    Attributes
    ----------
    maps : drho at every resolution, (resolutions, W, W).
    density : rho0 there, (resolutions,), in the unit of the map.
    """

    maps: NDArray[np.floating]
    density: NDArray[np.floating]


@dataclass(frozen=True)
class ConstantCurrent:
    """Clean maps at constant current: what the feedback does to them, and nothing else.

    Attributes
    ----------
    size : sites per side of the result, even.
    setpoint : number of one of the dataset's setpoints.
    """

    size: int
    setpoint: int
    constant_current: ClassVar[float] = 1.0
    resolution: ClassVar[float] = 0.0

    def __call__(
        self,
        single: NDArray[np.floating],
        rng: np.random.Generator,
        feedback: Feedback | None = None,
        broadened: Broadened | None = None,
    ) -> NDArray[np.float32]:
        """The map (energies, size, size) of one impurity's drho (energies, W, W).

        Raises
        ------
        TrainingError : a dataset without setpoints.
        """
        if feedback is None:
            raise TrainingError(
                "Maps at constant current are made of a dataset with setpoints.",
                "one without",
                "Build it with setpoints in its recipe.",
            )
        drho, change = cut(single, self.size), cut(feedback.integrals[self.setpoint], self.size)
        return regulated(drho, change, feedback.density).astype(np.float32)


def regulated(
    drho: NDArray[np.floating], change: NDArray[np.floating], density: NDArray[np.floating]
) -> Real:
    """(rho0 + drho) N0/N - rho0, (energies, L, L), for the change (N - N0)/N0, (L, L)."""
    rho0 = density[:, None, None]
    return np.asarray((rho0 + drho) / np.maximum(1 + change, LEAST_CURRENT) - rho0)
