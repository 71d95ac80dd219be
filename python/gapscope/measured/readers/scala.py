"""Scans of Omicron SCALA: a parameter file .par in text, and a file of integers for each channel.

Layout and order are those of Gwyddion's omicron.c and of GXSM.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    MAX_CHANNELS,
    MAX_SIDE,
    MAX_VALUES,
    ReadOptions,
    check_content,
    check_pixels,
    missing,
    number,
)
from gapscope.measured.readers.nanonis import moment
from gapscope.measured.readers.recording import (
    BACKWARD,
    GRID,
    IMAGE,
    Channel,
    biases,
    dataset,
    lengths,
)

MARK = b"Omicron SPM Control"
MAX_HEADER = 2**20
IMAGES, SPECTRA = "Topographic Channel", "Spectroscopy Channel"
RANGES = ("direction", "raw min", "raw max", "min", "max", "resolution", "unit")
LINES = {
    IMAGES: (*RANGES, "file", "name"),
    SPECTRA: (
        *("parameter", *RANGES, "points", "start", "end", "increment", "time", "delay"),
        *("feedback", "file", "name"),
    ),
}
"""What the lines behind the first one of a channel hold."""
DATA_FILE = re.compile(r"[^/\\:\0-\x1f]{1,200}\.[a-z]{2}\d{1,2}", re.IGNORECASE)
"""Names of data files; programs that write the format name them after their experiments."""
VOLTAGES = ("V", "E")
"""How the parameters of a spectrum begin that are a voltage, in V."""
DATE = re.compile(r"^(\d\d\.\d\d)\.(\d\d) ")
"""How dates begin that tell two digits of their year."""
CONTACTS = {"SAMPLE": 1.0, "TIP": -1.0}

Entries = Mapping[str, str]


@dataclass(frozen=True)
class _Part:
    """A channel: its entries, the shape of its integers, y and x last, and the step of its pixels.

    Parameters
    ----------
    step : nm along y and x.
    """

    about: Entries
    shape: tuple[int, ...]
    step: tuple[float, float]

    @property
    def frame(self) -> tuple[float, ...]:
        """What channels on the same pixels share."""
        return (*self.shape[-2:], *self.step)

    @property
    def backward(self) -> bool:
        return self.about.get("direction", "").lower() == "backward"

    @property
    def name(self) -> str:
        label = self.about.get("name") or self.about["channel"]
        return label + (BACKWARD if self.backward else "")

    @property
    def sweep(self) -> tuple[float, float, int]:
        """First and last voltage of spectra in V, and how many there are."""
        return number(self.about, "start"), number(self.about, "end"), self.shape[0]

    def values(self, stored: NDArray[np.integer]) -> NDArray[np.float64]:
        """Values in the unit of the header: the raw range spans the physical one."""
        low, high, least, most = (
            number(self.about, key) for key in ("raw min", "raw max", "min", "max")
        )
        if high <= low:
            raise missing(self.about, "raw max", "a number above the raw minimum")
        share: NDArray[np.float64] = (stored.astype(np.float64) - low) / (high - low)
        return share * (most - least) + least


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a parameter file of SCALA does."""
    return head.lstrip(b"\r\n").startswith(b";") and MARK in head[:400]


def beside(path: Path) -> Iterator[Path]:
    """The data files of a parameter file, in the order of its channels; none if none is there.

    Raises
    ------
    MeasurementFileError : only some are there, one has another length, or no name of one.
    """
    with path.open("rb") as file:
        _, parts, _ = _parsed(file.read(MAX_HEADER))
    there = {one.name.lower(): one for one in path.parent.iterdir() if one.is_file()}
    named = [part.about["file"] for part in parts]
    found = {name for name in named if DATA_FILE.fullmatch(name) and name.lower() in there}
    if not found:
        return
    for name, part in zip(named, parts, strict=True):
        if name not in found:
            raise _not_there(name)
        one = there[name.lower()]
        check_content(one.stat().st_size, 2 * math.prod(part.shape), f"bytes of {one.name}")
        yield one


def _not_there(names: str) -> MeasurementFileError:
    return MeasurementFileError(
        "The data files of a .par of SCALA, such as NAME.tf0, lie beside it.",
        f"{names[:200]}, which does not",
        "Copy all files of the scan into one folder.",
    )


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The images of a scan, and the spectra on the same pixels; the first line is the lowest.

    Spectra on other pixels are left out, and read by their name as the variable. The gap voltage is
    the sample's, or its opposite, as the header says (VGAP Contact); where sweeps have voltages of
    their own (Dual mode), channels tell them. The angle is told where it is 0.

    Parameters
    ----------
    content : the parameter file, and behind it the data files in the order of its channels.

    Raises
    ------
    MeasurementFileError : no channel, no size, no scale, or another length than the header says.
    """
    given.refuse_scale()
    header, parts, end = _parsed(content[:MAX_HEADER])
    sizes = [2 * math.prod(part.shape) for part in parts]
    at = len(content) - sum(sizes)
    if at < end:
        raise _not_there(", ".join(part.about["file"] for part in parts))
    chosen = [one for one in parts if given.variable in (None, one.name)]
    first = [one.frame for one in chosen if len(one.shape) == 2] or [one.frame for one in chosen]
    kept = [one for one in chosen if one.frame == first[0]]
    sweeps = {one.sweep for one in kept if len(one.shape) == 3}
    if not kept or len(sweeps) > 1:
        listing = ", ".join(f"{one.name} ({' x '.join(map(str, one.shape))})" for one in parts)
        raise MeasurementFileError(
            "Channels on the same pixels and at the same biases are read together.",
            (f"{given.variable[:80]} of " if given.variable is not None else "") + listing[:300],
            "Name one of them: open(path, variable=...), or --variable.",
        )
    (rows, columns), (up, across) = kept[0].shape[-2:], kept[0].step
    check_pixels(rows, columns)
    bias, turned = None, False
    if sweeps:
        start, stop, points = sweeps.pop()
        bias, turned = biases(np.linspace(start, stop, points), "V")
    channels = []
    for part, size in zip(parts, sizes, strict=True):
        stored = np.frombuffer(content, ">i2", size // 2, at).reshape(part.shape)
        at += size
        if part in kept:
            values = part.values(stored)
            if values.ndim == 3:
                values = np.moveaxis(values, 0, -1)[..., :: -1 if turned else 1]
            dims = IMAGE if values.ndim == 2 else GRID
            dual = header.get("Dual mode") == "On"
            told = _held(header, part.backward) if dual else {}
            channels.append(Channel(part.name, part.about["unit"], values, dims, told))
    left_out = ", ".join(one.name for one in chosen if one not in kept)[:300]
    return dataset(
        "omicron-scala",
        channels,
        lengths(columns, across),
        lengths(rows, up),
        bias,
        {**_settings(header), **({"left_out": left_out} if left_out else {})},
    )


def _parsed(content: bytes) -> tuple[Entries, Sequence[_Part], int]:
    """Entries, the channels that are read, and where the last channel's entries end."""
    header, found, end = _lines(content)
    pixels = [_count(header, f"Image Size in {axis}", MAX_SIDE) for axis in "YX"]
    sides = [abs(number(header, f"Field {axis} Size in nm")) for axis in "YX"]
    fine = sides[0] / pixels[0], sides[1] / pixels[1]
    parts = []
    for about in found:
        if "points" not in about:
            parts.append(_Part(about, (pixels[0], pixels[1]), fine))
            continue
        rows = _count(header, "Spectroscopy Lines in Y", MAX_SIDE, least=0)
        columns = _count(header, "Spectroscopy Points in X", MAX_SIDE, least=0)
        if min(rows, columns) > 1 and about["parameter"].startswith(VOLTAGES):
            grid = [_count(header, f"Spectroscopy Grid Value in {a}", MAX_SIDE) for a in "YX"]
            points = _count(about, "points", MAX_SIDE)
            step = fine[0] * grid[0], fine[1] * grid[1]
            parts.append(_Part(about, (points, rows, columns), step))
    if not 1 <= len(parts) <= MAX_CHANNELS or sum(math.prod(p.shape) for p in parts) > MAX_VALUES:
        raise MeasurementFileError(
            f"A scan of SCALA has 1 to {MAX_CHANNELS} images, or spectra over a voltage on a grid,"
            f" and at most {MAX_VALUES} values.",
            ", ".join(one["channel"][:20] for one in found)[:200] or "no channel",
            "Use the .par of a scan.",
        )
    return header, parts, end


def _lines(content: bytes) -> tuple[dict[str, str], list[dict[str, str]], int]:
    """Entries ``name: value`` without comments, and those of each channel; as ``_parsed``.

    A second value, of the backward sweep, stands alone in the next line.
    """
    header: dict[str, str] = {}
    channels: list[dict[str, str]] = []
    last, end, at = "", 0, 0
    waiting: list[str] = []
    for line in content.decode("latin-1").split("\n"):
        at += len(line) + 1
        words = line.partition(";")[0].strip()
        if waiting:
            channels[-1][waiting.pop(0)] = words
            end = at
            continue
        name, mark, value = words.partition(":")
        name, value = name.strip(), value.strip()
        if name in LINES and mark:
            channels.append({"channel": value})
            waiting = [*LINES[name]]
        elif line[:1].isspace() and words and last:
            header.setdefault(f"{last}, backward", words)
        elif mark:
            header.setdefault(name, value)
            last = name
        if len(channels) > MAX_CHANNELS:
            break
    if waiting:
        raise MeasurementFileError(
            "A channel of a .par of SCALA has all its lines.",
            f"no {waiting[0]}",
            "The file is cut off or damaged: copy it again.",
        )
    return header, channels, min(end, len(content))


def _count(about: Entries, key: str, most: int, least: int = 1) -> int:
    """A whole number; its sign is ignored, as Gwyddion and others do."""
    value = abs(number(about, key))
    if not value.is_integer() or not least <= value <= most:
        raise missing(about, key, f"a whole number from {least} to {most}")
    return int(value)


def _voltage(header: Entries, backward: bool) -> dict[str, float]:
    """``bias`` of the sample in mV, where the header says to which side the voltage is applied."""
    key = "Gap Voltage, backward" if backward else "Gap Voltage"
    sign = CONTACTS.get(header.get("VGAP Contact", "").upper())
    return {} if sign is None or not header.get(key) else {"bias": sign * 1e3 * number(header, key)}


def _held(header: Entries, backward: bool) -> dict[str, float]:
    """Bias, and the set point of an STM, of one direction."""
    key = "Feedback Set, backward" if backward else "Feedback Set"
    found = _voltage(header, backward)
    if "STM" in header.get("SPM Method", "") and header.get(key):
        found["current"] = number(header, key) * 1e3
    return found


def _settings(header: Entries) -> dict[str, float | str]:
    """What all channels share: bias, set point of an STM, time, and the angle where it is 0."""
    found: dict[str, float | str] = {}
    if header.get("Dual mode") != "On":
        found |= _held(header, backward=False)
    if header.get("Scan Angle", "x").strip("0.-+") == "":
        found["scan_angle"] = 0.0
    return {**found, **moment(DATE.sub(r"\1.20\2 ", header.get("Date", "")) + ":00")}
