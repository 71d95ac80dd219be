"""Intervals of unknowns on lines, circles and logarithmic scales, and how far off answers are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.problem.paper import predicted_problem
from gapscope.problem.problem import Problem
from gapscope.problem.unknown import Unknown

Array = NDArray[np.float64]
Interval = tuple[Array, Array]
"""Lower and upper ends, (samples,) each."""


def errors(predictions: xr.Dataset) -> dict[str, NDArray[np.float64]]:
    """Nonconformity scores of predictions that stand beside their truth; see the
    ``scores`` of :class:`gapscope.learning.uncertainty.calibration.Calibration`."""
    truth = predictions["true_label"].values
    right = predictions["probability"].values[np.arange(len(truth)), truth]
    found = {
        one.name: distance(
            one, predictions[one.name].values, predictions[f"true_{one.name}"].values
        )
        for one in predicted_problem(predictions.attrs).shown
    }
    return {"irrep": 1 - right.astype(np.float64), **found}


def distance(unknown: Unknown, values: Array, truth: Array) -> Array:
    """How far values are from the truth: in the unknown's unit, on a circle the shorter way round;
    on a logarithmic scale |log(value / truth)|."""
    if unknown.scale == "logarithmic":
        return np.asarray(np.abs(np.log(values / truth)))
    return unknown.error(values, truth)


def around(unknown: Unknown, values: Array, width: Array) -> Interval:
    """Lower and upper ends of what is no farther from values than a :func:`distance`."""
    if unknown.scale == "logarithmic":
        return values * np.exp(-width), values * np.exp(width)
    low = values - width
    return np.maximum(low, 0) if unknown.positive else low, values + width


def outside_ranges(
    problem: Problem, intervals: Mapping[str, Interval], samples: int
) -> NDArray[np.str_]:
    """Of each sample the names of unknowns whose whole interval lies outside of the range that the
    network has learned from, joined by commas; "" where there are none."""
    outside: list[list[str]] = [[] for _ in range(samples)]
    for name, (low, high) in intervals.items():
        for row in np.flatnonzero(problem.unknown(name).outside(low, high)):
            outside[row].append(name)
    return np.array([", ".join(one) for one in outside], np.str_)
