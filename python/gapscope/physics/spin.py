"""Pauli matrices and the spin matrices of the paper's Appendix A, i sy on the left.

Spinor order (up, down). d0 = i sy (singlet), dz = i sy sz, dx = i sy sx, dy = i sy sy (triplet).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

S0: NDArray[np.complex128] = np.eye(2, dtype=np.complex128)
SX: NDArray[np.complex128] = np.array([[0, 1], [1, 0]], dtype=np.complex128)
SY: NDArray[np.complex128] = np.array([[0, -1j], [1j, 0]], dtype=np.complex128)
SZ: NDArray[np.complex128] = np.array([[1, 0], [0, -1]], dtype=np.complex128)

D0: NDArray[np.complex128] = 1j * SY
DX: NDArray[np.complex128] = 1j * SY @ SX
DY: NDArray[np.complex128] = 1j * SY @ SY
DZ: NDArray[np.complex128] = 1j * SY @ SZ
