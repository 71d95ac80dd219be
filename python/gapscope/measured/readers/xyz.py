"""Columns x, y and z in a text: images whose pixels lie on a grid."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import ReadOptions, check_pixels
from gapscope.measured.readers.recording import Channel, dataset, lengths

FEW = 4
"""Most columns of a table; a table has TALL times as many rows."""
TALL = 10
UNEVEN = 0.02
"""Part of a step by which places may lie off their grid."""


def is_table(rows: int, columns: int) -> bool:
    """Whether a matrix of numbers is so narrow that it is a table rather than an image."""
    return min(rows, columns) <= FEW and max(rows, columns) >= TALL * min(rows, columns)


def read_columns(values: NDArray[np.float64], given: ReadOptions) -> xr.Dataset:
    """The image of three columns, y upwards, if x and y lie on a grid and the width confirms nm.

    Raises
    ------
    MeasurementFileError : another table, no grid, or a width that is not that of x.
    """
    image, step_x, step_y = on_grid(values)
    up, across = image.shape
    told = step_x * across, step_y * up
    for name, side, side_given in (
        ("width", told[0], given.width),
        ("height", told[1], given.height or told[1]),
    ):
        if side_given is None or abs(side_given - side) > UNEVEN * side:
            raise MeasurementFileError(
                "Columns x, y and z name no unit: the width confirms that they are in nm.",
                f"{across} x {up} places, {told[0]:g} by {told[1]:g}; {name} {side_given}",
                f"open(path, width={told[0]:g}), or --width {told[0]:g}, if they are in nm; else"
                " multiply x and y to nm in a copy of the file.",
            )
    return dataset(
        "text-xyz",
        [Channel("image", "", image)],
        lengths(across, step_x),
        lengths(up, step_y),
    )


def on_grid(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
    """The image (y, x) of three columns x, y and z, y upwards, and the steps of x and y.

    Raises
    ------
    MeasurementFileError : another table, or places that are no grid.
    """
    rows, columns = values.shape
    axes = [_axis(values[:, i]) for i in (0, 1)] if columns == 3 and rows > 3 else [None]
    if any(axis is None for axis in axes):
        raise MeasurementFileError(
            "An image in a text is a matrix, or columns x, y and z with places on a grid.",
            f"{rows} rows of {columns} columns",
            "Save the image as a matrix; of spectra, name the columns in the first line, the first"
            " of them bias (mV), and separate them by tabs.",
        )
    (x, step_x), (y, step_y) = (axis for axis in axes if axis is not None)
    across, up = int(x.max()) + 1, int(y.max()) + 1
    if across * up != rows or len(set(zip(x.tolist(), y.tolist(), strict=True))) != rows:
        raise MeasurementFileError(
            "Columns x, y and z have every place of their grid once.",
            f"{rows} places, {across} x {up} on the grid",
            "Save the image as a matrix.",
        )
    check_pixels(up, across)
    image = np.empty((up, across))
    image[y, x] = values[:, 2]
    return image, step_x, step_y


def _axis(places: NDArray[np.float64]) -> tuple[NDArray[np.intp], float] | None:
    """Numbers of the places along an axis, and its step; None where they are not uniform."""
    span = float(np.ptp(places))
    if not np.isfinite(places).all() or span <= 0:
        return None
    unique = np.unique(places)
    gaps = np.diff(unique)
    step = float(np.median(gaps[gaps > 1e-6 * span]))
    step = span / max(round(span / step), 1)
    at = (places - places.min()) / step
    if np.abs(at - np.rint(at)).max() > UNEVEN:
        return None
    return np.rint(at).astype(np.intp), step
