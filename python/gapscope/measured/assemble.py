"""Channels and axes put together as the dataset that ``gapscope.measured.open`` returns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.limits import MAX_CHANNELS, MILLIVOLTS, check_length

IMAGE = ("y", "x")
GRID = ("y", "x", "bias")
SPECTRUM = ("bias",)
CURVES = ("curve", "bias")

Attributes = Mapping[str, float | str]


@dataclass(frozen=True)
class Channel:
    """One channel of an instrument; the first row of an image is the lowest.

    Parameters
    ----------
    name, units : as the file says.
    values : array over ``dims``; NaN where nothing was measured.
    dims : IMAGE, GRID, SPECTRUM or CURVES.
    """

    name: str
    units: str
    values: NDArray[np.number]
    dims: tuple[str, ...] = IMAGE


def lengths(points: int, step: float) -> tuple[NDArray[np.float64], str]:
    """A coordinate x or y: the left or lower edges of the pixels, in nm, from 0."""
    check_length(points * step)
    return step * np.arange(points, dtype=np.float64), "nm"


def biases(values: NDArray[np.floating], unit: str) -> tuple[NDArray[np.float64], bool]:
    """A bias axis in mV, increasing, and whether it was turned round for that.

    Raises
    ------
    MeasurementFileError : not in volts, or not strictly monotonic.
    """
    if unit not in MILLIVOLTS:
        raise MeasurementFileError(
            f"Spectra are taken against the bias, in {', '.join(MILLIVOLTS)}.",
            f"unit {unit[:40]!r}",
            "Use a file of bias spectroscopy.",
        )
    axis = np.asarray(values, dtype=np.float64) * MILLIVOLTS[unit]
    steps = np.diff(axis)
    if not (np.all(steps > 0) or np.all(steps < 0)) or not np.all(np.isfinite(axis)):
        raise MeasurementFileError(
            "The bias rises or falls from point to point.",
            f"{len(axis)} values, {axis[:3]} ...",
            "Split the sweeps into files of their own.",
        )
    turned = bool(len(axis) > 1 and steps[0] < 0)
    return (axis[::-1] if turned else axis), turned


def label_and_unit(text: str) -> tuple[str, str]:
    """``Current [bwd] (A)`` as ``Current_backward`` and ``A``."""
    before, _, rest = text.partition("(")
    unit, _, after = rest.partition(")")
    label = " ".join((before + after).split())
    if "[bwd]" in label:
        label = " ".join(label.replace("[bwd]", "").split()) + "_backward"
    return label, unit.strip()


def dataset(
    source_format: str,
    channels: Sequence[Channel],
    x: tuple[NDArray[np.float64], str] | None = None,
    y: tuple[NDArray[np.float64], str] | None = None,
    bias: NDArray[np.float64] | None = None,
    attributes: Attributes | None = None,
) -> xr.Dataset:
    """The dataset of one file.

    Raises
    ------
    MeasurementFileError : no channel or too many, two of one name, infinite values or settings, or
        no finite value at all.
    """
    for key, setting in (attributes or {}).items():
        if not isinstance(setting, str) and not math.isfinite(setting):
            raise MeasurementFileError(
                "The settings of a measurement are finite.", f"{key} {setting}", "Mend the file."
            )
    axes = {"x": x, "y": y, "bias": None if bias is None else (bias, "mV")}
    coordinates = {
        name: (name, axis[0], {"units": axis[1]}) for name, axis in axes.items() if axis is not None
    }
    if len(channels) > MAX_CHANNELS:
        raise MeasurementFileError(
            f"A file has at most {MAX_CHANNELS} channels.", len(channels), "Export fewer of them."
        )
    variables = {}
    for channel in channels:
        name = channel.name.replace("/", "_").strip()
        if not name or name in variables or name in (*axes, "curve"):
            raise MeasurementFileError(
                "Channels have names of their own.", channel.name[:80], "Rename the channel."
            )
        values = np.ascontiguousarray(channel.values, dtype=np.float64)
        if np.any(np.isinf(values)):
            raise MeasurementFileError(
                "A value is finite, or NaN where nothing was measured.",
                f"infinite values in {channel.name[:80]}",
                "The file is damaged: copy or export it again.",
            )
        about = {"units": channel.units, "long_name": channel.name}
        variables[name] = (channel.dims, values, about)
    if not any(np.any(np.isfinite(values)) for _, values, _ in variables.values()):
        raise MeasurementFileError(
            "A file has a channel with measured values.",
            ", ".join(variables)[:80] or "no channel",
            "Use a file of a finished measurement.",
        )
    return xr.Dataset(
        variables, coordinates, {"source_format": source_format, **(attributes or {})}
    )
