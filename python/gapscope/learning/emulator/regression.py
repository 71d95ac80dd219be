"""Regression on the shapes of the maps of a surface, with a scale of its errors.

Kernel ridge regression (C. Rasmussen and C. Williams, Gaussian Processes for Machine Learning, MIT
Press 2006, sections 2.2 and 5.4.2) on the shapes s_i of the first maps of a surface
(:mod:`gapscope.learning.emulator.emulator`), in its components,

    y(s) = y0 + k(s)^T (K + n)^-1 (y - y0),    k_i(s) = 1 / (1 + |s - s_i|^2 / 2 l^2).

Where maps lie apart, or change fast, y(s) is less certain. With g(s), the mean squared distance of
the GAP nearest maps, and leave-one-out errors e_i, the scale of its error is

    e(s) = g(s) sqrt(<(e_i / g_i)^2>),

the mean taken over the NEIGHBOURS nearest maps, and at most the largest e_i: beyond the training
maps nothing is known, which excuses no error.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from gapscope.support.array_file import Arrays

REACH = 2.0
"""l over the root mean square of |s_i|."""
NUGGET = 1e-7
NEIGHBOURS, GAP = 20, 5

_TINY = 1e-12
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Regression:
    """y(s), on the first ``len(weights)`` maps of a surface, whose components are passed to it.

    Attributes
    ----------
    offset : (values,), y0.
    weights : (maps, values), (K + n)^-1 (y - y0).
    spread : (maps,), e_i / g_i.
    largest : (1,), the largest e_i.
    """

    offset: Array
    weights: Array
    spread: NDArray[np.float32]
    largest: Array

    @classmethod
    def fit(
        cls, points: NDArray[np.floating], values: Array, beyond: Array | float = 0.0
    ) -> tuple[Self, Array]:
        """The regression, and its leave-one-out errors e_i (maps,).

        Parameters
        ----------
        points, values : (maps, components) and (maps, values), the s_i and y.
        beyond : (maps,), squared errors that are there whatever y is.
        """
        squared = _squared(points, points)
        kernel = _kernel(squared, points)
        np.fill_diagonal(squared, np.inf)
        gap = np.partition(squared, GAP - 1, axis=1)[:, :GAP].mean(axis=1) + _TINY
        kernel[np.diag_indices_from(kernel)] += NUGGET
        factor, _ = scipy.linalg.cho_factor(kernel, lower=True, overwrite_a=True)
        inverse, _ = scipy.linalg.lapack.dpotri(factor, lower=1, overwrite_c=True)
        lower = np.tril(inverse)
        offset = values.mean(axis=0)
        centred = values - offset
        weights = lower @ centred + np.tril(lower, -1).T @ centred
        squares = np.square(weights / np.diag(lower)[:, None]).sum(axis=1)
        errors = np.sqrt(squares + beyond)
        spread = (errors / gap).astype(np.float32)
        return cls(offset, weights, spread, errors.max(keepdims=True)), errors

    @classmethod
    def from_arrays(cls, arrays: Arrays, kind: str, values: int, most: int) -> Self:
        """Inverse of :meth:`arrays`, for at most ``most`` maps; any error means other arrays."""
        found = [arrays[f"{kind}_{field.name}"] for field in fields(cls)]
        offset, weights, spread, largest = found
        maps = len(spread)
        shapes = [array.shape for array in found]
        if shapes != [(values,), (maps, values), (maps,), (1,)] or not 0 < maps <= most:
            raise ValueError(f"shapes {shapes} of {kind}")
        if not all(np.isfinite(array).all() for array in found):
            raise ValueError("numbers that are not finite")
        return cls(
            offset.astype(np.float64),
            weights.astype(np.float64),
            spread.astype(np.float32),
            largest.astype(np.float64),
        )

    def arrays(self, kind: str) -> Arrays:
        """All of it as arrays, whose names begin with the kind."""
        return {f"{kind}_{name}": value for name, value in vars(self).items()}

    def __call__(
        self, points: NDArray[np.floating], x: NDArray[np.floating]
    ) -> tuple[Array, Array]:
        """y (n, values) and the scale (n,) of its error, at components x (n, components)."""
        known = points[: len(self.weights)]
        squared = _squared(x, known)
        values = self.offset + _kernel(squared, known) @ self.weights
        count = min(NEIGHBOURS, len(known))
        near = np.argpartition(squared, count - 1, axis=1)[:, :count]
        distance = np.sort(np.take_along_axis(squared, near, axis=1), axis=1)
        gap = distance[:, :GAP].mean(axis=1)
        spread = self.spread.astype(np.float64)[near]
        return values, np.minimum(gap * np.sqrt(np.square(spread).mean(axis=1)), self.largest)


def _squared(x: NDArray[np.floating], points: NDArray[np.floating]) -> Array:
    x, known = x.astype(np.float64), points.astype(np.float64)
    squares = np.square(x).sum(axis=1)[:, None] + np.square(known).sum(axis=1)
    return np.asarray(np.maximum(squares - 2 * x @ known.T, 0))


def _kernel(squared: Array, points: NDArray[np.floating]) -> Array:
    length = REACH**2 * np.square(points.astype(np.float64)).sum(axis=1).mean()
    return np.asarray(1 / (1 + squared / (2 * length)))
