"""Damped least squares for several problems at once, whose functions cost by the batch.

Each problem follows a target y from a start p by minimising

    chi^2(p) = ||f(p) - y||^2 / ||y||^2

(K. Levenberg, Quart. Appl. Math. 2, 164 (1944); D. Marquardt, SIAM J. Appl. Math. 11, 431 (1963)),
with derivatives of f by finite differences. Where asked for, a step along which f bends little
brings the derivatives J up to date instead, with D the diagonal of their lengths,

    J -> J + (f(p + s) - f(p) - J s) s.D^2 / s.D^2.s

(C. G. Broyden, Math. Comp. 19, 577 (1965)). What a point p is, only the functions know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

FIRST_DAMPING = 1e-3
LITTLE_DAMPING = 1e-6
"""What keeps a step finite where parameters are nearly one, and changes no other."""
BENT = 0.3
"""Share of a change of f that derivatives do not foretell, from which on they are found anew. Where
the change is no more than noise, which what is left may be, makes of the k parameters together,
|change|^2 <= k |left|^2 / n, they are kept."""
Vector = NDArray[np.float64]
P = TypeVar("P")
Blocked = Callable[[P, Vector], NDArray[np.bool_]]
Apart = Callable[[P, P], Vector | None]


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
    slopes : derivatives (k, n) at the best point, once they have been found.
    updated : whether these are brought up to date, not found there.
    """

    target: Vector
    point: P
    value: Vector | None = None
    distance: float = float("inf")
    damping: float = FIRST_DAMPING
    slopes: Vector | None = None
    updated: bool = False

    def offer(self, point: P, value: Vector, taken: Vector | None = None) -> bool:
        """Take a point that is nearer and say so; otherwise damp the next step more.

        Parameters
        ----------
        taken : how much further on each parameter is there; None: not known.
        """
        distance = float(np.linalg.norm(value - self.target) / np.linalg.norm(self.target))
        nearer = distance < self.distance
        if nearer:
            self._bring_up_to_date(value, taken)
            self.point, self.value, self.distance = point, value, distance
            self.damping /= 5
        else:
            if self.updated:
                self.forget()
            self.damping *= 25
        return nearer

    def forget(self) -> None:
        """Have the derivatives found anew."""
        self.slopes, self.updated = None, False

    def _bring_up_to_date(self, value: Vector, taken: Vector | None) -> None:
        if taken is None or self.slopes is None or self.value is None:
            self.forget()
            return
        change = value - self.value
        unforeseen = change - taken @ self.slopes
        along = taken * (self.slopes**2).sum(axis=1)
        size = float(along @ taken)
        moved, left = np.linalg.norm(change), np.linalg.norm(value - self.target)
        if size > 0 and np.linalg.norm(unforeseen) <= BENT * moved:
            self.slopes, self.updated = self.slopes + np.outer(along / size, unforeseen), True
        elif moved**2 * self.target.size <= len(self.slopes) * left**2:
            self.updated = True
        else:
            self.forget()

    def step(self, blocked: Blocked[P] | None = None, damping: float | None = None) -> Vector:
        """The damped step, from the derivatives; none along what changes nothing, or what is
        ``blocked``, while the others go where they are best without it."""
        damping = self.damping if damping is None else damping
        assert self.value is not None
        assert self.slopes is not None
        slopes = self.slopes
        lengths = np.linalg.norm(slopes, axis=1)
        alive = lengths > 0
        while True:
            step = np.zeros(len(slopes))
            unit = slopes[alive] / lengths[alive, None]
            damped = unit @ unit.T + damping * np.eye(len(unit))
            solved = np.linalg.solve(damped, unit @ (self.target - self.value))
            step[alive] = solved / lengths[alive]
            stuck = alive & blocked(self.point, step) if blocked is not None else None
            if stuck is None or not stuck.any():
                return step
            alive &= ~stuck

    def foretold(self, blocked: Blocked[P] | None = None) -> float:
        """chi at the minimum, as derivatives foretell it."""
        assert self.value is not None
        assert self.slopes is not None
        left = self.target - self.value - self.step(blocked, LITTLE_DAMPING) @ self.slopes
        return float(np.linalg.norm(left) / np.linalg.norm(self.target))


def follow(
    fits: Sequence[Fit[P]],
    functions: Functions[P],
    rounds: int,
    blocked: Blocked[P] | None = None,
    apart: Apart[P] | None = None,
) -> None:
    """Follow all problems together; each ends at the best point that it has met.

    Parameters
    ----------
    rounds : steps; each costs one value per problem, and k more after a step that led nearer.
        Fits that have been followed before go on from where they are.
    blocked : which of a point's parameters are at the end of their range, and would leave it by a
        step.
    apart : the step from one point to another, or None where there is no saying; with it,
        derivatives are brought up to date where that will do.
    """
    fresh = [fit for fit in fits if fit.value is None]
    values = functions.values([fit.point for fit in fresh]) if fresh else ()
    for fit, value in zip(fresh, values, strict=True):
        fit.offer(fit.point, value)
    for _ in range(rounds if fits else 0):
        differentiate(fits, functions)
        tried = [functions.moved(fit.point, fit.step(blocked)) for fit in fits]
        for fit, point, value in zip(fits, tried, functions.values(tried), strict=True):
            fit.offer(point, value, None if apart is None else apart(fit.point, point))


def differentiate(fits: Sequence[Fit[P]], functions: Functions[P]) -> None:
    """Find the derivatives at the best point of each problem where they are not known."""
    missing = [fit for fit in fits if fit.slopes is None]
    differences = [functions.differences(fit.point) for fit in missing]
    shifted = [
        functions.moved(fit.point, np.where(np.arange(len(own)) == k, by, 0.0))
        for fit, own in zip(missing, differences, strict=True)
        for k, by in enumerate(own)
    ]
    made = iter(functions.values(shifted)) if shifted else iter(())
    for fit, own in zip(missing, differences, strict=True):
        assert fit.value is not None
        rows = [(next(made) - fit.value) / by for by in own]
        fit.slopes = np.reshape(rows, (len(rows), fit.value.size))
