"""Which reciprocal lattice vectors of a found lattice have a Bragg peak in a map.

The search for a lattice looks for the stars of b1 and b2. The others, such as b1 + b2 and b1 - b2
of a square lattice and the harmonics 2 b1, are where these say. At G = m1 b1 + m2 b2 a map has a
peak if |rho|^2, at G or in one of the nine pixels next to it, exceeds m times the noise,

    10 N (1 + m/n)^-n = alpha,

N being the number of vectors within the transform: noise alone makes such a peak anywhere in one
map of 1/alpha at most (:mod:`gapscope.measured.preparation.noise_floor`). The noise is the median
of |rho|^2 over a square around G, divided by ln 2.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.measured.preparation.bragg import FALSE_ALARM
from gapscope.measured.preparation.bravais import Whole
from gapscope.measured.preparation.found import FoundLattice
from gapscope.measured.preparation.grid import Real, grid_of
from gapscope.measured.preparation.noise_floor import FLOOR, MEDIAN_WORTH
from gapscope.measured.preparation.window import windowed

HALF = 6
"""The square has 2 HALF + 1 pixels a side."""
WORTH = (2 * HALF + 1) ** 2 / MEDIAN_WORTH
"""n, independent values behind the noise."""


def bragg_vectors(lattice: FoundLattice, *images: xr.DataArray) -> Whole:
    """(n, 2), integers m1, m2 of the vectors that have a Bragg peak in one of the maps.

    One of G and -G stands for both. Those that the lattice was found by come first, whether they
    stand out or not.

    Parameters
    ----------
    images : maps of one scan, on whose pixels the lattice has the vectors of ``lattice``.
    """
    found = lattice.kind.bragg.tolist()
    known = {(sign * m1, sign * m2) for m1, m2 in found for sign in (1, -1)}
    seen: set[tuple[int, int]] = set()
    for image in images:
        seen |= _standing_out(image, lattice)
    others = sorted(seen - known, key=lambda m: float(np.linalg.norm(lattice.momentum(m))))
    return np.array([*found, *others], dtype=np.int64)


def _standing_out(image: xr.DataArray, lattice: FoundLattice) -> set[tuple[int, int]]:
    grid = grid_of(image)
    weighted, _, _ = windowed(image)
    power = np.abs(np.fft.fftshift(np.fft.fft2(weighted))) ** 2
    power = np.maximum(power, max(FLOOR * power.max(), np.finfo(float).tiny))
    step = 2 * np.pi / grid.field
    middle = np.array(power.shape)[::-1] // 2
    reduced = _within(lattice, (middle - 2) * step)
    q = lattice.momentum(reduced)
    ex, ey = (np.exp(-1j * np.outer(r, qi)) for r, qi in zip((grid.x, grid.y), q.T, strict=True))
    there = np.abs(np.sum(ey * (weighted @ ex), axis=0)) ** 2
    least = WORTH * ((FALSE_ALARM / (10 * max(1, len(reduced)))) ** (-1 / WORTH) - 1)
    seen = set()
    pixels = np.rint(q / step).astype(int) + middle
    for (m1, m2), (x, y), at in zip(reduced.tolist(), pixels.tolist(), there, strict=True):
        highest = max(at, power[y - 1 : y + 2, x - 1 : x + 2].max())
        if highest > least * _noise(power, x, y):
            seen.add((m1, m2))
    return seen


def _within(lattice: FoundLattice, reach: Real) -> NDArray[np.int64]:
    """(n, 2), the vectors with |qx|, |qy| below the reach in 1/nm; of G and -G one."""
    most = (np.abs(lattice.vectors) @ reach / (2 * np.pi)).astype(int) + 1
    m1, m2 = np.meshgrid(np.arange(most[0] + 1), np.arange(-most[1], most[1] + 1))
    every = np.stack([m1, m2], axis=-1).reshape(-1, 2)
    half = (every[:, 0] > 0) | (every[:, 1] > 0)
    return every[half & (np.abs(lattice.momentum(every)) < reach).all(axis=1)]


def _noise(power: Real, x: int, y: int) -> float:
    """Mean power of the noise around a pixel."""
    around = power[max(0, y - HALF) : y + HALF + 1, max(0, x - HALF) : x + HALF + 1]
    return float(np.median(around) / np.log(2))
