"""Affine correction: drift, creep and a wrong calibration stretch and shear a map."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from gapscope.errors import PreparationError
from gapscope.measured.preparation.found import FoundLattice
from gapscope.measured.preparation.grid import LEAST_PIXELS, Grid, grid_of, on_grid, sample


def correct_drift(image: xr.DataArray, lattice: FoundLattice) -> xr.DataArray:
    """The map on which a found lattice is the material's in constant and angles, and not turned.

    Raises
    ------
    PreparationError : see :func:`apply_affine`.
    """
    return apply_affine(image, lattice.correction.value)


def apply_affine(image: xr.DataArray, matrix: ArrayLike) -> xr.DataArray:
    """The map g(M r) = f(r), r from the centre, sampled anew by splines.

    The new map has the old one's pixel size and is the largest rectangle of the old one's shape,
    about the same centre, that lies within the moved data: nothing is extrapolated.

    Parameters
    ----------
    matrix : M (2, 2), acting on (x, y).

    Raises
    ------
    PreparationError : not a map, or a matrix that is singular or leaves too few pixels.
    """
    grid = grid_of(image)
    forward = np.asarray(matrix, dtype=np.float64)
    if forward.shape != (2, 2) or not np.isfinite(forward).all() or np.linalg.det(forward) <= 0:
        raise PreparationError(
            "An affine correction is a 2 x 2 matrix with a positive determinant.",
            forward.tolist(),
            "Use the correction of a found lattice.",
        )
    backward = np.linalg.inv(forward)
    half = grid.step * [len(grid.x) - 1, len(grid.y) - 1] / 2
    shrink = float((half / (np.abs(backward) @ half)).min())
    # The margin keeps rounding from losing a row of pixels.
    steps = np.floor(2 * half * shrink / grid.step + 1e-9).astype(int)
    if steps.min() + 1 < LEAST_PIXELS:
        raise PreparationError(
            f"A corrected map has at least {LEAST_PIXELS} pixels per side.",
            f"{steps[0] + 1} x {steps[1] + 1} pixels",
            "Use a larger map, or narrower bounds for the lattice.",
        )
    x, y = (np.arange(n + 1) * step for n, step in zip(steps, grid.step, strict=True))
    new = Grid(x, y)
    points = np.stack(np.meshgrid(x, y), axis=-1) - new.middle
    return on_grid(image, sample(image, points @ backward.T + grid.middle), new)
