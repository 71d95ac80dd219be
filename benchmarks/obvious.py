"""The obvious NumPy code for one QPI map: batched 4 x 4 inverses and 16 complex FFTs.

It is written as one would write it, and not slower: H(k) is summed harmonic by harmonic, the
inverses are one batched call, the transforms one call in place of sixteen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.physics import Specification


def ldos_change(
    specification: Specification, *, energy: float, broadening: float, window: int, kgrid: int
) -> NDArray[np.float64]:
    """drho(r) = -(1/pi) Im Tr_e[G(r) T G(-r)] on the window, (L, L), per meV."""
    bonds, v = specification.bdg(), specification.impurity_matrix()
    m = np.arange(kgrid) / kgrid
    rows: dict[int, NDArray[np.complex128]] = {}
    for (r1, r2), matrix in zip(bonds.vectors.tolist(), bonds.matrices, strict=True):
        row = rows.setdefault(r2, np.zeros((kgrid, 4, 4), dtype=np.complex128))
        row += np.exp(2j * np.pi * m * r1)[:, None, None] * matrix
    h = np.zeros((kgrid, kgrid, 4, 4), dtype=np.complex128)
    for r2, row in rows.items():
        h += row[:, None] * np.exp(2j * np.pi * m * r2)[None, :, None, None]
    green = np.linalg.inv((energy + 1j * broadening) * np.eye(4) - h)
    del h
    green = np.fft.ifft2(green, axes=(0, 1))
    g0 = green[0, 0]
    t = v @ np.linalg.inv(np.eye(4) - g0 @ v)
    r = np.arange(-(window // 2), window // 2)
    forward = green[np.ix_(r, r)]
    backward = green[np.ix_(-r, -r)]
    trace = np.einsum("xyei,ij,xyje->xy", forward[..., :2, :], t, backward[..., :2])
    return np.asarray(-trace.imag / np.pi)
