"""Noise of tip and amplifier over a scan: fields (rows, columns) of unit variance.

The tip moves along x, line by line upwards, and comes back along each line before the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import SettingError

Real = NDArray[np.float64]


@dataclass(frozen=True)
class ScanNoise:
    """Strengths: standard deviations in units of the map's contrast over the sites.

    Attributes
    ----------
    white : noise of every pixel by itself.
    flicker : noise with the power 1/f in time along the scan.
    lines : an offset per line, as by small changes of the tip.

    Raises
    ------
    SettingError : a negative strength.
    """

    white: float = 0.1
    flicker: float = 0.1
    lines: float = 0.1

    def __post_init__(self) -> None:
        strengths = (self.white, self.flicker, self.lines)
        if not (np.isfinite(strengths).all() and min(strengths) >= 0):
            raise SettingError("A strength of noise is a number >= 0.", self, "Change it.")

    def field(self, shape: tuple[int, int], rng: np.random.Generator) -> Real:
        """Their sum; the seed decides each kind's field, whatever the strength of the others."""
        kinds = (white_noise, flicker_noise, line_offsets)
        strengths = (self.white, self.flicker, self.lines)
        fields = [kind(shape, one) for kind, one in zip(kinds, rng.spawn(len(kinds)), strict=True)]
        parts = [strength * one for strength, one in zip(strengths, fields, strict=True)]
        return np.asarray(sum(parts))


def white_noise(shape: tuple[int, int], rng: np.random.Generator) -> Real:
    """Normal numbers, one per pixel."""
    return rng.standard_normal(shape)


def flicker_noise(shape: tuple[int, int], rng: np.random.Generator) -> Real:
    """1/f noise in time: streaks along the fast axis x.

    A series of twice the scan's length in time has the power 1/f, none at f = 0 and a mean square
    of one; its first half is the scan, of which every second line's time, the tip's way back, is
    left out. The half has slow drifts of its own, as the series does not close.
    """
    rows, columns = shape
    length = 4 * rows * columns
    spectrum = np.fft.rfft(rng.standard_normal(length))
    f = np.arange(len(spectrum), dtype=np.float64)
    f[0] = np.inf
    factors = f**-0.5
    # All frequencies of a real series but 0 and the highest come in pairs.
    power = (2 * np.sum(factors**2) - factors[-1] ** 2) / length
    series = np.fft.irfft(spectrum * factors, length) / np.sqrt(power)
    return np.ascontiguousarray(series.reshape(4 * rows, columns)[: 2 * rows : 2])


def line_offsets(shape: tuple[int, int], rng: np.random.Generator) -> Real:
    """A normal number per line."""
    return np.repeat(rng.standard_normal(shape[0])[:, None], shape[1], axis=1)
