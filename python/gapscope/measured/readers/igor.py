"""Igor binary waves, .ibw of version 5, through igor2: images, stacks of them, and grids."""

from __future__ import annotations

import io
import math
import re
import struct
from typing import Any

import numpy as np
import xarray as xr

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    LENGTH_UNITS,
    MILLIVOLTS,
    NANOMETRES,
    ReadOptions,
    check_content,
    check_pixels,
    decoded,
    library,
)
from gapscope.measured.readers.recording import GRID, Channel, biases, dataset, lengths

VERSION = 5
HEADERS = struct.Struct("hh15i 12xi 52x4i")
"""Fields of BinHeader5: version, checksum, bytes of the wave, formula, note, units, labels, indices
and reserved parts; of WaveHeader5: number of points, and points along each dimension."""
BIN_HEADER, WAVE_HEADER = 64, 320
LABEL = re.compile(r"(.*\S)\s*[\[(]([^\[\]()]*)[\])]")
SWEEP = re.compile(r"(Mod\d*)?(Trace|Retrace)?$")
ASYLUM = {
    **dict.fromkeys(("Height", "ZSensor", "Deflection", "Amplitude"), "m"),
    "Phase": "deg",
    "Current": "A",
    "Frequency": "Hz",
    "Capacitance": "F",
    "Potential": "V",
    **dict.fromkeys(("Count", "QFactor"), ""),
}
"""Units of the channels of Asylum Research; all others are in V."""


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file ends in .ibw: two bytes of version are no proof."""
    return suffix == ".ibw"


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """A wave over (x, y), or (x, y, layer) as one channel a layer, or (x, y, bias).

    Texts are in UTF-8 or Latin-1. Layers have units of their own where their labels or the wave's
    note say so.

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
            "Igor waves are read with igor2.", str(error), "pip install igor2"
        ) from error
    with library("igor2"):
        wave = binarywave.load(io.BytesIO(content))["wave"]
        header, values = wave["wave_header"], np.asarray(wave["wData"])
        units = _units(wave)
        name = decoded(bytes(header["bname"])).strip("\0")
        unit = decoded(bytes(wave["data_units"]) or b"".join(header["dataUnits"])).strip("\0")
        steps = [float(step) for step in header["sfA"]]
        labels = [decoded(bytes(label)).strip("\0") for label in wave["labels"][2][1:]]
        note = _entries(decoded(bytes(wave["note"])))
        start = float(header["sfB"][2])
    if values.ndim not in (2, 3) or values.dtype.kind not in "iuf" or not steps[0] or not steps[1]:
        raise MeasurementFileError(
            "An Igor wave of images is real, over x, y and perhaps layers.",
            f"{values.dtype} of shape {values.shape}",
            "Export an image or a grid.",
        )
    if units[0] not in NANOMETRES or units[1] not in NANOMETRES:
        raise MeasurementFileError(
            f"The first two dimensions of an Igor wave are lengths in {LENGTH_UNITS}.",
            f"units {units}",
            'Set them in Igor, as SetScale/P x, 0, 1e-10, "m", wave, and save the wave again.',
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
    layers = values.shape[2]
    named = labels if len(labels) == layers else []
    if units[2] and not named:
        raise MeasurementFileError(
            "The third dimension of an Igor wave is the bias, or of layers without a unit.",
            f"{layers} points in {units[2][:20]}",
            'Of a bias in meV, set mV in Igor, as SetScale/P z, -10, 0.1, "mV", wave, and save the'
            " wave again.",
        )
    several = unit.split(";") if unit.count(";") == layers - 1 else [unit] * layers
    channels = []
    for i, one in enumerate(several):
        told = _layer(named[i], one, note) if named else (f"{name} {i}", one)
        channels.append(Channel(*told, upright[..., i]))
    return dataset("igor-ibw", channels, x, y)


def _units(wave: dict[str, Any]) -> list[str]:
    """Units of the four dimensions: the long ones behind the data, or those of the header."""
    short = [decoded(b"".join(row)).strip("\0") for row in wave["wave_header"]["dimUnits"]]
    long, at = bytes(wave["dimension_units"]), 0
    for i, size in enumerate(int(size) for size in wave["bin_header"]["dimEUnitsSize"]):
        short[i] = decoded(long[at : at + size]).strip("\0") or short[i]
        at += size
    return short


def _entries(note: str) -> dict[str, str]:
    """Lines ``Key: value`` of a wave's note."""
    lines = (line.partition(":") for line in note.splitlines())
    return {key.strip(): value.strip() for key, mark, value in lines if mark}


def _layer(label: str, unit: str, note: dict[str, str]) -> tuple[str, str]:
    """Name and unit of a layer: ``Height (nm)`` or ``Height [nm]``, or by the note, or the wave's.

    Notes of Asylum Research, which alone have an ImagingMode, may name the unit of each channel,
    as ``CurrentUnit: A``; there, height is in m, current in A, phase in degrees, ... (Gwyddion,
    modules/file/igorfile.c), whatever the wave says.
    """
    found = LABEL.fullmatch(label)
    if found is not None:
        return found[1].strip(), found[2].strip()
    channel = SWEEP.sub("", label)
    if note.get(f"{channel}Unit"):
        return label, note[f"{channel}Unit"]
    if "ImagingMode" in note or "ScanSize" in note:
        known = (one for word, one in ASYLUM.items() if channel.startswith(word))
        return label, next(known, "V")
    return label, unit


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
            "Open it in Igor Pro 6 or later and save it again, as Igor binary.",
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
