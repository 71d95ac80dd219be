"""Synthetic scans: a triangular lattice, distorted, with a density wave, noise and line noise."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from gapscope.physics.lattice import Lattice

NBS2 = 3.33
"""Angstrom."""


def as_map(values: NDArray[np.float64], step: float = 0.05) -> xr.DataArray:
    """A map on square pixels of a step in nm."""
    coords = {
        name: (name, step * np.arange(n), {"units": "nm"})
        for name, n in zip(("y", "x"), values.shape, strict=True)
    }
    attrs = {"units": "nA", "long_name": "current"}
    return xr.DataArray(values, coords, ("y", "x"), "current", attrs)


def rotation(degrees: float) -> NDArray[np.float64]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


def ideal_reciprocal(degrees: float = 0.0, constant: float = NBS2) -> NDArray[np.float64]:
    """Rows b1, b2 in 1/nm of a perfect lattice turned by an angle."""
    lattice = Lattice("triangular", constant)
    return lattice.reciprocal / (0.1 * constant) @ rotation(degrees).T


def lattice_map(
    *,
    pixels: int = 128,
    step: float = 0.06,
    constant: float = NBS2,
    degrees: float = 0.0,
    distortion: ArrayLike = ((1.0, 0.0), (0.0, 1.0)),
    wave: float = 0.0,
    wavevector: tuple[float, float] = (1 / 3, 0.0),
    noise: float = 0.0,
    line_noise: float = 0.0,
    seed: int = 0,
) -> xr.DataArray:
    """f(r) = f_perfect(D^-1 r), r from the centre, plus noise per pixel and offsets per line.

    f_perfect has three Bragg waves of amplitude 1 and three waves of amplitude ``wave`` at the star
    of ``wavevector``; D is the distortion.
    """
    along = step * (np.arange(pixels) - (pixels - 1) / 2)
    r = np.stack(np.meshgrid(along, along), axis=-1)
    source = r @ np.linalg.inv(np.asarray(distortion, dtype=np.float64)).T
    b1, b2 = ideal_reciprocal(degrees, constant)
    q1 = wavevector[0] * b1 + wavevector[1] * b2
    values = sum(np.cos(source @ b + phase) for b, phase in ((b1, 0.3), (b2, -0.2), (b1 + b2, 0.1)))
    values = values + wave * sum(np.cos(source @ rotation(60 * n) @ q1 + n) for n in range(3))
    rng = np.random.default_rng(seed)
    values = values + noise * rng.standard_normal(r.shape[:2])
    values = values + line_noise * rng.standard_normal((pixels, 1))
    return as_map(values, step)


def creeping_map(creep: float, noise: float, seed: int, pixels: int = 128) -> xr.DataArray:
    """A lattice whose scan lines lag behind along x, in nm, most at the scan's beginning."""
    image = lattice_map(degrees=7.0, noise=noise, seed=seed, pixels=pixels)
    rows, x = lattice_map(degrees=7.0, pixels=pixels).values, image.x.values
    time = np.linspace(0, 1, pixels)
    lag = creep * (1 - np.log1p(time / 0.02) / np.log1p(1 / 0.02))
    moved = [
        CubicSpline(x, row)(np.clip(x - d, x[0], x[-1])) for row, d in zip(rows, lag, strict=True)
    ]
    return image - rows + np.array(moved)
