"""Images on the reciprocal lattice and on sites as square pixels with 256 colours.

The signed scale is that of ``gapscope.plots.maps``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from gapscope.explore.momentum import middles
from gapscope.physics.lattice import Lattice
from gapscope.plots.maps import reach_of, signed_norm
from gapscope.plots.pixels import image_of_atoms, nearest, sites_of_atoms, sites_reach

PIXELS = 320
COLOURS = 256
MOST = 512
"""Pixels a side of a measured map that the page is sent."""
Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Raster:
    """Pixels for a picture, row by row from below.

    Attributes
    ----------
    colours : (rows, columns), index of a colour, uint8.
    reach : (x, y), half widths of the picture.
    ticks : positions on 0 .. 255 and values of the colour bar's ticks.
    """

    colours: NDArray[np.uint8]
    reach: tuple[float, float]
    ticks: tuple[tuple[float, float], ...]


def image_raster(image: Real, lattice: Lattice) -> Raster:
    """A real image rho(q), (L, L), over q in the plane; half widths in 1/Angstrom."""
    index = _momenta(lattice, image.shape[-1])
    reach = reach_of(lattice)
    return _signed(image, index, (reach, reach))


def sites_raster(values: Real, lattice: Lattice) -> Raster:
    """A map drho(r), (L, L), around the impurity, whose own site does not set the scale."""
    size = values.shape[-1]
    index = _sites(lattice, size)
    half = size // 2
    reach = sites_reach(size, lattice)
    shown = values.copy()
    shown[half, half] = np.nan
    return _signed(shown, index, (reach, reach))


def file_raster(maps: xr.Dataset) -> Raster:
    """rho(q) of the first energy of a map as ``simulate`` writes it."""
    return map_rasters(maps.isel(energy=0), Lattice.from_dict(maps.attrs))[0]


def map_rasters(one: xr.Dataset, lattice: Lattice) -> tuple[Raster, Raster]:
    """rho(q) and drho(r) of one energy of a map as ``simulate`` writes it."""
    if "atom" in one.dims:
        return atoms_rasters(one, lattice)
    image = image_raster(one["qpi_re"].values, lattice)
    return image, sites_raster(one["ldos_change"].values, lattice)


def atoms_rasters(one: xr.Dataset, lattice: Lattice) -> tuple[Raster, Raster]:
    """rho(q) and drho(r) of several atoms in the cell, of one energy of a map as ``simulate``
    writes it; densities stand at the atoms' places."""
    reach = reach_of(lattice)
    image = image_of_atoms(one, lattice, middles(PIXELS, reach))
    width = sites_reach(one["ldos_change"].shape[-1], lattice)
    sites = sites_of_atoms(one, lattice, middles(PIXELS, width))
    every = np.indices(image.shape)
    return _signed(image, every, (reach, reach)), _signed(sites, every, (width, width))


@lru_cache(maxsize=8)
def _momenta(lattice: Lattice, size: int) -> NDArray[np.int64]:
    """Indices (2, n, n) of the q-points next to the pixels, on the torus."""
    momenta = lattice.constant * _mesh(reach_of(lattice))
    index = nearest(momenta, lattice.reciprocal / size) + size // 2
    return np.moveaxis(index % size, -1, 0)


@lru_cache(maxsize=8)
def _sites(lattice: Lattice, size: int) -> NDArray[np.int64]:
    """Indices (2, n, n) of the sites next to the pixels."""
    reach = sites_reach(size, lattice) / lattice.constant
    return np.moveaxis(nearest(_mesh(reach), lattice.vectors) + size // 2, -1, 0)


def _mesh(reach: float) -> Real:
    x = middles(PIXELS, reach)
    return np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1)


def _signed(values: Real, index: NDArray[np.int64], reach: tuple[float, float]) -> Raster:
    """The values (L, L), coloured before they are spread over many more pixels."""
    shown = np.zeros(values.shape, dtype=bool)
    shown[index[0], index[1]] = True
    norm, marks = signed_norm(values[shown])
    colours = _indices(np.ma.filled(norm(np.nan_to_num(values)), 0.5))
    places = (COLOURS - 1) * np.asarray(norm(np.array(marks)))
    ticks = tuple(zip(places.tolist(), marks, strict=True))
    return Raster(np.ascontiguousarray(colours[index[0], index[1]].T), reach, ticks)


def logarithmic(values: Real, reach: float, low: float, high: float) -> Raster:
    """A positive quantity (n, n), x first, on a logarithmic scale between two ends."""
    span = np.log10(high / low)
    scaled = np.log10(np.maximum(values.T, low) / low) / span
    decades = np.arange(np.ceil(np.log10(low)), np.floor(np.log10(high)) + 1)
    ticks = tuple(((COLOURS - 1) * float((d - np.log10(low)) / span), 10.0**d) for d in decades)
    return Raster(_indices(scaled), (reach, reach), ticks)


def linear(values: Real, reach: tuple[float, float], low: float, high: float) -> Raster:
    """A map (rows, columns) between two ends; NaN as the lower one."""
    high = high if high > low else low + 1.0
    scaled = (np.nan_to_num(values, nan=low) - low) / (high - low)
    marks = np.linspace(low, high, 3)
    ticks = tuple((255 * i / 2, float(mark)) for i, mark in enumerate(marks))
    return Raster(_indices(scaled), reach, ticks)


def _indices(scaled: Real) -> NDArray[np.uint8]:
    return np.asarray(np.clip(scaled, 0, 1) * (COLOURS - 1) + 0.5, dtype=np.uint8)


def thinned(values: Real, most: int = MOST) -> Real:
    """The image with at most so many pixels a side: rows and columns are left out."""
    step = -(-max(values.shape) // most)
    return values[::step, ::step]


def thinned_peaks(
    values: Real, reach: tuple[float, float], most: int = MOST
) -> tuple[Real, tuple[float, float]]:
    """About so many pixels a side of a transform around its middle pixel, each the brightest of
    those that it stands for, with the new half widths."""
    step = -(-max(values.shape) // most)
    start = [n // 2 % step for n in values.shape]
    kept = maximum_filter(values, step)[start[0] :: step, start[1] :: step]
    (ny, nx), (rows, columns) = values.shape, kept.shape
    return kept, (reach[0] * step * columns / nx, reach[1] * step * rows / ny)
