"""The noise of a Fourier transform, and how far its pixels stand out of it.

At a pixel that holds only noise, |rho|^2 is exponentially distributed, with a mean that varies
slowly with q. The mean is a smooth function of |q| times the median, over a square around the
pixel, of the ratio to it, divided by ln 2; bright peaks hardly move medians. z = |rho|^2 / mean
then exceeds m with probability (1 + m/n)^-n, n the number of independent values that the median is
worth. Noise whose amplitude falls as steeply as q^-2 is still described; see the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage

from gapscope.measured.preparation.grid import Real, grid_of
from gapscope.measured.preparation.window import windowed

MEDIAN_WORTH = 2.08 * 2.25
"""Pixels per independent value: the median's variance is 1/ln(2)^2 times the mean's, and Hann's
window makes (3/2)^2 pixels of the transform one."""
FLOOR = 1e-24
"""Least noise power, as part of the brightest pixel's: rounding, in a map without noise. In a
constant map all pixels have the least number's power, and none stands out."""


@dataclass(frozen=True)
class Spectrum:
    """The middle of |rho|^2, pixels (2 reach_y + 1, 2 reach_x + 1) around q = 0, and its noise.

    Attributes
    ----------
    power, noise : |rho|^2 and the mean of its noise.
    step : (dqx, dqy) in 1/nm.
    worth : independent values behind each value of the noise.
    """

    power: Real
    noise: Real
    step: Real
    worth: float

    @property
    def z(self) -> Real:
        """Power over noise."""
        return self.power / self.noise

    @property
    def pixels(self) -> NDArray[np.int64]:
        """Pixel numbers (jx, jy) of the grid, (ny, nx, 2); q = j step."""
        ny, nx = self.power.shape
        jx, jy = np.arange(nx) - nx // 2, np.arange(ny) - ny // 2
        return np.stack(np.meshgrid(jx, jy), axis=-1)

    def chance(self, z: float) -> float:
        """Probability that noise alone exceeds z at a pixel."""
        return float((1 + z / self.worth) ** -self.worth)

    def threshold(self, chance: float) -> float:
        """The z that noise exceeds at a pixel with this probability."""
        return float(self.worth * (chance ** (-1 / self.worth) - 1))


def spectrum(image: xr.DataArray, reach: float, scale: float) -> Spectrum:
    """Power and noise at all |qx|, |qy| <= reach, cut where the transform ends.

    Parameters
    ----------
    reach : largest |q| that is looked at, in 1/nm.
    scale : length in 1/nm over which the noise may vary; the square of the median is as large,
        between 9 and 21 pixels.
    """
    weighted, _, _ = windowed(image)
    step = 2 * np.pi / grid_of(image).field
    power = np.abs(np.fft.fftshift(np.fft.fft2(weighted))) ** 2
    power = np.maximum(power, max(FLOOR * power.max(), np.finfo(float).tiny))
    size = 2 * np.clip(np.round(scale / step / 2), 4, 10).astype(int) + 1
    middle = np.array(power.shape)[::-1] // 2
    # An even number of pixels has one more at negative q: the outermost are left out.
    kept = np.minimum(np.floor(reach / step).astype(int), middle - 1)
    margin = np.minimum(kept + size, middle - 1)
    wide = _cut(power, middle, margin)
    shape = _radial(wide, step)
    near = np.minimum(margin, kept + size // 2)  # no median reaches farther
    ratio = _cut(medians(_cut(wide / shape, margin, near), size), near, kept)
    noise = _cut(shape, margin, kept) * ratio / np.log(2)
    return Spectrum(_cut(wide, margin, kept), noise, step, float(size.prod()) / MEDIAN_WORTH)


def medians(values: Real, size: NDArray[np.int64]) -> Real:
    """Medians over rectangles of odd sizes (x, y) around each pixel.

    ``values``, of odd numbers of rows and columns, are the same at q and -q, as the power of a real
    image is: half of them is enough.
    """
    middle = len(values) // 2
    half = values[: middle + size[1] // 2 + 1]
    upper = ndimage.median_filter(half, size=tuple(size[::-1]), mode="nearest")[: middle + 1]
    return np.concatenate([upper, upper[-2::-1, ::-1]])


def _radial(power: Real, step: Real) -> Real:
    """Smooth isotropic shape of the noise, from the medians of rings a pixel wide.

    log of it is a combination of 1, q, q^2 and log q, by least squares.
    """
    ny, nx = power.shape
    x, y = step[0] * (np.arange(nx) - nx // 2), step[1] * (np.arange(ny) - ny // 2)
    q = np.hypot(x, y[:, None]) / step.max() + 1
    ring = q.astype(int)
    rings = [r for r in range(2, int(ring.max()) + 1) if np.count_nonzero(ring == r) >= 8]
    medians = np.array([np.median(power[ring == r]) for r in rings])
    centres = np.array(rings) + 0.5

    def basis(u: Real) -> Real:
        return np.stack([np.ones_like(u), u, u**2, np.log(u)], axis=-1)

    coefficients = np.linalg.lstsq(basis(centres), np.log(medians), rcond=None)[0]
    # No steeper towards q = 0 than at the innermost ring.
    return np.asarray(np.exp(basis(np.clip(q, centres[0], centres[-1])) @ coefficients))


def _cut(values: Real, middle: NDArray[np.int64], reach: NDArray[np.int64]) -> Real:
    (mx, my), (rx, ry) = middle.tolist(), reach.tolist()
    return values[my - ry : my + ry + 1, mx - rx : mx + rx + 1]
