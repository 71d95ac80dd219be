"""Plain text: a matrix, whose scale the caller gives, or a table of spectra."""

from __future__ import annotations

import xarray as xr

from gapscope.measured.readers.limits import ReadOptions, check_pixels
from gapscope.measured.readers.recording import Channel, dataset, lengths
from gapscope.measured.readers.table import is_bias, matrix, spectra, text_lines
from gapscope.measured.readers.xyz import is_table, read_columns

BINARY = bytes(set(range(32)) - set(b"\t\n\r\f")) + b"\x7f"

POINTER, PAGES = b"version https://git-lfs", (b"<!DOCTYPE", b"<!doctype", b"<html")
"""How what stands in the place of a file begins: a pointer of Git LFS, and a web page."""


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins without a byte that no text has, and is no stand-in of another."""
    return not head.startswith((POINTER, *PAGES)) and head.translate(None, BINARY) == head


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """A matrix as the variable ``image``, first row at the top; or spectra over bias.

    A matrix may have leading lines of comment (#, %); columns x, y and z are one, too. A table has
    one line of names, separated by tabs, semicolons or commas, the first of them the bias:
    ``bias (mV)``. Decimals have points, or commas where these separate nothing.

    Raises
    ------
    MeasurementFileError : rows of different length, words that are no numbers, or no scale.
    """
    lines = [line.strip() for line in text_lines(content.removeprefix(b"\xef\xbb\xbf"))]
    lines = [line for line in lines if line]
    while lines and lines[0][0] in "#%":
        lines.pop(0)
    first = lines[0] if lines else ""
    delimiter = next((mark for mark in "\t;," if mark in first), None)
    labels = first.split(delimiter)
    if delimiter and not _is_number(labels[0]):
        if is_bias(labels[0]):  # else it has no scale, and is none of these tables
            given.refuse_scale()
        return spectra("text", labels, lines[1:], delimiter)
    columns = matrix(lines[:1]).shape[1]  # so that words are told rather than sizes
    check_pixels(len(lines), columns)
    values = matrix(lines)
    rows, columns = values.shape
    if is_table(rows, columns):
        return read_columns(values, given)
    check_pixels(rows, columns)
    width, height = given.sides(rows, columns)
    return dataset(
        "text",
        [Channel("image", "", values[::-1])],
        lengths(columns, width / columns),
        lengths(rows, height / rows),
    )


def _is_number(word: str) -> bool:
    try:
        float(word.replace(",", "."))
    except ValueError:
        return False
    return True
