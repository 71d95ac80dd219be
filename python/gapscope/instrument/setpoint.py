"""What the feedback does to a conductance map, and the topograph that it writes.

At constant current I0 at the bias V0 the tip stands where N(r) = int_0^{eV0} rho(r, E) dE times the
tunnelling matrix element is the same everywhere, so that (the setpoint effect; see T. Hanaguri et
al., Nature Phys. 3, 865 (2007))

    g(r, V) = I0 rho(r, eV) / N(r);

to first order dg/g = drho/rho0 - dN/N0. The ratio is taken site by site: what the feedback does
within the unit cell, where one orbital per site would cancel, is left out. Its height follows the
current's exponential decay, I ~ N exp(-2 kappa z), hence z(r) = ln(N(r)/N0) / (2 kappa),
kappa = sqrt(2 m phi) / hbar (J. Tersoff, D. R. Hamann, Phys. Rev. B 31, 805 (1985)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gapscope.errors import SettingError

Real = NDArray[np.float64]
DECAY = 5.123167
"""sqrt(2 m eV) / hbar in 1/nm."""
LEAST_CURRENT = 0.1
"""Least N/N0: sums of single impurities' changes may fall below zero, currents do not."""


def constant_current(rho: ArrayLike, integral: ArrayLike, clean_integral: float) -> Real:
    """g(r) = rho(r) N0 / N(r): the current is the one that leaves a clean place's rho as it is.

    Raises
    ------
    SettingError : integrals that are not positive.
    """
    n = np.asarray(integral, dtype=np.float64)
    if not ((n > 0).all() and clean_integral > 0):
        raise SettingError(
            "The integrated density of states up to the setpoint is positive.",
            f"least value {n.min():.3g}, clean {clean_integral:.3g}",
            "Use a higher setpoint bias or more nodes.",
        )
    return np.asarray(np.asarray(rho, dtype=np.float64) * clean_integral / n)


def regulated(
    drho: NDArray[np.floating], change: NDArray[np.floating], density: NDArray[np.floating]
) -> Real:
    """(rho0 + drho) N0/N - rho0, (n, L, L): what is left of drho at constant current.

    Parameters
    ----------
    drho : maps at n energies, or of n states, (n, L, L).
    change : (N - N0)/N0 up to the set point, of all maps (L, L) or of each (n, L, L); N/N0 is taken
        to be LEAST_CURRENT at least.
    density : rho0, (n,).
    """
    rho0 = density[:, None, None]
    return constant_current(rho0 + drho, np.maximum(1 + change, LEAST_CURRENT), 1.0) - rho0


def topograph(integral: ArrayLike, clean_integral: float, barrier: float) -> Real:
    """z(r) in nm of the feedback, zero where N = N0.

    Parameters
    ----------
    barrier : apparent height phi in eV.

    Raises
    ------
    SettingError : integrals or a barrier that are not positive.
    """
    if not (np.isfinite(barrier) and barrier > 0):
        raise SettingError("A barrier is a positive energy in eV.", barrier, "Use for example 4.")
    ratio = 1 / constant_current(1.0, integral, clean_integral)
    return np.asarray(np.log(ratio) / (2 * DECAY * np.sqrt(barrier)))
