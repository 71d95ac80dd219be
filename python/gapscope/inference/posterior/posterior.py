"""The posterior of one map: search, sampling of every class that may be it, and what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.forward import Forward
from gapscope.inference.posterior.importance import Samples, sample
from gapscope.inference.posterior.modes import HOPELESS, Mode, find_modes, proposal
from gapscope.inference.posterior.starts import Starts
from gapscope.inference.posterior.surroundings import Surroundings
from gapscope.inference.refine import Conditions

Array = NDArray[np.float64]
ROUNDS = (16,) * 14
"""Green's functions of a class that are drawn before each adaptation of the proposal."""
ASIDE = (16, 16)
"""The same for a class that is, by Laplace's approximation, less than UNLIKELY probable."""
UNLIKELY = 1e-3
ENOUGH = 64.0
"""Effective number of Green's functions that ends the sampling of a class."""
INNER = 48
"""Impurities for every Green's function."""


@dataclass(frozen=True, eq=False)
class ClassPosterior:
    """What was found of a class.

    Parameters
    ----------
    mode : its best map.
    samples : weighted points; None where the class was not sampled.
    approximate : log evidence by Laplace's approximation, of a class that is still to be sampled.
    """

    mode: Mode
    samples: Samples | None
    approximate: float | None = None

    @property
    def log_evidence(self) -> float:
        """The class's log evidence; an upper bound where it was not, and is not to be, sampled."""
        if self.samples is not None:
            return self.samples.log_evidence
        return self.mode.log_likelihood if self.approximate is None else self.approximate


@dataclass(frozen=True, eq=False)
class Found:
    """The posterior of a map.

    Parameters
    ----------
    classes : in the problem's order.
    forward : with the map and its noise.
    """

    classes: tuple[ClassPosterior, ...]
    forward: Forward

    @property
    def probabilities(self) -> Array:
        """(classes,), with equal priors; upper bounds where a class was not sampled."""
        evidences = np.array([one.log_evidence for one in self.classes])
        return np.asarray(np.exp(evidences - logsumexp(evidences)))

    @property
    def leading(self) -> ClassPosterior:
        """The most probable class."""
        return self.classes[int(self.probabilities.argmax())]


def find_posterior(
    map: NDArray[np.floating],
    conditions: Conditions,
    starts: Starts,
    *,
    noise: Sequence[float] | None = None,
    seed: int = 0,
    tell: Callable[[int], None] | None = None,
    told: Callable[[Found], None] | None = None,
) -> Found:
    """The posterior of one map by importance sampling; the prior is what datasets are drawn from.

    Parameters
    ----------
    map : drho (energies, L, L) in 1/meV, as the conditions say it.
    noise : standard deviation of white noise at each energy in 1/meV; None: integrated out.
    seed : of the draws.
    tell : called after each Green's function with the number of those so far.
    told : called after the search, with the evidences of Laplace's approximation, and after each
        round of sampling, with what is known then.

    Raises
    ------
    NumericsError, MapFileError : see :class:`gapscope.inference.posterior.forward.Forward`.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
    """
    forward = Forward(map, conditions, noise, tell)
    modes = find_modes(forward, starts.points(forward.cubes))
    best = max(one.log_evidence for one in modes if one.precision is not None)
    classes: list[ClassPosterior] = []
    to_sample: list[tuple[Cube, list[Mode]]] = []
    for cube in forward.cubes:
        own = [one for one in modes if one.cube is cube]
        live = [one for one in own if one.precision is not None]
        nearest = max(own, key=lambda one: one.log_likelihood)
        if not live or nearest.log_likelihood < best - HOPELESS:
            classes.append(ClassPosterior(nearest, None))
            continue
        evidence = float(logsumexp([one.log_evidence for one in live]))
        classes.append(ClassPosterior(nearest, None, evidence))
        to_sample.append((cube, live))
    if told is not None:
        told(Found(tuple(classes), forward))
    for cube, live in to_sample:
        one = classes[cube.index]

        def sampled(samples: Samples, one: ClassPosterior = one, index: int = cube.index) -> None:
            classes[index] = ClassPosterior(one.mode, samples)
            if told is not None:
                told(Found(tuple(classes), forward))

        rng = np.random.Generator(np.random.Philox(key=[seed, cube.index]))
        around = Surroundings(forward, cube, live, rng)
        sample(
            around,
            around.learned(proposal(live)),
            rng,
            ROUNDS if one.log_evidence - best > np.log(UNLIKELY) else ASIDE,
            INNER,
            ENOUGH,
            sampled,
            around.learned,
        )
    return Found(tuple(classes), forward)
