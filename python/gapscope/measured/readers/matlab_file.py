"""Arrays of a MATLAB file of version 5 (6 and 7 write it, too), found without unpacking them.

Layout: MathWorks, "MAT-File Format", chapter 1. Nothing is made of objects, functions and texts.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import DAMAGED, MAX_CHANNELS, MAX_VALUES

HEADER = 128
PACKED, MATRIX = 15, 14
KINDS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""NumPy's names of the types of stored numbers."""
CELL, STRUCT, OBJECT = 1, 2, 3
NUMBERS = range(6, 16)
COMPLEX = 0x0800
MOST_BYTES = 8 * MAX_VALUES
"""Bytes that all packed variables together may unpack to."""
BEGINNING = 4096
"""Bytes of a packed variable that are looked at for its size."""
DEEPEST = 8
"""Most structures within each other."""
ALONE = "Save the map and its axes in a file of their own."
MOST_ELEMENTS = 2**18
"""Most elements that are looked at; empty cells are packed to a hundredth of a byte each."""
LONGEST_NAME = 256
"""Most bytes of the name of a field; MATLAB's have 63."""


@dataclass(frozen=True)
class Held:
    """A numeric array of a file.

    Parameters
    ----------
    shape : as MATLAB's ``size`` has it.
    real : whether its numbers are.
    load : its values, first index first; None where another process has them.
    """

    shape: tuple[int, ...]
    real: bool
    load: Callable[[], NDArray[np.float64]] | None = None


def damaged(received: object) -> MeasurementFileError:
    """The error for what no MATLAB file holds."""
    return MeasurementFileError("A MATLAB file holds whole variables.", received, DAMAGED)


def arrays(content: bytes) -> dict[str, Held]:
    """The numeric arrays of a file, by names as MATLAB writes them: ``map``, ``s.map``, ``c{2}``.

    Raises
    ------
    MeasurementFileError : cut off or damaged, too many variables, or too much that is packed.
    """
    return dict(_File(content).variables())


class _File:
    """The content of a file, and how much of it was unpacked."""

    def __init__(self, content: bytes) -> None:
        self.content = memoryview(content)
        self.order = "<" if content[HEADER - 2 : HEADER] == b"IM" else ">"
        self.unpacked = 0
        self.found = 0
        self.elements = 0

    def variables(self) -> Iterator[tuple[str, Held]]:
        at = HEADER
        while at + 8 <= len(self.content):
            kind, data, after = self.element(self.content, at)
            if kind == PACKED:
                yield from self.packed(data)
                after = at + 8 + len(data)
            elif kind == MATRIX:
                yield from self.matrix(data, "", 0)
            at = after

    def element(self, data: memoryview, at: int) -> tuple[int, memoryview, int]:
        """Type and data of the element at a place, and the place of the next one."""
        self.elements += 1
        if self.elements > MOST_ELEMENTS:
            raise MeasurementFileError(
                f"A MATLAB file has at most {MOST_ELEMENTS} elements, those of structures and cells"
                " among them.",
                "more",
                ALONE,
            )
        if at + 8 > len(data):
            raise damaged(f"{len(data)} bytes, an element at {at}")
        kind, size = struct.unpack_from(f"{self.order}II", data, at)
        if kind >> 16:  # up to four bytes within the tag
            kind, size, start, after = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        else:
            start = at + 8
            after = start + size + (-size % 8)
        if start + size > len(data) or (start == at + 4 and size > 4):
            raise damaged(f"{len(data)} bytes, of which {size} at {start}")
        return int(kind), data[start : start + size], after

    def numbers(self, data: memoryview, at: int, most: int) -> tuple[NDArray[np.number], int]:
        """The numbers of an element, and the place of the next one."""
        kind, held, after = self.element(data, at)
        if kind not in KINDS or len(held) % int(KINDS[kind][1]) or len(held) > 8 * most:
            raise damaged(f"{len(held)} bytes of type {kind}")
        return np.frombuffer(held, self.order + KINDS[kind]), after

    def packed(self, data: memoryview) -> Iterator[tuple[str, Held]]:
        """The arrays of a packed variable; of one that is an array alone, unpacked when loaded."""
        start = _unpack(data, BEGINNING)
        if len(start) < 8:
            raise damaged("a packed variable that ends at once")
        kind, size = struct.unpack_from(f"{self.order}II", start)
        self.unpacked += size + 8
        if kind != MATRIX or self.unpacked > MOST_BYTES:
            raise damaged(f"a packed variable of type {kind} and {size} bytes")
        head = _Head.read(self, memoryview(start)[8:])
        if head.kind in NUMBERS:

            def load() -> NDArray[np.float64]:
                whole = memoryview(_unpack(data, size + 8))[8:]
                return self.values(whole, head)

            yield from self.named("", head, load)
        elif head.kind in (CELL, STRUCT, OBJECT):
            yield from self.matrix(memoryview(_unpack(data, size + 8))[8:], "", 0)

    def matrix(self, data: memoryview, name: str, depth: int) -> Iterator[tuple[str, Held]]:
        """The arrays of a variable, or of one within others that has the name given."""
        if not len(data):
            return
        head = _Head.read(self, data)
        if head.kind in NUMBERS:
            yield from self.named(name, head, lambda: self.values(data, head))
        elif depth < DEEPEST and head.kind in (CELL, STRUCT, OBJECT):
            name = name or head.name
            fields, at = [""], head.end
            if head.kind == OBJECT:
                at = self.element(data, at)[2]
            if head.kind != CELL:
                fields, at = self.fields(data, at)
            count = math.prod(head.shape)
            if count * len(fields) > MAX_CHANNELS:
                return
            for i in range(count):
                for field in fields:
                    _, held, at = self.element(data, at)
                    number = f"{{{i + 1}}}" if head.kind == CELL else f"({i + 1})"
                    number = "" if head.kind != CELL and count == 1 else number
                    yield from self.matrix(held, f"{name}{number}{field}", depth + 1)

    def whole_numbers(self, data: memoryview, at: int, most: int) -> tuple[list[int], int]:
        """The whole numbers of an element, and the place of the next one."""
        found, after = self.numbers(data, at, most)
        if found.dtype.kind not in "iu":
            raise damaged(f"{found.dtype} where whole numbers are")
        return [int(one) for one in found], after

    def fields(self, data: memoryview, at: int) -> tuple[list[str], int]:
        """Names of the fields of a structure, each behind a point."""
        length, at = self.whole_numbers(data, at, 1)
        _, held, at = self.element(data, at)
        each = length[0] if len(length) == 1 else 0
        if not 1 <= each <= LONGEST_NAME or len(held) > each * MAX_CHANNELS:
            raise damaged(f"{len(held)} bytes of names of {each} each")
        names = [bytes(held[i : i + each]) for i in range(0, len(held) - each + 1, each)]
        return [f".{_said(one)}" for one in names], at

    def named(
        self, name: str, head: _Head, load: Callable[[], NDArray[np.float64]]
    ) -> Iterator[tuple[str, Held]]:
        self.found += 1
        if self.found > MAX_CHANNELS:
            raise MeasurementFileError(
                f"A MATLAB file has at most {MAX_CHANNELS} arrays.",
                f"more, the last {name or head.name}",
                ALONE,
            )
        yield name or head.name, Held(head.shape, head.real, load)

    def values(self, data: memoryview, head: _Head) -> NDArray[np.float64]:
        count = math.prod(head.shape)
        found, _ = self.numbers(data, head.end, count)
        if found.size != count:
            raise damaged(f"{found.size} of {count} values of {head.name}")
        return found.astype(np.float64).reshape(head.shape, order="F")


@dataclass(frozen=True)
class _Head:
    """What is said of a variable before its values, and where they begin."""

    kind: int
    real: bool
    shape: tuple[int, ...]
    name: str
    end: int

    @classmethod
    def read(cls, file: _File, data: memoryview) -> _Head:
        flags, at = file.whole_numbers(data, 0, 2)
        sides, at = file.whole_numbers(data, at, 32)
        _, name, at = file.element(data, at)
        if len(flags) != 2 or len(sides) < 2 or min(sides) < 0:
            raise damaged(f"a variable of flags {flags[:2]} and size {sides[:8]}")
        word = flags[0]
        return cls(
            word & 0xFF, not word & COMPLEX, tuple(sides), _said(bytes(name[:MAX_CHANNELS])), at
        )


def _said(name: bytes) -> str:
    return name.partition(b"\0")[0].decode("latin-1")


def _unpack(data: memoryview, most: int) -> bytes:
    """The first bytes of what is packed."""
    try:
        return zlib.decompressobj().decompress(data, most)
    except zlib.error as error:
        raise damaged(str(error)[:80]) from error
