"""The pages of an RHK file, .sm4 of version 5 (XPMPro and R9), found without reading their data.

The layout is the one that rhk-sm4.c of Gwyddion and spym.io.rhksm4 know; docs/decisions/0011 says
why neither is used. The page index points to a header and to the data of each page, the header to
texts and to the places of the spectra.
"""

from __future__ import annotations

import math
import struct
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from gapscope.measured.readers.limits import (
    MAX_CHANNELS,
    MILLIVOLTS,
    NANOMETRES,
    PICOAMPERES,
    check_content,
)

FILE = struct.Struct("<H36s3I8x")
"""Bytes after these two, signature, pages, objects, bytes of an object."""
INDEX = struct.Struct("<2I8x")
"""Pages, objects."""
ENTRY = struct.Struct("<16x4I")
"""Kind of data (image, line, ...), source, objects, minor version."""
OBJECT = struct.Struct("<3I")
"""Type, first byte, bytes."""
HEADER = np.dtype(
    [
        *(("bytes", "<u2"), ("texts", "<u2"), ("page", "<u4"), ("source", "<u4")),
        *(("line", "<u4"), ("corner", "<u4", 2), ("columns", "<u4"), ("rows", "<u4")),
        *(("image", "<u4"), ("scan", "<u4"), ("group", "<u4"), ("size", "<u4")),
        *(("range", "<i4", 2), ("step_x", "<f4"), ("step_y", "<f4"), ("step_z", "<f4")),
        *(("skew", "<f4"), ("start_x", "<f4"), ("start_y", "<f4"), ("start_z", "<f4")),
        *(("period", "<f4"), ("bias", "<f4"), ("current", "<f4"), ("angle", "<f4")),
        *(("colours", "<u4"), ("grid", "<u4", 2), ("objects", "<u4"), ("reserved", "V64")),
    ]
)
PLACE = np.dtype([("time", "<f4"), ("x", "<f4"), ("y", "<f4"), ("drift", "<f4", 4)])
PAGE_INDEX, PAGE_ARRAY, PAGE_HEADER, PAGE_DATA, PLACES, TEXTS, FEEDBACK = 1, 2, 3, 4, 8, 10, 27
FEEDBACK_NUMBERS = struct.Struct("<5dI")
"""Set point, gains and bounds, and how many texts follow, first the kind of feedback."""
LABEL, DATE, TIME, UNIT_X, UNIT_Y, UNIT_Z, LINES_DONE = 0, 5, 6, 7, 8, 9, 13
IMAGE, LINE = 0, 1
BIAS_SPECTRUM = 7
"""Type of a line, by its header."""
LEFT, UP, DOWN = 1, 2, 3
"""Directions of the lines of an image beside that to the right."""
NO_GRID = 2**32 - 1
MAX_CURRENT = 1e7
"""Largest set point of an STM in pA."""
MAX_OBJECTS = 100
MAX_TEXT = 200


class Page:
    """One page: numbers in the file's units, texts, and where its data are.

    ``steps`` and ``start_x``, ``start_z`` scale the columns, rows and values; ``grid`` is columns
    and rows of points with spectra, 0 where there is no grid; ``backward`` is the sweep to the left
    or downwards, ``vertical`` says that the lines of an image run along its columns; ``feedback``
    is its kind, "Off" where there is none, empty where the page does not say; ``held`` the unit of
    what it holds.
    """

    def __init__(self, content: bytes, kind: int, parts: dict[int, tuple[int, int]]) -> None:
        header = np.frombuffer(content, HEADER, 1, parts[PAGE_HEADER][0])[0]
        more = parts[PAGE_HEADER][0] + int(header["bytes"])
        self.parts = parts | _objects(content, more, int(header["objects"]))
        self.content, self.kind = content, kind
        self.columns, self.rows = int(header["columns"]), int(header["rows"])
        columns, rows = (0 if side == NO_GRID else int(side) for side in header["grid"])
        self.grid = columns, rows
        self.line, scan = int(header["line"]), int(header["scan"])
        self.backward, self.vertical = scan in (LEFT, DOWN), scan in (UP, DOWN)
        keys = ("step_x", "step_y", "step_z", "start_x", "start_z", "bias", "current", "angle")
        numbers = [float(header[key]) for key in keys]
        if not all(map(math.isfinite, numbers)):
            raise ValueError(f"page header with {numbers}")
        self.steps, (self.start_x, self.start_z) = numbers[:3], numbers[3:5]
        self.bias, self.current, self.angle = numbers[5:]
        self.texts = _texts(content, *self.parts[TEXTS], int(header["texts"]))
        self.feedback, self.held = "", "A"
        if FEEDBACK in self.parts:
            at = self.parts[FEEDBACK][0] + FEEDBACK_NUMBERS.size
            self.feedback, self.held = _texts(content, at, len(content) - at, 2)[:2]
        check_content(self.parts[PAGE_DATA][1], 4 * self.rows * self.columns, "bytes of a page")

    @property
    def frame(self) -> tuple[object, ...]:
        """What pages that are opened together have in common."""
        units = self.texts[UNIT_X], self.texts[UNIT_Y]
        axis = () if self.kind == IMAGE else (self.start_x, self.line, self.grid)
        return self.kind, self.rows, self.columns, *self.steps[:2], self.angle, *units, *axis

    @property
    def is_image(self) -> bool:
        """Whether it is an image of the sample, whose sides are lengths."""
        sides = self.texts[UNIT_X], self.texts[UNIT_Y]
        return self.kind == IMAGE and all(unit in NANOMETRES for unit in sides)

    @property
    def is_sweep(self) -> bool:
        """Whether it holds spectra against the bias."""
        return (self.kind, self.line) == (LINE, BIAS_SPECTRUM) and self.texts[UNIT_X] in MILLIVOLTS

    @property
    def counts(self) -> NDArray[np.int32]:
        """The data as stored, over (row, column) in the order of the file."""
        count, at = self.rows * self.columns, self.parts[PAGE_DATA][0]
        return np.frombuffer(self.content, "<i4", count, at).reshape(self.rows, self.columns)

    @property
    def values(self) -> NDArray[np.float64]:
        """The data in their unit, over (row, column) in the order of the file."""
        found: NDArray[np.float64] = self.counts.astype(np.float64)
        return found * self.steps[2] + self.start_z

    @property
    def places(self) -> NDArray[np.float64]:
        """Where the rows of spectra were taken: x and y in m, over (row, axis)."""
        found = np.frombuffer(self.content, PLACE, self.rows, self.parts[PLACES][0])
        return np.stack([found["x"], found["y"]], axis=-1).astype(np.float64)

    @property
    def attributes(self) -> dict[str, float | str]:
        """Bias in mV, current in pA, and the moment of the recording where it can be read.

        Where the page says that the feedback is off there is no current, but feedback = "off". The
        header has the set point of any feedback in the place of the current: one on a frequency or
        a force is none, nor is one above MAX_CURRENT on a page that does not tell its unit.
        """
        found: dict[str, float | str] = {"bias": self.bias * 1e3}
        if self.feedback.lower() == "off":
            found["feedback"] = "off"
        else:
            held = self.current * PICOAMPERES.get(self.held, math.inf)
            found |= {"current": held} if abs(held) <= MAX_CURRENT else {}
        try:
            when = f"{self.texts[DATE]} {self.texts[TIME]}"
            moment = datetime.strptime(when, "%m/%d/%y %H:%M:%S")
        except ValueError:
            return found
        return {**found, "recorded": moment.isoformat()}


def find_pages(content: bytes) -> dict[str, Page]:
    """The pages with an image or with lines, by label.

    The second page of one name is followed by its number. Whatever a damaged file makes this raise
    is caught by the reader.
    """
    size, _, _, count, width = FILE.unpack_from(content)
    if width != OBJECT.size:
        raise ValueError(f"objects of {width} bytes")
    at = _objects(content, size + 2, count)[PAGE_INDEX][0]
    total, count = INDEX.unpack_from(content, at)
    if total > MAX_CHANNELS:
        raise ValueError(f"{total} pages")
    at = _objects(content, at + INDEX.size, count)[PAGE_ARRAY][0]
    pages = []
    for _ in range(total):
        kind, _, count, _ = ENTRY.unpack_from(content, at)
        parts = _objects(content, at + ENTRY.size, count)
        at += ENTRY.size + count * OBJECT.size
        if kind in (IMAGE, LINE):
            pages.append(Page(content, kind, parts))
    imaged = {page.texts[LABEL] for page in pages if page.kind == IMAGE}
    found: dict[str, Page] = {}
    for i, page in enumerate(pages):
        name = page.texts[LABEL] or f"page {i}"
        if page.kind == IMAGE:
            name += "_backward" if page.backward else ""
        elif page.texts[LABEL] in imaged:
            name += "_spectra"
        found[f"{name} {i}" if name in found else name] = page
    return found


def _objects(content: bytes, at: int, count: int) -> dict[int, tuple[int, int]]:
    """First byte and length of the objects of a list by type; empty ones are left out."""
    if count > MAX_OBJECTS:
        raise ValueError(f"{count} objects at {at}")
    found: dict[int, tuple[int, int]] = {}
    for i in range(count):
        kind, start, size = OBJECT.unpack_from(content, at + i * OBJECT.size)
        if start and size:
            if start + size > len(content):
                raise ValueError(f"object {kind} of {size} bytes at {start} of {len(content)}")
            found.setdefault(kind, (start, size))
    return found


def _texts(content: bytes, at: int, size: int, count: int) -> list[str]:
    """The first texts of a page, none of them long; those that it lacks are empty."""
    found, end = [], at + size
    for _ in range(min(count, LINES_DONE + 1)):
        start, length = at + 2, struct.unpack_from("<H", content, at)[0]
        at = start + 2 * length
        if at > end:
            raise ValueError(f"text of {length} characters at {start}")
        text = content[start : min(at, start + 2 * MAX_TEXT)].decode("utf-16-le", "replace")
        found.append(text.strip("\0 "))
    return found + [""] * (LINES_DONE + 1 - len(found))
