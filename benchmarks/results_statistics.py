"""Statistics of the results page: intervals, calibration, and the Cramer-Rao bound."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from gapscope.learning.evaluation.metrics import LEVEL, RESAMPLES, Estimate

ECE_BINS = 15


def wilson(hits: float, count: int, level: float = LEVEL) -> Estimate:
    """A rate and its Wilson score interval (1927), which stays sensible where every map is hit.

    (p + z^2/2n +- z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n), p = hits/n.
    """
    if count < 1:
        raise ValueError(f"a rate needs samples, received {count}")
    z = NormalDist().inv_cdf((1 + level) / 2)
    p, w = hits / count, z**2 / count
    half = z * np.sqrt(p * (1 - p) / count + w / (4 * count))
    low, high = ((p + w / 2 + sign * half) / (1 + w) for sign in (-1, 1))
    return Estimate(p, max(float(low), 0.0), min(float(high), 1.0))


def bootstrap(values: ArrayLike, seed: int = 0) -> Estimate:
    """A mean over samples and its percentile interval; NaN are left out, without samples NaN."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if not len(known):
        return Estimate(np.nan, np.nan, np.nan)
    picks = np.random.default_rng(seed).integers(len(known), size=(RESAMPLES, len(known)))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(known[picks].mean(axis=1), (tail, 1 - tail))
    return Estimate(float(known.mean()), float(low), float(high))


def reliability(probability: ArrayLike, truth: ArrayLike, bins: int = ECE_BINS) -> xr.Dataset:
    """Mean largest probability and hit rate in equal bins of it (Guo et al., arXiv:1706.04599).

    probability (samples, classes), truth (samples,); empty bins are NaN. The attribute ``ece`` is
    sum over bins of n_bin/n |accuracy - confidence|.
    """
    probability = np.asarray(probability, dtype=np.float64)
    confidence = probability.max(axis=1)
    hit = probability.argmax(axis=1) == np.asarray(truth)
    number = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)  # (low, high]
    samples = np.bincount(number, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = {
            name: np.bincount(number, values, bins) / samples
            for name, values in (("confidence", confidence), ("accuracy", hit))
        }
    gaps = np.nan_to_num(np.abs(means["accuracy"] - means["confidence"]))
    columns = {name: ("bin", values) for name, values in (*means.items(), ("samples", samples))}
    return xr.Dataset(columns, attrs={"ece": float((samples * gaps).sum() / len(hit))})


def standard_errors(jacobian: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Smallest standard errors of unbiased estimates: the Cramer-Rao bound, (parameters,).

    For maps f(p) with independent normal noise of standard deviation sigma on every site the Fisher
    information is J^T J / sigma^2, J = df/dp (sites, parameters); sqrt of the diagonal of its
    inverse: each parameter with the others unknown. Infinite where a parameter moves nothing.
    """
    scale = np.linalg.norm(jacobian, axis=0)
    moves = scale > 0
    unit = jacobian[:, moves] / scale[moves]
    errors = np.full(len(scale), np.inf)
    errors[moves] = sigma * np.sqrt(np.diag(np.linalg.inv(unit.T @ unit))) / scale[moves]
    return errors


def least_squares_shift(
    jacobian: NDArray[np.float64], change: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What a change of a map, (sites,), does to parameters fitted by least squares.

    NaN where a parameter moves nothing.
    """
    scale = np.linalg.norm(jacobian, axis=0)
    moves = scale > 0
    shift = np.full(len(scale), np.nan)
    fitted = np.linalg.lstsq(jacobian[:, moves] / scale[moves], change, rcond=None)[0]
    shift[moves] = fitted / scale[moves]
    return shift
