"""The pixels of a measured map: checks, steps, and maps made anew on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage

from gapscope.errors import PreparationError

LEAST_PIXELS = 16
UNIFORM = 1e-4
"""Allowed deviation of a coordinate from a uniform grid, in pixels per pixel."""

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Coordinates of the pixels in nm, from the lower left corner, y upwards."""

    x: Real
    y: Real

    @property
    def step(self) -> Real:
        """Width and height of a pixel in nm."""
        return np.array([_step(self.x), _step(self.y)])

    @property
    def middle(self) -> Real:
        """Centre (x, y) of the map in nm."""
        return np.array([self.x[0] + self.x[-1], self.y[0] + self.y[-1]]) / 2

    @property
    def field(self) -> Real:
        """Width and height of the map in nm, pixels counted whole: N times the step."""
        return self.step * [len(self.x), len(self.y)]


def grid_of(image: xr.DataArray) -> Grid:
    """The grid of a map.

    Raises
    ------
    PreparationError : dims other than ("y", "x"), coordinates that are missing, not increasing or
        not uniform, too few pixels, complex values, or values that are not finite.
    """
    if image.dims != ("y", "x") or "x" not in image.coords or "y" not in image.coords:
        raise PreparationError(
            "A measured map has the dimensions (y, x) with coordinates in nm.",
            f"dimensions {image.dims}, coordinates {tuple(image.coords)}",
            "Choose one channel, and one bias of a spectroscopic grid.",
        )
    if min(image.shape) < LEAST_PIXELS:
        raise PreparationError(
            f"A measured map has at least {LEAST_PIXELS} pixels per side.",
            f"{image.shape} pixels",
            "Use a larger map.",
        )
    x, y = (np.asarray(image[name].values, dtype=np.float64) for name in ("x", "y"))
    for name, values in (("x", x), ("y", y)):
        step = _step(values)
        even = values[0] + step * np.arange(len(values))
        if not (step > 0 and np.abs(values - even).max() <= UNIFORM * step * len(values)):
            raise PreparationError(
                "The coordinates of a map increase in equal steps.",
                f"{name} = {values[0]:g}, {values[1]:g} .. {values[-1]:g} nm",
                "Bring the map to a uniform grid, from the lower left corner upwards.",
            )
    if np.iscomplexobj(image.values) or not np.isfinite(image.values).all():
        raise PreparationError(
            "The values of a measured map are real and finite.",
            f"{int((~np.isfinite(image.values)).sum())} pixels that are not finite, "
            f"of type {image.dtype}",
            "Cut an unfinished scan to its measured lines.",
        )
    return Grid(x, y)


def values_of(image: xr.DataArray) -> Real:
    """The values (y, x) of a map as float64."""
    return np.asarray(image.values, dtype=np.float64)


def like(image: xr.DataArray, values: Real) -> xr.DataArray:
    """A map of other values on the same pixels; name and attributes stay."""
    return image.copy(data=values)


def on_grid(image: xr.DataArray, values: Real, grid: Grid) -> xr.DataArray:
    """A map of other values on other pixels; name and attributes stay."""
    coords = {
        name: (name, along, dict(image[name].attrs) or {"units": "nm"})
        for name, along in (("y", grid.y), ("x", grid.x))
    }
    return xr.DataArray(values, coords, ("y", "x"), image.name, dict(image.attrs))


def sample(image: xr.DataArray, points: Real) -> Real:
    """Values (...) of a map at points (..., 2) in nm; NaN outside of it.

    Splines of degree 5: at four pixels per lattice constant, cubic ones miss a percent of the
    atoms' contrast, and interference is weaker than that.
    """
    grid = grid_of(image)
    at = (points - [grid.x[0], grid.y[0]]) / grid.step
    last = np.array([len(grid.x), len(grid.y)]) - 1
    rounding = 1e-6
    inside = ((at >= -rounding) & (at <= last + rounding)).all(axis=-1)
    at = np.clip(at, 0, last)
    found = ndimage.map_coordinates(
        values_of(image), [at[..., 1], at[..., 0]], order=5, mode="mirror"
    )
    return np.where(inside, found, np.nan)


def _step(values: Real) -> float:
    return float(values[-1] - values[0]) / (len(values) - 1)
