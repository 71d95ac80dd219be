"""Spectra of WSxM: curves (.cur) in text, and stacks of images at biases (.gsi, .cit)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    MAX_CHANNELS,
    MAX_SIDE,
    MAX_VALUES,
    ReadOptions,
    check_content,
    check_pixels,
    missing,
    number,
)
from gapscope.measured.readers.recording import (
    BACKWARD,
    GRID,
    IMAGE,
    SPECTRUM,
    Channel,
    biases,
    dataset,
    lengths,
)
from gapscope.measured.readers.table import numbers, text_lines
from gapscope.measured.readers.wsxm import (
    START,
    count,
    head_of,
    nanometres,
    quantity,
    settings,
    spanning,
    type_of,
)

CURVES = re.compile(rb"\w+ curve file|IV file|ZV file|IZ file")
STACKS = re.compile(rb"Spectroscopy Imaging Image file|CITS Image file")
NOT_NUMBERS = re.compile(r"-?1\.#\w+")
"""How Windows writes what is none."""
LISTS = ("Spectroscopy images ramp value list", "Current images bias list")
INFO = "General Info::"


def recognises_curve(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a curve of WSxM does."""
    return head.startswith(START) and CURVES.search(head, 0, 200) is not None


def recognises_stack(head: bytes, suffix: str) -> bool:
    """Whether a file begins as spectra of WSxM over an image do."""
    return head.startswith(START) and STACKS.search(head, 0, 200) is not None


def read_wsxm_curve(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The curves of a .cur over the bias: two columns each, to and fro.

    Curves in V have the conversion that the header tells, if it does.

    Raises
    ------
    MeasurementFileError : curves against something else, another number of points or columns than
        the header says, or curves at other biases than the first.
    """
    given.refuse_scale()
    header, end = head_of(content)
    points, lines = (
        count(header, f"{INFO}Number of points"),
        count(header, f"{INFO}Number of lines"),
    )
    if not 1 <= lines <= MAX_CHANNELS:
        raise missing(header, f"{INFO}Number of lines", f"1 to {MAX_CHANNELS}")
    rows = [line.strip() for line in text_lines(content[end:])]
    if not content.endswith(b"\n"):  # of a number that is cut off, the rest may be a number, too
        raise MeasurementFileError(
            "The last line of a curve of WSxM is whole.",
            f"{content[-16:]!r}",
            "The file is cut off: copy it again.",
        )
    table = numbers([NOT_NUMBERS.sub("nan", row) for row in rows if row], None)
    check_content(len(table), points, "rows")
    if table.shape[1] != 2 * lines:
        raise MeasurementFileError(
            "A curve of WSxM has two columns for each of its lines.",
            f"{table.shape[1]} columns, {lines} lines",
            "The file is damaged: copy it again.",
        )
    name = header.get(f"{INFO}Y axis text", "").partition("[")[0].strip() or "curve"
    factor, offset, unit = _curve_scale(header)
    first_back = header.get("Miscellaneous::First Forward", "Yes").lower() == "no"
    bias: NDArray[np.float64] = np.empty(0)
    channels = []
    for line in range(lines):
        axis, turned = biases(table[:, 2 * line], header.get(f"{INFO}X axis unit", ""))
        if line == 0:
            bias = axis
        if not np.allclose(axis, bias, rtol=1e-6, atol=1e-6):
            raise MeasurementFileError(
                "The lines of a curve of WSxM are at the same biases.",
                f"{bias[0]:g} to {bias[-1]:g} mV, then {axis[0]:g} to {axis[-1]:g} mV",
                "Save the lines into files of their own.",
            )
        backward = BACKWARD if (line % 2 == 1) != first_back else ""
        values = table[:: -1 if turned else 1, 2 * line + 1] * factor + offset
        channels.append(Channel(name + backward, unit, values, SPECTRUM))
    return dataset("wsxm-curve", channels, bias=bias, attributes=settings(header))


def _curve_scale(header: Mapping[str, str]) -> tuple[float, float, str]:
    """Factor, offset and unit of a curve; those of the input channel where it is stored in V."""
    unit = header.get(f"{INFO}Y axis unit", "")
    key = f"{INFO}Conversion Factor 00"
    if unit != "V" or " " not in header.get(key, ""):
        return 1.0, 0.0, unit
    factor, each = _per_volt(header, key)
    return _signed(header, factor), _offset(header, "Conversion Offset 00"), each


def _per_volt(header: Mapping[str, str], key: str) -> tuple[float, str]:
    """A factor and the unit that it gives each V; WSxM itself leaves the V out: "10 nA"."""
    factor, unit = quantity(header, key)
    unit = unit.removesuffix("/V")
    if "/" in unit:
        raise missing(header, key, "a number and a unit for each V")
    return factor, unit


def _signed(header: Mapping[str, str], factor: float) -> float:
    """A conversion factor, less than zero where the channel is inverted."""
    inverted = header.get(f"{INFO}Channel is inverted", "No").lower() == "yes"
    return -factor if inverted else factor


def _offset(header: Mapping[str, str], name: str) -> float:
    """The offset of a conversion, zero where none is told."""
    return quantity(header, INFO + name)[0] if INFO + name in header else 0.0


def read_wsxm_stack(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The topography, and the images at the biases that the header lists, as a grid of spectra.

    Floats are in the units of the header; integers have the factors that it tells. Images are
    stored as those of ``wsxm``.

    Raises
    ------
    MeasurementFileError : no list of biases, no scale, or another number of values.
    """
    given.refuse_scale()
    header, end = head_of(content)
    columns, rows = (count(header, f"{INFO}Number of {side}") for side in ("columns", "rows"))
    points = count(header, f"{INFO}Number of points per ramp")
    if not 1 <= points <= MAX_SIDE:
        raise missing(header, f"{INFO}Number of points per ramp", f"1 to {MAX_SIDE}")
    check_pixels(rows, columns, most=MAX_VALUES // (points + 1))
    kind = type_of(header)
    size = (points + 1) * rows * columns * kind.itemsize
    check_content(len(content) - end, size, "bytes")
    stored = np.frombuffer(content, kind, offset=end).reshape(points + 1, rows, columns)
    stored = stored[:, :, ::-1]
    bias, turned = biases(*_ramp(header, points))
    factor, offset, spectral = _scale(header, kind.kind != "f")
    spectra = np.moveaxis(stored[1:], 0, -1)[..., :: -1 if turned else 1] * factor + offset
    back = header.get(f"{INFO}Spectroscopy direction", "").lower() == "backward"
    name = header.get(f"{INFO}Acquisition channel", "") or "spectra"
    channels = [Channel(name + (BACKWARD if back else ""), spectral, spectra, GRID)]
    height, unit = quantity(header, f"{INFO}Z Amplitude")
    topography = stored[0].astype(np.float64)
    if kind.kind == "f":
        channels.append(Channel("Topography", unit, topography, IMAGE))
    elif np.ptp(topography) > 0.0:  # where the tip stayed at its height, there is nothing to scale
        channels.append(Channel("Topography", unit, spanning(topography, height), IMAGE))
    sides = [nanometres(header, f"Control::{axis} Amplitude") for axis in "XY"]
    return dataset(
        "wsxm-stack",
        channels,
        lengths(columns, sides[0] / columns),
        lengths(rows, sides[1] / rows),
        bias,
        settings(header),
    )


def _ramp(header: Mapping[str, str], points: int) -> tuple[NDArray[np.float64], str]:
    """The biases of the images, and their unit."""
    section = next((one for one in LISTS if any(key.startswith(one) for key in header)), LISTS[0])
    entries = {
        int(key.rpartition(" ")[2]): key
        for key in header
        if key.startswith(f"{section}::Image ")
        and key.rpartition(" ")[2].isdecimal()
        and len(key) < 80
    }
    found = [quantity(header, entries.get(i, f"{section}::Image {i:03d}")) for i in range(points)]
    if len({unit for _, unit in found}) != 1:
        raise missing(header, entries[0], "a bias in the unit of all others")
    alike = [i for i in range(1, points) if found[i] == found[i - 1]]
    if alike:
        raise MeasurementFileError(
            "The images of a .gsi are at biases of their own.",
            f"image {alike[0] - 1} and the next one at {found[alike[0]][0]:g} {found[0][1]}",
            "The program that wrote the file rounds them: in a copy of the file, whose header is"
            " text, write them with more digits.",
        )
    return np.array([value for value, _ in found]), found[0][1]


def _scale(header: Mapping[str, str], integers: bool) -> tuple[float, float, str]:
    """Factor, offset and unit of the stored spectra."""
    if not integers:
        key = f"{INFO}Spectroscopy Amplitude"
        key = key if key in header else f"{INFO}Current Amplitude"
        return 1.0, 0.0, quantity(header, key)[1]
    key = f"{INFO}ADC to V conversion factor"
    volts = number({key: header.get(key, "").removesuffix(" V")}, key)
    factor, unit = _per_volt(header, f"{INFO}Conversion factor 0 for input channel")
    offset = _offset(header, "Conversion offset 0 for input channel")
    return volts * _signed(header, factor), offset, unit
