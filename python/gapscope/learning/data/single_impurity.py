"""What a dataset holds beside the map of one impurity: feedback, and coarse energy resolutions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
