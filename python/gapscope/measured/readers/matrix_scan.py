"""Images, spectra and grids of spectra of Matrix, put together from values and parameters."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.finished import UNFINISHED
from gapscope.measured.readers.limits import MAX_SIDE, check_pixels
from gapscope.measured.readers.matrix_experiment import Experiment, damaged
from gapscope.measured.readers.recording import (
    BACKWARD,
    GRID,
    SPECTRUM,
    Channel,
    biases,
    dataset,
    lengths,
)

VOLTS, METRES = "Volt", "Meter"
EXPORT = "Export it from the instrument's own program, or as Gwyddion's .gwy."


def _settings(held: Experiment) -> tuple[dict[str, float | str], dict[str, float | str]]:
    """What the file states of all channels, and of forward ones alone.

    Bias and set point of backward lines may be others (``Alternate``): then each is told of the
    forward channels alone.
    """
    everywhere: dict[str, float | str] = {}
    forward: dict[str, float | str] = {}
    bias = held.number("GapVoltageControl.Voltage", VOLTS)
    if bias is not None:
        other = held.number("GapVoltageControl.Enable_Alternate_Voltage")
        (forward if other else everywhere)["bias"] = bias * 1e3
    if held.number("Regulator.Feedback_Loop_Enabled") == 0:
        everywhere["feedback"] = "off"
    elif held.parameters.get("Regulator.Setpoint_1", (0, ""))[1] == "Ampere":
        other = held.number("Regulator.Enable_Alternate_Setpoint_1")
        setpoint = held.needed("Regulator.Setpoint_1")
        (forward if other else everywhere)["current"] = setpoint * 1e12
    return everywhere, forward


def _frame(held: Experiment) -> tuple[int, int, float, float]:
    """Columns, rows, width and height in nm of the scan."""
    if held.number("XYScanner.Zoom") not in (None, 1.0):
        raise MeasurementFileError(
            "A scan of Matrix is not zoomed.", f"Zoom {held.number('XYScanner.Zoom')}", EXPORT
        )
    columns, rows = _count(held, "XYScanner.Points"), _count(held, "XYScanner.Lines")
    width, height = (held.needed(f"XYScanner.{side}", METRES) * 1e9 for side in ("Width", "Height"))
    return columns, rows, width, height


def _count(held: Experiment, key: str) -> int:
    value = held.needed(key)
    if not 1 <= value <= MAX_SIDE:
        raise damaged(f"{key} {value}")
    return int(value)


def image(
    held: Experiment,
    name: str,
    unit: str,
    values: NDArray[np.float64],
    finished: bool,
    attributes: dict[str, float | str],
) -> xr.Dataset:
    """The image of a data file, up and then down.

    Raises
    ------
    MeasurementFileError : another number of lines than the scan has, or no size.
    """
    columns, rows, width, height = _frame(held)
    check_pixels(rows, columns)
    back = bool(held.needed("XYScanner.X_Retrace"))
    returns = bool(held.needed("XYScanner.Y_Retrace"))
    everywhere, forward = _settings(held)
    scans = _scans(values, (1 + back, columns), rows * (1 + returns), rows, finished)
    channels = []
    for label, scan in zip((name, f"{name} down"), scans, strict=False):
        channels.append(Channel(label, unit, scan[:, 0], conditions=forward))
        if back:
            channels.append(Channel(label + BACKWARD, unit, scan[:, 1, ::-1]))
    return dataset(
        "matrix",
        channels,
        lengths(columns, width / columns),
        lengths(len(scans[0]), height / rows),
        attributes={**everywhere, **attributes, **_angle(held), **_unfinished(scans, rows)},
    )


def _scans(
    values: NDArray[np.float64], line: tuple[int, ...], most: int, rows: int, finished: bool
) -> list[NDArray[np.float64]]:
    """The scan upwards, and downwards where it began, as (y, *line), the first row the lowest.

    A scan that was stopped on its way up has its whole lines alone, if ``finished``; on its way
    down, what was not measured is NaN. Memory is no more than twice what the file holds.
    """
    lines = len(values) // math.prod(line)
    if lines > most or (finished and lines < 2):
        raise MeasurementFileError(
            "A data file of Matrix holds lines of its scan, at most all.",
            f"{len(values)} values, {lines} of {most} lines",
            "Copy the file again, with the parameter file of its own experiment.",
        )
    if lines < rows and not finished:
        raise MeasurementFileError(
            "A scan of Matrix has all its lines, at least upwards.",
            f"{lines} of {rows} lines",
            "Of a scan that was stopped, --finished or open(path, finished=True) keeps the whole"
            " lines.",
        )
    whole = values[: lines * math.prod(line)].reshape(lines, *line)
    if lines <= rows:
        return [whole]
    down = np.full((rows, *line), np.nan)
    down[2 * rows - lines :] = whole[rows:][::-1]
    return [whole[:rows], down]


def _unfinished(scans: list[NDArray[np.float64]], rows: int) -> dict[str, float | str]:
    lines = len(scans[0])
    return {UNFINISHED: rows - lines} if lines < rows else {}


def _angle(held: Experiment) -> dict[str, float | str]:
    angle = held.number("XYScanner.Angle", "Degree")
    return {} if angle is None else {"scan_angle": angle}


def spectra(
    held: Experiment,
    name: str,
    unit: str,
    values: NDArray[np.float64],
    finished: bool,
    attributes: dict[str, float | str],
) -> xr.Dataset:
    """A spectrum, or one at each point of a grid within a scan (``Subgrid``).

    Raises
    ------
    MeasurementFileError : another number of points than the sweeps have, or no sweep of the bias.
    """
    device = next(
        (
            f"Spectroscopy.Device_{i}"
            for i in (1, 2)
            if held.parameters.get(f"Spectroscopy.Device_{i}_Start", (0, ""))[1] == VOLTS
        ),
        "",
    )
    if not device:
        raise damaged("no device of spectroscopy in volts")
    points = _count(held, f"{device}_Points")
    start, end = (held.needed(f"{device}_{one}", VOLTS) for one in ("Start", "End"))
    sweep, turned = biases(np.linspace(start, end, points), "V")
    ramp = held.number(device.replace("Device", "Enable_Device") + "_Ramp_Reversal")
    ramps = 2 if ramp and len(values) > points else 1
    everywhere, _ = _settings(held)
    attributes = {**{key: one for key, one in everywhere.items() if key != "bias"}, **attributes}
    order = slice(None, None, -1 if turned else 1)
    if len(values) <= ramps * points:
        curve = np.full(ramps * points, np.nan)
        curve[: len(values)] = values
        there, *back = curve.reshape(ramps, points)
        found = [Channel(name, unit, there[order], SPECTRUM)]
        found += [Channel(f"{name} retrace", unit, one[::-1][order], SPECTRUM) for one in back]
        return dataset("matrix", found, bias=sweep, attributes=attributes)
    if not held.number("XYScanner.Enable_Subgrid"):
        raise MeasurementFileError(
            "A spectrum has as many points as its sweep, or twice as many with the ramp back.",
            f"{len(values)} values, {points} points",
            "Use spectra that were taken once at each place: with one repetition.",
        )
    return _grid(held, (name, unit), values, ramps, (sweep, order), finished, attributes)


def _grid(
    held: Experiment,
    about: tuple[str, str],
    values: NDArray[np.float64],
    ramps: int,
    axis: tuple[NDArray[np.float64], slice],
    finished: bool,
    attributes: dict[str, float | str],
) -> xr.Dataset:
    """Spectra on every n-th pixel of every m-th line, line after line as they were scanned."""
    (name, unit), (sweep, order) = about, axis
    columns, rows, width, height = _frame(held)
    every_x, every_y = (_count(held, f"XYScanner.Subgrid_{one}") for one in "XY")
    across, up = math.ceil(columns / every_x), math.ceil(rows / every_y)
    check_pixels(up, across, len(sweep))
    match = held.number("XYScanner.Subgrid_Match_Mode") or 0
    both = bool(held.needed("XYScanner.X_Retrace")) and match == 0
    backward = bool(held.needed("XYScanner.X_Retrace")) and match not in (0, 1)
    returns = bool(held.needed("XYScanner.Y_Retrace"))
    scans = _scans(values, (1 + both, across, ramps, len(sweep)), (1 + returns) * up, up, finished)
    channels = []
    for down, scan in enumerate(scans):
        for sweep_back in range(1 + both):
            leftwards = backward or sweep_back == 1
            for ramp in range(ramps):
                label = name + " retrace" * ramp + " down" * down + BACKWARD * leftwards
                one = scan[:, sweep_back, :: -1 if leftwards else 1, ramp, :: -1 if ramp else 1]
                channels.append(Channel(label, unit, one[..., order], GRID))
    return dataset(
        "matrix",
        channels,
        lengths(across, width / columns * every_x),
        lengths(len(scans[0]), height / rows * every_y),
        sweep,
        {**attributes, **_angle(held), **_unfinished(scans, up)},
    )
