"""The numbers of the paper's Table I, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.problem.paper import predicted_problem

LEVEL = 0.95
RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean over samples and its bootstrap interval at LEVEL."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One class: hit rate in %, and mean absolute errors of the unknowns that it has, by name."""

    label: str
    samples: int
    hit: Estimate
    errors: Mapping[str, Estimate]


def table(predictions: xr.Dataset, seed: int = 0) -> tuple[Row, ...]:
    """Table I of predictions with their truth: hits and errors over each true class's samples."""
    label, truth = predictions["label"].values, predictions["true_label"].values
    problem = predicted_problem(predictions.attrs)
    errors = {
        one.name: one.error(predictions[one.name].values, predictions[f"true_{one.name}"].values)
        for one in problem.shown
    }
    rows = []
    for index in np.unique(truth):
        chosen = np.flatnonzero(truth == index)
        picks = np.random.default_rng([seed, index]).integers(
            len(chosen), size=(RESAMPLES, len(chosen))
        )
        hit = _estimate(100.0 * (label == truth)[chosen], picks)
        known = {
            name: _estimate(values[chosen], picks)
            for name, values in errors.items()
            if problem.has(name)[index]
        }
        rows.append(Row(problem.labels[index], len(chosen), hit, known))
    return tuple(rows)


def accuracy(predictions: xr.Dataset) -> float:
    """Fraction of all samples whose most probable class is the true one."""
    return float((predictions["label"] == predictions["true_label"]).mean())


def _estimate(values: NDArray[np.float64], picks: NDArray[np.int64]) -> Estimate:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values[picks].mean(axis=1), (tail, 1 - tail))
    return Estimate(float(values.mean()), float(low), float(high))
