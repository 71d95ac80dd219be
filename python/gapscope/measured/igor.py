"""Igor binary waves, .ibw of version 5, through igor2: images, stacks of them, and grids."""

from __future__ import annotations

import io
import math
import struct

import numpy as np
import xarray as xr

from gapscope.errors import MeasurementFileError
from gapscope.measured.assemble import GRID, Channel, biases, dataset, lengths
from gapscope.measured.limits import (
    MILLIVOLTS,
    NANOMETRES,
    Given,
    check_content,
    check_pixels,
    library,
)

VERSION = 5
HEADERS = struct.Struct("hh15i 12xi 52x4i")
"""Of BinHeader5: version, checksum, bytes of the wave, formula, note, units, labels, indices and
reserved parts. Of WaveHeader5: number of points, and points along each dimension."""
BIN_HEADER, WAVE_HEADER = 64, 320


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file ends in .ibw: two bytes of version are no proof."""
    return suffix == ".ibw"


def read(content: bytes, given: Given) -> xr.Dataset:
    """A wave over (x, y), or (x, y, layer) as one channel a layer, or (x, y, bias).

    Raises
    ------
    MeasurementFileError : another version or kind of wave, lateral units other than lengths, parts
        that are longer than the file, or igor2 is not installed.
    """
    given.refuse_scale()
    _check_parts(content)
    try:
        from igor2 import binarywave
    except ImportError as error:
        raise MeasurementFileError(
            "Igor waves are read with igor2.", str(error), "pip install 'gapscope[measured]'"
        ) from error
    with library("igor2"):
        wave = binarywave.load(io.BytesIO(content))["wave"]
        header, values = wave["wave_header"], np.asarray(wave["wData"])
        units = [b"".join(row).decode("latin-1") for row in header["dimUnits"]]
        name = bytes(header["bname"]).decode("latin-1").strip("\0")
        unit = b"".join(header["dataUnits"]).decode("latin-1")
        steps = [float(step) for step in header["sfA"]]
        labels = [bytes(label).decode("latin-1") for label in wave["labels"][2][1:]]
        start = float(header["sfB"][2])
    if values.ndim not in (2, 3) or values.dtype.kind not in "iuf" or not steps[0] or not steps[1]:
        raise MeasurementFileError(
            "An Igor wave of images is real, over x, y and perhaps layers.",
            f"{values.dtype} of shape {values.shape}",
            "Export an image or a grid.",
        )
    if units[0] not in NANOMETRES or units[1] not in NANOMETRES:
        raise MeasurementFileError(
            "The first two dimensions of an Igor wave are lengths.",
            f"units {units}",
            "Set them with SetScale, e.g. in m.",
        )
    check_pixels(*values.shape[:2])
    upright = np.swapaxes(values, 0, 1)[:: _sign(steps[1]), :: _sign(steps[0])]
    columns, rows = values.shape[:2]
    x = lengths(columns, abs(steps[0]) * NANOMETRES[units[0]])
    y = lengths(rows, abs(steps[1]) * NANOMETRES[units[1]])
    if upright.ndim == 2:
        return dataset("igor-ibw", [Channel(name, unit, upright)], x, y)
    if units[2] in MILLIVOLTS:
        bias, turned = biases(start + steps[2] * np.arange(values.shape[2]), units[2])
        grid = upright[..., :: -1 if turned else 1]
        return dataset("igor-ibw", [Channel(name, unit, grid, GRID)], x, y, bias)
    named = labels if len(labels) == values.shape[2] else []
    channels = [
        Channel(named[i] if named else f"{name} {i}", unit, upright[..., i])
        for i in range(values.shape[2])
    ]
    return dataset("igor-ibw", channels, x, y)


def _sign(step: float) -> int:
    return -1 if step < 0 else 1


def _check_parts(content: bytes) -> None:
    """The parts that the headers announce lie in the file, and agree on the number of points.

    igor2 checks neither before it reads, and writes all data of such a wave to its log.
    """
    parts: tuple[int, ...] = (0,)
    for order in "<>":
        if parts[0] != VERSION and len(content) >= BIN_HEADER + WAVE_HEADER:
            parts = struct.unpack_from(order + HEADERS.format, content)
    if parts[0] != VERSION:
        raise MeasurementFileError(
            f"An Igor wave with images has version {VERSION}.",
            f"beginning with {content[:2]!r}",
            "Save it with Igor 5 or later.",
        )
    sizes, points, sides = parts[2:17], parts[17], parts[18:]
    whole = BIN_HEADER + sum(max(size, 0) for size in sizes)
    if min(sizes) < 0 or whole > len(content):
        raise MeasurementFileError(
            "The parts of an Igor wave lie in its file.",
            f"{min(sizes)} to {max(sizes)} bytes, {whole} together, in {len(content)}",
            "The file is cut off or damaged: copy it again.",
        )
    check_content(points, math.prod(side for side in sides if side > 0), "points")
