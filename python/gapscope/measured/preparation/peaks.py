"""A peak of |rho(q)|: its place between the pixels of the transform, and the error of it.

A peak is where |rho(q)|^2 of the windowed sum over the pixels, at any q, is largest. For a
wave of complex amplitude A in noise of mean power P = <|rho_noise|^2>, expanding to first order,

    Cov(q) = (P / 2 |A|^2) C^-1 B C^-1,   C_ij = <r_i r_j>_w,   B_ij = <r_i r_j>_(w^2),

the averages over the pixels with weights w and w^2, r from the centre: the noise's slope over the
curvature of the peak.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.measured.preparation.grid import Real, grid_of
from gapscope.measured.preparation.window import windowed


@dataclass(frozen=True)
class Peak:
    """A peak of rho(q).

    Attributes
    ----------
    momentum : (qx, qy) in 1/nm.
    covariance : covariance of the momentum, 1/nm^2.
    amplitude : complex rho(q), phases from the centre of the map; a wave has twice its modulus.
    noise : mean power of the noise around it, |rho|^2.
    """

    momentum: Real
    covariance: Real
    amplitude: complex
    noise: float

    @property
    def significance(self) -> float:
        """z, power over the mean power of the noise."""
        return abs(self.amplitude) ** 2 / self.noise

    @property
    def error(self) -> Real:
        """Standard errors of qx and qy in 1/nm."""
        return np.sqrt(np.diag(self.covariance))


def refine_peak(image: xr.DataArray, start: Real, noise: float) -> Peak | None:
    """The maximum of |rho(q)| next to a start, by Newton's method; None where it runs away.

    Parameters
    ----------
    start : (qx, qy) in 1/nm, the brightest pixel of a peak.
    noise : mean power of the noise there.
    """
    grid = grid_of(image)
    weighted, wy, wx = windowed(image)
    x, y = grid.x - grid.middle[0], grid.y - grid.middle[1]
    pixel = 2 * np.pi / grid.field
    q = np.array(start, dtype=np.float64)
    for _ in range(12):
        rho, gradient, hessian = _derivatives(weighted, x, y, q)
        # Derivatives of log |rho|^2, which is concave out to the window's first zero.
        slope = 2 * np.real(gradient / rho)
        curvature = 2 * np.real(hessian / rho - np.outer(gradient, gradient) / rho**2)
        step = -np.linalg.solve(curvature, slope)
        q = q + step
        if not (np.abs(q - start) <= 1.5 * pixel).all():
            return None
        if (np.abs(step) < 1e-9 * pixel).all():
            break
    rho, _, _ = _derivatives(weighted, x, y, q)
    # x and y separate: C and B are diagonal; sum w = 1, and noise = variance * sum w^2.
    curvatures = np.array([wx @ x**2, wy @ y**2])
    slopes = np.array([wx**2 @ x**2 / (wx @ wx), wy**2 @ y**2 / (wy @ wy)])
    covariance = np.diag(noise / (2 * abs(rho) ** 2) * slopes / curvatures**2)
    return Peak(q, covariance, complex(rho), float(noise))


def brightest(image: xr.DataArray, near: Real, reach: float) -> Real:
    """The (qx, qy) of the brightest |rho(q)| near a momentum, on pixels of the transform from it.

    Parameters
    ----------
    near, reach : in 1/nm; at least two pixels to every side are looked at.
    """
    grid = grid_of(image)
    weighted, _, _ = windowed(image)
    along = []
    for axis, middle, field, q in zip((grid.x, grid.y), grid.middle, grid.field, near, strict=True):
        pixel = 2 * np.pi / field
        count = max(2, int(reach / pixel))
        momenta = q + pixel * np.arange(-count, count + 1)
        along.append((momenta, np.exp(-1j * np.outer(axis - middle, momenta))))
    (qx, ex), (qy, ey) = along
    power = np.abs(ey.T @ (weighted @ ex))
    row, column = np.unravel_index(power.argmax(), power.shape)
    return np.array([qx[column], qy[row]])


def _derivatives(
    weighted: Real, x: Real, y: Real, q: Real
) -> tuple[complex, NDArray[np.complex128], NDArray[np.complex128]]:
    """rho(q) = sum_r weighted exp(-i q.r), its gradient and its second derivatives."""
    ex = np.exp(-1j * q[0] * x)[:, None] * np.stack([np.ones_like(x), -1j * x, -(x**2)], axis=1)
    ey = np.exp(-1j * q[1] * y)[:, None] * np.stack([np.ones_like(y), -1j * y, -(y**2)], axis=1)
    # moments[k, l]: k derivatives along y, l along x; real and imaginary parts in columns of their
    # own, as the map is real.
    moments = ey.T @ (weighted @ ex.view(np.float64)).view(np.complex128)
    gradient = np.array([moments[0, 1], moments[1, 0]])
    hessian = np.array([[moments[0, 2], moments[1, 1]], [moments[1, 1], moments[2, 0]]])
    return complex(moments[0, 0]), gradient, hessian
