"""Whether amplitude and odd part of a map are those that go with the shape of its image.

A detector (:mod:`gapscope.learning.novelty`) looks at Re rho(q), the part of a map that is even in
r, on a compressed scale. Two things leave little or no mark there: a factor, and what is odd in r,
Im rho(q). Both follow from the image's shape s = asinh(Re rho / u), u = <|Re rho|>: maps of one
material fill a surface of few dimensions. Kernel ridge regression (C. Rasmussen and C. Williams,
Gaussian Processes for Machine Learning, MIT Press 2006, section 2.2) on training maps gives

    y(s) = y0 + k(s)^T (K + n)^-1 (y - y0),    k_i(s) = 1 / (1 + |s - s_i|^2 / 2 l^2),

for y = log u and the principal components of o = Im rho / |Re rho|. A map's two scores are
log(|log u - y| + FLOORS[0]) and log(|o - y| + FLOORS[1]): a map that lies off the impurity, is
turned upside down or stands in another unit has a large one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from gapscope.errors import CalibrationError
from gapscope.learning.arrayfile import UNREADABLE, half_precision, read_arrays, write_arrays
from gapscope.learning.inputs import even_half
from gapscope.learning.novelty import principal
from gapscope.learning.surface import shape_and_scale
from gapscope.physics.fourier import qpi_image

COMPANION = "companion.npz"
COMPANION_SCHEMA = 1
MOST_MAPS = 1500
COMPONENTS, ODD_COMPONENTS = 40, 12
REACH = 2.0
NUGGET = 1e-6
FLOORS = (1e-3, 1e-5)
"""Residuals count from here on: amplitudes agree to 0.1 %, odd parts to 1e-5 of the image."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Companion:
    """What goes with the shapes of the training maps.

    Attributes
    ----------
    mean, basis : (half,) and (half, components), from shapes to components.
    points : (maps, components), the s_i.
    odd_mean, odd_basis : (half,) and (half, odd components), of o.
    offset : (energies + odd components,), y0.
    weights : (maps, energies + odd components), (K + n)^-1 (y - y0).
    scores : (maps, 2), of the first maps of the calibration set, in its order.
    """

    mean: NDArray[np.float32]
    basis: NDArray[np.float32]
    points: NDArray[np.float32]
    odd_mean: NDArray[np.float32]
    odd_basis: NDArray[np.float32]
    offset: Array
    weights: Array
    scores: Array

    @classmethod
    def fit(cls, batches: Iterable[NDArray[np.floating]], lattice: str, seed: int = 0) -> Self:
        """From training maps that come as (n, energies, L, L), in 1/meV; without scores."""
        parts = [_described(batch, lattice) for batch in batches]
        shape, scale, odd = (np.concatenate(part) for part in zip(*parts, strict=True))
        rng = np.random.default_rng(seed)
        mean, odd_mean = half_precision(shape.mean(axis=0)), half_precision(odd.mean(axis=0))
        basis = half_precision(principal(shape - mean, rng)[0][:, :COMPONENTS])
        odd_basis = half_precision(principal(odd - odd_mean, rng)[0][:, :ODD_COMPONENTS])
        points = half_precision((shape - mean) @ basis)
        values = np.concatenate([scale, (odd - odd_mean) @ odd_basis], axis=1)
        offset = values.mean(axis=0)
        kernel = _kernel(points, points)
        kernel[np.diag_indices_from(kernel)] += NUGGET * len(kernel)
        weights = scipy.linalg.solve(kernel, values - offset, assume_a="pos")
        empty = np.empty((0, len(FLOORS)))
        return cls(mean, basis, points, odd_mean, odd_basis, offset, weights, empty)

    def __call__(self, maps: NDArray[np.floating], lattice: str) -> tuple[Array, Array]:
        """Scores (n, 2) of maps (n, energies, L, L), and the amplitude, (n, energies), as a
        multiple of that which goes with the shape."""
        shape, scale, odd = _described(maps, lattice)
        x = (shape - self.mean) @ self.basis
        there = self.offset + _kernel(x, self.points) @ self.weights
        energies = scale.shape[1]
        apart = scale - there[:, :energies]
        missed = odd - self.odd_mean - there[:, energies:] @ self.odd_basis.T
        residuals = np.stack([np.abs(apart).max(axis=1), np.linalg.norm(missed, axis=1)], axis=1)
        return np.log(residuals + FLOORS), np.exp(apart)

    def write(self, path: Path, weights: str) -> None:
        """Write the file, beside the weights of this name (their SHA-256); raises StorageError."""
        half = ("mean", "basis", "points", "odd_mean", "odd_basis")
        arrays: dict[str, Any] = {name: getattr(self, name).astype(np.float16) for name in half}
        arrays |= {name: getattr(self, name) for name in ("offset", "weights")}
        arrays["scores"] = self.scores.astype(np.float32)
        write_arrays(path, COMPANION_SCHEMA, {"weights": weights}, arrays)

    @classmethod
    def read(cls, path: Path, weights: str, count: int) -> Companion:
        """The file beside the weights of this name and a calibration of ``count`` maps.

        Raises
        ------
        CalibrationError : the file is damaged or foreign, or belongs to other weights.
        SchemaVersionError : it was written by a newer gapscope.
        """
        about, arrays = read_arrays(path, COMPANION_SCHEMA, _damaged)
        try:
            owner = str(about["weights"])
            single = ("mean", "basis", "points", "odd_mean", "odd_basis")
            values: dict[str, Any] = {name: arrays[name].astype(np.float32) for name in single}
            values |= {n: arrays[n].astype(np.float64) for n in ("offset", "weights", "scores")}
            companion = cls(**values)
            companion._require_shapes(count)
        except UNREADABLE as error:
            raise _damaged(path, error) from error
        if owner != weights:
            raise CalibrationError(
                "A calibration belongs to the weights that it was made with.",
                f"{path}, of weights {owner}, beside {weights}",
                "Run `gapscope calibrate` again.",
            )
        return companion

    def _require_shapes(self, count: int) -> None:
        (half,), (maps, values) = self.mean.shape, self.weights.shape
        fits = (
            self.basis.shape == (half, self.points.shape[1])
            and len(self.points) == maps > 0
            and self.odd_mean.shape == (half,)
            and len(self.odd_basis) == half
            and self.offset.shape == (values,)
            and values > self.odd_basis.shape[1]
            and self.scores.shape[1:] == (len(FLOORS),)
            and 0 < len(self.scores) <= count
        )
        if not fits:
            raise ValueError(f"shapes that do not fit {count} calibration maps")
        if not all(np.isfinite(value).all() for value in vars(self).values()):
            raise ValueError("numbers that are not finite")


def _described(
    maps: NDArray[np.floating], lattice: str
) -> tuple[NDArray[np.float32], Array, NDArray[np.float32]]:
    """Shape (n, half), log u (n, energies) and o (n, half)."""
    rho = np.moveaxis(qpi_image(maps.astype(np.float64), lattice), 1, -1)
    shape, scale = shape_and_scale(rho.real)
    norm = np.sqrt(np.square(rho.real).sum(axis=(1, 2), keepdims=True))
    odd = rho.imag / np.maximum(norm, np.finfo(np.float64).tiny)
    return shape, scale, even_half(odd.astype(np.float32))


def _kernel(x: NDArray[np.floating], points: NDArray[np.float32]) -> Array:
    x, known = x.astype(np.float64), points.astype(np.float64)
    own = np.square(known).sum(axis=1)
    squared = np.square(x).sum(axis=1)[:, None] + own - 2 * x @ known.T
    return np.asarray(1 / (1 + np.maximum(squared, 0) / (2 * REACH**2 * own.mean())))


def _damaged(path: Path, error: Exception) -> CalibrationError:
    return CalibrationError(
        f"{COMPANION} is a file that `gapscope calibrate` wrote.",
        f"{path}: {type(error).__name__}: {error}",
        "Run `gapscope calibrate` again, or remove the file.",
    )
