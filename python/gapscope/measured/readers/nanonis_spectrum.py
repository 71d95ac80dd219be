"""Nanonis spectroscopy files, .dat: a header, and a table of channels against the bias."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import ReadOptions
from gapscope.measured.readers.nanonis import harmonic, moment, settings, split_header
from gapscope.measured.readers.nanonis_sweep import MODULE, Sweep, disagreement, segmented, stated
from gapscope.measured.readers.table import is_bias, spectra, text_lines

END = b"\n[DATA]"
MARGIN = 0.02
"""Part of the range by which calibrated bias values may leave what was set."""


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a .dat of Nanonis does, or holds the line before its table."""
    return head.startswith(b"Experiment\t") or END in head


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The channels of a .dat file over bias.

    The bias is the first column; where a table has none, it is the sweep that the header of bias
    spectroscopy states. Where segments of a sweep meet and were measured twice, the mean is taken.

    Raises
    ------
    MeasurementFileError : no table, a table against something else than the bias, a bias outside of
        the sweep that the header states, or a cut line.
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
    labels, lines = table[0].split("\t"), table[1:]
    told = _sweep(header, len(lines))
    attributes |= told.stated if told is not None else {}
    if told is not None and not is_bias(labels[0]) and told.points == len(lines):
        labels = [f"Bias ({told.unit})", *labels]
        lines = [f"{bias!r}\t{line}" for bias, line in zip(told.measured, lines, strict=True)]
    join = told.merged if told is not None and told.points == len(lines) else None
    found = spectra("nanonis-dat", labels, lines, "\t", attributes, join)
    if told is not None and told.unit == "V":
        _check_within(told, found["bias"].values * 1e-3)
    for name in found:
        found[name].attrs |= harmonic(header, str(name))
    return found


def _sweep(header: dict[str, str], points: int) -> Sweep | None:
    """The sweep that the header of bias spectroscopy states, None where it states none."""
    if header.get("Experiment", "").strip().lower() != "bias spectroscopy":
        return None
    if header.get(f"{MODULE} mode", "").strip().upper() == "MLS":
        return segmented(header, points)
    ends = stated(header)
    return None if ends is None else Sweep(np.linspace(*ends, points), "V", points)


def _check_within(told: Sweep, held: NDArray[np.float64]) -> None:
    """Sweeps may be cut short, and the bias calibrated, but they stay within what was set."""
    low, high = float(told.values.min()), float(told.values.max())
    near = MARGIN * (high - low)
    if held[0] < low - near or held[-1] > high + near:
        raise disagreement((low, high), (float(held[0]), float(held[-1])))
