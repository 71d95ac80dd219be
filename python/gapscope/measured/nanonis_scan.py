"""Nanonis scan files, .sxm: images, line by line as recorded."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.measured.assemble import Channel, dataset, lengths
from gapscope.measured.limits import Given, check_content, check_pixels, missing, number
from gapscope.measured.nanonis import floats, moment, settings, split_header

DIRECTIONS = {"both": ("forward", "backward"), "forward": ("forward",), "backward": ("backward",)}
BYTE_ORDERS = {"FLOAT MSBFIRST": ">", "FLOAT LSBFIRST": "<"}


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as an .sxm does."""
    return head.startswith(b":NANONIS_VERSION:")


def read(content: bytes, given: Given) -> xr.Dataset:
    """The images of an .sxm file, in the order of its DATA_INFO.

    The data are lines in the order in which they were scanned, each from where the tip started:
    a scan downwards starts at the top, a backward line on the right.

    Raises
    ------
    MeasurementFileError : a header without size, order or channels, or data of another length.
    """
    given.refuse_scale()
    text, end = split_header(content, b":SCANIT_END:")
    header = _header(text)
    columns, rows = (int(pixels) for pixels in _pair(header, "SCAN_PIXELS"))
    width, height = _pair(header, "SCAN_RANGE")
    check_pixels(rows, columns)
    order = BYTE_ORDERS.get(" ".join(header.get("SCANIT_TYPE", "").split()))
    if order is None:
        raise missing(header, "SCANIT_TYPE", " or ".join(BYTE_ORDERS))
    down = {"down": True, "up": False}.get(header.get("SCAN_DIR", "").strip())
    if down is None:
        raise missing(header, "SCAN_DIR", "down or up")
    images = [
        (name, unit, direction)
        for name, unit, directions in _channels(header)
        for direction in directions
    ]
    start = content.find(b"\x1a\x04", end, end + 16)
    data = floats(content, start + 2 if start >= 0 else len(content), order)
    check_content(len(data), len(images) * rows * columns)
    blocks = data.reshape(len(images), rows, columns)
    channels = [
        Channel(
            name if direction == "forward" else f"{name}_backward",
            unit,
            _upright(block, down, direction == "backward"),
        )
        for (name, unit, direction), block in zip(images, blocks, strict=True)
    ]
    attributes: dict[str, float | str] = {**settings(header), **_set_point(header)}
    if header.get("BIAS", "").strip():
        attributes["bias"] = number(header, "BIAS") * 1e3
    if header.get("SCAN_ANGLE", "").strip():
        attributes["scan_angle"] = number(header, "SCAN_ANGLE")
    attributes |= moment(f"{header.get('REC_DATE', '')} {header.get('REC_TIME', '')}")
    return dataset(
        "nanonis-sxm",
        channels,
        lengths(columns, width * 1e9 / columns),
        lengths(rows, height * 1e9 / rows),
        attributes=attributes,
    )


def _upright(lines: NDArray[np.float32], down: bool, backward: bool) -> NDArray[np.float32]:
    return lines[:: -1 if down else 1, :: -1 if backward else 1]


def _header(text: str) -> dict[str, str]:
    """Tags ``:NAME:`` with the lines below each."""
    header: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(":") and line.endswith(":") and len(line) > 2:
            lines = header.setdefault(line[1:-1], [])
        else:
            lines.append(line)
    return {key: "\n".join(value) for key, value in header.items()}


def _pair(header: dict[str, str], key: str) -> tuple[float, float]:
    words = header.get(key, "").split()
    if len(words) != 2:
        raise missing(header, key, "two numbers")
    first, second = (number({key: word}, key) for word in words)
    return first, second


def _table(text: str) -> list[dict[str, str]]:
    rows = [line.strip("\t\r").split("\t") for line in text.splitlines() if line.strip()]
    return [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]


def _channels(header: dict[str, str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Name, unit and recorded directions of each channel."""
    try:
        found = [
            (row["Name"], row["Unit"], DIRECTIONS[row["Direction"]])
            for row in _table(header.get("DATA_INFO", ""))
        ]
    except KeyError as error:
        raise missing(header, "DATA_INFO", "a table of Name, Unit and Direction") from error
    if not found:
        raise missing(header, "DATA_INFO", "a table of channels")
    return found


def _set_point(header: dict[str, str]) -> dict[str, float]:
    """The current in pA that the feedback holds, if it is on and holds a current."""
    for row in _table(header.get("Z-CONTROLLER", "")):
        value, _, unit = row.get("Setpoint", "").partition(" ")
        if row.get("on") == "1" and unit == "A":
            return {"current": number({"Setpoint": value}, "Setpoint") * 1e12}
    return {}
