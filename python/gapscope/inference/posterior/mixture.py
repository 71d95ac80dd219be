"""Mixtures of multivariate t distributions on a cube, some of whose edges are circles.

Densities and draws of a proposal. Coordinates run from 0 to 1; one on a circle counts modulo 1, and
its density is that of the t distribution wound around it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

Array = NDArray[np.float64]
FREEDOM = 5.0
"""Degrees of freedom: tails heavier than a posterior's near a maximum."""


@dataclass(frozen=True, eq=False)
class Component:
    """A t distribution with its scale matrix (k, k); its weight in the mixture."""

    mean: Array
    scale: Array
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class Mixture:
    """A proposal.

    Parameters
    ----------
    circles : (k,), which coordinates are on circles.
    """

    components: tuple[Component, ...]
    circles: NDArray[np.bool_]

    @property
    def weights(self) -> Array:
        """The components' weights, adding up to one."""
        given = np.array([one.weight for one in self.components])
        return np.asarray(given / given.sum())

    def draw(
        self, count: int, inner: int, outer: int, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Groups of points that have their first ``outer`` coordinates in common.

        Returns
        -------
        (count, outer) and (count, inner, k - outer), every single point distributed as the mixture:
        a t distribution given some of its coordinates is one with more degrees of freedom.
        """
        dimension = len(self.circles)
        chosen = rng.choice(len(self.components), size=count, p=self.weights)
        normal = rng.standard_normal((count, outer))
        wide = rng.chisquare(FREEDOM, size=count) / FREEDOM
        rest = dimension - outer
        inner_normal = rng.standard_normal((count, inner, rest))
        inner_wide = rng.chisquare(FREEDOM + outer, size=(count, inner)) / (FREEDOM + outer)
        first, second = np.empty((count, outer)), np.empty((count, inner, rest))
        for number, one in enumerate(self.components):
            own = chosen == number
            if not own.any():
                continue
            corner = one.scale[:outer, :outer]
            root = np.linalg.cholesky(corner)
            step = normal[own] @ root.T / np.sqrt(wide[own])[:, None]
            first[own] = one.mean[:outer] + step
            if not rest:
                continue
            slope = np.linalg.solve(corner, one.scale[:outer, outer:])
            distance = ((normal[own] / np.sqrt(wide[own])[:, None]) ** 2).sum(axis=1)
            schur = one.scale[outer:, outer:] - one.scale[outer:, :outer] @ slope
            widened = np.sqrt((FREEDOM + distance) / (FREEDOM + outer))
            noise = inner_normal[own] @ np.linalg.cholesky(schur).T
            noise *= (widened[:, None] / np.sqrt(inner_wide[own]))[..., None]
            second[own] = one.mean[outer:] + (step @ slope)[:, None] + noise
        return self._wound(first, slice(0, outer)), self._wound(second, slice(outer, None))

    def _wound(self, points: Array, part: slice) -> Array:
        return np.asarray(np.where(self.circles[part], points % 1.0, points))

    def log_parts(self, points: Array) -> Array:
        """(n, components): log of weight times density of each component at points (n, k)."""
        return np.stack(
            [
                np.log(weight) + _log_density(points, one, self.circles)
                for one, weight in zip(self.components, self.weights, strict=True)
            ],
            axis=1,
        )

    def log_density(self, points: Array) -> Array:
        """(n,) at points (n, k)."""
        return np.asarray(logsumexp(self.log_parts(points), axis=1))

    def beside(self, other: Mixture, share: float) -> Mixture:
        """A mixture of this one and another, of which the other has a share."""
        parts = [
            replace(one, weight=part * weight)
            for part, mixture in ((1 - share, self), (share, other))
            for one, weight in zip(mixture.components, mixture.weights, strict=True)
        ]
        return Mixture(tuple(parts), self.circles)

    def adapted(self, points: Array, weights: Array) -> Mixture:
        """The mixture after one step of weighted expectation and maximisation.

        O. Cappe et al., Stat. Comput. 18, 447 (2008): means and scales become the weighted moments
        of the points that each component is responsible for. Few groups move a scale only partly:
        it is averaged with the old one, which counts as much as twice the dimension of groups.

        Parameters
        ----------
        points : (groups, inner, k), see :meth:`draw`.
        weights : (groups, inner), adding up to one.
        """
        groups = len(points)
        points = points.reshape(-1, points.shape[-1])
        parts = self.log_parts(points)
        responsible = np.exp(parts - logsumexp(parts, axis=1, keepdims=True))
        responsible *= weights.ravel()[:, None]
        made = []
        for one, share in zip(self.components, responsible.T, strict=True):
            total = float(share.sum())
            if total < 1e-12:
                continue
            own = share / total
            effective = 1.0 / float((own.reshape(groups, -1).sum(axis=1) ** 2).sum())
            away = shorter(points - one.mean, self.circles)
            mean = one.mean + own @ away
            moved = shorter(points - mean, self.circles)
            spread = (own[:, None] * moved).T @ moved
            prior = 2.0 * len(mean)
            # The old mean's error is part of the spread that few points have missed.
            scale = (effective * spread + prior * one.scale) / (effective + prior)
            mean = np.where(self.circles, mean % 1.0, mean)
            made.append(Component(mean, (scale + scale.T) / 2, max(total, 0.02)))
        return Mixture(tuple(made), self.circles)


def shorter(away: Array, circles: NDArray[np.bool_]) -> Array:
    """Differences (..., k) of points of a cube, on circles the shorter way round."""
    return np.asarray(np.where(circles, away - np.round(away), away))


def _log_density(points: Array, one: Component, circles: NDArray[np.bool_]) -> Array:
    k = len(one.mean)
    root = np.linalg.cholesky(one.scale)
    away = shorter(points - one.mean, circles)
    constant = (
        gammaln((FREEDOM + k) / 2)
        - gammaln(FREEDOM / 2)
        - k / 2 * np.log(FREEDOM * np.pi)
        - np.log(np.diag(root)).sum()
    )
    turns = np.array(list(product(*((-1, 0, 1) if circle else (0,) for circle in circles))))
    inverse = np.linalg.inv(root)
    reduced, shifts = inverse @ away.T, inverse @ turns.T
    distance = (shifts**2).sum(axis=0)[:, None] + 2 * shifts.T @ reduced + (reduced**2).sum(axis=0)
    images = -(FREEDOM + k) / 2 * np.log1p(np.maximum(distance, 0.0) / FREEDOM)
    return np.asarray(constant + logsumexp(images, axis=0))
