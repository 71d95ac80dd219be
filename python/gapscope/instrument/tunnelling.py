"""What the tip's feedback and the energy resolution make of the map of one impurity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def regulated(
    drho: NDArray[np.floating], change: NDArray[np.floating], density: NDArray[np.floating]
) -> Real:
    """(rho0 + drho) N0/N - rho0, (energies, L, L), for the change (N - N0)/N0, (L, L)."""
    rho0 = density[:, None, None]
    return np.asarray((rho0 + drho) / np.maximum(1 + change, LEAST_CURRENT) - rho0)
