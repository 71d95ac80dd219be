"""Scans of GXSM: one channel and one direction a file.

Up to version 3 they are classic netCDF, read here through scipy; those of version 4 are netCDF-4,
which ``hdf5`` reads in a process of its own.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.io import netcdf_file

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    MAX_VALUES,
    NANOMETRES,
    PICOAMPERES,
    ReadOptions,
    check_pixels,
    decoded,
    library,
)
from gapscope.measured.readers.recording import (
    BACKWARD,
    GRID,
    Channel,
    biases,
    dataset,
    lengths,
)

MAGIC = (b"CDF\x01", b"CDF\x02")
AXES = ("time", "value", "dimy", "dimx")
FIELD = "FloatField"
ANGSTROM = 0.1
"""GXSM stores lengths in Angstrom, whatever their attribute unit says."""
UNEVEN = 1e-3
"""Part of a range by which its pixels' places may lie elsewhere."""
STALE = "(*saved)"
"""How the name of a file ends where it is that of another one, saved before."""
SERVO_ON = 1
"""Bit of the feedback's mode."""


@dataclass(frozen=True)
class Stored:
    """What a file holds.

    Parameters
    ----------
    image : over time, layer, y and x.
    places : of the layers (value) and of the pixels (dimx, dimy).
    numbers : variables of one number.
    units : of variables, that of the image by the name FIELD.
    texts : variables of letters, and the image's label ZLabel.
    """

    image: NDArray[np.number]
    places: Mapping[str, NDArray[np.float64]]
    numbers: Mapping[str, float]
    units: Mapping[str, str]
    texts: Mapping[str, str]


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a classic netCDF file does, with the variables of GXSM."""
    return head.startswith(MAGIC) and b"dimx" in head and b"rangex" in head


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The image of a classic file, see :func:`scan`.

    Raises
    ------
    MeasurementFileError : damaged, no such image, or see :func:`scan`.
    """
    with library("scipy.io.netcdf_file"):
        file = netcdf_file(io.BytesIO(content), mmap=False, maskandscale=False)
        variables = file.variables
        fields = {name: one for name, one in variables.items() if tuple(one.dimensions) == AXES}
        images = {name: np.asarray(one.data) for name, one in fields.items()}
        places = {axis: np.asarray(variables[axis].data, np.float64).ravel() for axis in AXES[1:]}
        units = {
            name: _said(one, "var_unit") or _said(one, "unit") for name, one in variables.items()
        }
        texts = {
            name: decoded(np.asarray(one.data).tobytes())
            for name, one in variables.items()
            if one.typecode() == "c"
        }
        numbers = {name: _number(one) for name, one in variables.items()}
    if len(images) != 1:
        raise MeasurementFileError(
            f"A file of GXSM holds one image over {', '.join(AXES)}.",
            f"{len(images)} of {', '.join(map(str, variables))[:80]}",
            "Use a file that GXSM saved.",
        )
    (name, image), (field,) = *images.items(), fields.values()
    known = {key: one for key, one in numbers.items() if one is not None}
    texts["ZLabel"] = _said(field, "ZLabel")
    return scan(Stored(image, places, known, {**units, FIELD: units[name]}, texts), given)


def scan(stored: Stored, given: ReadOptions) -> xr.Dataset:
    """The image of a file, or its layers at several biases as a grid of spectra.

    Values are those stored times ``dz``; heights are in nm. Places of the pixels (``dimx``,
    ``dimy``) fall where a sweep goes to the left, which is a backward one, and from the top;
    version 4 turns backward sweeps, so that their names alone tell them.

    Raises
    ------
    MeasurementFileError : several times, layers that are not at biases, places that are not
        uniform, or not those of the range.
    """
    given.refuse_scale()
    image, places = stored.image, stored.places
    if image.dtype.kind not in "iuf" or image.ndim != 4:
        raise MeasurementFileError(
            f"A file of GXSM holds one image over {', '.join(AXES)}.",
            f"one of {image.ndim} dimensions, {image.dtype}",
            "Use a file that GXSM saved.",
        )
    times, layers, rows, columns = image.shape
    check_pixels(rows, columns, most=MAX_VALUES // max(layers, 1))
    if times != 1 or layers < 1 or len(places["value"]) != layers:
        raise MeasurementFileError(
            "A scan of GXSM is one image, or one at each of several biases.",
            f"{times} times, {layers} layers, {len(places['value'])} values",
            "Save the image alone, or convert the file and name its variables.",
        )
    sides = {"dimy": rows, "dimx": columns}
    spans = [stored.numbers.get(f"range{axis[-1]}", 0.0) for axis in sides]
    steps = [
        _step(places[axis], span, n) for (axis, n), span in zip(sides.items(), spans, strict=True)
    ]
    factor, unit = stored.numbers.get("dz") or 1.0, stored.units.get(FIELD, "")
    if unit in (*NANOMETRES, "AA"):
        factor, unit = factor * ANGSTROM, "nm"
    lying = image[0].astype(np.float64)[:, :: _sign(steps[0]), :: _sign(steps[1])] * factor
    name = _name(stored, given, turned=steps[1] < 0)
    told = _settings(stored)
    x, y = (lengths(n, abs(one) * ANGSTROM) for n, one in ((columns, steps[1]), (rows, steps[0])))
    if layers == 1:
        return dataset("gxsm-netcdf", [Channel(name, unit, lying[0])], x, y, attributes=told)
    bias, turned = biases(places["value"], stored.units.get("value", ""))
    grid = np.moveaxis(lying, 0, -1)[..., :: -1 if turned else 1]
    told.pop("bias", None)
    return dataset("gxsm-netcdf", [Channel(name, unit, grid, GRID)], x, y, bias, told)


def _name(stored: Stored, given: ReadOptions, *, turned: bool) -> str:
    """The channel's, which the name of the file that was saved has behind its direction."""
    saved = stored.texts.get("basename", "").strip("\0 \n")
    if saved.endswith(STALE):
        saved = ""
    name = saved.rpartition("-")[2].removesuffix(".nc")
    name = name or stored.texts.get("ZLabel", "").strip("\0 ") or "image"
    backward = turned or "-Xm-" in (saved or given.name or "").rpartition("/")[2]
    return name + BACKWARD if backward else name


def _number(variable: Any) -> float | None:
    """The value of a variable that is one finite number; None of another one."""
    held = np.ravel(variable.data)
    known = held.size == 1 and held.dtype.kind in "iuf" and np.isfinite(held[0])
    return float(held[0]) if known else None


def _said(variable: Any, key: str) -> str:
    """The text of an attribute of a variable, empty without one."""
    held = getattr(variable, key, b"")
    return decoded(held).strip("\0 ") if isinstance(held, bytes) else ""


def _step(places: NDArray[np.float64], span: float, pixels: int) -> float:
    """The step from pixel to pixel in Angstrom, negative where places fall."""
    steps = np.diff(places)
    if len(places) != pixels or not np.all(np.abs(steps - steps.mean()) <= UNEVEN * abs(span)):
        raise MeasurementFileError(
            "The pixels of a scan of GXSM lie on a grid, at dimx and dimy.",
            f"{len(places)} places of {pixels} pixels, from {places[:1]} to {places[-1:]}",
            "The file is damaged: copy it again.",
        )
    step = float(places[-1] - places[0]) / (pixels - 1)
    if not any(abs(abs(step) * n - span) <= UNEVEN * span for n in (pixels - 1, pixels)):
        raise MeasurementFileError(
            "The range of a scan of GXSM is that of its pixels' places.",
            f"{abs(step) * (pixels - 1):g} and {span:g} Angstrom",
            "One of them is wrong: save the image as .npy, and open it with its width.",
        )
    return step


def _sign(step: float) -> int:
    return -1 if step < 0 else 1


def _settings(stored: Stored) -> dict[str, float | str]:
    """Bias, set point and time; the angle where it is 0, since the sense of another one is not
    known; the set point where the feedback's mode is stated, as version 4 does."""
    found: dict[str, float | str] = {}
    numbers, units = stored.numbers, stored.units
    bias = next((key for key in numbers if key.lower().endswith("_hwi_bias")), "")
    if bias and units.get(bias) == "V":
        found["bias"] = numbers[bias] * 1e3
    servo = next((key for key in numbers if key.endswith("_Z_Servo_Transfer_Mode")), "")
    current = servo.replace("Transfer_Mode", "SetPoint")
    if servo and not int(numbers[servo]) & SERVO_ON:
        found["feedback"] = "off"
    elif servo and current in numbers and units.get(current) in PICOAMPERES:
        found["current"] = numbers[current] * PICOAMPERES[units[current]]
    if numbers.get("alpha") == 0.0:
        found["scan_angle"] = 0.0
    seconds = numbers.get("t_start", 0.0)
    if 0 < seconds < 2**32:
        found["recorded"] = datetime.fromtimestamp(int(seconds), UTC).isoformat()
    return found
