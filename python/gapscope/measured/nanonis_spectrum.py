"""Nanonis spectroscopy files, .dat: a header, and a table of channels against the bias."""

from __future__ import annotations

import xarray as xr

from gapscope.errors import MeasurementFileError
from gapscope.measured.limits import Given
from gapscope.measured.nanonis import moment, settings, split_header
from gapscope.measured.table import spectra, text_lines

END = b"\n[DATA]"


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a .dat of Nanonis does, or holds the line before its table."""
    return head.startswith(b"Experiment\t") or END in head


def read(content: bytes, given: Given) -> xr.Dataset:
    """The channels of a .dat file over bias.

    Raises
    ------
    MeasurementFileError : no table, a table against something else than the bias, or a cut line.
    """
    given.refuse_scale()
    text, end = split_header(content, END)
    header = {
        key: value.strip("\t")
        for key, _, value in (line.partition("\t") for line in text.splitlines())
    }
    table = [line for line in text_lines(content[end:]) if line.strip()]
    if not table:
        raise MeasurementFileError(
            "A table of channels follows the line [DATA].", "nothing", "Copy the file again."
        )
    attributes: dict[str, float | str] = {
        **settings(header),
        **moment(header.get("Start time") or header.get("Date") or header.get("Saved Date", "")),
    }
    return spectra("nanonis-dat", table[0].split("\t"), table[1:], "\t", attributes)
