"""Nanonis grid files, .3ds: one spectrum at each point of a grid or a line."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.assemble import (
    CURVES,
    GRID,
    Channel,
    biases,
    dataset,
    label_and_unit,
    lengths,
)
from gapscope.measured.finished import UNFINISHED
from gapscope.measured.limits import (
    MAX_SIDE,
    MAX_VALUES,
    Given,
    check_content,
    check_pixels,
    missing,
    number,
)
from gapscope.measured.nanonis import floats, moment, settings, split_header


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a .3ds does."""
    return b'\nGrid dim="' in b"\n" + head and b"\nPoints=" in head


def read(content: bytes, given: Given) -> xr.Dataset:
    """The channels of a .3ds file over (y, x, bias), and the height Z over (y, x).

    Points follow each other from the lower left corner along x; each has its parameters (start and
    end of the sweep, position, ...) and then its channels. A line cut is over (curve, bias). Points
    that were not measured are NaN; where the file ends before them, it is read if
    ``given.finished``, up to its last whole line.

    Raises
    ------
    MeasurementFileError : no bias spectroscopy with one linear sweep, or data of another length,
        such as a grid that was stopped.
    """
    given.refuse_scale()
    text, end = split_header(content, b":HEADER_END:\r\n")
    entries = (line.partition("=") for line in text.splitlines())
    header = {key: value.strip('"') for key, _, value in entries}
    columns, rows = _sides(header)
    points, parameters = _count(header, "Points"), _count(header, "# Parameters (4 byte)")
    labels = [label for label in header.get("Channels", "").split(";") if label.strip()]
    if not labels or header.get("Filetype", "Linear") != "Linear":
        raise MeasurementFileError(
            "A grid has channels, taken in one linear sweep.",
            f"Channels={header.get('Channels', '')[:80]}, Filetype={header.get('Filetype')}",
            "Multi-segment sweeps are not read: export the segments.",
        )
    each = parameters + len(labels) * points
    if each * rows * columns > MAX_VALUES or _count(header, "Experiment size (bytes)") != 4 * (
        each - parameters
    ):
        raise missing(header, "Experiment size (bytes)", "4 bytes for each point of each channel")
    data = floats(content, end, ">")
    lines = _whole_lines(len(data), each * columns, rows, given.finished)
    blocks = data[: lines * columns * each].reshape(lines, columns, each)
    sweep, swept = _sweep(header, blocks[..., :2], blocks[..., parameters:])
    bias, turned = _bias(header, sweep, points)
    names = [
        label_and_unit(label)
        for key in ("Fixed parameters", "Experiment parameters")
        for label in header.get(key, "").split(";")
    ]
    channels = []
    for index, label in enumerate(labels):
        first = parameters + index * points
        values = blocks[..., first : first + points][..., :: -1 if turned else 1]
        channels.append(Channel(*label_and_unit(label), values, GRID))
    attributes: dict[str, float | str] = {
        **settings(header),
        **moment(header.get("Start time", header.get("Date", ""))),
        **({UNFINISHED: rows - lines} if lines < rows else {}),
    }
    if min(rows, columns) == 1:
        cut = [Channel(c.name, c.units, c.values.reshape(-1, points), CURVES) for c in channels]
        return dataset("nanonis-3ds", cut, bias=bias, attributes=attributes)
    check_pixels(rows, columns)
    if ("Z", "m") in names[:parameters] and all(channel.name != "Z" for channel in channels):
        heights = np.where(swept, blocks[..., names.index(("Z", "m"))], np.nan)
        channels.append(Channel("Z", "m", heights))
    frame = header.get("Grid settings", "").split(";")
    if len(frame) != 5:
        raise missing(header, "Grid settings", "centre, width, height and angle")
    width, height, angle = (number({"Grid settings": word}, "Grid settings") for word in frame[2:])
    return dataset(
        "nanonis-3ds",
        channels,
        lengths(columns, width * 1e9 / columns),
        lengths(lines, height * 1e9 / rows),
        bias,
        {**attributes, "scan_angle": angle},
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
    header: dict[str, str], sweeps: NDArray[np.float32], values: NDArray[np.float32]
) -> tuple[tuple[float, float], NDArray[np.bool_]]:
    """The common start and end of the measured points, and which points have them.

    Parameters
    ----------
    sweeps : first two parameters of the points (y, x, 2); any of a point that was not measured.
    values : of their channels (y, x, n), all NaN there.
    """
    measured = ~np.isnan(values).all(axis=-1)
    if not measured.any():
        raise MeasurementFileError(
            "A grid has points that were measured.",
            f"none of {measured.size}",
            "Use a file of a finished measurement.",
        )
    common = sweeps[measured][0]
    swept = (sweeps == common).all(axis=-1)
    others = sweeps[measured & ~swept]
    if header.get("Fixed parameters") != "Sweep Start;Sweep End" or len(others):
        first, other = (f"{one[0]:g} to {one[1]:g}" for one in (common, [*others, common][0]))
        raise MeasurementFileError(
            "All points of a grid have the same sweep, whose start and end are stored first.",
            f"Fixed parameters={header.get('Fixed parameters', '')[:80]}; {first} at the first"
            f" point, {other} at {len(others)} of {int(measured.sum())}",
            "Use a grid with one sweep.",
        )
    return (float(common[0]), float(common[1])), swept


def _bias(
    header: dict[str, str], sweep: tuple[float, float], points: int
) -> tuple[NDArray[np.float64], bool]:
    """The common bias axis of all points, and whether it was turned round."""
    if points > MAX_SIDE:
        raise missing(header, "Points", f"at most {MAX_SIDE}")
    unit = label_and_unit(header.get("Sweep Signal", ""))[1]
    return biases(np.linspace(*sweep, points), unit)
