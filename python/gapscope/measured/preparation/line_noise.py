"""Line noise: offsets n(y) of the scan lines, a streak along q_y at q_x = 0.

The tip height jumps from one scan line to the next. In the Fourier transform that is power spread
over all q_y at q_x = 0, on top of the map's own, whose level other pixels at the same |q| tell.
What is more, and the same in all strips of the map, is taken away. Waves along y, Bragg peaks in
the streak, are set aside before.
"""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage

from gapscope.measured.preparation.grid import Real, grid_of, like, values_of
from gapscope.measured.preparation.peaks import refine_peak
from gapscope.measured.preparation.window import window_along, windowed

STREAK = 3
"""Half width in pixels of the streak, with Hann's window along x."""
NOTICEABLE = 2.0
"""Power of the streak over the map's own from which on it is damped."""
STRIPS = 4
"""Strips of the map along x in which an offset of its lines is the same."""
STANDS_OUT = 10.0
"""Power over the streak's mean from which on a pixel is a wave: noise gets there once in e^10."""
RUNNING = 4
"""Parts of the pixels along q_y, over one of which the level of the streak is taken: so many that a
row of Bragg and density-wave peaks is the smaller part of them."""


def remove_line_noise(image: xr.DataArray) -> xr.DataArray:
    """The map less the offsets n(y) of its scan lines.

    With o(y) the mean along x under Hann's window and p(q_y) its power, R(|q|) the median power of
    the map's pixels at the same |q| off the streak, c the part of p that strips of the map have in
    common, and s the smaller of p/R and 1 + c/R, from running medians along q_y,

        n(q_y) = (1 - 1/s) o'(q_y)  where s > 2, otherwise 0,

    Wiener's filter on o', which is o without the waves that stand out of the streak. Interference
    around an impurity that happens to lie at q_x = 0 is not in all strips, and stays. Within three
    pixels of q = 0 nothing is taken away: there the map's own structure cannot be told from noise.
    Drifts along a scan line are left to :func:`gapscope.measured.preparation.level_lines`.

    Raises
    ------
    PreparationError : not a map.
    """
    grid = grid_of(image)
    weighted, wy, _ = windowed(image)
    lines = np.asarray(weighted.sum(axis=1) / wy)
    rows = len(lines)
    power = np.abs(np.fft.fft2(weighted)) ** 2
    # Columns -3 .. 3 of the streak, rows above the lowest three: Hann's window spreads q = 0 there.
    running = 2 * (rows // (2 * RUNNING)) + 1
    lowest, strip = STREAK + 1, np.arange(-STREAK, STREAK + 1)
    streak = power[lowest : rows // 2 + 1, strip]
    own = _beside(power, 2 * np.pi / grid.field)[lowest:]
    excess, common = (
        ndimage.median_filter(one / own, size=running, mode="reflect")
        for one in (streak[:, STREAK], _common(image)[lowest:])
    )
    level = np.minimum(excess, 1 + common)
    share = np.zeros(rows // 2 + 1)
    share[lowest:] = np.where(level > NOTICEABLE, 1 - 1 / np.maximum(level, NOTICEABLE), 0.0)
    noise = ndimage.median_filter(streak, size=(running, 1), mode="reflect") / np.log(2)
    summit = streak == ndimage.maximum_filter(streak, size=3, mode="nearest")
    waves = np.argwhere(summit & (streak > STANDS_OUT * noise)) + np.array([lowest, -STREAK])
    along = _momenta(image, waves)
    rest = lines - _waves(lines, grid.y - grid.middle[1], along)
    # Continued by its mirror image, the signal has no jump at the ends.
    mirrored = np.fft.rfft(np.concatenate([rest, rest[::-1]]))
    positions = np.arange(len(mirrored)) / 2
    mirrored *= np.interp(positions, np.arange(len(share)), share)
    offsets = np.fft.irfft(mirrored, 2 * rows)[:rows]
    return like(image, image.values - offsets[:, None])


def _common(image: xr.DataArray) -> Real:
    """Power of o(y), for each row 0 .. N/2, that strips of the map have in common.

    The smallest Re conj(o_a) o_b of all pairs of strips, o_a the mean along x of strip a under
    Hann's window: that of an offset is the same in all, that of waves around an impurity is not.
    """
    values = values_of(image)
    wy = window_along(len(values))
    wy /= wy.sum()
    strips = np.array_split(values, STRIPS, axis=1)
    means = np.stack(
        [np.average(one, axis=1, weights=window_along(one.shape[1])) for one in strips]
    )
    spectra = np.fft.rfft((means - (means @ wy)[:, None]) * wy, axis=1)
    pairs = [(one.conj() * two).real for one, two in combinations(spectra, 2)]
    return np.asarray(np.min(pairs, axis=0))


def _beside(power: Real, step: Real) -> Real:
    """Median power, for each row 0 .. N/2, of the pixels at its |q| that lie off the streak."""
    rows, columns = power.shape
    jx, jy = columns * np.fft.fftfreq(columns), rows * np.fft.fftfreq(rows)
    ring = np.round(np.hypot(jx * step[0], jy[:, None] * step[1]) / step[1]).astype(int)
    ring = np.where(np.abs(jx) > STREAK, ring, -1)
    order = np.argsort(ring, axis=None)
    bounds = np.searchsorted(ring.ravel()[order], np.arange(rows // 2 + 2))
    medians = [
        float(np.median(power.ravel()[order[a:b]])) if b > a else np.inf
        for a, b in pairwise(bounds.tolist())
    ]
    return np.maximum(medians, np.finfo(float).tiny)


def _momenta(image: xr.DataArray, waves: NDArray[np.int64]) -> list[float]:
    """q_y in 1/nm of peaks at pixels (j_y, j_x), between the pixels."""
    pixel = 2 * np.pi / grid_of(image).field
    peaks = [refine_peak(image, pixel * wave[::-1], 1.0) for wave in waves]
    return [float(peak.momentum[1]) for peak in peaks if peak is not None]


def _waves(lines: Real, y: Real, momenta: list[float]) -> Real:
    """The waves (c0 + c1 y) exp(i q y) of a signal, by least squares."""
    columns = [
        part
        for q in momenta
        for wave in (np.cos(q * y), np.sin(q * y))
        for part in (wave, y / y[-1] * wave)
    ]
    if not columns:
        return np.zeros_like(lines)
    design = np.stack(columns, axis=1)
    return np.asarray(design @ np.linalg.lstsq(design, lines, rcond=None)[0])
