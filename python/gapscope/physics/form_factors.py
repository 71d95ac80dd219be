"""Form factors of the D3h irreps on the triangular lattice (paper, eqs A1-A3), as bonds.

Each table gives the coefficients of cos(k.R) (even) or sin(k.R) (odd) for one R of every pair +-R,
and the spin matrix they multiply. Closed forms in kx, ky are what the tests compare with.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.bonds import Bonds
from gapscope.physics.spin import D0, DX, DY, DZ

Site = tuple[int, int]

# k.N0 = kx a, k.N1 = kx a/2 + sqrt3 ky a/2, k.N2 = kx a/2 - sqrt3 ky a/2
N0: Site = (1, 0)
N1: Site = (0, 1)
N2: Site = (1, -1)
# k.U0 = sqrt3 ky a, k.U1 = 3 kx a/2 + sqrt3 ky a/2, k.U2 = 3 kx a/2 - sqrt3 ky a/2
U0: Site = (-1, 2)
U1: Site = (1, 1)
U2: Site = (2, -1)
H = math.sqrt(3) / 2


def even(coefficients: Mapping[Site, float], spin: NDArray[np.complex128]) -> Bonds:
    """Bonds of sum_R c_R cos(k.R) times a spin matrix."""
    terms = {}
    for (r1, r2), c in coefficients.items():
        terms[r1, r2] = terms[-r1, -r2] = c / 2 * spin
    return Bonds.from_dict(terms)


def odd(coefficients: Mapping[Site, float], spin: NDArray[np.complex128]) -> Bonds:
    """Bonds of sum_R c_R sin(k.R) times a spin matrix."""
    terms = {}
    for (r1, r2), c in coefficients.items():
        terms[r1, r2] = c / 2j * spin
        terms[-r1, -r2] = -c / 2j * spin
    return Bonds.from_dict(terms)


def _vector(dx: Mapping[Site, float], dy: Mapping[Site, float]) -> Bonds:
    return Bonds.sum([odd(dx, DX), odd(dy, DY)])


A2G_SINGLET: dict[Site, float] = {
    (2, -3): 1,
    (-1, 3): -1,
    (3, -2): -1,
    (1, 2): 1,
    (3, -1): 1,
    (2, 1): -1,
}

FORM_FACTORS: Mapping[str, Bonds] = MappingProxyType(
    {
        # singlet (s), eq. A1
        "A1g(s)": even({N0: 2, N1: 2, N2: 2}, D0),
        "A2g(s)": even(A2G_SINGLET, D0),
        "Eg1(s)": even({N0: 1, N1: -1 / 2, N2: -1 / 2}, D0),
        "Eg2(s)": even({N1: -H, N2: H}, D0),
        # triplet with d along z (t,z), eq. A2
        "A1g(t,z)": odd({N0: 1 / 2, N1: -1 / 2, N2: -1 / 2}, DZ),
        "A2g(t,z)": odd({U0: 1, U1: -1, U2: 1}, DZ),
        "Eg1(t,z)": odd({N0: 1, N1: 1 / 2, N2: 1 / 2}, DZ),
        "Eg2(t,z)": odd({N1: H, N2: -H}, DZ),
        # triplet with d in the plane (t,xy), eq. A3
        "A1u(t,xy)": _vector({N1: 3 / 2, N2: -3 / 2}, {N0: -2 * H, N1: -H, N2: -H}),
        "A2u(t,xy)": _vector({N0: 1, N1: 1 / 2, N2: 1 / 2}, {N1: H, N2: -H}),
        "Eu1(t,xy)": _vector({U0: 2, U1: -1 / 2, U2: 1 / 2}, {U1: H, U2: H}),
        "Eu2(t,xy)": _vector({U1: H, U2: H}, {U1: -3 / 2, U2: 3 / 2}),
    }
)
