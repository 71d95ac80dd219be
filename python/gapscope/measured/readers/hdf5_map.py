"""A variable of an HDF5 file with its dimension scales, as a map in nm and mV, y upwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    MILLIVOLTS,
    NANOMETRES,
    ReadOptions,
    check_pixels,
)
from gapscope.measured.readers.recording import GRID, IMAGE, Channel, biases, lengths

Scale = dict[str, Any]
"""Name, units and values of a dimension, as ``hdf5_child`` describes them."""
UNITS = 'Give the coordinates their attributes units, such as "nm" and "mV".'


@dataclass(frozen=True)
class Map:
    """A channel over (y, x) or (y, x, bias), and its axes."""

    channel: Channel
    x: tuple[NDArray[np.float64], str]
    y: tuple[NDArray[np.float64], str]
    bias: NDArray[np.float64] | None


def upright(
    about: dict[str, Any],
    axes: Sequence[Scale | None],
    values: NDArray[np.float64],
    given: ReadOptions,
) -> Map:
    """A variable as a map.

    Parameters
    ----------
    about : its name, units and shape.
    axes : the scale of each dimension; of three, one has units of voltage, whichever it is.
    values : flat, rows first.

    Raises
    ------
    MeasurementFileError : a bias that is none or not monotonic, coordinates that are not uniform,
        or no scale.
    """
    name, unit, bias = str(about["name"]), about["units"], None
    values = values.reshape(about["shape"])
    if values.ndim == 3:
        swept = [axis for axis in axes if axis and axis["units"] in MILLIVOLTS]
        if len(swept) != 1:
            raise MeasurementFileError(
                "A grid of spectra lies over two lengths and a bias.",
                f"{name[:80]} over {_told(axes)}",
                UNITS,
            )
        bias, turned = biases(np.array(swept[0]["values"]), swept[0]["units"])
        values = np.moveaxis(values, axes.index(swept[0]), -1)[..., :: -1 if turned else 1]
        axes = [axis for axis in axes if axis is not swept[0]]
    rows, columns = values.shape[:2]
    check_pixels(rows, columns)
    first, second = (_step(axis) for axis in axes)
    if first is not None and second is not None:
        given.refuse_scale()
        values = values[:: -1 if first < 0 else 1, :: -1 if second < 0 else 1]
        steps = abs(first), abs(second)
        if [axis["name"].lower() for axis in axes if axis] == ["x", "y"]:
            values, steps = np.swapaxes(values, 0, 1), steps[::-1]
    elif first is None and second is None:
        if given.width is None and any(axes):
            raise MeasurementFileError(
                "The coordinates of an image have units of length, or its width is given.",
                f"{name[:80]} over {_told(axes)}",
                f"{UNITS} Or open(path, width=15.0), or --width 15, in nm.",
            )
        width, height = given.sides(rows, columns)
        values, steps = values[::-1], (height / rows, width / columns)
    else:
        raise MeasurementFileError(
            "Both dimensions of an image have a scale, or neither.",
            f"{name[:80]} over {_told(axes)}",
            UNITS,
        )
    return Map(
        Channel(name, unit, values, IMAGE if bias is None else GRID, about.get("conditions", {})),
        lengths(values.shape[1], steps[1]),
        lengths(values.shape[0], steps[0]),
        bias,
    )


def _step(axis: Scale | None) -> float | None:
    """The step in nm of a dimension's scale; None without one that has a unit of length."""
    if axis is None or axis["units"] not in NANOMETRES:
        return None
    steps = np.diff(np.array(axis["values"]) * NANOMETRES[axis["units"]])
    step = float(np.mean(steps))
    if not np.all(np.abs(steps - step) <= 1e-3 * abs(step)):
        raise MeasurementFileError(
            "The coordinates of an image are uniform.",
            f"steps of {steps.min()} to {steps.max()} nm",
            "Interpolate the image to uniform coordinates, as dataset.interp(x=..., y=...) does.",
        )
    return step


def _told(axes: Sequence[Scale | None]) -> str:
    """Names and units of the axes, for an error."""
    words = (f"{one['name']} in {one['units'] or 'no unit'}" if one else "?" for one in axes)
    return ", ".join(words)[:200]
