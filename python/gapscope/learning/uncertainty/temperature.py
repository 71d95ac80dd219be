"""Temperature scaling (Guo et al. 2017, arXiv:1706.04599): p_k -> p_k^(1/T) / sum_j p_j^(1/T)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COLDEST, HOTTEST = 1.0, 20.0
"""Never below 1: a network that has learned from noisy maps too is cautious with clean ones, and a
clean calibration set, often without one error, would make it boundlessly sure of noisy ones."""
STEPS = 60
_SMALLEST = float(np.finfo(np.float32).tiny)


def tempered(probability: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Probabilities (n, classes) at a temperature; their order stays."""
    return _softmax(_logits(probability) / temperature)


def fit_temperature(probability: NDArray[np.floating], truth: NDArray[np.integer]) -> float:
    """The temperature with the smallest mean negative log-likelihood of the true classes.

    That is convex in 1/T: its slope, the mean over samples of sum_k p_k z_k - z_true with the
    logits z, is bisected between COLDEST and HOTTEST.

    Parameters
    ----------
    probability : (n, classes) at temperature 1.
    truth : (n,), the true classes.
    """
    logits = _logits(probability)
    right = logits[np.arange(len(truth)), truth].mean()
    low, high = np.log(1 / HOTTEST), np.log(1 / COLDEST)
    for _ in range(STEPS):
        middle = (low + high) / 2
        expected = (_softmax(np.exp(middle) * logits) * logits).sum(axis=1).mean()
        low, high = (middle, high) if expected < right else (low, middle)
    return float(np.exp(-(low + high) / 2))


def _logits(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    """Logarithms; a softmax in single precision may have rounded a probability to zero."""
    return np.log(np.maximum(probability.astype(np.float64), _SMALLEST))


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
