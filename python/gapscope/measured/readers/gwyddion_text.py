"""Gwyddion's text export: comments with channel, width, height and unit, then rows from the top.

Its words are those of the language Gwyddion ran in, but their order is always the same (Gwyddion,
modules/file/asciiexport.c and po/).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile

import xarray as xr

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    LENGTH_UNITS,
    MAX_CHANNELS,
    NANOMETRES,
    ReadOptions,
    check_pixels,
    decoded,
)
from gapscope.measured.readers.recording import Channel, dataset, lengths, numbered
from gapscope.measured.readers.table import matrix, text_lines

ENTRY = re.compile(r"#\s*([^:：]{1,80}?)\s*[:：]\s*(.*)")
SIZE = re.compile(r"([+-]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?)\s*(.*)")
MARKUP = re.compile(r"<[^<>]{0,20}>")
WIDTHS = {"width", "breite", "largeur", "šířka", "larghezza", "ширина", "anchura", "largura", "幅"}
WIDTHS |= {"ancho", "폭"}
HEIGHTS = {"height", "höhe", "hauteur", "výška", "altezza", "высота", "altura", "高さ", "높이"}
MAX_ENTRIES = 50


@dataclass(frozen=True)
class Header:
    """What the comments say: title, width, height, unit of the values; how many lines they are."""

    title: str
    width: str
    height: str
    unit: str
    lines: int


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a text begins with comments that give a width and a height."""
    start = head[:8192].removeprefix(b"\xef\xbb\xbf")
    return (
        start.startswith(b"#") and _header([decoded(one) for one in start.splitlines()]) is not None
    )


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The images of a text export, by their titles.

    Gwyddion can export several into one file. Those on the pixels of the first are read with it;
    others are left out, and read by their title as the variable.

    Raises
    ------
    MeasurementFileError : sides that are no lengths, such as those of a Fourier transform, rows of
        different length, or no image of the title that is asked for.
    """
    blocks = _blocks(text_lines(content.removeprefix(b"\xef\xbb\xbf")))
    headers = [_stated(lines) for lines in blocks]
    titles = numbered([header.title or "image" for header in headers])
    chosen = [i for i, title in enumerate(titles) if given.variable in (None, title)]
    if not chosen:
        raise MeasurementFileError(
            "An image of a text export is named by its title.",
            f"{given.variable!r:.80}; {', '.join(titles)[:300]}",
            "Name one of them.",
        )
    channels, left_out = [], []
    frame = _sides(headers[chosen[0]])
    given.refuse_scale()
    shape: tuple[int, ...] = ()
    for i in chosen:
        rows = [line for line in blocks[i][headers[i].lines :] if line.strip()]
        values = matrix(rows)
        shape = shape or values.shape
        if (values.shape, _sides(headers[i])) != (shape, frame):
            left_out.append(titles[i])
            continue
        channels.append(Channel(titles[i], MARKUP.sub("", headers[i].unit), values[::-1]))
    check_pixels(*shape)
    return dataset(
        "gwyddion-text",
        channels,
        lengths(shape[1], frame[0] / shape[1]),
        lengths(shape[0], frame[1] / shape[0]),
        attributes={"left_out": ", ".join(left_out)} if left_out else {},
    )


def _blocks(lines: list[str]) -> list[list[str]]:
    """Comments and the rows behind them, image by image."""
    blocks: list[list[str]] = [[]]
    rows = False
    for line in lines:
        comment = line.lstrip().startswith("#")
        if comment and rows:
            blocks.append([])
        rows = not comment and (rows or bool(line.strip()))
        blocks[-1].append(line)
    if len(blocks) > MAX_CHANNELS:
        raise MeasurementFileError(
            f"A file has at most {MAX_CHANNELS} channels.", len(blocks), "Export fewer of them."
        )
    return blocks


def _stated(lines: list[str]) -> Header:
    header = _header(lines)
    if header is None:
        raise MeasurementFileError(
            "A text export of Gwyddion gives the width and height of every image.",
            lines[0][:80] if lines else "nothing",
            "Export it again, with the informational comment header.",
        )
    return header


def _sides(header: Header) -> tuple[float, float]:
    return _nanometres("width", header.width), _nanometres("height", header.height)


def _header(lines: list[str]) -> Header | None:
    """The entries of leading comments, None where none of them is a size.

    A size is an entry named width or height, or, in a language that is not known, the first of two
    lengths in a row, behind a title. What follows it is the other size, and then the unit.
    """
    leading = list(takewhile(lambda line: line.strip()[:1] in ("", "#"), lines[:MAX_ENTRIES]))
    found = (ENTRY.fullmatch(line.strip()) for line in leading)
    entries = [(one[1].lower(), one[2].strip()) for one in found if one is not None]
    for i, (name, size) in enumerate(entries):
        named = name in WIDTHS | HEIGHTS
        second = entries[i + 1][1] if i + 1 < len(entries) else ""
        if named and SIZE.fullmatch(size):
            second = second if SIZE.fullmatch(second) else ""
        elif i == 0 or not (_is_length(size) and _is_length(second)):
            continue
        width, height = (second, size) if name in HEIGHTS else (size, second)
        unit = entries[i + 2][1] if second and i + 2 < len(entries) else ""
        return Header(entries[i - 1][1] if i else "", width, height, unit, len(leading))
    return None


def _is_length(text: str) -> bool:
    size = SIZE.fullmatch(text)
    return size is not None and size[2].strip() in NANOMETRES


def _nanometres(which: str, text: str) -> float:
    size = SIZE.fullmatch(text)
    unit = MARKUP.sub("", size[2]).strip() if size is not None else ""
    if size is None or unit not in NANOMETRES:
        raise MeasurementFileError(
            f"A measured image is in real space; its {which} is a length in {LENGTH_UNITS}.",
            text[:80] or "nothing",
            "Export the image itself rather than its transform; or delete the comments from a copy"
            " and give width and height in nm.",
        )
    try:
        return float(size[1].replace(",", ".")) * NANOMETRES[unit]
    except ValueError as error:
        raise MeasurementFileError(
            f"The {which} of an image is a number and a unit.",
            text[:80],
            "Correct the comment in a copy of the file.",
        ) from error
