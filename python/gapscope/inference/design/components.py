"""Points of a posterior, parted into components that are about normal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

Array = NDArray[np.float64]
STEPS = 30
"""Rounds of expectation and maximisation."""
MOST = 8
"""Components of a class."""
FLOOR = 1e-3
"""Least standard deviation in a component over that of all points."""


def unwound(points: Array, circles: NDArray[np.bool_]) -> Array:
    """Points (n, k) of the unit cube; on circles by the turn next to their mean direction."""
    directions = np.angle(np.exp(2j * np.pi * points).mean(axis=0)) / (2 * np.pi)
    away = points - directions
    return np.where(circles, directions + away - np.round(away), points)


def components(points: Array, groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The component (n,) of each point (n, k), numbered from 0.

    A component is parted in two where that raises the likelihood of normal distributions by more
    than Schwarz's criterion charges for their parameters (D. Pelleg, A. Moore, ICML 2000, with
    covariances).

    Parameters
    ----------
    groups : points of one group count as one.
    """
    label = np.zeros(len(points), dtype=np.int64)
    floor = (FLOOR * points.std(axis=0)) ** 2 + 1e-18
    waiting, count = [0], 1
    while waiting and count < MOST:
        number = waiting.pop(0)
        own = np.flatnonzero(label == number)
        second = _parted(points[own], groups[own], floor)
        if second is not None:
            label[own[second]] = count
            waiting += [number, count]
            count += 1
    return label


def _parted(points: Array, groups: NDArray[np.int64], floor: Array) -> NDArray[np.bool_] | None:
    """Which points are in the second of two components; None where one is enough."""
    n, k = points.shape
    different = len(np.unique(groups))
    price = 0.5 * (1 + k + k * (k + 1) / 2) * np.log(max(different, 2))
    one = _log_normal(points, np.ones(n), floor).sum()
    best, found = one + price * n / different, None
    for axis in range(k):
        order = np.argsort(points[:, axis])
        gaps = np.diff(points[order, axis])
        # A cut into parts that have as many points as a covariance needs.
        least = 2 * (k + 1)
        if len(gaps) < 2 * least:
            continue
        cut = least + int(gaps[least - 1 : len(gaps) - least + 1].argmax())
        second = np.zeros(n)
        second[order[cut:]] = 1.0
        value, share = _followed(points, second, floor)
        parted = share > 0.5
        enough = min(len(np.unique(groups[part])) for part in (parted, ~parted)) >= k + 2
        if value > best and enough:
            best, found = value, parted
    return found


def _followed(points: Array, second: Array, floor: Array) -> tuple[float, Array]:
    """Log-likelihood of two normal components, and the second one's share of each point."""
    value = -np.inf
    for _ in range(STEPS):
        parts = np.stack(
            [
                _log_normal(points, share, floor) + np.log(max(share.mean(), 1e-12))
                for share in (1 - second, second)
            ]
        )
        whole = logsumexp(parts, axis=0)
        second = np.exp(parts[1] - whole)
        value, before = float(whole.sum()), value
        if value - before < 1e-3 or not 1 < second.sum() < len(points) - 1:
            break
    return value, second


def _log_normal(points: Array, share: Array, floor: Array) -> Array:
    """Log density (n,) of the normal distribution with the moments of weighted points."""
    mean, scale = moments(points, share / share.sum(), floor)
    root = np.linalg.cholesky(scale)
    reduced = np.linalg.solve(root, (points - mean).T)
    log_size = np.log(np.diag(root)).sum()
    k = points.shape[1]
    return np.asarray(-0.5 * (reduced**2).sum(axis=0) - log_size - k / 2 * np.log(2 * np.pi))


def moments(points: Array, weights: Array, floor: Array) -> tuple[Array, Array]:
    """Mean (k,) and covariance (k, k) of points (n, k) with weights that add up to one; variances
    are at least ``floor`` (k,)."""
    mean = weights @ points
    away = points - mean
    return mean, (weights[:, None] * away).T @ away + np.diag(floor)
