"""Importance sampling of one class: weighted points of a posterior, and its evidence.

Points are drawn from a mixture of t distributions that is adapted to what has been found, some
times over. All of them are weighted by the mixture of all proposals so far (J.-M. Cornuet et al.,
Scand. J. Stat. 39, 798 (2012)), N_r points of the proposal q_r in the round r:

    w(z) = L(z) / [sum_r N_r q_r(z) / sum_r N_r],    evidence = mean of w,

where the prior is uniform on the cube and w is zero outside of it. Where some coordinates cost
next to nothing once the others are known, each expensive point comes with several of them, and what
counts as one sample is the whole group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from gapscope.inference.posterior.mixture import Mixture

Array = NDArray[np.float64]
LEAST_GROUPS = 2
"""Effective groups per dimension from which a proposal is adapted, by weights made flatter if need
be."""
TRIED = 2000
"""Points by which the share of a proposal inside of the cube is estimated."""


class Target(Protocol):
    """A likelihood on a cube whose first ``outer`` of ``size`` coordinates are expensive."""

    @property
    def size(self) -> int:
        """Number of coordinates."""

    @property
    def outer(self) -> int:
        """Number of expensive coordinates."""

    def inside(self, points: Array) -> NDArray[np.bool_]:
        """Whether points (..., any number of coordinates) lie between 0 and 1."""

    def log_likelihood(self, outer: Array, inner: Array) -> Array:
        """(n, m) of groups of points with the coordinates (n, outer) in common, and
        (n, m, size - outer), all of them inside of the cube."""


@dataclass(frozen=True, eq=False)
class Samples:
    """What has been drawn of a class; the weights are computed once.

    Attributes
    ----------
    points, log_likelihood : (groups, inner, size) and (groups, inner); minus infinity outside.
    proposals, counts : of the rounds, with the numbers of groups drawn, outside or inside.
    """

    points: Array
    log_likelihood: Array
    proposals: tuple[Mixture, ...] = ()
    counts: tuple[int, ...] = ()

    @cached_property
    def log_weights(self) -> Array:
        """log w of the class docstring's equation, (groups, inner)."""
        flat = self.points.reshape(self.log_likelihood.size, self.points.shape[-1])
        parts = [
            np.log(count / sum(self.counts)) + one.log_density(flat)
            for one, count in zip(self.proposals, self.counts, strict=True)
        ]
        proposed = logsumexp(np.stack(parts), axis=0).reshape(self.log_likelihood.shape)
        return np.asarray(self.log_likelihood - proposed)

    @property
    def log_evidence(self) -> float:
        """The class's log evidence, its prior uniform on the cube."""
        return float(logsumexp(self.log_weights) - np.log(sum(self.counts) * self._inner))

    @property
    def evidence_error(self) -> float:
        """Standard error of the log of the evidence, by the scatter of groups."""
        return float(np.sqrt(max(0.0, 1 / self.effective - 1 / sum(self.counts))))

    @cached_property
    def effective(self) -> float:
        """Effective number of groups (Kish): (sum of weights)^2 / sum of squared weights."""
        groups = logsumexp(self.log_weights, axis=1)
        shares = np.exp(groups - logsumexp(groups))
        return float(1 / (shares**2).sum())

    @property
    def efficiency(self) -> float:
        """The effective number over that of groups inside of the cube, each of which cost."""
        return self.effective / max(1, len(self.points))

    @property
    def _inner(self) -> int:
        return int(self.points.shape[1])


def adapted(proposal: Mixture, found: Samples) -> Mixture:
    """The proposal moved to where weights are; made flatter where few groups have them all."""
    weights = found.log_weights
    if not np.isfinite(weights).any():
        return proposal
    wanted = min(LEAST_GROUPS * found.points.shape[-1], len(weights) / 2)
    power = 1.0
    while True:
        shares = np.exp(power * weights - logsumexp(power * weights))
        if 1 / (shares.sum(axis=1) ** 2).sum() >= wanted or power < 1e-3:
            return proposal.adapted(found.points, shares)
        power *= 0.8


Adapt = Callable[[Mixture, Samples], Mixture]


def sample(
    target: Target,
    proposal: Mixture,
    rng: np.random.Generator,
    rounds: Sequence[int],
    inner: int,
    enough: float = np.inf,
    told: Callable[[Samples], None] | None = None,
    adapt: Adapt = adapted,
) -> Samples:
    """Weighted points of a class's posterior.

    Parameters
    ----------
    rounds : expensive points of each; the proposal is adapted between two.
    inner : cheap ones for each of them; one where no coordinate is cheap.
    enough : effective number of groups that ends it early.
    told : called after each round with what has been drawn so far.
    adapt : gives the proposal of the next round.
    """
    inner = inner if target.outer < target.size else 1
    if not target.size:  # a single state
        rounds = (1,)
    found = Samples(np.empty((0, inner, target.size)), np.empty((0, inner)))
    for number, count in enumerate(rounds):
        if number:
            if found.effective >= enough:
                break
            proposal = adapt(proposal, found)
        # As many are drawn as leave that number inside, which is known before any is computed.
        trial, _ = proposal.draw(TRIED, 1, target.outer, rng)
        share = max(float(target.inside(trial).mean()), 1 / TRIED)
        drawn = int(np.ceil(count / share))
        outer, cheap = proposal.draw(drawn, inner, target.outer, rng)
        inside = target.inside(outer)
        outer, cheap = outer[inside], cheap[inside]
        allowed = target.inside(cheap)
        some = allowed.any(axis=1)
        values = np.full((len(outer), inner), -np.inf)
        if some.any():
            values[some] = target.log_likelihood(outer[some], np.clip(cheap[some], 0, 1))
        values[~allowed] = -np.inf
        repeated = np.broadcast_to(outer[:, None], (len(outer), inner, target.outer))
        points = np.concatenate([repeated, cheap], axis=-1)
        found = Samples(
            np.concatenate([found.points, points]),
            np.concatenate([found.log_likelihood, values]),
            (*found.proposals, proposal),
            (*found.counts, drawn),
        )
        if told is not None:
            told(found)
    return found
