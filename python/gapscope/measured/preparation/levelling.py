"""Levelling: tilt of the sample, and offsets of scan lines. The fast axis is x."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gapscope.errors import PreparationError
from gapscope.measured.preparation.grid import grid_of, like, values_of


def level_plane(image: xr.DataArray) -> xr.DataArray:
    """The map less the plane c0 + c1 x + c2 y of least squares.

    Raises
    ------
    PreparationError : not a map, see :func:`gapscope.measured.preparation.grid.grid_of`.
    """
    grid, values = grid_of(image), values_of(image)
    # On a full grid 1, x - <x> and y - <y> are orthogonal: three projections are the fit.
    x, y = grid.x - grid.middle[0], grid.y - grid.middle[1]
    along_x = values.mean(axis=0) @ x / (x @ x)
    along_y = values.mean(axis=1) @ y / (y @ y)
    return like(image, values - values.mean() - along_x * x - along_y * y[:, None])


def level_lines(image: xr.DataArray, degree: int | None = None) -> xr.DataArray:
    """Every scan line less its median, or less its polynomial of least squares.

    It takes away all that is constant along x, Bragg peaks with q_x = 0 among it;
    :func:`gapscope.measured.preparation.line_noise.remove_line_noise` spares those.

    Parameters
    ----------
    degree : degree of the polynomial in x, at most 5; the median where not given.

    Raises
    ------
    PreparationError : not a map, or another degree.
    """
    grid, values = grid_of(image), values_of(image)
    if degree is None:
        return like(image, values - np.median(values, axis=1, keepdims=True))
    if not 0 <= degree <= 5:
        raise PreparationError(
            "Scan lines are levelled by polynomials of degree 0 to 5.", degree, "Use 0, 1 or 2."
        )
    x = 2 * (grid.x - grid.middle[0]) / grid.field[0]
    basis, _ = np.linalg.qr(np.polynomial.legendre.legvander(x, degree))
    return like(image, values - values @ basis @ basis.T)
