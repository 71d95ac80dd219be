"""Unknowns of clean maps, by regression on the surface that the maps of an irrep fill.

The maps of one irrep are smooth functions of a few parameters, so their images fill a surface of as
few dimensions, and the parameters are smooth functions on it: a Gaussian process (C.
Rasmussen and C. Williams, Gaussian Processes for Machine Learning, MIT Press 2006, sections 2.2 and
5.4.2) learns them from the training maps,

    mean(x) = y0 + k(x)^T K^-1 (y - y0),    variance(x) = s^2 (1 + n - k(x)^T K^-1 k(x)),
    k_i(x) = 1 / (1 + |x - x_i|^2 / 2 l^2),     K_ij = k_i(x_j) + n delta_ij,

where x holds the leading principal components of asinh(rho / u), in units of the first one's
standard deviation, and log u in units of its own, with u = <|rho|> of the map itself; l is REACH
times the root mean square of |x|, n the nugget. The rational quadratic kernel, a mixture of
Gaussians of all widths, follows the surface where it is rough and where it is not. s^2 makes
leave-one-out errors as large as they are claimed to be, and is at least the variance of y.

A noisy map lies off the surface: directions in which no training map has any weight tell how strong
its noise is, and what it does to the mean, to first order, adds to the variance. Where that is more
than the network's, :meth:`Emulator.joined` leaves the word to the network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from gapscope.learning.data.inputs import even_half
from gapscope.learning.network.config import COMPONENTS
from gapscope.support.array_file import half_precision

QUIET = 40
"""Directions without weight that are looked at; fewer where fewer components are kept."""
REACH = 2.0
NUGGET = 1e-10
"""n over the number of training maps."""

_TINY = np.finfo(np.float32).tiny
Array = NDArray[np.float64]


def shape_and_scale(images: NDArray[np.floating]) -> tuple[NDArray[np.float32], Array]:
    """asinh(rho / u), each pair q, -q once, (n, pixels); and log u, (n, energies).

    ``images`` are Re rho(q), (n, L, L, energies) in 1/meV.
    """
    scale = np.maximum(np.abs(images).mean(axis=(1, 2)), _TINY)
    shape = even_half(np.arcsinh(images / scale[:, None, None, :]).astype(np.float32))
    return shape, np.log(scale).astype(np.float64)


@dataclass(frozen=True)
class Emulator:
    """The maps of one irrep.

    Attributes
    ----------
    mean, basis : (pixels,) and (pixels, components), from shapes to components.
    quiet : (pixels, directions), orthonormal, where no training map has any weight.
    scale_mean, scale_spread : (energies,), of log u.
    points : (maps, components + energies), the x_i.
    targets : (maps, columns), the y_i; zero where a target has no meaning.
    strength : (columns,), s^2.
    network : (columns,), mean squared errors of the network's answers for these maps.
    acquisition : (maps,), how each was taken: 0 at constant height, n at constant current with the
        n-th setpoint of its dataset.
    """

    mean: NDArray[np.float32]
    basis: NDArray[np.float32]
    quiet: NDArray[np.float32]
    scale_mean: Array
    scale_spread: Array
    points: NDArray[np.float32]
    targets: Array
    strength: Array
    network: Array
    acquisition: NDArray[np.int8]

    @classmethod
    def fit(
        cls,
        shape: NDArray[np.float32],
        scale: Array,
        targets: NDArray[np.floating],
        errors: NDArray[np.floating],
        acquisition: NDArray[np.integer],
        components: int = COMPONENTS,
    ) -> Self:
        """From maps of one irrep; ``errors`` are target - answer of the network.

        ``components`` are kept, at most COMPONENTS.
        """
        mean = half_precision(shape.mean(axis=0))
        directions = max(1, QUIET * components // COMPONENTS)
        used, quiet, largest = _axes(shape - mean, components, directions)
        known = ~np.isnan(errors).any(axis=0)
        nothing = np.zeros(targets.shape[1])
        emulator = cls(
            mean,
            half_precision(used / np.sqrt(largest)),
            half_precision(quiet),
            scale.mean(axis=0),
            np.maximum(scale.std(axis=0), 1e-6),
            np.empty((0, 0), np.float32),
            np.where(known, targets, 0).astype(np.float64),
            nothing,
            np.where(known, np.square(errors).mean(axis=0), nothing),
            acquisition.astype(np.int8),
        )
        points = half_precision(emulator.coordinates(shape, scale))
        emulator = replace(emulator, points=points)
        return replace(emulator, strength=emulator._leave_one_out())

    def coordinates(self, shape: NDArray[np.float32], scale: Array) -> Array:
        """x, (n, components + energies)."""
        strength = (scale - self.scale_mean) / self.scale_spread
        return np.concatenate([(shape - self.mean) @ self.basis, strength], axis=1)

    def noise(self, shape: NDArray[np.float32]) -> Array:
        """Variance (n,) of each of the components by white noise, in their unit."""
        unit = np.square(self.basis).sum(axis=0).mean()  # 1 / variance of the first component
        return np.asarray(unit * np.square((shape - self.mean) @ self.quiet).mean(axis=1))

    def nearest(
        self, shape: NDArray[np.float32], count: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int8]]:
        """Targets (n, count, columns), distances and acquisitions (n, count) of the nearest maps.

        Distances are those of the shapes, |shape - its map's| / |shape|. Fewer maps than ``count``
        leave distances infinite.
        """
        components = self.basis.shape[1]
        unit = 1 / np.square(self.basis).sum(axis=0).mean()  # variance of the first component
        centred = shape - self.mean
        inside = (centred @ self.basis).astype(np.float64)
        points = self.points[:, :components].astype(np.float64)
        squared = np.square(inside).sum(axis=1)[:, None] + np.square(points).sum(axis=1)
        squared = unit * np.maximum(squared - 2 * inside @ points.T, 0)
        squared += np.square(centred - unit * inside @ self.basis.T).sum(axis=1)[:, None]
        found = min(count, len(self.points))
        order = np.argsort(squared, axis=1)[:, :found]
        targets = np.zeros((len(shape), count, self.targets.shape[1]))
        distance = np.full((len(shape), count), np.inf)
        acquisition = np.zeros((len(shape), count), np.int8)
        targets[:, :found], acquisition[:, :found] = self.targets[order], self.acquisition[order]
        norm = np.maximum(np.square(shape).sum(axis=1, keepdims=True), _TINY)
        distance[:, :found] = np.sqrt(np.take_along_axis(squared, order, axis=1) / norm)
        return targets, distance, acquisition

    def cosine(self, shape: NDArray[np.float32]) -> Array:
        """Largest cosine (n,) of the angles between shapes and those of the maps."""
        points, inverse = self._directions
        inside = (shape @ self.basis) @ points + (shape @ self.mean)[:, None] * inverse
        norm = np.maximum(np.linalg.norm(shape, axis=1), _TINY)
        return np.asarray(inside.max(axis=1) / norm, dtype=np.float64)

    @cached_property
    def _directions(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(components, maps): components of the maps' shapes over the norm of each; 1 / norm."""
        unit = 1 / np.square(self.basis).sum(axis=0).mean()
        inside = unit * self.points[:, : self.basis.shape[1]]
        shape = self.mean + inside @ self.basis.T
        inverse = 1 / np.maximum(np.linalg.norm(shape, axis=1), _TINY)
        return (inside * inverse[:, None]).T.copy(), inverse.astype(np.float32)

    @cached_property
    def length(self) -> float:
        """l."""
        return REACH * float(np.sqrt(np.square(self.points).sum(axis=1).mean()))

    @cached_property
    def factor(self) -> tuple[Array, bool]:
        """Cholesky factor of K."""
        kernel = self._kernel(self.points)
        kernel[np.diag_indices_from(kernel)] += NUGGET * len(kernel)
        # symmetric: transposed, LAPACK takes it as it lies
        return scipy.linalg.cho_factor(kernel.T, lower=True, overwrite_a=True, check_finite=False)

    @cached_property
    def weights(self) -> Array:
        """K^-1 (y - y0), (maps, columns)."""
        centred = self.targets - self.targets.mean(axis=0)
        return np.asarray(scipy.linalg.cho_solve(self.factor, centred))

    def _leave_one_out(self) -> Array:
        """s^2: mean squared leave-one-out errors, each over its variance at s = 1."""
        inverse = np.diag(scipy.linalg.cho_solve(self.factor, np.eye(len(self.points))))
        alone = (np.square(self.weights) / inverse[:, None]).mean(axis=0)
        return np.asarray(np.maximum(alone, self.targets.var(axis=0)))

    def __call__(self, shape: NDArray[np.float32], scale: Array) -> tuple[Array, Array]:
        """Mean and variance of the targets, (n, columns) each."""
        x = self.coordinates(shape, scale)
        kernel = self._kernel(x)
        mean = self.targets.mean(axis=0) + kernel @ self.weights
        lower, _ = self.factor
        half = scipy.linalg.solve_triangular(lower, kernel.T, lower=True, check_finite=False)
        left = np.maximum(1 + NUGGET * len(self.points) - np.square(half).sum(axis=0), 0)
        return mean, left[:, None] * self.strength + self._of_noise(shape, x, kernel)

    def _of_noise(self, shape: NDArray[np.float32], x: Array, kernel: Array) -> Array:
        """Variance (n, columns) by noise: v |grad mean|^2, v that of each component."""
        components = self.basis.shape[1]
        squared = []
        for weights in self.weights.T:
            pull = np.square(kernel) * weights
            gradient = pull @ self.points - pull.sum(axis=1, keepdims=True) * x
            squared.append(np.square(gradient[:, :components] / self.length**2).sum(axis=1))
        return np.asarray(self.noise(shape)[:, None] * np.stack(squared, axis=1))

    def joined(
        self, shape: NDArray[np.float32], scale: Array, answers: NDArray[np.floating]
    ) -> Array:
        """The network's answers (n, columns) and the surface's, weighted by inverse variances."""
        mean, variance = self(shape, scale)
        total = variance + self.network
        share = np.divide(self.network, total, out=np.zeros_like(total), where=total > 0)
        return np.asarray(answers + share * (mean - answers))

    def _kernel(self, x: NDArray[np.floating]) -> Array:
        """k(x, x_i), (n, maps): made in one array, as further ones would take longer than sums."""
        x, points = x.astype(np.float64), self.points.astype(np.float64)
        kernel = x @ points.T
        kernel *= -2
        kernel += np.square(x).sum(axis=1)[:, None]
        kernel += np.square(points).sum(axis=1)
        np.maximum(kernel, 0, out=kernel)
        kernel /= 2 * self.length**2
        kernel += 1
        return np.reciprocal(kernel, out=kernel)


def _axes(
    centred: NDArray[np.float32], components: int, directions: int
) -> tuple[Array, Array, float]:
    """Principal components of maps (maps, pixels), directions of no weight, largest variance."""
    maps, pixels = centred.shape
    lower = pixels // 2
    # A mixture of all without weight: noise is stronger in some pixels than in others.
    rng, directions = np.random.default_rng(0), min(directions, lower)
    if maps > lower:
        value, vector = np.linalg.eigh((centred.T @ centred / maps).astype(np.float64))
        quiet = vector[:, :lower] @ np.linalg.qr(rng.standard_normal((lower, directions)))[0]
        value, vector = value[lower:], vector[:, lower:]
    else:
        # Few maps span few dimensions, of which alone the matrix of all pixels would tell.
        left, singular, _ = np.linalg.svd(centred.T.astype(np.float64), full_matrices=False)
        free = rng.standard_normal((pixels, directions))
        for _ in range(2):
            free -= left @ (left.T @ free)
        quiet, _ = np.linalg.qr(free)
        value, vector = np.square(singular[::-1]) / maps, left[:, ::-1]
    used = vector[:, value > 1e-9 * value[-1]][:, ::-1][:, :components]
    return used, quiet, float(value[-1])
