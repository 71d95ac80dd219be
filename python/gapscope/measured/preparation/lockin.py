"""Local amplitude and phase of a wave in a map, and maps without certain waves.

    psi(r) = sum_r' g(r - r') f(r') exp(-i q.r') / sum_r' g(r - r'), g(r) = exp(-r^2 / 2 length^2),

the sums over the pixels of the map, so that a wave A exp(i q.r) has psi = A up to the edges. In
momentum, length is a Gaussian window of width 1/length around q.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.signal import oaconvolve

from gapscope.errors import PreparationError
from gapscope.measured.preparation.grid import Grid, Real, grid_of, like, values_of

Complex = NDArray[np.complex128]
REACH = 8.5
"""Cut of the Gaussian, in lengths: beyond, its weights are below a double's rounding."""


def local_amplitude(
    image: xr.DataArray, momentum: Sequence[float] | Real, length: float
) -> Complex:
    """psi(r), (y, x), of the wave with a momentum in 1/nm; phases from the coordinates' zero.

    Parameters
    ----------
    length : smoothing length in nm, larger than 1/|q|.

    Raises
    ------
    PreparationError : a length below a pixel or 1/|q|.
    """
    grid, q = _checked(image, momentum, length)
    smooth = values_of(image) * _wave(grid, -q)
    for axis, step in enumerate(grid.step[::-1]):
        smooth = _smoothed(smooth, axis, length / step)
    return smooth


def amplitude_at(
    image: xr.DataArray, momentum: Sequence[float] | Real, length: float, point: Real
) -> complex:
    """psi at a point (x, y) in nm, which need not be a pixel; see :func:`local_amplitude`."""
    grid, q = _checked(image, momentum, length)
    wx, wy = (
        np.exp(-((along - at) ** 2) / (2 * length**2))
        for along, at in zip((grid.x, grid.y), point, strict=True)
    )
    weighted = wy @ (values_of(image) * _wave(grid, -q)) @ wx
    return complex(weighted / (wx.sum() * wy.sum()))


def mask_peaks(image: xr.DataArray, momenta: ArrayLike, width: float) -> xr.DataArray:
    """The map without the peaks at some momenta: Gaussian notches around q and -q.

    f(r) - sum_q 2 Re psi_q(r) exp(i q.r), that is rho(q') times 1 - exp(-(q' - q)^2 / 2 width^2)
    where the notches do not overlap.

    Parameters
    ----------
    momenta : (n, 2) in 1/nm, of each pair q, -q one.
    width : width of the notch, in 1/nm; the smoothing length is its inverse.

    Raises
    ------
    PreparationError : momenta of another shape, or a width as large as |q|.
    """
    grid, waves = grid_of(image), np.asarray(momenta, dtype=np.float64)
    if waves.ndim != 2 or waves.shape[1] != 2 or not np.isfinite(waves).all() or not width > 0:
        raise PreparationError(
            "Masked momenta are rows (qx, qy), and the width is positive.",
            f"shape {waves.shape}, width {width}",
            "Give the momenta of found peaks, in 1/nm.",
        )
    masked = values_of(image).copy()
    for q in waves:
        # One after the other: what two notches share is taken away once.
        masked -= 2 * np.real(local_amplitude(like(image, masked), q, 1 / width) * _wave(grid, q))
    return like(image, masked)


def _wave(grid: Grid, q: Real) -> Complex:
    return np.asarray(np.exp(1j * q[1] * grid.y)[:, None] * np.exp(1j * q[0] * grid.x))


def _checked(
    image: xr.DataArray, momentum: Sequence[float] | Real, length: float
) -> tuple[Grid, Real]:
    grid, q = grid_of(image), np.asarray(momentum, dtype=np.float64)
    if not (np.isfinite(length) and length > grid.step.max() and length * np.hypot(*q) > 1):
        raise PreparationError(
            "The smoothing length is larger than a pixel and than 1/|q|.",
            f"{length:g} nm",
            "Use a few lattice constants.",
        )
    return grid, q


def _smoothed(values: Complex, axis: int, length: float) -> Complex:
    """Gaussian averages along an axis over the pixels that there are; length in pixels."""
    count = values.shape[axis]
    far = min(count - 1, int(np.ceil(REACH * length)))
    weights = np.exp(-(np.arange(-far, far + 1) ** 2) / (2 * length**2))
    shape = [-1 if i == axis else 1 for i in range(values.ndim)]
    total = oaconvolve(np.ones(count), weights, mode="same").reshape(shape)
    summed = oaconvolve(values, weights.reshape(shape), mode="same", axes=axis)
    return np.asarray(summed / total)
