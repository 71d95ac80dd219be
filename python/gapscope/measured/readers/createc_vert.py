"""Spectra of Createc STMs, .VERT: a text header, a line of numbers, and a table in text."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.createc import entries, settings, volts_per_count
from gapscope.measured.readers.limits import ReadOptions, check_content, missing, number
from gapscope.measured.readers.recording import BACKWARD, SPECTRUM, Channel, biases, dataset
from gapscope.measured.readers.table import numbers, text_lines

KINDS = (b"[ParVERT30]", b"[ParVERT32]")
MARK = re.compile(rb"[\0\n]DATA\r?\n")
HEADER = 2**16
"""Bytes within which the header ends; usually 16 KiB."""
CHANNELS = (
    *("I", "dI/dV", "d2I/dV2", "ADC0", "ADC1", "ADC2", "ADC3", "df", "excitation", "amplitude"),
    *("dI/dV_Y", "d2I/dV2_Y", "DAC0", "bias DAC", "none", "ADC4", "ADC5", "ADC6", "ADC7"),
)
"""What the bits of the fourth number of the line before the table select, as far as it is known."""
MOST_BITS = 32
MOST_PASSES = 100


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a .VERT of version 3 or 4 does."""
    return head.startswith(KINDS)


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The channels of a .VERT over the bias.

    Sweeps follow each other to and fro (VertSpecBack); those back are NAME_backward. Two points at
    one bias, where parts of a sweep meet, are averaged. The current has the converter's and the
    preamplifier's scale, other channels are counts. Z is what the tip was moved by, positive
    towards the sample.

    Raises
    ------
    MeasurementFileError : no table, columns that are not those of its channels, a bias that does
        not rise or fall, or sweeps at other biases than the first.
    """
    given.refuse_scale()
    mark = MARK.search(content, 0, HEADER)
    lines = text_lines(content[mark.end() :]) if mark is not None else []
    filled = [line.rstrip() for line in lines if line.strip()]
    # Of a number that is cut off, the rest may be a number, too.
    if mark is None or len(filled) < 2 or not content.endswith(b"\n"):
        raise MeasurementFileError(
            "A table of whole lines follows the line DATA of a .VERT.",
            f"{len(filled)} lines, the last bytes {content[-16:]!r}",
            "The file is cut off or damaged: copy it again.",
        )
    header = entries(content[: mark.start()])
    points, selected = _counts(filled[0])
    known = dict(enumerate(CHANNELS))
    chosen = [bit for bit in range(MOST_BITS) if selected >> bit & 1]
    names = ["V", "Z"] + [known.get(bit, f"channel {bit}") for bit in chosen]
    # White space is a tab in all files, and a comma their decimal mark in some countries.
    table = numbers([line.replace(",", ".") for line in filled[1:]], None)
    check_content(len(table), points, "rows")
    if table.shape[1] == len(names) + 2:
        names.insert(2, "X")
    if table.shape[1] != len(names) + 1:
        raise MeasurementFileError(
            "The table of a .VERT has a column for each channel, behind those of a number, the"
            " bias and Z.",
            f"{table.shape[1]} columns; {', '.join(names)}",
            "The file is damaged: copy it again.",
        )
    units = {"Z": ("m", number(header, "ZPiezoconst") * 1e-13)}
    if "I" in names:
        units["I"] = ("A", _amperes(header))
    passes = _passes(header, table[:, 1:])
    bias, _ = biases(passes[0][:, 0], "mV")
    channels = []
    for index, one in enumerate(passes):
        places, turned = biases(one[:, 0], "mV")
        if len(places) != len(bias) or not np.allclose(places, bias, rtol=0, atol=_half(bias)):
            raise MeasurementFileError(
                "All sweeps of a .VERT are at the same biases.",
                f"{len(bias)} from {bias[0]:g} to {bias[-1]:g} mV, then {len(places)} from"
                f" {places[0]:g} to {places[-1]:g} mV",
                "Save the sweeps into texts of their own.",
            )
        for name, column in zip(names[1:], one[:: -1 if turned else 1].T[1:], strict=True):
            unit, factor = units.get(name, ("DAC", 1.0))
            backward = BACKWARD if index % 2 else ""
            channels.append(Channel(name + backward, unit, factor * column, SPECTRUM))
    return dataset("createc-vert", channels, bias=bias, attributes=settings(header))


def _counts(line: str) -> tuple[int, int]:
    """How many rows the table has, and the number whose bits select its channels."""
    found = re.findall(r"-?\d+", line)
    if (
        len(found) < 4
        or any(len(word) > 10 for word in (found[0], found[3]))
        or not 0 <= int(found[3]) < 2**MOST_BITS
    ):
        raise MeasurementFileError(
            "Four numbers stand before the table of a .VERT: points, x, y and channels.",
            line[:80],
            "The file is damaged: copy it again.",
        )
    return int(found[0]), int(found[3])


def _amperes(header: Mapping[str, str]) -> float:
    """Amperes per count."""
    key = "Vertmangain" if header.get("Vertmangain") else "Gainpreamp"
    gain = number(header, key)
    if abs(gain) > 20:
        raise missing(header, key, "a power of ten from -20 to 20")
    return float(volts_per_count(header) / 10.0**gain)


def _passes(header: Mapping[str, str], table: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The sweeps one after the other, each without a bias that it has twice."""
    key = "VertSpecBack"
    count = number(header, key) + 1 if header.get(key) else 1.0
    if not count.is_integer() or not 1 <= count <= MOST_PASSES or len(table) % count:
        raise missing(header, key, f"a whole number by which {len(table)} rows are divided")
    return [_merged(one) for one in np.split(table, int(count))]


def _merged(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows with the mean of two that follow each other at one bias."""
    twice = np.flatnonzero(np.diff(table[:, 0]) == 0.0)
    if np.any(np.diff(twice) == 1):
        raise MeasurementFileError(
            "The bias rises or falls from point to point.",
            f"the same bias, {table[twice[0], 0]:g} mV, at more than two points",
            "Use a file of bias spectroscopy.",
        )
    table = table.copy()
    table[twice] = 0.5 * (table[twice] + table[twice + 1])
    return np.delete(table, twice + 1, axis=0)


def _half(bias: NDArray[np.float64]) -> float:
    """Half the smallest step of an increasing axis."""
    return 0.5 * float(np.diff(bias).min()) if len(bias) > 1 else 0.0
