"""Files of Nanosurf, .nid and .ezd: a text header in sections, then integers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    MAX_CHANNELS,
    MAX_SIDE,
    MAX_VALUES,
    MILLIVOLTS,
    NANOMETRES,
    PICOAMPERES,
    ReadOptions,
    check_content,
    check_pixels,
    decoded,
    missing,
    number,
    whole_number,
)
from gapscope.measured.readers.nanonis import moment
from gapscope.measured.readers.recording import (
    BACKWARD,
    CURVES,
    IMAGE,
    SPECTRUM,
    Channel,
    biases,
    dataset,
    lengths,
)

START, DATA = b"[DataSet]\r\n", b"\n#!"
MAX_HEADER = 2**24
MAX_GROUPS = 100
QUANTITY = re.compile(r"(-?[\d.]+(?:e-?\d+)?) ?(\S*)")
Section = Mapping[str, str]


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as one of Nanosurf does."""
    return head.startswith(START)


@dataclass(frozen=True)
class _Part:
    """A channel of a group: its section of the header and its values (line, point)."""

    about: Section
    values: NDArray[np.integer]

    @property
    def frame(self) -> str:
        return self.about.get("Frame", "")

    @property
    def name(self) -> str:
        """The name of what was measured, with the sweep; a second sweep of a line is another."""
        words = self.frame.lower().split()
        second = " (2nd)" if "2nd" in words else ""
        backward = BACKWARD if {"backward", "bwd"} & set(words) else ""
        return self.about.get("Dim2Name", "") + second + backward

    @property
    def is_image(self) -> bool:
        across, up = (self.about.get(f"Dim{i}Unit", "") for i in (0, 1))
        return across in NANOMETRES and up in NANOMETRES and min(self.values.shape) > 1

    @property
    def is_sweep(self) -> bool:
        return self.about.get("Dim0Unit", "") in MILLIVOLTS

    def measured(self) -> NDArray[np.float64]:
        """Its values in the unit of the header: integers span the range, from its minimum."""
        span, least = (number(self.about, f"Dim2{word}") for word in ("Range", "Min"))
        levels = 256**self.values.dtype.itemsize
        share: NDArray[np.float64] = self.values.astype(np.float64) / levels + 0.5
        return share * span + least


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The images of a file, the first line the lowest; where it has none, its spectra.

    Of a scan that was stopped the other lines are NaN. The voltage is that of the tip, whose sign
    against the sample's is not known: so there is no bias, and spectra are over the voltage as the
    file has it. The angle is told where it is 0. With a variable, the channels of that name or of
    that group (such as ``Spec forward``) are read alone.

    Raises
    ------
    MeasurementFileError : no images and no spectra over a voltage; images of several sizes; no
        scale; values that are none of 8, 16 or 32 bits; another length than the header says.
    """
    given.refuse_scale()
    sections, end = _header(content)
    parts = list(_parts(content, end, sections))
    wanted = given.variable
    chosen = [one for one in parts if wanted is None or wanted in (one.name, one.frame)]
    images = [one for one in chosen if one.is_image]
    sweeps = [one for one in chosen if one.is_sweep and not one.is_image]
    info = sections.get("DataSet-Info", {})
    told = _settings(info)
    if not images and not sweeps:
        listing = ", ".join(f"{one.name} of {one.frame}" for one in parts)[:300]
        raise MeasurementFileError(
            "A file of Nanosurf has images over two lengths, or spectra over a voltage.",
            f"{wanted} of {listing}" if wanted is not None else listing,
            "Name one of them: open(path, variable=...), or --variable."
            if any(one.is_image or one.is_sweep for one in parts)
            else "Use a file of a scan, or of spectroscopy of the tip voltage.",
        )
    if not images:
        return _spectra(sweeps, told)
    others = dict.fromkeys(one.frame for one in sweeps)
    left_out = {"left_out": ", ".join(others)[:300]} if others else {}
    return _images(images, info.get("Scan direction", "").strip(), {**told, **left_out})


def _header(content: bytes) -> tuple[dict[str, Section], int]:
    """Entries of each section, and where the data begin."""
    end = content.find(DATA, 0, MAX_HEADER)
    if end < 0:
        raise MeasurementFileError(
            "The data of a file of Nanosurf begin with #!.",
            "no such mark",
            "The file is cut off or damaged: copy it again.",
        )
    sections: dict[str, dict[str, str]] = {}
    entries: dict[str, str] = {}
    for line in decoded(content[:end]).splitlines():
        if line.startswith("[") and line.endswith("]"):
            entries = sections.setdefault(line[1:-1], {})
        else:
            key, _, value = line.partition("=")
            entries.setdefault(key.strip(), value.strip())
    return dict(sections), end + len(DATA)


def _parts(content: bytes, at: int, sections: Mapping[str, Section]) -> Iterable[_Part]:
    """The channels of all groups, one behind the other."""
    top = sections.get("DataSet", {})
    start, found = at, []
    for group in range(whole_number(top, "GroupCount", MAX_GROUPS, least=0)):
        for channel in range(whole_number(top, f"Gr{group}-Count", MAX_CHANNELS, least=0)):
            name = top.get(f"Gr{group}-Ch{channel}", "")
            if name and name not in sections:
                raise missing(top, f"Gr{group}-Ch{channel}", "the name of a section")
            if name:
                found.append(sections[name])
    shapes = []
    for about in found:
        shape = (
            whole_number(about, "Lines", 2**20, least=0),
            whole_number(about, "Points", 2**24, least=0),
        )
        bits = about.get("SaveBits", "")
        plain = (about.get("SaveMode"), about.get("SaveSign"), about.get("SaveOrder"))
        if bits not in ("8", "16", "32") or plain != ("Binary", "Signed", "Intel"):
            raise missing(about, "SaveBits", f"8, 16 or 32, Binary, Signed and Intel, not {plain}")
        size = shape[0] * shape[1] * int(bits) // 8
        shapes.append((shape, np.dtype(f"<i{int(bits) // 8}"), at))
        at += size
    check_content(len(content) - start, at - start, "bytes")
    for about, (shape, kind, place) in zip(found, shapes, strict=True):
        count = shape[0] * shape[1]
        yield _Part(about, np.frombuffer(content, kind, count, place).reshape(shape))


def _images(images: Sequence[_Part], direction: str, told: Mapping[str, float | str]) -> xr.Dataset:
    frames = {(*one.values.shape, _side(one.about, 0), _side(one.about, 1)) for one in images}
    if len(frames) > 1:
        raise MeasurementFileError(
            "Images of one size are read together.",
            ", ".join(dict.fromkeys(f"{one.name} {one.values.shape}" for one in images))[:300],
            "open(path, variable=...), or --variable",
        )
    rows, columns, width, height = frames.pop()
    check_pixels(rows, columns, most=MAX_VALUES // len(images))
    channels = [
        Channel(one.name, one.about.get("Dim2Unit", ""), _finished(one, direction), IMAGE)
        for one in images
    ]
    return dataset(
        "nanosurf",
        channels,
        lengths(columns, width / columns),
        lengths(rows, height / rows),
        attributes=told,
    )


def _side(about: Section, axis: int) -> float:
    return abs(number(about, f"Dim{axis}Range")) * NANOMETRES[about[f"Dim{axis}Unit"]]


def _finished(one: _Part, direction: str) -> NDArray[np.float64]:
    """Its values with NaN on lines that the scan had not reached; an older one is still there."""
    values = one.measured()
    if one.about.get("CurLine") and direction in ("Up", "Down"):
        line = whole_number(one.about, "CurLine", len(values), least=0)
        lines = np.arange(len(values))
        values[lines < line if direction == "Down" else lines > line] = np.nan
    return values


def _spectra(sweeps: Sequence[_Part], told: Mapping[str, float | str]) -> xr.Dataset:
    """Spectra over one voltage, several of a channel as curves; those after CurLine are NaN."""
    shapes = {one.values.shape for one in sweeps}
    ends = {
        (number(one.about, "Dim0Min"), number(one.about, "Dim0Range"), one.about["Dim0Unit"])
        for one in sweeps
    }
    lines, points = next(iter(shapes))
    uneven = any(_uneven(one.about, points) for one in sweeps)
    if len(shapes) > 1 or len(ends) > 1 or uneven or points > MAX_SIDE:
        raise MeasurementFileError(
            f"Spectra over the same voltage are read together, of up to {MAX_SIDE} points.",
            ", ".join(f"{one.name} of {one.frame} {one.values.shape}" for one in sweeps)[:300],
            "Read one group: open(path, variable='Spec forward'), or --variable 'Spec forward'; of"
            " curves that differ among themselves, save each alone.",
        )
    first, span, unit = ends.pop()
    bias, turned = biases(first + span * np.arange(points) / max(points - 1, 1), unit)
    channels = []
    for one in sweeps:
        values = one.measured()[:, :: -1 if turned else 1]
        if one.about.get("CurLine"):
            values[whole_number(one.about, "CurLine", lines, least=0) + 1 :] = np.nan
        values, dims = (values[0], SPECTRUM) if lines == 1 else (values, CURVES)
        channels.append(Channel(one.name, one.about.get("Dim2Unit", ""), values, dims))
    return dataset("nanosurf", channels, bias=bias, attributes=told)


def _uneven(about: Section, points: int) -> bool:
    """Whether single curves have another number of points, or other ends, than all of them."""
    common = {
        "Points": float(points),
        **{word: number(about, f"Dim0{word}") for word in ("Range", "Min")},
    }
    own = re.compile(r"LineDim\d+(Points|Range|Min)")
    found = ((own.fullmatch(key), key) for key in about)
    return any(
        abs(number(about, key) - common[one[1]]) > 1e-3 * abs(common["Range"])
        for one, key in found
        if one is not None
    )


def _settings(info: Section) -> dict[str, float | str]:
    """The set point of an STM, the time, and the angle where it is 0."""
    found: dict[str, float | str] = {}
    held = QUANTITY.fullmatch(info.get("Setpoint", info.get("Set point", "")))
    if info.get("Op. mode") == "STM" and held is not None and held[2] in PICOAMPERES:
        found["current"] = number({"Setpoint": held[1]}, "Setpoint") * PICOAMPERES[held[2]]
    angle = QUANTITY.match(info.get("Rotation", ""))
    if angle is not None and angle[1].strip("0.-") == "":
        found["scan_angle"] = 0.0
    return {**found, **moment(f"{info.get('Date', '').replace('-', '.')} {info.get('Time', '')}")}
