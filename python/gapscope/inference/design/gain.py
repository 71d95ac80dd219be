"""What a measurement is expected to tell: simulated, analysed, and averaged.

With the state s, a class and its superconductor's unknowns, and new data y, the gain is their
mutual information given what is known (D. V. Lindley, Ann. Math. Stat. 27, 986 (1956)),

    I = E_{s, y} [log p(s | y) - log p(s)].

Around each draw j of the posterior s is normal and the map linear (:mod:`.linear`), so that

    p(y)     = sum_j w_j N(y; m_j, sigma^2 + U_j^T U_j),
    p(s | y) = sum_j w_j(y) N(s; s_j(y), P_j),

U_j being the slopes over the root of the kernel's covariance, and the impurity integrated out. The
expectation is a mean over simulated s and y. What y tells beyond telling draws apart, which nested
Monte Carlo (E. G. Ryan et al., Int. Stat. Rev. 84, 128 (2016)) cannot see, is log det(1 + U U^T /
sigma^2) / 2 within a kernel, as in Laplace's approximation (K. Chaloner, I. Verdinelli, Stat. Sci.
10, 273 (1995)); of one normal distribution and a linear map the sum is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, xlogy

from gapscope.inference.design.linear import Local
from gapscope.inference.posterior.mixture import shorter

Array = NDArray[np.float64]
REMAINING = 64
"""Draws of a posterior after a measurement, that its deviations are of."""


@dataclass(frozen=True, eq=False)
class Expected:
    """What is expected of one measurement, each with the simulations' standard error.

    Parameters
    ----------
    gain : mutual information in nats.
    entropy : of the class, afterwards, in nats.
    halving : probability that the class's entropy falls to a half or less; NaN of one class.
    places : points of the cube of each class, (simulations, draws, outer), afterwards, of the
        simulations whose class it is.
    """

    gain: tuple[float, float]
    entropy: tuple[float, float]
    halving: tuple[float, float]
    places: dict[int, Array]


def entropy(probability: Array) -> Array:
    """-sum p log p over the last axis, in nats."""
    return np.asarray(np.maximum(-xlogy(probability, probability).sum(axis=-1), 0.0) + 0.0)


class Simulations:
    """Simulated states, the same ones for every measurement.

    Parameters
    ----------
    classes : of one measurement, for the draws' weights.
    count : of simulations.
    """

    def __init__(self, classes: Sequence[Local], count: int, seed: int) -> None:
        self._seed = seed
        weights = np.concatenate([np.full(len(one.centre), one.weight) for one in classes])
        rng = np.random.Generator(np.random.Philox(key=[seed, 1]))
        places = (np.arange(count) + rng.uniform()) / count * weights.sum()
        self.chosen = np.minimum(np.searchsorted(np.cumsum(weights), places), len(weights) - 1)
        self._widest = 32
        self._normal = rng.standard_normal((count, self._widest))

    def shifts(self, k: int) -> Array:
        """(count, k): the states' places in the kernels of their draws."""
        return self._normal[:, :k]

    def noise(self, energy: int, sites: int) -> Array:
        """(count, sites) of unit variance."""
        rng = np.random.Generator(np.random.Philox(key=[self._seed, 2 + energy]))
        return rng.standard_normal((len(self.chosen), sites))


def expected(classes: Sequence[Local], level: Array, simulations: Simulations) -> Expected:
    """What is expected of a measurement.

    Parameters
    ----------
    classes : those of a measurement.
    level : (energies,), standard deviation of its noise in 1/meV.
    """
    owner = np.concatenate([np.full(len(c.centre), i) for i, c in enumerate(classes)])
    log_weight = np.log(np.concatenate([np.full(len(c.centre), c.weight) for c in classes]))
    chosen = simulations.chosen
    k = max(c.centre.shape[1] for c in classes)
    shifts = simulations.shifts(k)
    n, count = len(owner), len(chosen)
    distance, projected = np.zeros((count, n)), np.zeros((count, n, k))
    fisher = np.zeros((n, k, k))
    for e, sigma in enumerate(level.tolist()):
        maps = np.concatenate([c.maps[e] for c in classes]).astype(np.float64) / sigma
        slopes = np.zeros((n, k, maps.shape[1]))
        for i, c in enumerate(classes):
            slopes[owner == i, : c.centre.shape[1]] = c.slopes[e] / sigma
        fisher += slopes @ slopes.swapaxes(1, 2)
        data = maps[chosen] + np.einsum("sk,sky->sy", shifts, slopes[chosen])
        data += simulations.noise(e, maps.shape[1])
        distance += (data**2).sum(axis=1)[:, None] - 2 * data @ maps.T + (maps**2).sum(axis=1)
        flat = slopes.reshape(n * k, -1)
        projected += (data @ flat.T).reshape(count, n, k)
        projected -= np.einsum("ny,nky->nk", maps, slopes)
    precision = np.eye(k) + fisher
    covariance = np.linalg.inv(precision)
    moved = np.einsum("nkl,snl->snk", covariance, projected)
    _, log_size = np.linalg.slogdet(precision)
    joint = log_weight - 0.5 * (distance - (projected * moved).sum(axis=2) + log_size)
    after = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    probability = np.stack([after[:, owner == i].sum(axis=1) for i in range(len(classes))], axis=1)
    left = entropy(probability)
    now = entropy(np.array([c.weight * len(c.centre) for c in classes]))
    gains, places = np.zeros(count), {}
    for i, c in enumerate(classes):
        own, whose = owner == i, owner[chosen] == i
        if not whose.any():
            continue
        size, outer = c.centre.shape[1], c.draws.cube.outer
        circles = c.draws.cube.circles[:outer]
        roots = c.root[:, :outer]
        first = np.flatnonzero(own)[0]
        anchors = chosen[whose] - first
        truth = c.centre[anchors, :outer] + np.einsum(
            "snk,sk->sn", roots[anchors], shifts[whose, :size]
        )
        covariances = roots @ covariance[own, :size, :size] @ roots.swapaxes(1, 2)
        means = c.centre[:, :outer] + np.einsum(
            "nok,snk->sno", roots, moved[np.ix_(whose, own)][..., :size]
        )
        spread = roots @ roots.swapaxes(1, 2)
        with np.errstate(divide="ignore"):
            weights = np.log(after[np.ix_(whose, own)])
        before = log_weight[own][None], c.centre[None, :, :outer], spread
        gains[whose] = _log_mixture(truth, weights, means, covariances, circles)
        gains[whose] -= _log_mixture(truth, *before, circles)
        places[c.draws.cube.index] = _drawn(weights, means, covariances, REMAINING)
    halving = _mean(left <= now / 2) if len(classes) > 1 else (np.nan, np.nan)
    return Expected(_mean(gains), _mean(left), halving, places)


def _mean(values: NDArray[np.generic]) -> tuple[float, float]:
    one = np.asarray(values, dtype=np.float64)
    return float(one.mean()), float(one.std() / np.sqrt(len(one)))


def _log_mixture(
    points: Array,
    log_weights: Array,
    means: Array,
    covariances: Array,
    circles: NDArray[np.bool_],
) -> Array:
    """Log density (s,) at points (s, k) of normal distributions (n, k, k) around means (s or 1, n,
    k) with weights (s or 1, n)."""
    k = points.shape[1]
    root = np.linalg.cholesky(covariances)
    inverse = np.linalg.inv(root)
    away = shorter(points[:, None] - means, circles)
    away = np.einsum("nkl,snl->snk", inverse, away)
    log_size = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    return np.asarray(
        logsumexp(
            log_weights - 0.5 * (away**2).sum(axis=2) - log_size - k / 2 * np.log(2 * np.pi), axis=1
        )
    )


def places_now(one: Local, count: int) -> Array:
    """Points of a class's cube (1, count, outer) before any measurement."""
    outer = one.draws.cube.outer
    roots = one.root[:, :outer]
    weights = np.zeros((1, len(roots)))
    return _drawn(weights, one.centre[None, :, :outer], roots @ roots.swapaxes(1, 2), count)


def _drawn(log_weights: Array, means: Array, covariances: Array, count: int) -> Array:
    """Points (s, count, k) of the distributions of :func:`_log_mixture`."""
    rng = np.random.Generator(np.random.Philox(key=[0, len(log_weights)]))
    shares = np.exp(log_weights - logsumexp(log_weights, axis=1, keepdims=True))
    total = np.cumsum(shares, axis=1)
    places = (np.arange(count) + rng.uniform()) / count
    which = np.stack([np.searchsorted(one, places) for one in total])
    which = which.clip(0, means.shape[1] - 1)
    root = np.linalg.cholesky(covariances)
    normal = rng.standard_normal((*which.shape, means.shape[2]))
    steps = np.einsum("srkl,srl->srk", root[which], normal)
    return np.asarray(means[np.arange(len(means))[:, None], which] + steps)
