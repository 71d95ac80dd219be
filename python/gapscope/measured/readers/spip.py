"""SPIP ASCII files: a commented header with pixels and lengths in nm, then rows from the top."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    ReadOptions,
    check_content,
    check_pixels,
    missing,
    number,
)
from gapscope.measured.readers.recording import Channel, dataset, lengths
from gapscope.measured.readers.table import numbers, text_lines

START = "# Start of Data:"
MAX_HEADER_LINES = 200


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a SPIP ASCII file does."""
    return head.startswith(b"# File Format = ASCII")


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The image of a SPIP ASCII file, as the variable ``image``.

    Where it has void pixels, a mask follows the image, 1 for those, which become NaN.

    SPIP names no unit of length: images are in nm. Its Fourier transforms have values in
    sqrt(...) and lengths in 1/nm, so they are refused.

    Raises
    ------
    MeasurementFileError : no size, other rows than the header says, or a Fourier transform.
    """
    given.refuse_scale()
    lines = text_lines(content)
    head = [line.strip() for line in lines[:MAX_HEADER_LINES]]
    if START not in head:
        raise _no_image(head)
    first = head.index(START) + 1
    parts = (line.lstrip("# ").partition("=") for line in head[:first])
    header = {key.strip(): value.strip() for key, _, value in parts}
    unit = header.get("z-unit", "nm" if "Bit2nm" in header else "").strip("[]")
    if unit.startswith("sqrt("):
        raise MeasurementFileError(
            "A measured image is in real space.",
            f"z-unit {unit[:40]}, a Fourier transform with lengths in 1/nm",
            "Open the file of the image it was made from.",
        )
    columns, rows = _pixels(header, "x-pixels"), _pixels(header, "y-pixels")
    check_pixels(rows, columns)
    width, height = number(header, "x-length"), number(header, "y-length")
    body = [line for line in lines[first:] if line.strip()]
    masked = header.get("voidpixels", "0") != "0"
    check_content(len(body), rows * (2 if masked else 1), "rows")
    values = numbers(body, None)
    check_content(values.shape[1], columns, "columns")
    values, mask = values[:rows], values[rows:]
    if masked:
        values[mask != 0.0] = np.nan
    return dataset(
        "spip-ascii",
        [Channel("image", unit, values[::-1] * _factor(header))],
        lengths(columns, width / columns),
        lengths(rows, height / rows),
    )


def _no_image(head: list[str]) -> MeasurementFileError:
    """The error for a header that ends otherwise: of a profile, or cut off."""
    rule = f"The header of an image in SPIP ASCII ends with {START!r}."
    rest = next((line for line in head if line and line[0] not in "#" and "=" not in line), None)
    if rest is None:
        remedy = "The file is cut off or damaged: copy it again."
        return MeasurementFileError(rule, "no such line", remedy)
    return MeasurementFileError(
        rule,
        f"no such line before {rest[:40]!r}: a profile, or a table",
        "Export the image itself. Spectra are read from a text of their own: the header's lines"
        " deleted, and one line of names instead, separated by tabs, the first bias (mV).",
    )


def _pixels(header: dict[str, str], key: str) -> int:
    value = number(header, key)
    if not value.is_integer():
        raise missing(header, key, "a whole number")
    return int(value)


def _factor(header: dict[str, str]) -> float:
    """Values are counts of Bit2nm nm where the header gives no z-unit."""
    return number(header, "Bit2nm") if "z-unit" not in header and "Bit2nm" in header else 1.0
