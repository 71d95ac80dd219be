"""Synthetic scans of any lattice: turned, distorted, with a density wave and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.physics.lattice import Lattice
from lattice_maps import as_map, rotation

PIXELS, WIDTH = 160, 9.6
"""Pixels and nm, along each side of the scan."""


@dataclass(frozen=True)
class AnyScan:
    """A scan with the truth about it.

    Attributes
    ----------
    image : the scan.
    vectors : rows a1, a2 in nm as they lie in it, labelled like the perfect lattice's.
    """

    image: xr.DataArray
    lattice: Lattice
    vectors: NDArray[np.float64]


def any_scan(
    lattice: Lattice,
    *,
    degrees: float = 0.0,
    strain: float = 0.0,
    wave: tuple[tuple[float, float], ...] = (),
    ratio: float = 0.0,
    uneven: float = 1.0,
    noise: float = 0.3,
    pixels: int = PIXELS,
    seed: int = 0,
) -> AnyScan:
    """b1 and b2 with amplitudes 1 and ``uneven``, on the triangular lattice b1 + b2 too; waves.

    The distortion is 1 + E, with independent elements of E up to ``strain``, of the turned lattice.
    """
    rng = np.random.default_rng(seed)
    distortion = np.eye(2) + strain * rng.uniform(-1, 1, (2, 2))
    vectors = 0.1 * lattice.constant * lattice.vectors @ rotation(degrees).T @ distortion.T
    b1, b2 = 2 * np.pi * np.linalg.inv(vectors).T
    step = WIDTH / pixels
    along = step * (np.arange(pixels) - (pixels - 1) / 2)
    r = np.stack(np.meshgrid(along, along), axis=-1)
    values = np.cos(r @ b1 + 0.3) + uneven * np.cos(r @ b2 - 0.2)
    if lattice.name == "triangular":
        values += np.cos(r @ (b1 + b2) + 0.1)
    for number, (m1, m2) in enumerate(wave):
        values += ratio * np.cos(r @ (m1 * b1 + m2 * b2) + number)
    values += noise * rng.standard_normal(values.shape)
    return AnyScan(as_map(values, step), lattice, vectors)


def equivalent(scan: AnyScan) -> list[NDArray[np.float64]]:
    """The same lattice labelled in all ways that its rotations allow."""
    proper = [g for g in scan.lattice.operations if np.linalg.det(g) > 0]
    return [g.T @ scan.vectors for g in proper]
