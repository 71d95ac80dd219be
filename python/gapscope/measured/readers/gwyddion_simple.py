"""Gwyddion Simple Field, .gsf: a text header, then the floats of one image."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    LENGTH_UNITS,
    MAX_SIDE,
    NANOMETRES,
    ReadOptions,
    check_content,
    check_pixels,
    decoded,
    missing,
    number,
    whole_number,
)
from gapscope.measured.readers.recording import Channel, dataset, lengths

START = b"Gwyddion Simple Field 1.0\n"
MAX_HEADER = 2**20


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a .gsf does."""
    return head.startswith(START)


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The image of a .gsf, the first row at the top; its width is given where it has no unit.

    Raises
    ------
    MeasurementFileError : no size, no scale, another unit than one of length, or another number of
        values than the header says.
    """
    end = content.find(b"\0", 0, MAX_HEADER)
    if end < 0:
        raise MeasurementFileError(
            "The header of a .gsf ends with a zero byte.",
            f"{len(content)} bytes without one",
            "The file is cut off or damaged: copy it again.",
        )
    header: dict[str, str] = {}
    for line in decoded(content[len(START) : end]).splitlines():
        key, _, value = line.partition("=")
        header.setdefault(key.strip(), value.strip())
    columns, rows = (whole_number(header, f"{axis}Res", MAX_SIDE) for axis in "XY")
    check_pixels(rows, columns)
    start = end + 4 - end % 4  # one to four zero bytes
    check_content(len(content) - start, 4 * rows * columns, "bytes")
    values = np.frombuffer(content, "<f4", offset=start).reshape(rows, columns)[::-1]
    unit = header.get("XYUnits", "")
    if unit:
        given.refuse_scale()
        if unit not in NANOMETRES:
            raise missing(header, "XYUnits", f"a length in {LENGTH_UNITS}")
        width, height = (number(header, f"{axis}Real") * NANOMETRES[unit] for axis in "XY")
    else:
        width, height = given.sides(rows, columns)
    channel = Channel(header.get("Title", "") or "image", header.get("ZUnits", ""), values)
    return dataset(
        "gwyddion-gsf",
        [channel],
        lengths(columns, width / columns),
        lengths(rows, height / rows),
    )
