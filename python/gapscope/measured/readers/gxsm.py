"""Scans of GXSM in classic netCDF, through scipy: one channel and one direction a file."""

from __future__ import annotations

import io
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
ANGSTROM = 0.1
"""GXSM stores lengths in Angstrom, whatever their attribute unit says."""
UNEVEN = 1e-3
"""Part of a range by which its pixels' places may lie elsewhere."""


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a classic netCDF file does, with the variables of GXSM."""
    return head.startswith(MAGIC) and b"dimx" in head and b"rangex" in head


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The image of a file, or its layers at several biases as a grid of spectra.

    Values are those stored times ``dz``; heights are in nm. Places of the pixels (``dimx``,
    ``dimy``) fall where a sweep goes to the left, which is a backward one, and from the top.

    Raises
    ------
    MeasurementFileError : no such image, several times, layers that are not at biases, places that
        are not uniform, or not those of the range.
    """
    given.refuse_scale()
    with library("scipy.io.netcdf_file"):
        file = netcdf_file(io.BytesIO(content), mmap=False, maskandscale=False)
        variables = file.variables
        fields = [one for one in variables.values() if tuple(one.dimensions) == AXES]
        images = [np.asarray(one.data) for one in fields]
        values = np.asarray(variables["value"].data, dtype=np.float64).ravel()
        places = {axis: np.asarray(variables[axis].data, np.float64) for axis in ("dimx", "dimy")}
        ranges = {axis: _number(variables, f"range{axis[-1]}") or 0.0 for axis in places}
        saved = _said(variables.get("basename"))
        label, unit = (_said_of(fields[0] if fields else None, key) for key in ("ZLabel", "unit"))
    if len(images) != 1 or images[0].dtype.kind not in "iuf" or images[0].ndim != 4:
        raise MeasurementFileError(
            f"A file of GXSM holds one image over {', '.join(AXES)}.",
            f"{len(images)} of {', '.join(map(str, variables))[:80]}",
            "Use a file that GXSM saved.",
        )
    times, layers, rows, columns = images[0].shape
    check_pixels(rows, columns, most=MAX_VALUES // max(layers, 1))
    if times != 1 or layers < 1 or len(values) != layers:
        raise MeasurementFileError(
            "A scan of GXSM is one image, or one at each of several biases.",
            f"{times} times, {layers} layers, {len(values)} values",
            "Save the image alone, or convert the file and name its variables.",
        )
    sides = {"dimy": rows, "dimx": columns}
    steps = [_step(places[axis], ranges[axis], n) for axis, n in sides.items()]
    factor = _number(variables, "dz") or 1.0
    if unit in (*NANOMETRES, "AA"):
        factor, unit = factor * ANGSTROM, "nm"
    stored = images[0][0].astype(np.float64)
    lying = stored[:, :: _sign(steps[0]), :: _sign(steps[1])] * factor
    name = saved.rpartition("-")[2].removesuffix(".nc") or label or "image"
    name += BACKWARD if steps[1] < 0 else ""
    told = _settings(variables)
    x, y = (lengths(n, abs(one) * ANGSTROM) for n, one in ((columns, steps[1]), (rows, steps[0])))
    if layers == 1:
        return dataset("gxsm-netcdf", [Channel(name, unit, lying[0])], x, y, attributes=told)
    bias, turned = biases(values, _said_of(variables["value"], "unit"))
    grid = np.moveaxis(lying, 0, -1)[..., :: -1 if turned else 1]
    told.pop("bias", None)
    return dataset("gxsm-netcdf", [Channel(name, unit, grid, GRID)], x, y, bias, told)


def _number(variables: dict[str, Any], key: str) -> float | None:
    """A variable that is one finite number; None without it."""
    held = np.ravel(variables[key].data) if key in variables else np.empty(0)
    known = held.size == 1 and held.dtype.kind in "iuf" and np.isfinite(held[0])
    return float(held[0]) if known else None


def _said(variable: Any) -> str:
    """The text of a variable of characters, empty without one."""
    return "" if variable is None else decoded(np.asarray(variable.data).tobytes()).strip("\0 \n")


def _said_of(variable: Any, key: str) -> str:
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


def _settings(variables: dict[str, Any]) -> dict[str, float | str]:
    """Bias and time; the angle where it is 0, since the sense of another one is not known."""
    found: dict[str, float | str] = {}
    bias = next((key for key in variables if key.endswith("_hwi_bias")), "")
    volts, angle = _number(variables, bias), _number(variables, "alpha")
    if volts is not None and _said_of(variables[bias], "var_unit") == "V":
        found["bias"] = volts * 1e3
    if angle == 0.0:
        found["scan_angle"] = 0.0
    seconds = _number(variables, "t_start") or 0.0
    if 0 < seconds < 2**32:
        found["recorded"] = datetime.fromtimestamp(int(seconds), UTC).isoformat()
    return found
