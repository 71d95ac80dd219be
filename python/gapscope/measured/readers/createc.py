"""Images of Createc STMs, .dat: a text header, then 16-bit integers or floats, packed or not.

Layout, lengths and the height's scale are those of Gwyddion's createc.c; the current's is the
converter's range of -10 to 10 V over the preamplifier's gain, with the sign of the bias.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    MAX_CHANNELS,
    MAX_VALUES,
    ReadOptions,
    check_content,
    check_pixels,
    missing,
    number,
)
from gapscope.measured.readers.recording import BACKWARD, Channel, dataset, lengths

PLAIN, FLOATS, PACKED = b"[Parameter]", b"[Paramet32]", b"[Paramco32]"
HEADER, MARK = 2**14, b"\nDATA"
"""Bytes of the header, and its end, which comes earlier in files that were written again."""
RATIO = 1100
"""Bytes that one packed byte may unpack to; deflate reaches 1032."""
RANGE = 20.0
"""Volts from the lowest to the highest count."""
BITS = re.compile(r"(\d{1,2})\s*bit")
COMMA = re.compile(r"^([+-]?\d+),(?=\d+(?:E[+-]?\d+)?$)", re.IGNORECASE)
"""A number as Windows writes it in some countries, up to its decimal mark."""
UPWARDS = "2"
"""ScanYMode of a scan from below; its rows are stored from above all the same."""
TOPOGRAPHY, CURRENT = 0, 1
"""Numbers of the channels whose scale is known; they are bits of Channelselectval."""


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as an image of Createc does."""
    return head.startswith((PLAIN, FLOATS, PACKED)) and b"Num.X" in head


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The images of a .dat, the first row at the top, backward ones with x to the right as well.

    Channels beside the height and the current are counts of the converter, unit DAC. Lines that
    were not measured are NaN: the last ones of a scan downwards that was stopped, the first ones of
    one upwards. Createc counts the angle counterclockwise.

    Raises
    ------
    MeasurementFileError : no size, a sinusoidal scan, or fewer values than the header says.
    """
    given.refuse_scale()
    header, start = _header(content)
    columns, rows = (_count(header, f"Num.{axis}") for axis in "XY")
    count = _count(header, "Channels")
    if count > MAX_CHANNELS:
        raise missing(header, "Channels", f"at most {MAX_CHANNELS}")
    check_pixels(rows, columns, most=MAX_VALUES // count)
    if header.get("ScanmodeSine", "0") not in ("", "0"):
        raise MeasurementFileError(
            "A scan has pixels of one size.",
            f"ScanmodeSine {header['ScanmodeSine'][:20]}, a sinusoidal scan",
            "Use a scan with linear lines.",
        )
    values = _values(content, start, (count, rows, columns))
    first, end = _measured_rows(header, values)
    values[:, :first], values[:, end:] = np.nan, np.nan
    channels = [
        Channel(name, unit, factor * one[::-1])
        for (name, unit, factor), one in zip(_channels(header, count), values, strict=True)
    ]
    width, height = (number(header, f"Length {axis}[A]") * 0.1 for axis in "xy")
    return dataset(
        "createc-dat",
        channels,
        lengths(columns, width / columns),
        lengths(rows, height / rows),
        attributes=settings(header),
    )


def _header(content: bytes) -> tuple[dict[str, str], int]:
    """Entries of the header, by each of their names, and where the data begin.

    A line is ``Name / Name in the window=value``; Å is a byte of Latin-1.
    """
    mark = content.rfind(MARK, 0, HEADER)
    start = mark + len(MARK) if mark >= 0 else HEADER
    return entries(content[:start]), start


def entries(content: bytes) -> dict[str, str]:
    """Entries of a header by each of their names; numbers with a point for a decimal comma."""
    header: dict[str, str] = {}
    for line in content.decode("latin-1").splitlines():
        names, _, value = line.replace("Å", "A").partition("=")
        for name in names.split(" / "):
            header.setdefault(name.strip(), COMMA.sub(r"\1.", value.strip()))
    return header


def _count(header: Mapping[str, str], key: str) -> int:
    value = number(header, key)
    if not value.is_integer() or not 1 <= value <= 2**20:
        raise missing(header, key, "a positive whole number")
    return int(value)


def _values(content: bytes, start: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Counts as stored, behind one that is not used."""
    points = math.prod(shape)
    kind = "<i2" if content.startswith(PLAIN) else "<f4"
    size = np.dtype(kind).itemsize * (points + 1)
    data = content[start:]
    if content.startswith(PACKED):
        if size > RATIO * len(data):
            check_content(RATIO * len(data), size, "bytes at most")
        try:
            data = zlib.decompressobj().decompress(data, size)
        except zlib.error as error:
            raise MeasurementFileError(
                "The packed data of a Createc file can be unpacked.",
                str(error)[:80],
                "The file is cut off or damaged: copy it again.",
            ) from error
    check_content(min(len(data), size), size, "bytes")
    return np.frombuffer(data, kind, points + 1)[1:].reshape(shape).astype(np.float64)


def _measured_rows(header: Mapping[str, str], values: NDArray[np.float64]) -> tuple[int, int]:
    """The first row that was measured, and the one behind the last: those without values are zero.

    ImageYPosMax is the row that a scan downwards would measure next.
    """
    filled = np.flatnonzero(np.any(values != 0.0, axis=(0, 2)))
    first, end = (int(filled[0]), int(filled[-1]) + 1) if len(filled) else (0, 0)
    if header.get("ImageYPosMax", "") and header.get("ScanYMode", "") != UPWARDS:
        end = min(end, max(0, int(number(header, "ImageYPosMax")) - 1))
    return first, end


def _channels(header: Mapping[str, str], count: int) -> Sequence[tuple[str, str, float]]:
    """Name, unit and factor of each image: forward ones, then backward ones in the same order."""
    word = header.get("Channelselectval", "0") or "0"
    selected = int(word) if re.fullmatch(r"\d{1,10}", word) else 0
    bits = [bit for bit in range(32) if selected >> bit & 1]
    if len(bits) not in (count, count / 2):
        return [(f"channel {i + 1}", "DAC", 1.0) for i in range(count)]
    named = [_channel(header, bit) for bit in bits]
    return [*named, *((f"{name}{BACKWARD}", unit, factor) for name, unit, factor in named)][:count]


def _channel(header: Mapping[str, str], bit: int) -> tuple[str, str, float]:
    if bit not in (TOPOGRAPHY, CURRENT):
        return f"Aux{bit - 1}", "DAC", 1.0
    volts = volts_per_count(header)
    if bit == TOPOGRAPHY:
        factor = volts * number(header, "GainZ") * number(header, "ZPiezoconst") * 1e-10
        return "Z", "m", factor
    gain = number(header, "Gainpreamp")
    if abs(gain) > 20:
        raise missing(header, "Gainpreamp", "a power of ten from -20 to 20")
    return "Current", "A", volts / 10**gain


def volts_per_count(header: Mapping[str, str]) -> float:
    """Volts of one count of the converter."""
    found = BITS.search(header.get("DAC-Type", "").lower())
    if found is None or not 8 <= int(found[1]) <= 32:
        raise missing(header, "DAC-Type", "a number of bits, such as 20bit")
    return float(RANGE / 2 ** int(found[1]))


def settings(header: Mapping[str, str]) -> dict[str, float | str]:
    """Angle, bias, and the set point where the feedback acts on the current.

    At constant height (CHMode) the bias is another one, and not told.
    """
    found: dict[str, float | str] = {}
    if header.get("Rotation"):
        found["scan_angle"] = number(header, "Rotation")
    if header.get("CHMode", "0") not in ("", "0"):
        return {**found, "feedback": "off"}
    for key in ("Biasvolt[mV]", "BiasVolt.[mV]", "BiasVoltage"):
        if header.get(key):
            found["bias"] = number(header, key)
            break
    if header.get("FBOff", "0") not in ("", "0"):
        found["feedback"] = "off"
    elif header.get("FBChannel", "0") in ("", "0") and header.get("FBLogIset"):
        held = number(header, "FBLogIset")
        if held != 0.0:  # no feedback holds that
            found["current"] = held
    return found
