"""A class's likelihood around its maxima, and proposals that are learned there.

Simulated maps decide weights; where points are drawn, they only have to be drawn well. An
:class:`~gapscope.inference.posterior.emulator.Emulator` of the responses that are known around each
maximum gives a likelihood that costs microseconds, to which importance sampling adapts the next
proposal: posteriors that are bent, cut off by the end of a range, or have several maxima among the
impurities of one Green's function, are followed with no further map.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.emulator import Emulator
from gapscope.inference.posterior.forward import Forward
from gapscope.inference.posterior.importance import Samples, adapted, sample
from gapscope.inference.posterior.mixture import Mixture, shorter
from gapscope.inference.posterior.modes import Mode, proposal

Array = NDArray[np.float64]
LEARNED_ROUNDS = (1000,) * 5
"""Emulated Green's functions that are drawn before each adaptation of a proposal."""
LEARNED_ENOUGH = 500.0
"""Effective number of them that ends it."""
LEARNED_INNER = 8
"""Impurities for each of them."""
DEFENCE = 0.05
"""Share of a learned proposal that stays Laplace's approximation, in case an emulator errs."""


class Names:
    """The maxima of a class by all names of their states.

    Parameters
    ----------
    modes : the maxima, with their precision.
    """

    def __init__(self, cube: Cube, modes: Sequence[Mode]) -> None:
        self._outer, self._circles = cube.outer, cube.circles
        self.centers = [one.point[: cube.outer] for one in modes]
        self.spreads = [_outer_covariance(one) for one in modes]
        self._twins = [
            (number, np.linalg.inv(self.spreads[number]), mode.point, *twin)
            for number, mode in enumerate(modes)
            for twin in cube.twins(mode.point)
        ]

    def nearest(self, outer: Array, inner: Array) -> tuple[NDArray[np.int64], Array, Array]:
        """The number of the maximum that each group's expensive coordinates are nearest to by one
        of their names, and the group's coordinates by that name."""
        o, circles = self._outer, self._circles
        distances, bases, turns = [], [], []
        for _, precision, point, twin, signs in self._twins:
            away = shorter(outer - twin[:o], circles[:o]) * signs[:o]
            distances.append(np.einsum("ni,ij,nj->n", away, precision, away))
            bases.append(point[:o] + away)
            turns.append(point[o:] + shorter(inner - twin[o:], circles[o:]) * signs[o:])
        nearest, rows = np.argmin(distances, axis=0), np.arange(len(outer))
        base = np.stack(bases)[nearest, rows]
        number = np.array([one[0] for one in self._twins])[nearest]
        return number, np.where(circles[:o], base % 1.0, base), np.stack(turns)[nearest, rows]


class Surroundings:
    """The likelihood of one class, as :class:`~.importance.Target` asks for it.

    Maps are computed by the name of a state that is nearest to a maximum as it was found, so that
    all Green's functions tell of the same surroundings.

    Parameters
    ----------
    modes : the class's maxima that are sampled.
    """

    def __init__(
        self, forward: Forward, cube: Cube, modes: Sequence[Mode], rng: np.random.Generator
    ) -> None:
        self._forward, self._cube, self._rng = forward, cube, rng
        self._laplace, self._names = proposal(modes), Names(cube, modes)
        self.size, self.outer, self.inside = cube.size, cube.outer, cube.inside

    def log_likelihood(self, outer: Array, inner: Array) -> Array:
        """(n, m) of points (n, outer) and (n, m, size - outer), by simulated maps."""
        _, base, turned = self._names.nearest(outer, inner)
        out = ~self.inside(base)
        base[out], turned[out] = outer[out], inner[out]
        made = [
            self._forward.log_likelihood(self._cube, *one) for one in zip(base, turned, strict=True)
        ]
        return np.reshape(made, inner.shape[:2])

    def learned(self, proposal: Mixture, found: Samples | None = None) -> Mixture:
        """The next proposal, by emulators of all that is known now; where too few Green's functions
        are near for one, adapted to what was ``found``."""
        emulators = self._emulators()
        if emulators is None:
            return proposal if found is None else adapted(proposal, found)
        emulated = Emulated(self._forward, self._cube, self._names, emulators)
        learned = sample(
            emulated, proposal, self._rng, LEARNED_ROUNDS, LEARNED_INNER, LEARNED_ENOUGH
        )
        return adapted(learned.proposals[-1], learned).beside(self._laplace, DEFENCE)

    def _emulators(self) -> list[Emulator] | None:
        """Those of all maxima."""
        if not self.outer:
            return None
        known, names = self._forward.responses.known(self._cube), self._names
        circles, target = self._cube.circles[: self.outer], self._forward.target
        made = [
            Emulator.fitted(center, spread, circles, known, target)
            for center, spread in zip(names.centers, names.spreads, strict=True)
        ]
        found = [one for one in made if one is not None]
        return found if len(found) == len(made) else None


class Emulated:
    """The likelihood by emulators of all maxima."""

    def __init__(
        self, forward: Forward, cube: Cube, names: Names, emulators: Sequence[Emulator]
    ) -> None:
        self._forward, self._cube, self._names = forward, cube, names
        self._emulators = emulators
        self.size, self.outer, self.inside = cube.size, cube.outer, cube.inside

    def log_likelihood(self, outer: Array, inner: Array) -> Array:
        """(n, m) of points (n, outer) and (n, m, size - outer)."""
        number, base, turned = self._names.nearest(outer, inner)
        count, each, cheap = inner.shape
        responses = self._forward.responses
        flat = responses.potentials(self._cube, turned.reshape(count * each, cheap))
        potentials = flat.reshape(count, each, *flat.shape[1:])
        made = np.empty((count, each, len(self._forward.target)))
        for k, emulator in enumerate(self._emulators):
            own = number == k
            made[own] = emulator.squares(base[own], potentials[own])
        return self._forward.noise.log_likelihood(made)


def _outer_covariance(mode: Mode) -> Array:
    assert mode.precision is not None
    outer = mode.cube.outer
    return np.asarray(np.linalg.inv(mode.precision)[:outer, :outer])
