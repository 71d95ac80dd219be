"""From a map over sites to a QPI image over momenta.

rho(q) = sum_r exp(-i q.r) drho(r), r in the window that the point group maps onto itself,
q = (j1 b1 + j2 b2) / L with j = -L/2 .. L/2 - 1. No normalisation: rho(0) is the sum over r.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import NumericsError
from gapscope.physics.lattice import Lattice, check_window, symmetric_window, window_coordinates

AXES = (-2, -1)
Places = Sequence[tuple[float, float]]


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


def atom_images(
    values: NDArray[np.inexact], lattice: Lattice | str, places: Places
) -> NDArray[np.complex128]:
    """sum_r exp(-i q.r) of every atom's own map, (..., atoms, L, L) of the same shape.

    They are periodic in q; with exp(-i q.tau) each, their sum is rho(q).

    Parameters
    ----------
    values : (..., atoms, L, L) on the sites r of every atom; it stands at r + tau.
    places : tau in reduced coordinates, one for each atom, from where the image counts r; r + tau
        lies in the symmetric window.
    """
    size = values.shape[-1]
    reach = float(np.abs(places).max())
    masks = np.stack([symmetric_window(lattice, size, place, reach) for place in places])
    spectrum = np.fft.fft2(np.fft.ifftshift(np.where(masks, values, 0), axes=AXES), axes=AXES)
    return np.asarray(np.fft.fftshift(spectrum, axes=AXES), dtype=np.complex128)


def joined_image(
    values: NDArray[np.inexact], lattice: Lattice | str, places: Places
) -> NDArray[np.complex128]:
    """rho(q) = sum_atoms sum_r exp(-i q.(r + tau)) drho_atom(r), (..., L, L), at the q of a map.

    Parameters as of :func:`atom_images`. It is not periodic in q.
    """
    q = window_coordinates(values.shape[-1]) / values.shape[-1]
    phases = [np.exp(-2j * np.pi * (q[:, None] * t1 + q[None, :] * t2)) for t1, t2 in places]
    return np.asarray((atom_images(values, lattice, places) * np.stack(phases)).sum(axis=-3))


def paper_image(trace: NDArray[np.complex128], lattice: Lattice | str) -> NDArray[np.float64]:
    """Eq. 12 of the paper, real: -(1/pi) Im of sum_r exp(+i q.r) A(r).

    A(r) = Tr_e[G(r) T G(-r)], so that sum_r exp(i q.r) A(r) is the Brillouin-zone average of
    Tr_e[G0(k) T G0(k + q)]: the imaginary part is taken after the Fourier sum.
    """
    spectrum = qpi_image(trace.conj(), lattice).conj()
    return np.asarray(-spectrum.imag / np.pi)
