"""Lines of numbers in text files, and tables of spectra among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import MAX_SIDE, MAX_TEXT_BYTES, decoded, library
from gapscope.measured.readers.recording import (
    SPECTRUM,
    Attributes,
    Channel,
    biases,
    dataset,
    label_and_unit,
)

MAX_LINES = 2**17
PROSE = (
    "The text is cut off, or not of numbers alone: in a copy, begin the lines before them with #,"
    " and separate all numbers alike."
)
MAX_LINE = 40 * MAX_SIDE


def text_lines(content: bytes) -> list[str]:
    """The lines of a text.

    Raises
    ------
    MeasurementFileError : longer than any table of numbers that is read.
    """
    lines = content.count(b"\n") + content.count(b"\r")
    small = len(content) <= MAX_TEXT_BYTES and lines <= MAX_LINES
    split = content.splitlines() if small else []
    if not small or max(map(len, split), default=0) > MAX_LINE:
        raise MeasurementFileError(
            f"A text has at most {MAX_TEXT_BYTES} bytes, {MAX_LINES} lines and {MAX_LINE} bytes a "
            "line.",
            f"{len(content)} bytes, {lines} lines",
            "Export the data as .npy or HDF5.",
        )
    return [decoded(line) for line in split]


def matrix(lines: Sequence[str]) -> NDArray[np.float64]:
    """Rows of numbers apart by tabs, semicolons, spaces or commas; decimals with point or comma.

    A comma is the decimal mark where something else separates the numbers and no point occurs.

    Raises
    ------
    MeasurementFileError : see :func:`numbers`.
    """
    lines = [line.strip().rstrip(",; \t") for line in lines]
    first = lines[0] if lines else ""
    if "\t" in first or ";" in first:
        mark = ";" if ";" in first else None
    else:
        # Commas that end words separate them, as in "1, 2", and so do those between points.
        words = first.split()
        separate = "." in first or len(words) < 2 or any(word[-1] == "," for word in words)
        mark = "," if "," in first and separate else None
    return numbers(lines if mark == "," else _with_points(lines), mark)


def _with_points(lines: list[str]) -> list[str]:
    """Lines of numbers that no comma separates, with decimal points."""
    if not any("," in line for line in lines):
        return lines
    if any("." in line for line in lines):
        raise MeasurementFileError(
            "A text has one decimal mark, a point or a comma.",
            next(line for line in lines if "," in line)[:80],
            "Export it with decimal points.",
        )
    return [line.replace(",", ".") for line in lines]


def numbers(lines: Sequence[str], delimiter: str | None) -> NDArray[np.float64]:
    """Rows of numbers; ``delimiter`` None means any white space.

    Raises
    ------
    MeasurementFileError : no lines, lines of different length, or words that are no numbers.
    """
    if not lines:
        raise MeasurementFileError("A text holds rows of numbers.", "none", "Copy the file again.")
    with library("numpy.loadtxt", PROSE):
        return np.loadtxt(lines, delimiter=delimiter, comments=None, ndmin=2)


def spectra(
    source_format: str,
    labels: Sequence[str],
    lines: Sequence[str],
    delimiter: str,
    attributes: Attributes | None = None,
    join: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
) -> xr.Dataset:
    """Columns against the first one, the bias.

    Parameters
    ----------
    join : what is done with the columns (column, row) before, such as to rows at one bias.

    Raises
    ------
    MeasurementFileError : the first column is no monotonic bias, or the rows are no such table.
    """
    labels = [label.strip() for label in labels]
    while labels and not labels[-1]:
        labels.pop()
    rows = [line.rstrip("\t\r ") for line in lines]
    table = numbers(rows if delimiter == "," else _with_points(rows), delimiter)
    if table.shape[1] != len(labels) or len(labels) < 2 or not is_bias(labels[0]):
        raise MeasurementFileError(
            "A table of spectra has a name for each column, first the bias with its unit.",
            f"{table.shape[1]} columns, {', '.join(labels)[:80]}",
            "Name every column in the first line, the bias first, with its unit: bias (mV); or"
            " begin that line with # if an image follows.",
        )
    if join is not None:
        table = join(table.T).T
    bias, turned = biases(table[:, 0], label_and_unit(labels[0])[1])
    channels = [
        Channel(*label_and_unit(label), values[:: -1 if turned else 1], SPECTRUM)
        for label, values in zip(labels[1:], table.T[1:], strict=True)
    ]
    return dataset(source_format, channels, bias=bias, attributes=attributes)


def is_bias(label: str) -> bool:
    """Whether the name of a column says that it is the bias."""
    words = label.lower().replace("(", " ").split()
    return bool(words) and words[0] in ("bias", "v", "voltage")
