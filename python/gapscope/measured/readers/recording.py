"""Channels and axes put together as the dataset that ``gapscope.measured.open`` returns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError, printable
from gapscope.measured.readers.limits import BIAS_UNITS, MAX_CHANNELS, MILLIVOLTS, check_length

IMAGE = ("y", "x")
GRID = ("y", "x", "bias")
SPECTRUM = ("bias",)
CURVES = ("curve", "bias")
BACKWARD = "_backward"
MAX_TEXT = 300
"""Most characters of a name, a unit or a text of a file."""

Attributes = Mapping[str, float | str]


@dataclass(frozen=True)
class Channel:
    """One channel of an instrument; the first row of an image is the lowest.

    Parameters
    ----------
    name, units : as the file says.
    values : array over ``dims``; NaN where nothing was measured.
    dims : IMAGE, GRID, SPECTRUM or CURVES.
    conditions : what it was taken at, where the file says so of a channel, such as bias in mV.
    """

    name: str
    units: str
    values: NDArray[np.number]
    dims: tuple[str, ...] = IMAGE
    conditions: Attributes = field(default_factory=dict)


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
            f"Spectra are taken against the bias, in {BIAS_UNITS}.",
            f"unit {unit[:40]!r}",
            "Use a file of bias spectroscopy; in a text, name the unit: bias (mV).",
        )
    axis = np.asarray(values, dtype=np.float64) * MILLIVOLTS[unit]
    steps = np.diff(axis)
    if not (np.all(steps > 0) or np.all(steps < 0)) or not np.all(np.isfinite(axis)):
        raise MeasurementFileError(
            "The bias rises or falls from point to point.",
            f"{len(axis)} values, {axis[:3]} ...",
            "Split the sweeps into texts of their own, or into netCDF variables with a bias each.",
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

    Text of the file becomes printable. Channels of one name are numbered; one that has none, or
    that of an axis, is called channel.

    Raises
    ------
    MeasurementFileError : no channel or too many, infinite values or settings, or no finite value
        at all.
    """
    _check_settings(attributes or {})
    axes = {"x": x, "y": y, "bias": None if bias is None else (bias, "mV")}
    coordinates = {
        name: (name, axis[0], {"units": axis[1]}) for name, axis in axes.items() if axis is not None
    }
    if len(channels) > MAX_CHANNELS:
        raise MeasurementFileError(
            f"A file has at most {MAX_CHANNELS} channels.", len(channels), "Export fewer of them."
        )
    variables = {}
    for name, channel in zip(_names(channels), channels, strict=True):
        _check_settings(channel.conditions)
        values = np.ascontiguousarray(channel.values, dtype=np.float64)
        if np.any(np.isinf(values)):
            raise MeasurementFileError(
                "A value is finite, or NaN where nothing was measured.",
                f"infinite values in {name}",
                "The file is damaged: copy or export it again.",
            )
        about = {"units": _said(channel.units), "long_name": _said(channel.name)}
        variables[name] = (channel.dims, values, {**about, **channel.conditions})
    if not any(np.any(np.isfinite(values)) for _, values, _ in variables.values()):
        raise MeasurementFileError(
            "A file has a channel with measured values.",
            ", ".join(variables)[:80] or "no channel",
            "Use a file of a finished measurement.",
        )
    told = {
        key: _said(value) if isinstance(value, str) else value
        for key, value in (attributes or {}).items()
    }
    return xr.Dataset(variables, coordinates, {"source_format": source_format, **told})


def numbered(names: Sequence[str]) -> list[str]:
    """Names of their own: the second of one name is NAME 2, backward or not."""
    found: dict[str, None] = {}
    last: dict[str, int] = {}
    for name in names:
        base = name.removesuffix(BACKWARD)
        ending, unique = name[len(base) :], name
        while unique in found:
            last[name] = last.get(name, 1) + 1
            unique = f"{base} {last[name]}{ending}"
        found[unique] = None
    return list(found)


def _names(channels: Sequence[Channel]) -> list[str]:
    """Keys of the dataset: printable, without a slash, none that of an axis, none twice."""
    names = [_said(channel.name.replace("/", "_").strip()) for channel in channels]
    axes = ("x", "y", "bias", "curve")
    return numbered([f"{name} channel".strip() if name in ("", *axes) else name for name in names])


def _said(text: str) -> str:
    """Text of a file as it may be shown."""
    return printable(text)[:MAX_TEXT]


def _check_settings(settings: Attributes) -> None:
    for key, setting in settings.items():
        if not isinstance(setting, str) and not math.isfinite(setting):
            raise MeasurementFileError(
                "The settings of a measurement are finite.",
                f"{key} {setting}",
                "Correct or remove the entry in a copy of the file.",
            )
