"""Peaks of a map's transform, all of them: where they are between the pixels, and how bright.

A summit is a local maximum of the power that neither noise nor the window explains. Along each axis
the side lobes of Hann's window fall as |h(d)| <= 1/(pi d (d^2 - 1)) with the distance d in pixels;
what is not four times brighter than the lobes of brighter summits is one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from gapscope.measured.preparation.grid import Real
from gapscope.measured.preparation.noise_floor import Spectrum

MOST = 400
"""Summits that are looked at, brightest first, of the whole plane."""
INNERMOST = 2.5
"""In pixels: nearer to q = 0 is what levelling leaves."""
LOBES = 4.0
CHANCE = 0.01
"""Bound of the probability that noise makes a summit anywhere."""


@dataclass(frozen=True)
class Summits:
    """Summits (n,) of a spectrum, brightest first; each stands with its opposite.

    Attributes
    ----------
    pixels : (n, 2), pixel numbers (jx, jy).
    places : (n, 2), where they are between the pixels, in pixels.
    amplitudes : |rho|, less what noise adds.
    z : power over noise.
    """

    pixels: NDArray[np.int64]
    places: Real
    amplitudes: Real
    z: Real

    def __len__(self) -> int:
        return len(self.z)


def summits(found: Spectrum, least: float) -> Summits:
    """The summits of a spectrum.

    Parameters
    ----------
    least : power over noise; fainter ones count, too, where noise makes none of them anywhere.
    """
    power, z = found.power, found.z
    top = power == ndimage.maximum_filter(power, size=3, mode="constant", cval=np.inf)
    radius = np.hypot(*np.moveaxis(found.pixels, -1, 0))
    needed = min(least, clear(found))
    rows, columns = np.nonzero(top & (z > needed) & (radius > INNERMOST))
    order = np.argsort(power[rows, columns])[::-1][: 4 * MOST]
    rows, columns = rows[order], columns[order]
    kept = _no_lobes(np.stack([columns, rows], axis=-1), power[rows, columns])[:MOST]
    rows, columns = rows[kept], columns[kept]
    pixels = found.pixels[rows, columns]
    excess = np.maximum(power[rows, columns] - found.noise[rows, columns], 0)
    places = pixels + _between(np.log(power), rows, columns)
    return Summits(pixels, places, np.sqrt(excess), z[rows, columns])


def clear(found: Spectrum) -> float:
    """The power over noise that noise exceeds nowhere."""
    return found.threshold(CHANCE / found.power.size)


def _no_lobes(pixels: NDArray[np.int64], power: Real) -> NDArray[np.int64]:
    """Indices of the summits, brightest first, that are no side lobes of brighter ones."""
    kept: list[int] = []
    for index in range(len(power)):
        d = np.abs(pixels[kept] - pixels[index]).astype(np.float64)
        along = np.where(d > 1, 1 / (np.pi * np.maximum(d, 2) * (np.maximum(d, 2) ** 2 - 1)), 1.0)
        lobes = np.square(along.prod(axis=-1)) @ power[kept] if kept else 0.0
        if power[index] > LOBES * lobes:
            kept.append(index)
    return np.array(kept, dtype=np.int64)


def _between(log_power: Real, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Real:
    """(dx, dy) from the pixels to the maxima of parabolas through their neighbours' logarithms."""
    shifts = []
    for step in ((0, 1), (1, 0)):
        before, at, after = (
            log_power[rows + k * step[0], columns + k * step[1]] for k in (-1, 0, 1)
        )
        bend = before - 2 * at + after
        safe = np.where(bend < 0, bend, -1.0)
        shifts.append(np.where(bend < 0, 0.5 * (before - after) / safe, 0.0))
    return np.asarray(np.clip(np.stack(shifts, axis=-1), -0.5, 0.5))
