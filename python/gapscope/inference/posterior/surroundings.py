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
        self._forward, self._cube, self._modes, self._rng = forward, cube, modes, rng
        self._laplace = proposal(modes)
        self.size, self.outer = cube.size, cube.outer
        self.inside = cube.inside
        self._twins = [(k, *twin) for k, m in enumerate(modes) for twin in cube.twins(m.point)]
        self._spreads = [_outer_covariance(m, cube.outer) for m in modes]

    def log_likelihood(self, outer: Array, inner: Array) -> Array:
        """(n, m) of points (n, outer) and (n, m, size - outer), by simulated maps."""
        _, base, turned = self._renamed(outer, inner)
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
        emulated = _Emulated(self, emulators)
        learned = sample(
            emulated, proposal, self._rng, LEARNED_ROUNDS, LEARNED_INNER, LEARNED_ENOUGH
        )
        return adapted(learned.proposals[-1], learned).beside(self._laplace, DEFENCE)

    def _emulators(self) -> list[Emulator] | None:
        if not self.outer:
            return None
        known = self._forward.responses.known(self._cube)
        circles = self._cube.circles[: self.outer]
        made = [
            Emulator.fitted(mode.point[: self.outer], spread, circles, known, self._forward.target)
            for mode, spread in zip(self._modes, self._spreads, strict=True)
        ]
        found = [one for one in made if one is not None]
        return found if len(found) == len(made) else None

    def _renamed(self, outer: Array, inner: Array) -> tuple[NDArray[np.int64], Array, Array]:
        """Of each group the maximum that its expensive coordinates are nearest to by one of their
        names, and the coordinates by that name."""
        o, circles = self.outer, self._cube.circles
        distances, bases, turns = [], [], []
        for k, twin, signs in self._twins:
            away = shorter(outer - twin[:o], circles[:o]) * signs[:o]
            distances.append(np.einsum("ni,ij,nj->n", away, np.linalg.inv(self._spreads[k]), away))
            bases.append(self._modes[k].point[:o] + away)
            turned = shorter(inner - twin[o:], circles[o:]) * signs[o:]
            turns.append(self._modes[k].point[o:] + turned)
        nearest = np.argmin(distances, axis=0)
        rows = np.arange(len(outer))
        base = np.stack(bases)[nearest, rows]
        number = np.array([k for k, _, _ in self._twins])[nearest]
        return number, np.where(circles[:o], base % 1.0, base), np.stack(turns)[nearest, rows]


class _Emulated:
    """The likelihood by emulators."""

    def __init__(self, of: Surroundings, emulators: Sequence[Emulator]) -> None:
        self._of, self._emulators = of, emulators
        self.size, self.outer, self.inside = of.size, of.outer, of.inside

    def log_likelihood(self, outer: Array, inner: Array) -> Array:
        forward, cube = self._of._forward, self._of._cube
        number, base, turned = self._of._renamed(outer, inner)
        count, each, cheap = inner.shape
        flat = forward.responses.potentials(cube, turned.reshape(count * each, cheap))
        potentials = flat.reshape(count, each, *flat.shape[1:])
        made = np.empty((count, each, len(forward.target)))
        for k, emulator in enumerate(self._emulators):
            own = number == k
            made[own] = emulator.squares(base[own], potentials[own])
        return forward.noise.log_likelihood(made)


def _outer_covariance(mode: Mode, outer: int) -> Array:
    assert mode.precision is not None
    return np.asarray(np.linalg.inv(mode.precision)[:outer, :outer])
