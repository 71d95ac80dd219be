"""Images that WSxM exports as text: columns x, y and z, or a matrix.

Headers and orders are those of the file specifications of WSxM's home (spmimages.ftmc.uam.es): the
first row of a matrix is the lowest, from the right to the left, as in its .stp files.
"""

from __future__ import annotations

import re

import numpy as np
import xarray as xr

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import NANOMETRES, ReadOptions, check_pixels
from gapscope.measured.readers.recording import Channel, dataset, lengths
from gapscope.measured.readers.table import matrix, text_lines
from gapscope.measured.readers.wsxm import START
from gapscope.measured.readers.xyz import on_grid

XYZ, MATRIX = "WSxM ASCII XYZ file", "WSxM ASCII Matrix file"
UNIT = r"\s*\[([^\]]{0,20})\]\s*"
COLUMNS = re.compile(rf"X{UNIT}Y{UNIT}(\w{{1,40}}){UNIT}")
AMPLITUDE = re.compile(r"([XYZ]) Amplitude:\s*([0-9.,eE+-]{1,40})\s*(\S{0,20})")
MAX_HEADER = 200
"""Most lines of a header; other programs copy theirs into it."""


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a text of WSxM does."""
    start = head[:200]
    return start.startswith((START, XYZ[:10].encode())) and any(
        one.encode() in start for one in (XYZ, MATRIX)
    )


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The image of a file, as the variable ``image``, or by the name of its third column.

    Where the header tells no length, such as "a.u.", the caller gives the sides.

    Raises
    ------
    MeasurementFileError : no header of WSxM, places that are no grid, or words that are no numbers.
    """
    lines = text_lines(content)
    header = [line.strip() for line in lines[:MAX_HEADER]]
    if any(MATRIX in line for line in header[:2]):
        return _matrix(lines, header, given)
    at = next((i for i, line in enumerate(header) if COLUMNS.match(line)), None)
    found = None if at is None else COLUMNS.match(header[at])
    if at is None or found is None:
        raise _header_error("X[nm] Y[nm] Z[nm]", header)
    image, *steps = on_grid(matrix(_numbers(lines[at + 1 :])))
    units = found[1].strip(), found[2].strip()
    rows, columns = image.shape
    if set(units) <= set(NANOMETRES):
        given.refuse_scale()
        width, height = (
            points * step * NANOMETRES[unit]
            for points, step, unit in zip((columns, rows), steps, units, strict=True)
        )
    else:
        width, height = given.sides(rows, columns)
    name = "image" if found[3] == "Z" else found[3]
    return dataset(
        "wsxm-text",
        [Channel(name, found[4].strip(), image)],
        lengths(columns, width / columns),
        lengths(rows, height / rows),
    )


def _matrix(lines: list[str], header: list[str], given: ReadOptions) -> xr.Dataset:
    places = [(i, found) for i, line in enumerate(header) if (found := AMPLITUDE.match(line))]
    sides = {found[1]: found for _, found in places}
    if set(sides) != set("XYZ"):
        raise _header_error("X Amplitude, Y Amplitude and Z Amplitude with their units", header)
    values = matrix(_numbers(lines[places[-1][0] + 1 :]))
    rows, columns = values.shape
    check_pixels(rows, columns)
    if {sides[axis][3] for axis in "XY"} <= set(NANOMETRES):
        given.refuse_scale()
        width, height = (_number(sides[axis]) * NANOMETRES[sides[axis][3]] for axis in "XY")
    else:
        width, height = given.sides(rows, columns)
    return dataset(
        "wsxm-text",
        [Channel("image", sides["Z"][3], np.ascontiguousarray(values[:, ::-1]))],
        lengths(columns, width / columns),
        lengths(rows, height / rows),
    )


def _number(found: re.Match[str]) -> float:
    try:
        return float(found[2].replace(",", "."))
    except ValueError as error:
        raise _header_error(f"{found[1]} Amplitude as a number", [found[0]]) from error


def _numbers(lines: list[str]) -> list[str]:
    """The lines that are neither empty nor comments."""
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _header_error(wanted: str, header: list[str]) -> MeasurementFileError:
    return MeasurementFileError(
        f"The header of a text of WSxM has {wanted}.",
        ", ".join(header[1:6])[:200],
        "Export it again, or correct the header in a copy.",
    )
