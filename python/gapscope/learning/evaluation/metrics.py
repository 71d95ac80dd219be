"""The numbers of the paper's Table I, with bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.learning.data.targets import circular_error
from gapscope.physics import LABELS

LEVEL = 0.95
RESAMPLES = 2000
MEV_PER_EV = 1000.0


@dataclass(frozen=True)
class Estimate:
    """A mean over samples and its bootstrap interval at LEVEL."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One class: hit rate in %, mean absolute errors in meV, rad (None: no angle) and eV."""

    label: str
    samples: int
    hit: Estimate
    gap: Estimate
    theta: Estimate | None
    eps0: Estimate


def table(predictions: xr.Dataset, seed: int = 0) -> tuple[Row, ...]:
    """Table I of predictions with their truth: hits and errors over each true class's samples."""
    label, truth = predictions["label"].values, predictions["true_label"].values
    columns = {
        "hit": 100.0 * (label == truth),
        "gap": np.abs(_error(predictions, "gap")),
        "theta": circular_error(predictions["theta"].values, predictions["true_theta"].values),
        "eps0": np.abs(_error(predictions, "eps0")) / MEV_PER_EV,
    }
    rows = []
    for index in np.unique(truth):
        chosen = np.flatnonzero(truth == index)
        picks = np.random.default_rng([seed, index]).integers(
            len(chosen), size=(RESAMPLES, len(chosen))
        )
        estimates = {name: _estimate(values[chosen], picks) for name, values in columns.items()}
        rows.append(
            Row(
                label=LABELS[index],
                samples=len(chosen),
                hit=estimates["hit"],
                gap=estimates["gap"],
                theta=None if np.isnan(estimates["theta"].value) else estimates["theta"],
                eps0=estimates["eps0"],
            )
        )
    return tuple(rows)


def accuracy(predictions: xr.Dataset) -> float:
    """Fraction of all samples whose most probable class is the true one."""
    return float((predictions["label"] == predictions["true_label"]).mean())


def _error(predictions: xr.Dataset, name: str) -> NDArray[np.float64]:
    return np.asarray(predictions[name].values - predictions[f"true_{name}"].values)


def _estimate(values: NDArray[np.float64], picks: NDArray[np.int64]) -> Estimate:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values[picks].mean(axis=1), (tail, 1 - tail))
    return Estimate(float(values.mean()), float(low), float(high))
