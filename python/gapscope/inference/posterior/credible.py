"""Credible sets of one unknown: the regions of highest density, also on circles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Array = NDArray[np.float64]
BINS_PER_WIDTH = 8
MOST_BINS = 2**17


def credible_set(
    values: Array,
    weights: Array,
    level: float,
    period: float = 0.0,
    groups: NDArray[np.intp] | None = None,
) -> list[tuple[float, float]]:
    """Intervals that hold a share ``level`` of the weight, where it is densest: {x: f(x) > t}.

    The density f is that of a histogram smoothed by a normal distribution, as wide as 1.06
    n^(-1/5) standard deviations for an effective number n of groups (B. W. Silverman, Density
    Estimation, 1986). The threshold t is the quantile of f at the points (R. J. Hyndman, Am. Stat.
    50, 120 (1996)), each of which is left out, with its group, of the density that it is judged by,
    as in cross-conformal prediction (V. Vovk, Ann. Math. Artif. Intell. 74, 9 (2015)). Sets that
    hold the level of the smoothed density are too wide, by as much as it is smoothed; with all
    points in the density sets are too narrow, since each point makes its own place dense.

    Parameters
    ----------
    values, weights : (n,), weights adding up to one.
    period : of a circle, on which an interval may lead over its end: high is then above ``period``
        from ``values``' own end on; 0 for a line.
    groups : (n,), numbers from 0 on; points of one number are not independent. None: all are.

    Returns
    -------
    Intervals (low, high) in rising order.
    """
    values = np.asarray(values, dtype=np.float64)
    start = _emptiest(values, weights, period) if period else 0.0
    line = start + (values - start) % period if period else values
    shares = weights if groups is None else np.bincount(groups, weights)
    width = shortest_interval(line, weights, 0.5)[2] / 1.349
    low, high = float(line.min()), float(line.max())
    smooth = 1.06 * width * float((shares**2).sum()) ** 0.2
    if not (smooth > 0 and high > low):
        middle = float(line[np.argmax(weights)])
        return [(middle, middle)]
    bins = int(np.clip((high - low) / smooth * BINS_PER_WIDTH + 1, 8, MOST_BINS))
    own, edges = np.histogram(line, bins, (low, high), weights=weights)
    deviation = smooth / (edges[1] - edges[0])
    density = gaussian_filter1d(own, deviation, mode="constant")
    middles = (edges[:-1] + edges[1:]) / 2
    without = np.interp(line, middles, density) - _of_own(line, weights, groups, smooth) / deviation
    without /= np.maximum(1 - (shares if groups is None else shares[groups]), 1e-9)
    order = np.argsort(-without, kind="stable")
    held = np.cumsum(weights[order]) - weights[order] / 2
    threshold = float(np.interp(level, held, without[order]))
    return _above(middles, density, threshold, low, high)


def _of_own(line: Array, weights: Array, groups: NDArray[np.intp] | None, smooth: float) -> Array:
    """What each point's group adds to the density there, in units of a standard deviation."""
    if groups is None:
        return np.asarray(weights / np.sqrt(2 * np.pi))
    found = np.empty_like(line)
    order = np.argsort(groups, kind="stable")
    for one in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        apart = (line[one][:, None] - line[one]) / smooth
        found[one] = np.exp(-(apart**2) / 2) @ weights[one] / np.sqrt(2 * np.pi)
    return found


def _above(
    places: Array, density: Array, threshold: float, low: float, high: float
) -> list[tuple[float, float]]:
    """Intervals between ``low`` and ``high`` where a density, linear between places, is above."""
    at = np.concatenate([[low], places, [high]])
    over = np.concatenate([[0.0], density - threshold, [0.0]])
    found = []
    for ends in np.flatnonzero(np.diff(over > 0)).reshape(-1, 2):
        crossed = at[ends] + (at[ends + 1] - at[ends]) * over[ends] / (over[ends] - over[ends + 1])
        found.append((float(crossed[0]), float(crossed[1])))
    return found


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
