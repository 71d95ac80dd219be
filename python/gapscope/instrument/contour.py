"""Contour for integrating G up to the bias, which gives integrated densities of states.

N(r) = int_0^{eV} rho(r, E) dE is an integral of a Green's function that is analytic in the upper
half plane: the way from i delta to eV + i delta may lead over a half circle, far from all poles,
where few nodes do:

    int_0^{eV} rho dE = -(1/pi) Im int_0^pi G(z(phi)) z'(phi) dphi,
    z(phi) = i delta + (eV/2) (1 - exp(-i phi)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import SettingError

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Contour:
    """Nodes z = energy + i broadening in meV, and complex weights dz of int G dz."""

    energies: Real
    broadenings: Real
    weights: NDArray[np.complex128]


def setpoint_contour(bias: float, broadening: float, count: int) -> Contour:
    """Gauss-Legendre nodes on the half circle from i delta to eV + i delta.

    Parameters
    ----------
    bias : eV in meV, of either sign.
    broadening : delta in meV.
    count : nodes; benchmarks/energy_nodes.py prints what few of them cost.

    Raises
    ------
    SettingError : no bias, no broadening, or no node.
    """
    if not (np.isfinite(bias) and bias != 0 and broadening > 0 and count >= 1):
        raise SettingError(
            "A setpoint has a bias other than zero, a positive broadening, and a node or more.",
            f"bias {bias} meV, broadening {broadening} meV, {count} nodes",
            "Use for example 10 meV and 8 nodes.",
        )
    nodes, weights = np.polynomial.legendre.leggauss(count)
    turn = np.exp(-0.5j * np.pi * (nodes + 1) * np.sign(bias))
    z = 1j * broadening + bias / 2 * (1 - turn)
    slope = 0.5j * abs(bias) * turn
    return Contour(z.real, z.imag, slope * weights * np.pi / 2)
