"""The parameter file of a Matrix experiment, .mtrx: what held when a data file was written.

A chain of blocks, in the order of time: the parameters at the beginning (EEPA), every change of one
(PMOD), the channels and how their integers become values (DICT and XFER, in CCSY), and the name of
every data file when it was written (BREF). The layout is the one that access2thematrix and
Gwyddion's omicronmatrix.c know; names of blocks are stored backwards.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from gapscope.errors import MeasurementFileError

MAGIC = b"ONTMATRX0101"
UNTIMED = (b"REFX", b"NACS", b"TCID", b"SCHC", b"TSNI", b"SXNC", b"LNEG")
"""Blocks whose length is not followed by a time."""
MAX_TEXT = 2**16

Value = float | int | bool | str


class Fields:
    """Numbers and texts of a block, one after the other.

    Raises
    ------
    MeasurementFileError : from any method, where the block ends before.
    """

    def __init__(self, content: bytes) -> None:
        self.content, self.at = content, 0

    def __bool__(self) -> bool:
        return self.at < len(self.content)

    def take(self, size: int) -> bytes:
        """The next bytes."""
        if size > len(self.content) - self.at:
            raise damaged(f"{size} bytes at {self.at} of a block of {len(self.content)}")
        self.at += size
        return self.content[self.at - size : self.at]

    def integer(self) -> int:
        """The next four bytes, without a sign."""
        return int.from_bytes(self.take(4), "little")

    def text(self) -> str:
        """The next text: number of characters, then UTF-16."""
        size = self.integer()
        if size > MAX_TEXT:
            raise damaged(f"a text of {size} characters")
        return self.take(2 * size).decode("utf-16-le", "replace")

    def value(self) -> Value:
        """The next value with its kind before it: truth, integer, number or text."""
        kind = self.take(4)
        if kind == b"GRTS":
            return self.text()
        if kind == b"BUOD":
            return float(struct.unpack("<d", self.take(8))[0])
        if kind not in (b"LOOB", b"GNOL"):
            raise damaged(f"a value of kind {kind!r}")
        number = int(struct.unpack("<i", self.take(4))[0])
        return bool(number) if kind == b"LOOB" else number


@dataclass
class Experiment:
    """What held at one moment of an experiment.

    Parameters
    ----------
    parameters : value and unit by instance and property, such as ``XYScanner.Points``.
    channels : number, name and unit of each channel by the eight bytes that data files name it by.
    transfers : name and parameters of the function that gives the values of a channel, by number.
    """

    parameters: dict[str, tuple[Value, str]] = field(default_factory=dict)
    channels: dict[bytes, tuple[int, str, str]] = field(default_factory=dict)
    transfers: dict[int, tuple[str, dict[str, Value]]] = field(default_factory=dict)

    def number(self, key: str, unit: str | None = None) -> float | None:
        """A parameter that is a number, in its unit where one is named; None without it.

        Raises
        ------
        MeasurementFileError : it is a text, or in another unit.
        """
        if key not in self.parameters:
            return None
        value, held = self.parameters[key]
        if isinstance(value, str) or (unit is not None and held != unit):
            raise damaged(f"{key} {str(value)[:40]} in {held[:40]!r}")
        return float(value)

    def needed(self, key: str, unit: str | None = None) -> float:
        """A parameter that is a number.

        Raises
        ------
        MeasurementFileError : it is missing, or see :meth:`number`.
        """
        value = self.number(key, unit)
        if value is None:
            raise MeasurementFileError(
                f"A parameter file of Matrix has the parameter {key}.",
                f"{len(self.parameters)} others",
                "The file is cut off or damaged: copy it again.",
            )
        return value

    def apply(self, name: bytes, fields: Fields) -> None:
        """Follow one block; those that are of no concern here leave all as it was."""
        if name == b"APEE":
            fields.take(4)
            for _ in range(fields.integer()):
                instance = fields.text()
                for _ in range(fields.integer()):
                    self._parameter(instance, fields)
        elif name == b"DOMP":
            fields.take(4)
            self._parameter(fields.text(), fields)
        elif name == b"YSCC":
            fields.take(4)
            while fields:
                self.apply(*block(fields))
        elif name == b"TCID":
            self._dictionary(fields)
        elif name == b"REFX":
            while fields:
                fields.take(4)
                number, function, _ = fields.integer(), fields.text(), fields.text()
                pairs = [(fields.text(), fields.value()) for _ in range(fields.integer())]
                self.transfers[number] = function, dict(pairs)

    def _parameter(self, instance: str, fields: Fields) -> None:
        key, unit = f"{instance}.{fields.text()}", fields.text()
        fields.take(4)
        self.parameters[key] = fields.value(), unit

    def _dictionary(self, fields: Fields) -> None:
        fields.take(8)
        for _ in range(fields.integer()):
            fields.take(16)
            fields.text(), fields.text()
        named = {}
        for _ in range(fields.integer()):
            fields.take(4)
            number = fields.integer()
            fields.take(8)
            named[number] = fields.text(), fields.text()
        for _ in range(fields.integer()):
            channel = fields.take(8)
            fields.take(4)
            number = fields.integer()
            fields.text()
            if number in named:
                self.channels[channel] = number, *named[number]


def block(fields: Fields) -> tuple[bytes, Fields]:
    """The next block: its name, and what is in it."""
    name, size = fields.take(4), fields.integer()
    if name not in UNTIMED:
        fields.take(8)
    return name, Fields(fields.take(size))


def experiment_at(chain: list[bytes], file: str | None, written: int) -> Experiment:
    """What held when a data file was written.

    Parameters
    ----------
    chain : the contents of the parameter files of one experiment, in order.
    file, written : name of the data file, and the seconds of its time; it is the file of this name,
        or of this time where none has the name.

    Raises
    ------
    MeasurementFileError : no data file of this name or time, or a block that is damaged.
    """
    for wanted in (file, None):
        now = Experiment()
        for content in chain:
            fields = Fields(content)
            fields.take(len(MAGIC))
            while fields:
                start = fields.at
                name, inside = block(fields)
                if name != b"FERB":
                    now.apply(name, inside)
                    continue
                time = int.from_bytes(content[start + 8 : start + 12], "little")
                inside.take(4)
                if inside.text() == wanted or (wanted is None and time == written):
                    return now
    raise MeasurementFileError(
        "The parameter file of a Matrix experiment names its data files.",
        f"none with the name {str(file)[:80]}, or of the time {written}",
        "Put the data file beside the parameter file of its own experiment, both with the names"
        " that Matrix gave them.",
    )


def damaged(received: str) -> MeasurementFileError:
    """The error for blocks that do not hold what they should."""
    return MeasurementFileError(
        "The blocks of a Matrix file lie in the file and hold values of known kinds.",
        received,
        "The file is cut off or damaged: copy it again, and its parameter file.",
    )
