"""netCDF-4 and HDF5 files with maps as variables, read by a process of their own."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers import gxsm
from gapscope.measured.readers.hdf5_map import upright
from gapscope.measured.readers.limits import (
    MAX_SIDE,
    MAX_VALUES,
    MILLIVOLTS,
    NANOMETRES,
    ReadOptions,
)
from gapscope.measured.readers.recording import dataset

MAGIC = b"\x89HDF\r\n\x1a\n"
CHILD = Path(__file__).with_name("hdf5_child.py")
SECONDS = 60
MEMORY = 2**32
"""Time and address space that the reading process may take."""


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as an HDF5 file does."""
    return head.startswith(MAGIC)


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The real variables with two dimensions, first one y (or named x and y), or a bias besides.

    Their dimension scales, uniform and with units of length, are the coordinates; where they have
    none, width and height are given and the first row is the top. A dataset has one frame: images
    on several axes are refused unless ``given.variable`` names one; grids of spectra that do not go
    with the images are named by the attribute left_out. A dataset that was opened here, or a
    simulated scan, and saved keeps what it states, such as the bias.

    Raises
    ------
    MeasurementFileError : no such variable, several frames, no scale, or storage that is not read:
        external or virtual data, filters other than gzip and shuffle.
    """
    about, values = from_child(
        content, {"variable": given.variable, "bare": given.width is not None}
    )
    if "gxsm" in about:
        return gxsm.scan(_stored(about["gxsm"], values), given)
    sizes = [math.prod(one["shape"]) for one in about["variables"]]
    parts = np.split(values, np.cumsum(sizes[:-1]))
    maps = [
        upright(one, [about["scales"].get(name) for name in one["axes"]], part, given)
        for one, part in zip(about["variables"], parts, strict=True)
    ]
    bias = next((one.bias for one in maps if one.bias is not None), None)
    left_out = ", ".join(about["left_out"])[:300]
    return dataset(
        "hdf5",
        [one.channel for one in maps],
        maps[0].x,
        maps[0].y,
        bias,
        {**about.get("stated", {}), **({"left_out": left_out} if left_out else {})},
    )


def _stored(about: dict[str, Any], values: NDArray[np.float64]) -> gxsm.Stored:
    """What ``hdf5_gxsm`` says of a scan of GXSM."""
    return gxsm.Stored(
        values.reshape(about["shape"]),
        {axis: np.array(places) for axis, places in about["places"].items()},
        about["numbers"],
        about["units"],
        about["texts"],
    )


def from_child(
    content: bytes, wanted: Mapping[str, Any]
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """What the process that reads HDF5 says of a file, and the values that it sends.

    Raises
    ------
    MeasurementFileError : its refusal, or that it ended without an answer.
    """
    request = {
        **wanted,
        "lengths": list(NANOMETRES),
        "biases": list(MILLIVOLTS),
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
    return about, values


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
