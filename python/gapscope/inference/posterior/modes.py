"""Maxima of the likelihood of a map, found by least squares, and the posterior around them.

Around a maximum z* of a class the posterior is nearly normal: with the derivatives J_e of simulated
maps and the noise sigma_e, its precision is sum_e J_e^T J_e / sigma_e^2, to which a uniform prior
on [0, 1] adds 12, the inverse of its variance, for what the map does not tell; the evidence is
near L(z*) (2 pi)^(k/2) / sqrt(det) (Laplace's approximation).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from gapscope.inference.least_squares import Fit, differentiate, follow
from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.forward import Forward, Point
from gapscope.inference.posterior.mixture import Component, Mixture, shorter

Array = NDArray[np.float64]
PRIOR_PRECISION = 12.0
SCANNED = 512
"""Impurities that are tried for each Green's function at the start; they cost next to nothing."""
KEPT = 2
"""Starts, the nearest of all, that are followed at once, beside the nearest of every class."""
FIRST, ASIDE, SECOND, LAST = 2, 1, 2, 20
"""Steps of least squares: of the nearest starts, of those beside them, of all that are left after
that, and the most of those that are left then. One that ended before its maximum would be sampled
where the posterior is not, which is far dearer than some more steps."""
NEAR = (10.0, 4.0, 1.5)
"""Times the smallest relative distance within which starts are left: those beside the nearest after
its first steps, and all after the first and the second steps."""
SETTLED = 1.0
"""Gain in the log of the likelihood by a step that is the last one, where derivatives foretell no
more of those to come: emulators do the rest."""
TWIN = 0.02
"""Largest difference of coordinates of two fits, both near to the best, that are on their way to
one maximum."""
HOPELESS = 30.0
"""Log of the factor by which a class's likelihood, at its best, lies below the best evidence where
it is not sampled: no evidence is larger than the likelihood's maximum. Probability below 1e-13."""
WIDE, WIDE_SHARE = 3.0, 0.3
"""Factor on the widths of a second component at each maximum, and its share: posteriors that are
not normal reach farther than Laplace's approximation."""
REACH = 4.0
"""Standard deviations that a maximum outside of the cube reaches into it."""
ONE = 0.5
"""Standard deviations within which two maxima are the same one."""


@dataclass(frozen=True, eq=False)
class Mode:
    """A maximum of the likelihood of a class.

    Parameters
    ----------
    point : in the cube.
    squares : residual sums of squares, (energies,).
    log_likelihood : there.
    precision : of the posterior around it, (k, k); None where it is not to be sampled, since the
        likelihood itself is too small beside the evidence of another class.
    """

    cube: Cube
    point: Array
    squares: Array
    log_likelihood: float
    precision: Array | None

    @property
    def log_evidence(self) -> float:
        """Laplace's approximation of this maximum's part of the evidence; its bound, the
        likelihood, where it is not sampled."""
        if self.precision is None:
            return self.log_likelihood
        k = len(self.point)
        _, log_determinant = np.linalg.slogdet(self.precision)
        return float(self.log_likelihood + k / 2 * np.log(2 * np.pi) - log_determinant / 2)

    def components(self) -> list[Component]:
        """The proposal's components around this maximum and around those that have the same maps by
        other names; one outside of the cube counts where it reaches into it."""
        assert self.precision is not None
        scale = np.linalg.inv(self.precision)
        reach = REACH * np.sqrt(np.diag(scale))
        return [
            Component(twin, scale * np.outer(signs, signs))
            for twin, signs in self.cube.twins(self.point)
            if ((twin > -reach) & (twin < 1 + reach)).all()
        ]


def proposal(modes: Sequence[Mode]) -> Mixture:
    """The mixture around the maxima of a class, each as heavy as its evidence, with a wider
    component for its tails."""
    best = max(one.log_evidence for one in modes)
    parts = []
    for one in modes:
        weight = max(float(np.exp(one.log_evidence - best)), 0.02)
        own = one.components()
        for share, wider in ((1 - WIDE_SHARE, 1.0), (WIDE_SHARE, WIDE)):
            parts += [Component(c.mean, wider**2 * c.scale, share * weight / len(own)) for c in own]
    return Mixture(tuple(parts), modes[0].cube.circles)


def find_modes(forward: Forward, starts: Sequence[Point]) -> list[Mode]:
    """The maxima that starts lead to, the best of each class among them, by falling evidence.

    Of every class the nearest start is followed some steps, and besides the nearest of all; only
    those that come near to the best are followed to the end.
    """
    tried = sorted((_screened(forward, one) for one in starts), key=lambda pair: -pair[1])
    chosen: list[Point] = []
    for rank, (point, _) in enumerate(tried):
        if rank < KEPT or point[0] not in [index for index, _ in chosen]:
            chosen.append(point)
    fits = [Fit(forward.observed, point) for point in chosen]
    follow(fits[:KEPT], forward, FIRST, forward.blocked, forward.apart)
    follow(fits[KEPT:], forward, 0)
    reach = NEAR[0] * min(fit.distance for fit in fits)
    aside = [fit for fit in fits[KEPT:] if fit.distance <= reach]
    follow(aside, forward, ASIDE, forward.blocked, forward.apart)
    near = _without_twins(_near(fits, NEAR[1]), forward)
    follow(near, forward, SECOND, forward.blocked, forward.apart)
    left = _without_twins(_near(near, NEAR[2]), forward)
    for _ in range(LAST):
        before = [fit.distance for fit in left]
        follow(left, forward, 1, forward.blocked, forward.apart)
        pairs = zip(left, before, strict=True)
        left = [fit for fit, was in pairs if not _settled(fit, was, forward)]
        left = _without_twins(left, forward)
        if not left:
            break
    return sorted(_different(_found(forward, fits)), key=lambda mode: -mode.log_evidence)


def _settled(fit: Fit[Point], before: float, forward: Forward) -> bool:
    """Whether a step gained little, and those to come would."""
    little = SETTLED * fit.distance / fit.target.size
    if fit.slopes is None or before - fit.distance >= little:
        return False
    return fit.distance - fit.foretold(forward.blocked) < little


def _screened(forward: Forward, start: Point) -> tuple[Point, float]:
    """A start with the impurity that fits best, and its log-likelihood."""
    index, place = start
    cube = forward.cubes[index]
    inner = place[None, cube.outer :]
    if cube.outer < cube.size:
        sobol = qmc.Sobol(cube.size - cube.outer, scramble=False).random(SCANNED)
        inner = np.concatenate([inner, sobol])
    values = forward.log_likelihood(cube, place[: cube.outer], inner)
    best = int(values.argmax())
    return (index, np.concatenate([place[: cube.outer], inner[best]])), float(values[best])


def _near(fits: Sequence[Fit[Point]], times: float) -> list[Fit[Point]]:
    """Fits within so many times the smallest distance, but those at the place of a nearer one."""
    reach = times * min(fit.distance for fit in fits)

    def same(one: Point, known: Point) -> bool:
        return np.allclose(one[1], known[1], atol=1e-4)

    return _distinct([fit for fit in fits if fit.distance <= reach], same)


def _without_twins(fits: Sequence[Fit[Point]], forward: Forward) -> list[Fit[Point]]:
    """Fits without those on their way to where a nearer one is, or would be by another name."""

    def same(one: Point, known: Point) -> bool:
        cube = forward.cubes[one[0]]
        return min(cube.apart(one[1], twin) for twin, _ in cube.twins(known[1])) < TWIN

    return _distinct(fits, same)


def _distinct(fits: Sequence[Fit[Point]], same: Callable[[Point, Point], bool]) -> list[Fit[Point]]:
    """Fits, the nearest first, without those whose point is the same as a nearer one's."""
    kept: list[Fit[Point]] = []
    for fit in sorted(fits, key=lambda one: one.distance):
        index = fit.point[0]
        if not any(known.point[0] == index and same(fit.point, known.point) for known in kept):
            kept.append(fit)
    return kept


def _squares(forward: Forward, fit: Fit[Point]) -> Array:
    """Residual sums of squares, (energies,)."""
    assert fit.value is not None
    residual = (fit.value - forward.observed).reshape(len(forward.scale), -1)
    return np.asarray((residual**2).sum(axis=1) * forward.scale**2)


def _found(forward: Forward, fits: Sequence[Fit[Point]]) -> list[Mode]:
    """All modes that may matter beside the best, and of the other classes the best fit."""
    fits = sorted(_without_twins(fits, forward), key=lambda fit: -_log_likelihood(forward, fit))
    for fit in fits:
        if fit.updated:
            fit.forget()
    differentiate(fits[:1], forward)
    best = _mode(forward, fits[0])
    found, seen = [best], {best.cube.index}
    for fit in fits[1:]:
        matters = _log_likelihood(forward, fit) > best.log_evidence - HOPELESS
        if matters:
            differentiate([fit], forward)
        if matters or fit.point[0] not in seen:
            found.append(_mode(forward, fit))
        seen.add(fit.point[0])
    return found


def _log_likelihood(forward: Forward, fit: Fit[Point]) -> float:
    return float(forward.noise.log_likelihood(_squares(forward, fit)))


def _mode(forward: Forward, fit: Fit[Point]) -> Mode:
    """The mode of a fit; without derivatives one that is not sampled."""
    index, place = fit.point
    squares = _squares(forward, fit)
    value, cube = _log_likelihood(forward, fit), forward.cubes[index]
    if fit.slopes is None:
        return Mode(cube, place, squares, value, None)
    deviation = forward.noise.deviation(squares) / forward.scale
    shape = (len(place), len(deviation), forward.noise.sites)
    slopes = fit.slopes.reshape(shape) / deviation[:, None]
    flat = slopes.reshape(len(place), fit.target.size)
    precision = PRIOR_PRECISION * np.eye(len(place)) + flat @ flat.T
    return Mode(cube, place, squares, value, precision)


def _different(modes: Sequence[Mode]) -> list[Mode]:
    """Modes without those that are, or by another name would be, where a better one is."""
    kept: list[Mode] = []
    for one in sorted(modes, key=lambda mode: -mode.log_likelihood):
        if one.precision is None or not any(
            one.cube is known.cube and _same(one, known) for known in kept
        ):
            kept.append(one)
    return kept


def _same(one: Mode, known: Mode) -> bool:
    if known.precision is None:
        return False
    for twin, signs in known.cube.twins(known.point):
        away = shorter(one.point - twin, known.cube.circles)
        precision = known.precision * np.outer(signs, signs)
        if away @ precision @ away < ONE**2 * len(away):
            return True
    return False
