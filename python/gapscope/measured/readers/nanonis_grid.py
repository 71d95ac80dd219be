"""Nanonis grid files, .3ds: one spectrum at each point of a grid or a line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.finished import UNFINISHED
from gapscope.measured.readers.limits import (
    MAX_SIDE,
    MAX_VALUES,
    ReadOptions,
    check_content,
    check_pixels,
    missing,
    number,
)
from gapscope.measured.readers.nanonis import (
    floats,
    harmonic,
    moment,
    scan_angle,
    settings,
    split_header,
)
from gapscope.measured.readers.nanonis_sweep import Sweep, check_ends, segmented, stated
from gapscope.measured.readers.recording import (
    CURVES,
    GRID,
    Channel,
    biases,
    dataset,
    label_and_unit,
    lengths,
)


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a .3ds does."""
    return b'\nGrid dim="' in b"\n" + head and b"\nPoints=" in head


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The channels of a .3ds file over (y, x, bias), and the height Z over (y, x).

    Points follow each other from the lower left corner along x; each has its parameters (start and
    end of the sweep, position, ...) and then its channels. A sweep is linear, or of several
    segments that the header lists. A line cut is over (curve, bias). Points that were not measured,
    whose spectra are NaN or zero, are NaN; where the file ends before them, it is read if
    ``given.finished``, up to its last whole line.

    Raises
    ------
    MeasurementFileError : no bias spectroscopy, a sweep of which the header and the points say
        different things, or data of another length, such as a grid that was stopped.
    """
    given.refuse_scale()
    text, end = split_header(content, b":HEADER_END:\r\n")
    entries = (line.partition("=") for line in text.splitlines())
    header = {key: value.strip('"') for key, _, value in entries}
    columns, rows = _sides(header)
    points, parameters = _count(header, "Points"), _count(header, "# Parameters (4 byte)")
    labels = [label for label in header.get("Channels", "").split(";") if label.strip()]
    if not labels or header.get("Filetype", "Linear") not in ("Linear", "MLS"):
        raise MeasurementFileError(
            "A grid has channels, taken in a linear or a multi-segment sweep.",
            f"Channels={header.get('Channels', '')[:80]}, Filetype={header.get('Filetype')}",
            "Use a grid of bias spectroscopy.",
        )
    if points > MAX_SIDE:
        raise missing(header, "Points", f"at most {MAX_SIDE}")
    each = parameters + len(labels) * points
    if each * rows * columns > MAX_VALUES or _count(header, "Experiment size (bytes)") != 4 * (
        each - parameters
    ):
        raise missing(header, "Experiment size (bytes)", "4 bytes for each point of each channel")
    data = floats(content, end, ">")
    lines = _whole_lines(len(data), each * columns, rows, given.finished)
    blocks = data[: lines * columns * each].reshape(lines, columns, each)
    blank = np.all(blocks[..., parameters:] == 0, axis=-1)
    if blank.any():
        blocks = blocks.copy()
        blocks[blank, parameters:] = np.nan
    sweep, swept = _sweep(header, blocks[..., :2], blocks[..., parameters:], points)
    bias, turned = biases(sweep.values, sweep.unit)
    names = [
        label_and_unit(label)
        for key in ("Fixed parameters", "Experiment parameters")
        for label in header.get(key, "").split(";")
    ]
    channels = []
    for index, label in enumerate(labels):
        first = parameters + index * points
        values = sweep.merged(blocks[..., first : first + points])[..., :: -1 if turned else 1]
        name, unit = label_and_unit(label)
        channels.append(Channel(name, unit, values, GRID, harmonic(header, name)))
    attributes: dict[str, float | str] = {
        **settings(header),
        **moment(header.get("Start time", header.get("Date", ""))),
        **sweep.stated,
        **({UNFINISHED: rows - lines} if lines < rows else {}),
    }
    if min(rows, columns) == 1:
        cut = [
            replace(one, values=one.values.reshape(-1, len(bias)), dims=CURVES) for one in channels
        ]
        return dataset("nanonis-3ds", cut, bias=bias, attributes=attributes)
    check_pixels(rows, columns)
    if ("Z", "m") in names[:parameters] and all(channel.name != "Z" for channel in channels):
        heights = np.where(swept, blocks[..., names.index(("Z", "m"))], np.nan)
        channels.append(Channel("Z", "m", heights))
    frame = header.get("Grid settings", "").split(";")
    if len(frame) != 5:
        raise missing(header, "Grid settings", "centre, width, height and angle")
    width, height = (number({"Grid settings": word}, "Grid settings") for word in frame[2:4])
    return dataset(
        "nanonis-3ds",
        channels,
        lengths(columns, width * 1e9 / columns),
        lengths(lines, height * 1e9 / rows),
        bias,
        {**attributes, "scan_angle": scan_angle({"Grid settings": frame[4]}, "Grid settings")},
    )


def _count(header: dict[str, str], key: str) -> int:
    value = number(header, key)
    if not 1 <= value <= 2**31:
        raise missing(header, key, "a positive whole number")
    return int(value)


def _sides(header: dict[str, str]) -> tuple[int, int]:
    words = header.get("Grid dim", "").split("x")
    if len(words) != 2:
        raise missing(header, "Grid dim", "columns x rows")
    columns, rows = (_count({"Grid dim": word}, "Grid dim") for word in words)
    if max(columns, rows) > MAX_SIDE:
        raise missing(header, "Grid dim", f"at most {MAX_SIDE} x {MAX_SIDE}")
    return columns, rows


def _whole_lines(values: int, line: int, rows: int, finished: bool) -> int:
    """How many lines are read of a file with so many values: all, or those that are whole."""
    lines = values // line
    if lines >= rows or (finished and lines < 2):
        check_content(values, line * rows)
    elif not finished:
        raise MeasurementFileError(
            "A file holds as much data as its header says.",
            f"{values} of {line * rows} values, {lines} of {rows} lines",
            "Copy the file again; of a grid that was stopped, --finished or open(path,"
            " finished=True) keeps the whole lines.",
        )
    return min(lines, rows)


def _sweep(
    header: dict[str, str],
    ends: NDArray[np.float32],
    values: NDArray[np.float32],
    points: int,
) -> tuple[Sweep, NDArray[np.bool_]]:
    """The common sweep of the measured points, and which points have it.

    Parameters
    ----------
    ends : first two parameters of the points (y, x, 2), start and end where they are named so; any
        of a point that was not measured.
    values : values of their channels (y, x, n), all NaN there.
    """
    measured: NDArray[np.bool_] = ~np.all(np.isnan(values), axis=-1)
    if not measured.any():
        raise MeasurementFileError(
            "A grid has points that were measured.",
            f"none of {measured.size}",
            "Use a file of a finished measurement.",
        )
    several = header.get("Filetype") == "MLS"
    if header.get("Fixed parameters") != "Sweep Start;Sweep End":
        if several:
            return segmented(header, points), measured
        raise MeasurementFileError(
            "The start and end of a grid's sweep are stored first with each point.",
            f"Fixed parameters={header.get('Fixed parameters', '')[:80]}",
            "Use a grid of bias spectroscopy.",
        )
    common = ends[measured][0]
    swept: NDArray[np.bool_] = np.all(ends == common, axis=-1)
    others = ends[measured & ~swept]
    if len(others):
        first, other = (f"{one[0]:g} to {one[1]:g}" for one in (common, others[0]))
        raise MeasurementFileError(
            "All points of a grid have the same sweep.",
            f"{first} at the first point, {other} at {len(others)} of {int(measured.sum())}",
            "Use a grid with one sweep.",
        )
    held = float(common[0]), float(common[1])
    if several:
        sweep = segmented(header, points)
        if held[0] != held[1]:
            check_ends((sweep.segments[0][0], sweep.segments[-1][1]), held)
        return sweep, swept
    unit = label_and_unit(header.get("Sweep Signal", ""))[1]
    told = stated(header)
    if told is not None and unit == "V":
        check_ends(told, held)
    return Sweep(np.linspace(*held, points), unit, points), swept
