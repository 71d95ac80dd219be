"""Images of Bruker's NanoScope (once Digital Instruments), .spm or .000: a text header, integers.

Layout and scales are those of Gwyddion's nanoscope.c, for versions from 4.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import xarray as xr

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    MAX_CHANNELS,
    MAX_VALUES,
    MILLIVOLTS,
    NANOMETRES,
    ReadOptions,
    check_content,
    check_pixels,
    missing,
    number,
    whole_number,
)
from gapscope.measured.readers.recording import BACKWARD, Channel, dataset, lengths

START, END = (b"\\*File list", b"\\*Force file list"), b"\\*File list end"
MAX_HEADER = 2**20
IMAGES = "Ciao image list"
PREFIXES = ("@2", "@3", "@4")
"""How names and scales of images begin, which depends on the version."""
WIDE = 0x09200000
"""Version from which integers are stored in 4 bytes whatever the header's number of bytes is."""
NAME = re.compile(r'S \[.*?\] "(.*)"')
SCALE = re.compile(r"V (?:\[(.*?)\] )?\(\S+ \S+/LSB\) (\S+) (\S+)")
SENSITIVITY = re.compile(r"V (\S+) ?(\S*)")
SIZE = re.compile(r"(\S+)(?: (\S+))? (\S+)")
MICROMETRES = "~m"
Section = Mapping[str, str]


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as one of NanoScope does."""
    return head.startswith(START)


@dataclass(frozen=True)
class _Image:
    """Where an image lies in the file, how large it is, and what its integers mean."""

    name: str
    unit: str
    factor: float
    shape: tuple[int, int]
    size: tuple[float, float]
    at: int
    bytes_each: int

    def read(self, content: bytes) -> Channel:
        """The first line is the lowest."""
        stored = np.frombuffer(
            content, f"<i{self.bytes_each}", self.shape[0] * self.shape[1], self.at
        )
        return Channel(self.name, self.unit, self.factor * stored.reshape(self.shape))


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The images of a file; those of the retrace, with x to the right as well, are backward ones.

    The angle is told where it is 0, and the bias and the set point are not: which of a header's
    many were applied is not known. With a variable, the image of that name is read alone.

    Raises
    ------
    MeasurementFileError : no images (force curves), images of several sizes, pixels that are not
        square by an aspect ratio, no scale, or less data than the header says.
    """
    given.refuse_scale()
    end = content.find(END, 0, MAX_HEADER)
    if end < 0:
        raise MeasurementFileError(
            "The header of a NanoScope file ends with \\*File list end.",
            "no such line",
            "The file is cut off or damaged: copy it again.",
        )
    lists = _lists(content[:end])
    abouts = [about for name, about in lists if name == IMAGES]
    shared: dict[str, str] = {}
    for name, about in lists:
        if name != IMAGES:
            shared = {**about, **shared}
    if not 1 <= len(abouts) <= MAX_CHANNELS:
        raise MeasurementFileError(
            f"A NanoScope file has 1 to {MAX_CHANNELS} images.",
            f"{len(abouts)} of {', '.join(dict.fromkeys(name for name, _ in lists))}"[:200],
            "Use a file of a scan, of version 4.3 or later.",
        )
    images = [_image(about, shared, len(content)) for about in abouts]
    wanted = given.variable
    chosen = [one for one in images if wanted in (None, one.name)]
    listing = ", ".join(f"{one.name} {one.shape[1]} x {one.shape[0]}" for one in images)[:300]
    if not chosen or len({(one.shape, one.size) for one in chosen}) > 1:
        raise MeasurementFileError(
            "Images of one size are read together, or one alone.",
            listing if wanted is None else f"{wanted[:80]} of {listing}",
            "Name one of them: open(path, variable=...), or --variable.",
        )
    (rows, columns), (width, height) = chosen[0].shape, chosen[0].size
    check_pixels(rows, columns, most=MAX_VALUES // len(chosen))
    return dataset(
        "nanoscope",
        [one.read(content) for one in chosen],
        lengths(columns, width / columns),
        lengths(rows, height / rows),
        attributes=_settings(shared),
    )


def _lists(content: bytes) -> Sequence[tuple[str, Section]]:
    """Name and entries of each list; entries with their names as they are."""
    found: list[tuple[str, dict[str, str]]] = []
    for line in content.decode("latin-1").splitlines():
        if line.startswith("\\*"):
            found.append((line[2:].strip(), {}))
        elif line.startswith("\\") and found:
            key, _, value = line[1:].partition(": ")
            found[-1][1].setdefault(key.strip(), value.strip())
    return found


def _image(about: Section, shared: Section, most: int) -> _Image:
    columns, rows = (whole_number(about, key, 2**20) for key in ("Samps/line", "Number of lines"))
    length, at = (whole_number(about, f"Data {key}", 2**62) for key in ("length", "offset"))
    check_pixels(rows, columns)
    stated = whole_number(about, "Bytes/pixel", 4)
    each = length // (rows * columns)
    allowed = (2, 4) if _version(shared) >= WIDE else (stated,)
    if stated not in (2, 4) or each not in allowed or each * rows * columns != length:
        raise missing(
            about,
            "Data length",
            f"{' or '.join(map(str, allowed))} bytes for each of {columns} x {rows} pixels",
        )
    if at + length > most:
        check_content(most, at + length, "bytes")
    key = _key(about, "Image Data")
    name = NAME.fullmatch(about.get(key, ""))
    if name is None:
        raise missing(about, key, "a name in quotes")
    unit, factor = _scale(about, shared)
    backward = BACKWARD if about.get("Line Direction", "").lower() == "retrace" else ""
    # The number of bytes that the header states makes the factor, whatever is stored.
    return _Image(
        name[1] + backward,
        unit,
        factor / 256**stated,
        (rows, columns),
        _size(about, square=rows == columns),
        at,
        each,
    )


def _key(about: Section, name: str) -> str:
    """The entry of a name, with the first prefix that the list has."""
    keys = [f"{prefix}:{name}" for prefix in PREFIXES]
    return next((key for key in keys if key in about), keys[0])


def _version(shared: Section) -> int:
    """The version of the program that wrote a file, such as 0x09200000; 0 where none is told."""
    word = shared.get("Version", "")
    return int(word, 16) if re.fullmatch(r"0x[0-9a-fA-F]{1,8}", word) else 0


def _size(about: Section, *, square: bool) -> tuple[float, float]:
    """Width and height in nm; of old files, one side of a square image."""
    key = "Scan Size" if "Scan Size" in about else "Scan size"
    found = SIZE.fullmatch(about.get(key, ""))
    units = {**NANOMETRES, MICROMETRES: 1e3}
    if found is None or found[3] not in units or (found[2] is None and not square):
        raise missing(about, key, "width, height and a unit of length")
    ratio = about.get("Aspect Ratio", about.get("Aspect ratio", "1:1"))
    if ratio != "1:1":
        raise MeasurementFileError(
            "The sides of an image are those of its scan, at an aspect ratio of 1:1.",
            f"an aspect ratio of {ratio[:20]}",
            "Export it with its true height, or as .npy, and open that with width and height.",
        )
    sides = found[1], found[2] or found[1]
    width, height = (number({key: word}, key) * units[found[3]] for word in sides)
    return width, height


def _scale(about: Section, shared: Section) -> tuple[str, float]:
    """Unit, and what the full range of the integers is in it.

    ``V [Sens. Zsens] (0.005 V/LSB) 330.0 V`` with ``@Sens. Zsens: V 13.2 nm/V`` is 4356 nm.
    """
    key = _key(about, "Z scale")
    found = SCALE.fullmatch(about.get(key, ""))
    if found is None:
        raise missing(about, key, "V [sensitivity] (step/LSB) range unit")
    span, unit = number({key: found[2]}, key), found[3]
    if found[1] is None:
        return unit, span
    key = f"@{found[1]}"
    soft = SENSITIVITY.fullmatch(shared.get(key, ""))
    if soft is None:
        raise missing(shared, key, "V, a number and a unit")
    each = number({key: soft[1]}, key)
    result, _, per = soft[2].partition("/")
    if per and per != unit:
        if per not in MILLIVOLTS or unit not in MILLIVOLTS:
            raise missing(shared, key, f"a unit for each {unit}")
        each *= MILLIVOLTS[unit] / MILLIVOLTS[per]
    return (result if per else unit), span * each


def _settings(shared: Section) -> dict[str, float | str]:
    """The angle where it is 0, and the time."""
    found: dict[str, float | str] = {}
    if shared.get("Rotate Ang.", "x").strip("0.-") == "":
        found["scan_angle"] = 0.0
    try:
        moment = datetime.strptime(shared.get("Date", ""), "%I:%M:%S %p %a %b %d %Y")
    except ValueError:
        return found
    return {**found, "recorded": moment.isoformat()}
