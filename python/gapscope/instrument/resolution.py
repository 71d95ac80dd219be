"""Energy resolution of tunnelling spectroscopy, as quadrature rules over energies.

At temperature T the differential conductance is the density of states averaged over -df/dE, with
f Fermi's function; a lock-in amplifier with the modulation Vm cos(w t) averages it over the kernel
(2 / pi Vm^2) sqrt(Vm^2 - E^2) (J. Klein, A. Leger, M. Belin, D. Defourneau, M. J. L. Sangster,
Phys. Rev. B 7, 2336 (1973)). Vm is the amplitude (peak), sqrt2 times the rms value. Both together:

    g(E) = sum_k weights_k rho(E + nodes_k),

Gauss's rule for the convolution of both kernels, exact for polynomials of degree 2n - 1. The
thermal kernel is cut off at 10 kT, beyond which 9e-5 of it lie: nodes far out in its tail would be
few elsewhere. Second moments add up: (pi kT)^2 / 3 (0.3 % less after the cut) and Vm^2 / 4. For a
Lorentzian of half width 0.1 meV at 0.35 K and 0.05 meV rms, 5 nodes are within 2 % and 9 within
0.3 % of its height; the nodes needed grow as the kernels' width over that of the states.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import SettingError

Real = NDArray[np.float64]
BOLTZMANN = 0.08617333262
"""meV/K."""
CUT = 10.0
"""kT at which the thermal kernel ends."""
FINE = 160
"""Points that stand for the kernel while a rule is made."""


def thermal_rule(temperature: float, count: int) -> tuple[Real, Real]:
    """Gauss's rule for -df/dE = 1 / (4 kT cosh^2(E / 2kT)), |E| < 10 kT: nodes in meV, weights.

    Raises
    ------
    SettingError : a negative temperature, or no node.
    """
    _check(temperature, "A temperature in K", count)
    if temperature == 0:
        return np.zeros(1), np.ones(1)
    return _reduced(*_thermal_points(temperature), count)


def lockin_rule(amplitude: float, count: int) -> tuple[Real, Real]:
    """Gauss's rule for (2 / pi Vm^2) sqrt(Vm^2 - E^2): Chebyshev's of the second kind.

    Parameters
    ----------
    amplitude : Vm in meV, peak.

    Raises
    ------
    SettingError : a negative amplitude, or no node.
    """
    _check(amplitude, "An amplitude in meV", count)
    if amplitude == 0:
        return np.zeros(1), np.ones(1)
    angle = np.pi * np.arange(1, count + 1) / (count + 1)
    return amplitude * np.cos(angle), 2 / (count + 1) * np.sin(angle) ** 2


def energy_rule(temperature: float, modulation: float, count: int) -> tuple[Real, Real]:
    """Nodes in meV, in rising order and in pairs -E, E, and weights of both kernels together.

    One node where both are zero.

    Parameters
    ----------
    temperature : T in K.
    modulation : rms value of the lock-in's modulation in meV; its amplitude is sqrt2 times that.
    count : nodes; see above for how many are needed.

    Raises
    ------
    SettingError : negative values, or no node.
    """
    if temperature == 0 and modulation == 0:
        _check(0.0, "A temperature in K", count)
        return np.zeros(1), np.ones(1)
    _check(temperature, "A temperature in K", count)
    first, first_weights = _thermal_points(temperature)
    # Exact up to the degree that the result is exact to, 2 count - 1.
    second, second_weights = lockin_rule(np.sqrt(2) * modulation, count + 1)
    nodes = np.add.outer(first, second).ravel()
    weights = np.outer(first_weights, second_weights).ravel()
    return _reduced(nodes, weights, count)


def energy_width(temperature: float, modulation: float) -> float:
    """Standard deviation of both kernels together, sqrt((pi kT)^2 / 3 + Vm^2 / 4), in meV.

    Parameters
    ----------
    temperature, modulation : T in K and the rms modulation in meV, as for :func:`energy_rule`.
    """
    return float(np.sqrt((np.pi * BOLTZMANN * temperature) ** 2 / 3 + modulation**2 / 2))


def _thermal_points(temperature: float) -> tuple[Real, Real]:
    """A fine discrete measure in place of the kernel."""
    if temperature == 0:
        return np.zeros(1), np.ones(1)
    x, steps = np.polynomial.legendre.leggauss(FINE)
    weights = steps / np.cosh(CUT / 2 * x) ** 2
    return CUT * BOLTZMANN * temperature * x, weights / weights.sum()


def _reduced(nodes: Real, weights: Real, count: int) -> tuple[Real, Real]:
    """Gauss's rule of a symmetric discrete measure by Lanczos's recurrence (W. Gautschi,
    Orthogonal Polynomials: Computation and Approximation (2004), section 2.2.3)."""
    scale = float(np.sqrt(weights @ nodes**2))
    x = nodes / scale
    basis = [np.sqrt(weights)]
    off_diagonal = []
    for _ in range(count - 1):
        vector = x * basis[-1]
        for _ in range(2):
            vector = vector - np.array(basis).T @ (np.array(basis) @ vector)
        norm = float(np.linalg.norm(vector))
        off_diagonal.append(norm)
        basis.append(vector / norm)
    found, found_weights = _gauss(np.array(off_diagonal))
    return scale * found, found_weights


def _gauss(off_diagonal: Real) -> tuple[Real, Real]:
    """Nodes and weights from a symmetric measure's recurrence (Golub and Welsch 1969)."""
    matrix = np.diag(off_diagonal, 1)
    nodes, vectors = np.linalg.eigh(matrix + matrix.T)
    weights = vectors[0] ** 2
    # Pairs are exact: the energies w and -w then cost the kernel one integral.
    return (nodes - nodes[::-1]) / 2, (weights + weights[::-1]) / 2


def _check(value: float, what: str, count: int) -> None:
    if not (np.isfinite(value) and value >= 0):
        raise SettingError(f"{what} is a number >= 0.", value, "Change it.")
    if count < 1:
        raise SettingError("A rule has at least one node.", count, "Use for example 5.")
