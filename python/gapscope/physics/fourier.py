"""From a map over sites to a QPI image over momenta.

rho(q) = sum_r exp(-i q.r) drho(r), r in the window that the point group maps onto itself,
q = (j1 b1 + j2 b2) / L with j = -L/2 .. L/2 - 1. No normalisation: rho(0) is the sum over r.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import NumericsError
from gapscope.physics.lattice import Lattice, check_window, symmetric_window

AXES = (-2, -1)


def centred_window(values: NDArray[np.inexact], size: int) -> NDArray[np.inexact]:
    """The central size x size sites of a map (..., L, L), r = 0 staying at index size/2.

    Raises
    ------
    NumericsError : an odd size, or one larger than the map.
    """
    check_window(size)
    full = values.shape[-1]
    if size > full:
        raise NumericsError(
            "A smaller window is cut out of a larger map.",
            f"{size} sites out of {full}",
            "Simulate a larger window, or use a smaller one.",
        )
    inside = slice((full - size) // 2, (full + size) // 2)
    return values[..., inside, inside]


def qpi_image(values: NDArray[np.inexact], lattice: Lattice | str) -> NDArray[np.complex128]:
    """rho(q), (..., L, L) complex, of a map over sites (..., L, L) with r = 0 at index L/2."""
    masked = np.where(symmetric_window(lattice, values.shape[-1]), values, 0)
    spectrum = np.fft.fft2(np.fft.ifftshift(masked, axes=AXES), axes=AXES)
    return np.asarray(np.fft.fftshift(spectrum, axes=AXES), dtype=np.complex128)


def paper_image(trace: NDArray[np.complex128], lattice: Lattice | str) -> NDArray[np.float64]:
    """Eq. 12 of the paper, real: -(1/pi) Im of sum_r exp(+i q.r) A(r).

    A(r) = Tr_e[G(r) T G(-r)], so that sum_r exp(i q.r) A(r) is the Brillouin-zone average of
    Tr_e[G0(k) T G0(k + q)]: the imaginary part is taken after the Fourier sum.
    """
    spectrum = qpi_image(trace.conj(), lattice).conj()
    return np.asarray(-spectrum.imag / np.pi)
