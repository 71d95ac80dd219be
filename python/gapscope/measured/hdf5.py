"""netCDF-4 and HDF5 files with a two-dimensional variable, read by a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.assemble import Channel, dataset, lengths
from gapscope.measured.limits import MAX_SIDE, MAX_VALUES, NANOMETRES, Given, check_pixels

MAGIC = b"\x89HDF\r\n\x1a\n"
CHILD = Path(__file__).with_name("hdf5_child.py")
SECONDS = 60
MEMORY = 2**32
"""Time and address space that the reading process may take."""


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as an HDF5 file does."""
    return head.startswith(MAGIC)


def read(content: bytes, given: Given) -> xr.Dataset:
    """One real variable with two dimensions, first one y (or named x and y).

    Its dimension scales, uniform and with units of length, are the coordinates; where it has
    none, width and height are given and the first row is the top. ``given.variable`` is needed
    where the file has several.

    Raises
    ------
    MeasurementFileError : no such variable, no scale, or storage that is not read: external or
        virtual data, filters other than gzip and shuffle.
    """
    about, values = _from_child(content, given.variable)
    check_pixels(*values.shape)
    scales = [_scale(found) for found in about["scales"]]
    if scales[0] is None and scales[1] is None:
        width, height = given.sides(*values.shape)
        values = values[::-1]
        steps = (height / values.shape[0], width / values.shape[1])
    elif scales[0] is None or scales[1] is None:
        raise MeasurementFileError(
            "Both dimensions of an image have a scale, or neither.",
            about["name"][:80],
            "Add the scale.",
        )
    else:
        given.refuse_scale()
        (first, step_y), (second, step_x) = scales[0], scales[1]
        values = values[:: -1 if step_y < 0 else 1, :: -1 if step_x < 0 else 1]
        steps = (abs(step_y), abs(step_x))
        if (first.lower(), second.lower()) == ("x", "y"):
            values, steps = values.T, (steps[1], steps[0])
    return dataset(
        "hdf5",
        [Channel(about["name"], about["units"], values)],
        lengths(values.shape[1], steps[1]),
        lengths(values.shape[0], steps[0]),
    )


def _from_child(content: bytes, variable: str | None) -> tuple[dict[str, Any], NDArray[np.float64]]:
    request = {
        "variable": variable,
        "max_side": MAX_SIDE,
        "max_values": MAX_VALUES,
        "seconds": SECONDS,
        "memory": MEMORY,
    }
    about, values = _ask(content, request)
    if "refused" in about:
        raise MeasurementFileError(*about["refused"])
    if "failed" in about:
        raise _damaged(about["failed"])
    return about, values.reshape(about["shape"])


def _ask(content: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """What ``hdf5_child.answer`` says in a process of its own."""
    command = [sys.executable, "-I", str(CHILD), json.dumps(request)]
    try:
        ended = subprocess.run(
            command, input=content, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _damaged(f"no answer in {SECONDS} s") from error
    line, _, rest = ended.stdout.partition(b"\n")
    if ended.returncode != 0 or not line:
        words = ended.stderr.decode("utf-8", "replace").strip()[-160:]
        raise _damaged(f"the reading process ended with {ended.returncode}: {words}")
    return json.loads(line), np.frombuffer(rest)


def _damaged(received: str) -> MeasurementFileError:
    return MeasurementFileError(
        "h5py can read the file.", received, "The file is damaged: copy or export it again."
    )


def _scale(found: dict[str, Any] | None) -> tuple[str, float] | None:
    """Name and step in nm of a dimension's scale; None without one that has a unit of length."""
    if found is None or found["units"] not in NANOMETRES:
        return None
    steps = np.diff(np.array(found["values"]) * NANOMETRES[found["units"]])
    step = float(np.mean(steps))
    if not np.all(np.abs(steps - step) <= 1e-3 * abs(step)):
        raise MeasurementFileError(
            "The coordinates of an image are uniform.",
            f"steps of {steps.min()} to {steps.max()} nm",
            "Interpolate the image, or give its width and height.",
        )
    return found["name"], step
