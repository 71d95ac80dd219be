"""Nanonis scan files, .sxm: images, line by line as recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.measured.readers.limits import (
    MAX_CHANNELS,
    PICOAMPERES,
    ReadOptions,
    check_content,
    check_pixels,
    missing,
    number,
)
from gapscope.measured.readers.nanonis import (
    floats,
    harmonic,
    is_off,
    moment,
    scan_angle,
    settings,
    split_header,
)
from gapscope.measured.readers.nanonis_passes import TABLE, Conditions, Passes
from gapscope.measured.readers.recording import Channel, dataset, lengths, numbered

DIRECTIONS = {"both": ("forward", "backward"), "forward": ("forward",), "backward": ("backward",)}
BYTE_ORDERS = {"FLOAT MSBFIRST": ">", "FLOAT LSBFIRST": "<"}
EVERYWHERE = ("bias", "current", "feedback")
"""Conditions that passes may have of their own."""


@dataclass(frozen=True)
class Image:
    """A channel in one direction, before its values: name with ``_backward``, unit, conditions."""

    name: str
    unit: str
    backward: bool
    conditions: Conditions


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as an .sxm does."""
    return head.startswith(b":NANONIS_VERSION:")


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The images of an .sxm file, in the order of its DATA_INFO.

    The data are lines in the order in which they were scanned, each from where the tip started:
    a scan downwards starts at the top, a backward line on the right. The second channel of a name
    is NAME 2. Channels of a multipass scan have its number, bias, current, ... as attributes; the
    dataset has those that all of them share.

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
    attributes = _conditions(header)
    images = _images(header, attributes)
    start = content.find(b"\x1a\x04", end, end + 16)
    data = floats(content, start + 2 if start >= 0 else len(content), order)
    check_content(len(data), len(images) * rows * columns)
    blocks = data.reshape(len(images), rows, columns)
    channels = [
        Channel(
            image.name,
            image.unit,
            _upright(block, down, image.backward),
            conditions=image.conditions,
        )
        for image, block in zip(images, blocks, strict=True)
    ]
    for key in EVERYWHERE:
        told = {image.conditions.get(key) for image in images if "pass" in image.conditions}
        if len(told) == 1 and None not in told:
            attributes[key] = told.pop()  # type: ignore[assignment]
        elif told:
            attributes.pop(key, None)
    if header.get("SCAN_ANGLE", "").strip():
        attributes["scan_angle"] = scan_angle(header, "SCAN_ANGLE")
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


def _images(header: dict[str, str], common: Conditions) -> list[Image]:
    """The channels in each direction that was recorded, names numbered, with their conditions."""
    try:
        channels = [
            (row["Name"], row["Unit"], DIRECTIONS[row["Direction"]])
            for row in _table(header.get("DATA_INFO", ""))
        ]
    except KeyError as error:
        raise missing(header, "DATA_INFO", "a table of Name, Unit and Direction") from error
    if not 1 <= len(channels) <= MAX_CHANNELS:
        raise missing(header, "DATA_INFO", f"a table of 1 to {MAX_CHANNELS} channels")
    names = [name for name, _, _ in channels]
    passes, of = None, [0] * len(names)
    if header.get(TABLE, "").strip():
        shared = {key: common[key] for key in EVERYWHERE if key in common}
        passes = Passes(_table(header[TABLE]), shared, _holds_current(header))
        of = passes.of(names)
    found = []
    for name, (label, unit, directions), which in zip(numbered(names), channels, of, strict=True):
        for direction in directions:
            backward = direction == "backward"
            conditions = {} if passes is None else passes.conditions(which, max(of), backward)
            full = f"{name}_backward" if backward else name
            found.append(Image(full, unit, backward, {**conditions, **harmonic(header, label)}))
    return found


def _conditions(header: dict[str, str]) -> dict[str, float | str]:
    """Bias in mV, and the current in pA that the feedback holds, if it is on and holds one."""
    found = settings(header)
    if header.get("BIAS", "").strip():
        found["bias"] = number(header, "BIAS") * 1e3
    controllers = _table(header.get("Z-CONTROLLER", ""))
    if any(is_off(row.get("on", "")) for row in controllers) and not _active(header):
        found["feedback"] = "off"
    for row in _active(header):
        value, _, unit = row.get("Setpoint", "").partition(" ")
        if unit.strip() in PICOAMPERES:
            held = number({"Setpoint": value}, "Setpoint")
            found["current"] = held * PICOAMPERES[unit.strip()]
    if found.get("feedback") == "off":
        found.pop("current", None)
    return found


def _active(header: dict[str, str]) -> list[dict[str, str]]:
    """The controllers that are on."""
    return [row for row in _table(header.get("Z-CONTROLLER", "")) if row.get("on") == "1"]


def _holds_current(header: dict[str, str]) -> bool:
    """Whether a controller that is on, or the module, has its set point in A."""
    units = [row.get("Setpoint", "").rpartition(" ")[2] for row in _active(header)]
    units = units or [header.get("Z-Controller>Setpoint unit", "").strip()]
    return any(unit in PICOAMPERES for unit in units)
