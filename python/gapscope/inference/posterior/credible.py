"""Credible sets of one unknown: the regions of highest density, also on circles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Array = NDArray[np.float64]
BINS_PER_WIDTH = 4
MOST_BINS = 2**17


def credible_set(
    values: Array, weights: Array, level: float, period: float = 0.0, effective: float = 1000.0
) -> list[tuple[float, float]]:
    """Intervals that hold a share ``level`` of the weight, where it is densest.

    The density is that of a histogram smoothed by a normal distribution. Counted without smoothing,
    a region chosen for its points would seem to hold more than it does.

    Parameters
    ----------
    values, weights : (n,), weights adding up to one.
    period : of a circle, on which an interval may lead over its end: high is then above ``period``
        from ``values``' own end on; 0 for a line.
    effective : number of independent points, by which the smoothing goes.

    Returns
    -------
    Intervals (low, high) in rising order.
    """
    values = np.asarray(values, dtype=np.float64)
    start = _emptiest(values, weights, period) if period else 0.0
    line = start + (values - start) % period if period else values
    width = shortest_interval(line, weights, 0.5)[2] / 1.349
    low, high = float(line.min()), float(line.max())
    smooth = 0.9 * width * effective**-0.2
    if not (smooth > 0 and high > low):
        middle = float(line[np.argmax(weights)])
        return [(middle, middle)]
    bins = int(np.clip((high - low) / smooth * BINS_PER_WIDTH + 1, 8, MOST_BINS))
    own, edges = np.histogram(line, bins, (low, high), weights=weights)
    density = gaussian_filter1d(own, smooth / (edges[1] - edges[0]), mode="constant")
    order = np.argsort(-density, kind="stable")
    needed = int(np.searchsorted(np.cumsum(density[order]), level * density.sum())) + 1
    chosen = np.zeros(bins + 2, dtype=bool)
    chosen[1 + order[:needed]] = True
    changes = np.flatnonzero(np.diff(chosen.astype(np.int8)))
    return [(float(edges[a]), float(edges[b])) for a, b in changes.reshape(-1, 2)]


def holds(intervals: list[tuple[float, float]], value: float, period: float = 0.0) -> bool:
    """Whether a value lies in one of the intervals, on a circle at any turn."""
    turns = (-period, 0.0, period) if period else (0.0,)
    return any(low <= value + turn <= high for low, high in intervals for turn in turns)


def centre(values: Array, weights: Array, period: float = 0.0) -> tuple[float, float]:
    """Mean and standard deviation; on a circle by the shorter way round the mean direction."""
    if not period:
        mean = float(weights @ values)
        return mean, float(np.sqrt(weights @ (values - mean) ** 2))
    turn = 2 * np.pi / period
    direction = float(np.angle(weights @ np.exp(1j * turn * values)) / turn)
    away = values - direction
    away = away - period * np.round(away / period)
    mean = direction + float(weights @ away)
    return mean, float(np.sqrt(weights @ (away - weights @ away) ** 2))


def shortest_interval(values: Array, weights: Array, level: float) -> tuple[float, float, float]:
    """Ends and length of the shortest interval that holds a share of the weight."""
    order = np.argsort(values)
    line, total = values[order], np.concatenate([[0.0], np.cumsum(weights[order])])
    ends = np.searchsorted(total, total[:-1] + level * total[-1] * (1 - 1e-12)) - 1
    fits = ends < len(line)
    lengths = line[ends[fits]] - line[: len(ends)][fits]
    first = int(lengths.argmin())
    return float(line[first]), float(line[ends[first]]), float(lengths[first])


def _emptiest(values: Array, weights: Array, period: float) -> float:
    """A place on a circle far from all weight: the middle of the emptiest of 64 sectors."""
    sector = period / 64
    counts = np.bincount((values % period // sector).astype(int) % 64, weights, 64)
    around = counts + np.roll(counts, 1) + np.roll(counts, -1)
    return (int(around.argmin()) + 0.5) * sector
