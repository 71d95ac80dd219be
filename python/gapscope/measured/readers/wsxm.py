"""Images of WSxM, .stp and .top: a text header in sections, then integers or floats."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    LENGTH_UNITS,
    MILLIVOLTS,
    NANOMETRES,
    PICOAMPERES,
    ReadOptions,
    check_content,
    check_pixels,
    missing,
    number,
)
from gapscope.measured.readers.recording import BACKWARD, Channel, dataset, lengths

START, KIND = b"WSxM file copyright", b"SxM Image file"
END = re.compile(rb"\[Header end\]\r?\n")
MAX_HEADER = 2**20
TYPES = {
    **dict.fromkeys(("short", "integer", "short-data"), "<i2"),
    **dict.fromkeys(("float", "simple", "float-data"), "<f4"),
    "double": "<f8",
    "unsignedshort": "<u2",
    **dict.fromkeys(("signedinteger", "integer-data"), "<i4"),
}
"""Names of types in files of WSxM, Gwyddion's wsxmfile.c and SciFiReaders."""
QUANTITY = re.compile(r"(\S+)\s+(\S+)")


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as an image of WSxM does."""
    return head.startswith(START) and KIND in head[:200]


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The image of a file; stored from the lower right corner to the left, then upwards.

    Integers span the header's Z Amplitude. Floats are in its unit, and its number does not matter:
    the developer of WSxM writes 1 nm for them. The angle is told where it is 0.

    Raises
    ------
    MeasurementFileError : no size, no unit, or another number of values than the header says, as in
        files of several images (.gsi).
    """
    given.refuse_scale()
    header, end = head_of(content)
    columns = count(header, "General Info::Number of columns")
    rows = count(header, "General Info::Number of rows")
    check_pixels(rows, columns)
    kind = type_of(header)
    check_content(len(content) - end, rows * columns * kind.itemsize, "bytes")
    stored = np.frombuffer(content, kind, offset=end).reshape(rows, columns)[:, ::-1]
    values = stored.astype(np.float64)
    amplitude, unit = quantity(header, "General Info::Z Amplitude")
    if kind.kind != "f":
        values = spanning(values, amplitude)
    sides = [nanometres(header, f"Control::{axis} Amplitude") for axis in "XY"]
    name = header.get("General Info::Acquisition channel", "image")
    if header.get("General Info::X scanning direction", "").lower() == "backward":
        name += BACKWARD
    return dataset(
        "wsxm",
        [Channel(name, unit, values)],
        lengths(columns, sides[0] / columns),
        lengths(rows, sides[1] / rows),
        attributes=settings(header),
    )


def type_of(header: Mapping[str, str]) -> np.dtype[np.number]:
    """How values are stored; raises MeasurementFileError where the header does not say so."""
    key = "General Info::Image Data Type"
    kind = TYPES.get(header.get(key, "short"))
    if kind is None:
        raise missing(header, key, f"one of {', '.join(TYPES)}")
    return np.dtype(kind)


def spanning(values: NDArray[np.float64], amplitude: float) -> NDArray[np.float64]:
    """Counts in proportion, from the lowest to the highest one as much as the header says."""
    span = float(np.ptp(values))
    if span == 0.0:
        raise MeasurementFileError(
            "The integers of a WSxM image span its Z Amplitude, so that they differ.",
            f"{values.min():g} alone",
            "Use an image with contrast, exported once more.",
        )
    return values * (amplitude / span)


def head_of(content: bytes) -> tuple[dict[str, str], int]:
    """Entries by section and name, and where the data begin."""
    end = END.search(content, 0, MAX_HEADER)
    if end is None:
        raise MeasurementFileError(
            "The header of a WSxM file ends with [Header end].",
            "no such line",
            "The file is cut off or damaged: copy it again.",
        )
    return _header(content[: end.start()]), end.end()


def _header(content: bytes) -> dict[str, str]:
    """Entries by section and name, ``General Info::Number of rows``; texts are in Latin-1."""
    found: dict[str, str] = {}
    section = ""
    for line in content.decode("latin-1").splitlines():
        words = line.strip()
        if words.startswith("[") and words.endswith("]"):
            section = words[1:-1]
        else:
            key, _, value = words.partition(":")
            found.setdefault(f"{section}::{key.strip()}", value.strip())
    return found


def count(header: Mapping[str, str], key: str) -> int:
    """A whole number of the header; raises MeasurementFileError where it is none."""
    value = number(header, key)
    if not value.is_integer():
        raise missing(header, key, "a whole number")
    return int(value)


def quantity(header: Mapping[str, str], key: str) -> tuple[float, str]:
    """A number of the header and its unit; raises MeasurementFileError where it is none."""
    found = QUANTITY.fullmatch(header.get(key, ""))
    if found is None:
        raise missing(header, key, "a number and its unit")
    return number({key: found[1]}, key), found[2]


def nanometres(header: Mapping[str, str], key: str) -> float:
    """A length of the header in nm; raises MeasurementFileError where it is none."""
    value, unit = quantity(header, key)
    if unit not in NANOMETRES:
        raise missing(header, key, f"a length in {LENGTH_UNITS}")
    return value * NANOMETRES[unit]


def settings(header: Mapping[str, str]) -> dict[str, float | str]:
    """Bias, and the set point where it is a current."""
    found: dict[str, float | str] = {}
    for name, key, units in (
        ("bias", "Control::Topography Bias", MILLIVOLTS),
        ("current", "Control::Set Point", PICOAMPERES),
    ):
        if QUANTITY.fullmatch(header.get(key, "")):
            value, unit = quantity(header, key)
            if unit in units:
                found[name] = value * units[unit]
    if "Control::Angle" in header and header["Control::Angle"].strip("0.+-") == "":
        found["scan_angle"] = 0.0
    return found
