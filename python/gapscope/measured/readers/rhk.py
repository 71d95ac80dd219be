"""RHK files, .sm4 of version 5 (XPMPro and R9): images, and spectra against the bias."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import (
    MAX_SIDE,
    MAX_VALUES,
    NANOMETRES,
    ReadOptions,
    check_content,
    check_pixels,
    library,
)
from gapscope.measured.readers.recording import (
    CURVES,
    GRID,
    SPECTRUM,
    Channel,
    biases,
    dataset,
    lengths,
)
from gapscope.measured.readers.rhk_pages import (
    BIAS_SPECTRUM,
    IMAGE,
    LINES_DONE,
    UNIT_X,
    UNIT_Y,
    UNIT_Z,
    Page,
    find_pages,
)

Settings = dict[str, float | str]

SIGNATURE = "STiMage 005.".encode("utf-16-le")
OFF_GRID = 0.1
"""Farthest that a spectrum of a grid lies from its place there, in steps."""


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as an .sm4 of version 5 does."""
    return head.startswith(SIGNATURE, 2)


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The pages of an .sm4 file by their labels, images or spectra.

    Images lie as the signs of their steps say, grids of spectra as the places of the spectra say;
    backward sweeps are stored over the same axis as forward ones. Lines of an image after the last
    completed one are NaN, and so are the points at the end of spectra that all pages hold as zero:
    R9 leaves them so where it was stopped. Spectra whose label an image has too are NAME_spectra;
    with n sweeps at each point of a grid they are NAME 0 to NAME n-1. Bias and current are left out
    where the pages differ in them. A dataset has one size: pages that are no images are left out
    where there are some, then those that are no spectra against the bias; where the others differ
    in theirs, ``given.variable`` names one, or one of the n sweeps of a grid.

    Raises
    ------
    MeasurementFileError : no such page or sweep, pages of several sizes, axes that are no lengths
        or no bias, or parts that do not lie in the file.
    """
    given.refuse_scale()
    with library("The reader of .sm4 files"):
        pages = find_pages(content)
    wanted = given.variable
    named = {name: page for name, page in pages.items() if wanted in (None, name)}
    if wanted is not None and not named:
        page_name = wanted.rpartition(" ")[0]
        if page_name not in pages:
            raise _unknown(wanted, pages)
        whole = read(content, replace(given, variable=page_name))
        if wanted not in whole:
            raise _unknown(wanted, [str(name) for name in whole])
        return whole[[wanted]]
    images = {name: page for name, page in named.items() if page.is_image}
    sweeps = {name: page for name, page in named.items() if page.is_sweep}
    chosen = images or sweeps or named
    if len({page.frame for page in chosen.values()}) != 1:
        told = (f"{name} ({page.rows} x {page.columns})" for name, page in pages.items())
        raise MeasurementFileError(
            "Pages of one size and scale are opened together.",
            ", ".join(told)[:300] or "no image or spectrum",
            "open(path, variable=...), or --variable",
        )
    first = next(iter(chosen.values()))
    if len(chosen) * first.rows * first.columns > MAX_VALUES:
        raise MeasurementFileError(
            f"A file has at most {MAX_VALUES} values.",
            f"{len(chosen)} pages of {first.rows} x {first.columns}",
            "open(path, variable=...), or --variable"
            if len(chosen) > 1
            else "Export a part of it.",
        )
    others = ", ".join(name for name in named if name not in chosen)[:300]
    left_out: Settings = {"left_out": others} if others else {}
    if first.kind == IMAGE:
        return _images(first, chosen, left_out)
    angles = sorted({page.angle for page in pages.values() if page.is_image})
    alike = [page for page in pages.values() if page.frame == first.frame]
    return _spectra(first, chosen, angles, _measured(alike), left_out)


def _unknown(wanted: str, names: Iterable[str]) -> MeasurementFileError:
    return MeasurementFileError(
        "A variable of an .sm4 file is one of its pages, or one sweep of a grid.",
        f"{wanted[:80]}, of {', '.join(names)[:300]}",
        "Name one of them: open(path, variable=...), or --variable",
    )


def _measured(pages: list[Page]) -> int:
    """How many points of spectra were measured; those behind them are zero in all pages.

    A single last zero may be a value.
    """
    filled = np.logical_or.reduce([page.counts.reshape(-1) != 0 for page in pages])
    done = int(np.flatnonzero(filled)[-1]) + 1 if filled.any() else 0
    return done if filled.size - done > 1 else filled.size


def _images(first: Page, pages: dict[str, Page], left_out: Settings) -> xr.Dataset:
    check_pixels(first.rows, first.columns)
    units = first.texts[UNIT_X], first.texts[UNIT_Y]
    if not first.is_image:
        raise MeasurementFileError(
            "A measured image is in real space, its sides are lengths.",
            f"units {units[0][:40]!r} and {units[1][:40]!r}",
            "Choose another page: open(path, variable=...), or --variable",
        )
    step_x, step_y = first.steps[:2]
    channels = []
    for name, page in pages.items():
        values, done = page.values, page.texts[LINES_DONE]
        if done.isdecimal() and int(done) > 0:
            (values.T if page.vertical else values)[int(done) :] = np.nan
        channels.append(Channel(name, page.texts[UNIT_Z], _upright(values, step_x, step_y)))
    return dataset(
        "rhk-sm4",
        channels,
        lengths(first.columns, abs(step_x) * NANOMETRES[units[0]]),
        lengths(first.rows, abs(step_y) * NANOMETRES[units[1]]),
        attributes={**_settings(pages), "scan_angle": first.angle, **left_out},
    )


def _upright(values: NDArray[np.number], step_x: float, step_y: float) -> NDArray[np.number]:
    return values[:: -1 if step_y < 0 else 1, :: -1 if step_x < 0 else 1]


def _spectra(
    first: Page, pages: dict[str, Page], angles: list[float], done: int, left_out: Settings
) -> xr.Dataset:
    """Spectra of which the first ``done`` points were measured, one sweep after the other, and the
    angles of the images beside them."""
    points, sweeps = first.columns, first.rows
    if first.line != BIAS_SPECTRUM or not 1 <= points <= MAX_SIDE or sweeps < 1:
        raise MeasurementFileError(
            f"Spectra are taken against the bias, at 1 to {MAX_SIDE} values of it.",
            f"{sweeps} lines of type {first.line} with {points} points",
            "Use a file of bias spectroscopy, or a page of it: open(path, variable=...), or"
            " --variable",
        )
    start, step = map(_decimal, (first.start_x, first.steps[0]))
    axis = np.round(start + step * np.arange(points), 12)
    bias, turned = biases(axis, first.texts[UNIT_X])
    found = []
    for name, page in pages.items():
        values = page.values
        values.reshape(-1)[done:] = np.nan
        found.append(Channel(name, page.texts[UNIT_Z], values[:, :: -1 if turned else 1], CURVES))
    if all(first.grid):
        return _grid(first, found, bias, angles, {**_settings(pages), **left_out})
    if sweeps == 1:
        found = [Channel(each.name, each.units, each.values[0], SPECTRUM) for each in found]
    return dataset("rhk-sm4", found, bias=bias, attributes={**_settings(pages), **left_out})


def _decimal(number: float) -> float:
    """The number of a header, of 32 bits, as it was typed: 0.005, not 0.004999999888."""
    return float(str(np.float32(number)))


def _settings(pages: dict[str, Page]) -> Settings:
    first, *others = [page.attributes for page in pages.values()]
    return {
        key: value
        for key, value in first.items()
        if key == "recorded" or all(other.get(key) == value for other in others)
    }


def _grid(
    first: Page,
    curves: list[Channel],
    bias: NDArray[np.float64],
    angles: list[float],
    settings: Settings,
) -> xr.Dataset:
    """Spectra over (y, x, bias), where their places form a grid, along the axes of an image or by
    an angle of its own."""
    columns, rows = first.grid
    check_pixels(rows, columns)
    each = max(first.rows // (rows * columns), 1)
    check_content(first.rows, each * rows * columns, "spectra")
    with library("The reader of .sm4 files"):
        places = first.places.reshape(rows, columns, each, 2)
    steps = [(_steps(places, one), one) for one in (*angles, _own_angle(places))]
    (off, step_x, step_y), angle = next((x for x in steps if x[0][0] <= OFF_GRID), steps[-1])
    if not off <= OFF_GRID:
        raise MeasurementFileError(
            "The spectra of a grid lie in rows and columns at right angles.",
            f"up to {off:.3g} steps off, at steps of {step_x * 1e9:.3g} and {step_y * 1e9:.3g} nm",
            "Open the file's other pages by their names: open(path, variable=...), or --variable."
            " Export this one as a table in text.",
        )
    channels = []
    for curve in curves:
        blocks = _upright(curve.values.reshape(rows, columns, each, -1), step_x, step_y)
        channels += [
            Channel(f"{curve.name} {k}" if each > 1 else curve.name, curve.units, block, GRID)
            for k, block in enumerate(np.moveaxis(blocks, 2, 0))
        ]
    return dataset(
        "rhk-sm4",
        channels,
        lengths(columns, abs(step_x) * 1e9),
        lengths(rows, abs(step_y) * 1e9),
        bias,
        {**settings, "scan_angle": angle},
    )


def _own_angle(places: NDArray[np.float64]) -> float:
    """Angle of the first row in degrees, from -90 to 90: turned by half a turn it is the same grid,
    measured the other way."""
    x, y = places[0, -1, 0] - places[0, 0, 0]
    return float(np.degrees(np.arctan2(y * np.sign(x) if x else y, abs(x))))


def _steps(places: NDArray[np.float64], angle: float) -> tuple[float, float, float]:
    """How many steps places are off a grid along axes turned by the angle, at most, and its steps
    in m from column to column and from row to row."""
    rows, columns = places.shape[:2]
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turned = places @ np.array([[cosine, -sine], [sine, cosine]])
    x, y = turned[..., 0], turned[..., 1]
    step_x = (x[0, -1, 0] - x[0, 0, 0]) / (columns - 1)
    step_y = (y[-1, 0, 0] - y[0, 0, 0]) / (rows - 1)
    off_x = x - x[0, 0, 0] - step_x * np.arange(columns)[None, :, None]
    off_y = y - y[0, 0, 0] - step_y * np.arange(rows)[:, None, None]
    off = max(np.abs(off_x).max(), np.abs(off_y).max()) / min(abs(step_x), abs(step_y))
    return float(off), float(step_x), float(step_y)
