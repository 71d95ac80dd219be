"""The lines of a scan that were finished, where it was stopped before its end."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError

UNFINISHED = "unfinished_lines"
"""Attribute: how many lines were left out."""


def finished_lines(dataset: xr.Dataset) -> xr.Dataset:
    """The most successive whole lines of a scan that were measured, in all of its maps.

    What was not is NaN, or, as some programs fill a scan, one value on all lines of an edge.
    Coordinates stay those of the whole scan, in nm. The attribute unfinished_lines counts the lines
    that were left out, if any were. Maps in which nothing was measured do not count; to look at
    some channels alone, give ``dataset[[name, ...]]``.

    Parameters
    ----------
    dataset : result of :func:`gapscope.measured.open`, maps over (y, x) or (y, x, bias), lines
        along x.

    Raises
    ------
    MeasurementFileError : no line was finished.
    """
    maps = [one for one in dataset.values() if one.dims[:1] == ("y",)]
    measured = [was_measured(one.values).reshape(len(one), -1) for one in maps]
    whole = [one.all(axis=1) for one in measured if one.any()]
    if not whole:
        return dataset
    finished = np.logical_and.reduce(whole)
    edges = np.flatnonzero(np.diff(finished, prepend=False, append=False)).reshape(-1, 2)
    if not len(edges):
        raise MeasurementFileError(
            "An unfinished scan has at least one finished line.",
            f"none of {len(finished)}",
            "Measure it again; or choose channels that were, as dataset[[name]].",
        )
    first, end = (int(edge) for edge in edges[np.diff(edges).argmax()])
    left_out = len(finished) - (end - first)
    if not left_out:
        return dataset
    before = dataset.attrs.get(UNFINISHED, 0)
    return dataset.isel(y=slice(first, end)).assign_attrs({UNFINISHED: before + left_out})


def was_measured(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values of a map, lines first, were measured.

    Not those that are not finite, nor the lines of an edge that all hold one value, two or more,
    with what has it of the next line; unless nothing else was measured.
    """
    rows = values.reshape(len(values), -1)
    found = np.isfinite(rows)
    for one, kept in ((rows, found), (rows[::-1], found[::-1])):
        blank = next((n for n, line in enumerate(one) if np.any(line != one[0, 0])), len(one))
        rest = one[blank:]
        if blank >= 2 and np.any(np.isfinite(rest) & (rest != one[0, 0])):
            kept[:blank] = False
            begun = one[blank] == one[0, 0]
            kept[blank] &= ~begun if begun.sum() > 1 else True
    return found.reshape(values.shape)
