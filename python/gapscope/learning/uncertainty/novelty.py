"""How unlike the training maps a map is: its distance from the surface that they lie on.

The maps of one material fill a surface of few dimensions per irrep, those of the unknowns. The
score of an image x, as the network sees it, is

    log [ d(x, plane of the nearest training images)^2 / d(x, C)^2 ]

with C the few principal components of the training images that hold all but COARSE of their
variance. The plane goes through the NEIGHBOURS nearest training images (k-local hyperplanes with a
ridge; Vincent and Bengio, NIPS 2001). The denominator makes strong and weak maps comparable. Noise,
another band, or a k-grid that is too coarse put structure where no training image has any.

A network that has learned from noise looks at maps that lie off the surface, as far as the noise
takes them, and strong noise hides what else is wrong with a map. Its score is the distance alone,

    log [ d(x, plane of the nearest training images)^2 / variance of the training images ],

which says of pure noise, of patterns and of other units that they are farther off than any map with
the training's noise; it does not see what is no stronger than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gapscope.learning.data.inputs import even_half
from gapscope.support.array_file import half_precision

COARSE, FINE = 0.015, 0.0015
"""Shares of the training images' variance outside the coarse and the kept components."""

MOST_COMPONENTS = 400
NEIGHBOURS = 80
RIDGE = 1e-4
FLOOR = 1e-9
"""Squared distances count from this share of the images' variance on, so that none is zero."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Detector:
    """Principal components of the training images, and the training images in them.

    An image (L, L, energies) is even in q: its half (half,) has each pair q, -q once.

    Attributes
    ----------
    mean : (half,), of the training images.
    basis : (half, components), orthonormal.
    points : (images, components), the training images.
    coarse : number of the first components that span C.
    variance : mean squared distance of the training images from their mean.
    """

    mean: Array
    basis: Array
    points: Array
    coarse: int
    variance: float

    @classmethod
    def fit(cls, batches: Iterable[Array], seed: int = 0, *, most: int = MOST_COMPONENTS) -> Self:
        """The detector of training images that come as network inputs (n, L, L, energies).

        ``most`` components are kept at most.
        """
        images = np.concatenate([even_half(batch) for batch in batches])
        mean = images.mean(axis=0)
        images -= mean
        variance = float(np.square(images).sum(axis=1).mean())
        basis, held = principal(images, np.random.default_rng(seed), most)
        outside = 1 - np.cumsum(held) / variance
        kept = _first_below(outside, FINE)
        # Half precision is how they are stored: a detector read again gives the same scores.
        basis, points = (half_precision(v) for v in (basis[:, :kept], images @ basis[:, :kept]))
        return cls(mean, basis, points, min(_first_below(outside, COARSE), kept), variance)

    def score(self, images: Array, *, noisy: bool = False) -> NDArray[np.float64]:
        """Scores (n,) of network inputs (n, L, L, energies); ``noisy`` where training had noise."""
        centred = even_half(images) - self.mean
        components = centred @ self.basis
        beyond = np.square(centred - components @ self.basis.T).sum(axis=1)
        coarse = beyond + np.square(components[:, self.coarse :]).sum(axis=1)
        near = beyond + self._from_plane(np.asarray(components, dtype=np.float32))
        floor = FLOOR * self.variance
        beside = self.variance if noisy else coarse + floor
        return np.asarray(np.log((near + floor) / beside), dtype=np.float64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as arrays by name, for a file; the large ones in half precision."""
        return {
            "mean": self.mean,
            "basis": self.basis.astype(np.float16),
            "points": self.points.astype(np.float16),
            "coarse": np.array(self.coarse),
            "variance": np.array(self.variance),
        }

    @classmethod
    def from_arrays(cls, arrays: Callable[[str], NDArray[Any]]) -> Self:
        """Inverse of :meth:`arrays`; any error means arrays of another kind."""
        mean, basis, points = (
            np.asarray(arrays(name), dtype=np.float32) for name in ("mean", "basis", "points")
        )
        coarse, variance = int(arrays("coarse")), float(arrays("variance"))
        components = basis.shape[1]
        fits = basis.shape == (*mean.shape, components) and points.shape[1:] == (components,)
        if not (fits and len(points) > 1 and 0 < coarse <= components and variance > 0):
            raise ValueError(f"shapes {mean.shape}, {basis.shape}, {points.shape}, {coarse}")
        if not all(np.isfinite(v).all() for v in (mean, basis, points)):
            raise ValueError("numbers that are not finite")
        return cls(mean, basis, points, coarse, variance)

    def _from_plane(self, components: Array) -> Array:
        """Squared distance of each of (n, components) from the plane of its neighbours.

        The plane's point is c + A^T a, where c is the neighbours' mean, A their distances from it
        and a minimises |x - c - A^T a|^2 + ridge |a|^2, ridge = RIDGE tr(A A^T) / NEIGHBOURS.
        """
        count = min(NEIGHBOURS, len(self.points) - 1)
        distance = np.square(self.points).sum(axis=1) - 2 * components @ self.points.T
        nearest = self.points[np.argpartition(distance, count, axis=1)[:, :count]]
        centre = nearest.mean(axis=1)
        plane = nearest - centre[:, None]
        apart = components - centre
        gram = (plane @ plane.transpose(0, 2, 1)).astype(np.float64)
        ridge = RIDGE * np.trace(gram, axis1=1, axis2=2) / count
        gram += (ridge + np.finfo(np.float32).tiny)[:, None, None] * np.eye(count)
        weights = np.linalg.solve(gram, (plane @ apart[..., None]).astype(np.float64))
        there = (plane.transpose(0, 2, 1) @ weights.astype(np.float32))[..., 0]
        return np.asarray(np.square(apart - there).sum(axis=1))


def principal(
    centred: Array, rng: np.random.Generator, most: int = MOST_COMPONENTS
) -> tuple[Array, NDArray[np.float64]]:
    """Leading principal components (half, k) of images (n, half), and the variance of each.

    Subspace iteration from random vectors (Halko, Martinsson and Tropp 2011, algorithm 4.4): a
    whole decomposition would take minutes.
    """
    k = min(most, *centred.shape)
    basis = rng.standard_normal((centred.shape[1], min(k + 20, centred.shape[1])))
    for _ in range(4):
        basis = np.linalg.qr(centred.T @ (centred @ basis.astype(np.float32)))[0]
    _, s, turn = np.linalg.svd(centred @ basis, full_matrices=False)
    return (basis @ turn.T)[:, :k].astype(np.float32), (s[:k] ** 2 / len(centred)).astype(float)


def _first_below(outside: NDArray[np.float64], share: float) -> int:
    """Number of components that leave at most ``share``; all where none do."""
    below = np.flatnonzero(outside <= share)
    return int(below[0]) + 1 if len(below) else len(outside)
