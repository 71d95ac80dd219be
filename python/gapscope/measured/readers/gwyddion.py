"""Gwyddion files, .gwy: channels of a container, rows from the top.

Read by walking the components (gwyddion.net, user guide, Gwyddion Native File Format): gwyfile
0.3.0 never returns from a string without its end, and copies the rest of the file at every item.
"""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np
import xarray as xr

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    LENGTH_UNITS,
    NANOMETRES,
    ReadOptions,
    check_content,
    check_pixels,
    decoded,
    library,
)
from gapscope.measured.readers.recording import Channel, dataset, lengths

MAGIC, OLD = b"GWYP", b"GWYO"
"""Of Gwyddion 2 and of Gwyddion 1."""
MAX_DEPTH = 8
MAX_ITEMS = 100_000
ATOMS = {"b": "<?", "c": "<c", "i": "<i", "q": "<q", "d": "<d"}
OLD_KINDS = {16: "c", 20: "b", 24: "i", 40: "q", 60: "d", 64: "s", 80: "o"}
"""Gwyddion 1 has GLib's numbers of types, before the names, in the outermost container alone."""
PREFIXED = re.compile(r"^[fpnuµmkMG](?=(?:A|Hz|N|V|m|s)$)")
"""Units that Gwyddion 1 tells with a prefix, although its values are in the plain ones."""
ARRAYS = {"C": "S1", "I": "<i4", "Q": "<i8", "D": "<f8"}


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a .gwy of Gwyddion 1 or 2 does."""
    return head.startswith((MAGIC, OLD))


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The channels ``/N/data`` of a .gwy file by their titles.

    A dataset has one size: where the channels differ in theirs, ``given.variable`` names one.

    Raises
    ------
    MeasurementFileError : no such channel, channels of several sizes, sides that are no lengths.
    """
    given.refuse_scale()
    with library("The reader of .gwy files"):
        container = _Walk(content).object(len(MAGIC), len(content), 0)[0]
    fields = _fields(container)
    if given.variable is not None:
        fields = {name: fields[name] for name in fields if name == given.variable}
    frames = {_frame(name, field) for name, field in fields.items()}
    if len(frames) != 1:
        raise MeasurementFileError(
            "Channels of one size and scale are opened together.",
            ", ".join(_fields(container))[:200] or "no channel",
            "open(path, variable=...), or --variable",
        )
    columns, rows, width, height = frames.pop()
    check_pixels(rows, columns)
    channels = []
    for name, field in fields.items():
        values = field["data"]
        check_content(values.size, rows * columns)
        channels.append(
            Channel(name, _unit(field, "si_unit_z"), values.reshape(rows, columns)[::-1])
        )
    return dataset(
        "gwyddion",
        channels,
        lengths(columns, width / columns),
        lengths(rows, height / rows),
    )


def _fields(container: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Channels by title; the second of one title is followed by its number."""
    found: dict[str, dict[str, Any]] = {}
    for key, field in container.items():
        parts = key.split("/")
        if len(parts) == 3 and parts[2] == "data" and isinstance(field, dict):
            title = container.get(f"{key}/title")
            # A title of one letter is stored as a character.
            title = title.decode("latin-1") if isinstance(title, bytes) else title
            name = title if isinstance(title, str) and title else f"channel {parts[1]}"
            found[f"{name} {parts[1]}" if name in found else name] = field
    return found


def _frame(name: str, field: dict[str, Any]) -> tuple[int, int, float, float]:
    """Columns, rows, width and height in nm, of a channel that has them and an array."""
    wanted = {"xres": int, "yres": int, "xreal": float, "yreal": float, "data": np.ndarray}
    wrong = [key for key, kind in wanted.items() if not isinstance(field.get(key), kind)]
    if wrong or field["data"].dtype.kind not in "if":
        raise MeasurementFileError(
            f"A Gwyddion channel has {', '.join(wanted)}, each of its type.",
            ", ".join(wrong) or str(field["data"].dtype),
            "The file is damaged: save it again.",
        )
    unit = _unit(field, "si_unit_xy")
    if unit not in NANOMETRES:
        raise MeasurementFileError(
            f"A measured image is in real space, its sides in {LENGTH_UNITS}.",
            f"{name[:80]} over {unit[:40] or 'no unit'}",
            "Choose another channel: open(path, variable=...), or --variable",
        )
    scale = NANOMETRES[unit]
    return field["xres"], field["yres"], field["xreal"] * scale, field["yreal"] * scale


def _unit(field: dict[str, Any], key: str) -> str:
    unit = field.get(key)
    text = unit.get("unitstr", "") if isinstance(unit, dict) else ""
    return text if isinstance(text, str) else ""


class _Walk:
    """Reads components in place; every step moves on, and stays inside its object."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.items = 0
        self.old = content.startswith(OLD)

    def object(self, at: int, end: int, depth: int) -> tuple[dict[str, Any], int]:
        """An object ``name\\0 size components`` from a byte on, and where it ends."""
        at = self.content.index(b"\0", at, end) + 1
        size = struct.unpack_from("<I", self.content, at)[0]
        at, stop = at + 4, at + 4 + size
        if stop > end or depth > MAX_DEPTH:
            raise ValueError(f"object of {size} bytes at {at}, {depth} deep")
        found: dict[str, Any] = {}
        while at < stop:
            if self.old and depth == 0:
                kind = OLD_KINDS.get(struct.unpack_from("<I", self.content, at)[0], "")
                name, at = self._string(at + 4, stop)
            else:
                name, at = self._string(at, stop)
                kind, at = chr(self.content[at]), at + 1
            found[name], at = self._value(kind, at, stop, depth)
            if self.old and name == "unitstr" and isinstance(found[name], str):
                found[name] = PREFIXED.sub("", found[name])
        return found, stop

    def _count(self) -> None:
        self.items += 1
        if self.items > MAX_ITEMS:
            raise ValueError(f"more than {MAX_ITEMS} items")

    def _string(self, at: int, stop: int) -> tuple[str, int]:
        self._count()
        end = self.content.index(b"\0", at, stop)
        return decoded(self.content[at:end]), end + 1

    def _value(self, kind: str, at: int, stop: int, depth: int) -> tuple[Any, int]:
        if kind in ATOMS:
            value = struct.unpack_from(ATOMS[kind], self.content, at)[0]
            return value, at + struct.calcsize(ATOMS[kind])
        if kind == "s":
            return self._string(at, stop)
        if kind == "o":
            return self.object(at, stop, depth + 1)
        if kind not in tuple("CDIQOS"):
            raise ValueError(f"component of unknown type {kind!r} at {at}")
        count = struct.unpack_from("<I", self.content, at)[0]
        at += 4
        if kind in ARRAYS:
            width = np.dtype(ARRAYS[kind]).itemsize
            if at + count * width > stop:
                raise ValueError(f"array of {count} values at {at}")
            return np.frombuffer(self.content, ARRAYS[kind], count, at), at + count * width
        values = []
        for _ in range(count):
            self._count()
            value, at = self._value(kind.lower(), at, stop, depth)
            values.append(value)
        return values, at
