"""Damped least squares for several problems at once, whose functions cost by the batch.

Each problem follows a target y from a start p by minimising

    chi^2(p) = ||f(p) - y||^2 / ||y||^2

(K. Levenberg, Quart. Appl. Math. 2, 164 (1944); D. Marquardt, SIAM J. Appl. Math. 11, 431 (1963)),
with derivatives of f by finite differences. What a point p is, only the functions know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

FIRST_DAMPING = 1e-3
Vector = NDArray[np.float64]
P = TypeVar("P")


class Functions(Protocol[P]):
    """What is fitted: vectors of points, and how points move."""

    def values(self, points: Sequence[P]) -> Vector:
        """f of each point, (points, n)."""

    def differences(self, point: P) -> Vector:
        """(k,): the finite difference of each of the point's k parameters."""

    def moved(self, point: P, step: Vector) -> P:
        """The point whose parameters are k numbers further on, or as near as there is one."""


@dataclass
class Fit(Generic[P]):
    """One problem on its way.

    Parameters
    ----------
    target : y.
    point : the start, then the best point so far.
    value : f of the best point.
    distance : its chi.
    """

    target: Vector
    point: P
    value: Vector | None = None
    distance: float = float("inf")
    damping: float = FIRST_DAMPING

    def offer(self, point: P, value: Vector) -> bool:
        """Take a point that is nearer and say so; otherwise damp the next step more."""
        distance = float(np.linalg.norm(value - self.target) / np.linalg.norm(self.target))
        nearer = distance < self.distance
        if nearer:
            self.point, self.value, self.distance = point, value, distance
            self.damping /= 5
        else:
            self.damping *= 25
        return nearer

    def step(self, slopes: Vector) -> Vector:
        """The damped step, from the derivatives (k, n); none along what changes nothing."""
        assert self.value is not None
        lengths = np.linalg.norm(slopes, axis=1)
        alive = lengths > 0
        step = np.zeros(len(slopes))
        unit = slopes[alive] / lengths[alive, None]
        damped = unit @ unit.T + self.damping * np.eye(len(unit))
        step[alive] = np.linalg.solve(damped, unit @ (self.target - self.value)) / lengths[alive]
        return step


def follow(fits: Sequence[Fit[P]], functions: Functions[P], rounds: int) -> None:
    """Follow all problems together; each ends at the best point that it has met.

    Parameters
    ----------
    rounds : steps; each costs one value per problem, and k more after a step that led nearer.
    """
    for fit, value in zip(fits, functions.values([fit.point for fit in fits]), strict=True):
        fit.offer(fit.point, value)
    slopes: dict[int, Vector] = {}
    for _ in range(rounds):
        slopes |= _slopes({i: fit for i, fit in enumerate(fits) if i not in slopes}, functions)
        tried = [functions.moved(fit.point, fit.step(slopes[i])) for i, fit in enumerate(fits)]
        values = functions.values(tried)
        for i, (fit, point, value) in enumerate(zip(fits, tried, values, strict=True)):
            if fit.offer(point, value):
                del slopes[i]


def _slopes(fits: dict[int, Fit[P]], functions: Functions[P]) -> dict[int, Vector]:
    """Derivatives (k, n) at the best point of each problem."""
    differences = {i: functions.differences(fit.point) for i, fit in fits.items()}
    shifted = [
        functions.moved(fit.point, np.where(np.arange(len(differences[i])) == k, by, 0.0))
        for i, fit in fits.items()
        for k, by in enumerate(differences[i])
    ]
    made = iter(functions.values(shifted)) if shifted else iter(())
    found = {}
    for i, fit in fits.items():
        assert fit.value is not None
        rows = [(next(made) - fit.value) / by for by in differences[i]]
        found[i] = np.reshape(rows, (len(rows), fit.value.size))
    return found
