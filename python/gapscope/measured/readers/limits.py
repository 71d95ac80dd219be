"""What a measured file may ask for, checked before anything is allocated."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from gapscope.errors import MeasurementFileError

MAX_BYTES = 2**29
"""Largest file that is read, 512 MiB."""
MAX_TEXT_BYTES = 2**27
"""Largest text file that is read, 128 MiB."""
MAX_SIDE = 2**14
"""Most pixels along one side, and most points of one spectrum of a grid."""
MAX_VALUES = 2**27
"""Most values of one file, 1 GiB as float64."""
MAX_CHANNELS = 1000
"""Most channels of one file."""
LENGTHS = (1e-3, 1e7)
"""Shortest and longest side of an image in nm."""

NANOMETRES = {
    "m": 1e9,
    "mm": 1e6,
    "um": 1e3,
    "µm": 1e3,
    "μm": 1e3,
    "nm": 1.0,
    "pm": 1e-3,
    "Å": 0.1,
    "\u212b": 0.1,
    "A": 0.1,
    "Ang": 0.1,
    "Angstrom": 0.1,
    "angstrom": 0.1,
    **dict.fromkeys(("meter", "meters", "metre", "metres"), 1e9),
    **dict.fromkeys(("micrometer", "micrometre", "micron", "microns"), 1e3),
    **dict.fromkeys(("nanometer", "nanometers", "nanometre", "nanometres"), 1.0),
    **dict.fromkeys(("picometer", "picometre"), 1e-3),
}
"""Nanometres per unit of length; words are those of pint, which others write into netCDF."""
MILLIVOLTS = {
    "V": 1e3,
    "mV": 1.0,
    "uV": 1e-3,
    "µV": 1e-3,
    "μV": 1e-3,
    **dict.fromkeys(("volt", "volts", "Volt", "Volts"), 1e3),
    **dict.fromkeys(("millivolt", "millivolts"), 1.0),
    **dict.fromkeys(("microvolt", "microvolts"), 1e-3),
}
"""Millivolts per unit of bias."""
LENGTH_UNITS, BIAS_UNITS = "m, mm, µm, nm, pm or Å", "V, mV or µV"
"""What errors say of these units."""
PICOAMPERES = {
    "A": 1e12,
    "mA": 1e9,
    "µA": 1e6,
    "uA": 1e6,
    "nA": 1e3,
    "pA": 1.0,
    "fA": 1e-3,
}
"""Picoamperes per unit of current."""
DAMAGED = "The file is damaged, or of another kind: copy or export it again."


@dataclass(frozen=True)
class ReadOptions:
    """What the caller says about a file: its sides in nm, which variable to read, what its axes
    are, whether only the lines that were finished; and the name of the file, where it has one."""

    width: float | None = None
    height: float | None = None
    variable: str | None = None
    axes: str | None = None
    finished: bool = False
    name: str | None = None

    def __post_init__(self) -> None:
        if self.width is None and self.height is not None:
            raise MeasurementFileError(
                "The scale is given by the width, and by the height where pixels are not square.",
                f"height={self.height} without width",
                "Give the width in nm.",
            )
        for side in (self.width, self.height):
            if side is not None:
                check_length(side)

    def sides(self, rows: int, columns: int) -> tuple[float, float]:
        """Width and height in nm of a file that does not tell them; without height, square pixels.

        Raises
        ------
        MeasurementFileError : the caller does not tell the width either, or a side is none.
        """
        if self.width is None:
            raise MeasurementFileError(
                "A file without a scale is opened with its width in nm, and its height where"
                " pixels are not square.",
                "no scale",
                "open(path, width=15.0), or --width 15",
            )
        return self.width, check_length(self.height or self.width * rows / columns)

    def refuse_scale(self) -> None:
        """Raise MeasurementFileError if a scale is given for a file that tells its own."""
        if self.width is not None:
            raise MeasurementFileError(
                "The file tells its own scale.",
                f"width={self.width}, height={self.height}",
                "Leave width and height out.",
            )


def check_length(side: float) -> float:
    """A side of an image in nm, if it is one that an STM can scan."""
    if not LENGTHS[0] <= side <= LENGTHS[1]:
        raise MeasurementFileError(
            f"A side of an image is {LENGTHS[0]:g} to {LENGTHS[1]:g} nm long.",
            side,
            "Check the scale, and its unit.",
        )
    return side


def check_pixels(*sides: int, most: int = MAX_VALUES) -> None:
    """Raise MeasurementFileError unless the sides of an array are those of an image."""
    if min(sides) < 2 or max(sides) > MAX_SIDE or math.prod(sides) > most:
        raise MeasurementFileError(
            f"An image has 2 to {MAX_SIDE} pixels a side, and at most {most} values.",
            " x ".join(str(side)[:20] for side in sides),
            "Check the file; cut a larger image.",
        )


def check_content(values: int, expected: int, unit: str = "values") -> None:
    """Raise MeasurementFileError unless a file is as long as its header says."""
    if values != expected:
        raise MeasurementFileError(
            "A file holds as much data as its header says.",
            f"{values} of {expected} {unit}",
            "The file is cut off or damaged: copy it again.",
        )


def number(header: Mapping[str, str], key: str) -> float:
    """A finite number of a header.

    Raises
    ------
    MeasurementFileError : the key is missing, or its value is not a finite number.
    """
    try:
        value = float(header[key])
    except (KeyError, ValueError) as error:
        raise missing(header, key, "a finite number") from error
    if not math.isfinite(value):
        raise missing(header, key, "a finite number")
    return value


def whole_number(header: Mapping[str, str], key: str, most: int, least: int = 1) -> int:
    """A whole number of a header, within bounds.

    Raises
    ------
    MeasurementFileError : the key is missing, or its value is none.
    """
    value = number(header, key)
    if not value.is_integer() or not least <= value <= most:
        raise missing(header, key, f"a whole number up to {most}")
    return int(value)


def missing(header: Mapping[str, str], key: str, kind: str) -> MeasurementFileError:
    """The error for an entry of a header that is absent or not of its kind."""
    return MeasurementFileError(
        f"The header gives {key} as {kind}.",
        header.get(key, "nothing")[:80],
        "The file is damaged: copy it again; or correct the entry in a copy, the header is text.",
    )


def decoded(content: bytes) -> str:
    """Text in UTF-8, or in Latin-1 where it is none: one byte for each character."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


@contextmanager
def library(name: str, remedy: str = DAMAGED) -> Iterator[None]:
    """Boundary of a library that parses a stranger's file: whatever it raises is the file's fault.

    Raises
    ------
    MeasurementFileError : with the library's message.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MeasurementFileError:
        raise
    except Exception as error:
        raise MeasurementFileError(
            f"{name} can read the file.",
            f"{type(error).__name__}: {str(error)[:200]}",
            remedy,
        ) from error
