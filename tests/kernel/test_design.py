"""What to measure next, against brute force and against what symmetry forbids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logsumexp

import gapscope as gs
from gapscope.dataset.samples import simulate_samples
from gapscope.inference.design.candidates import Candidate, candidates
from gapscope.inference.design.gain import entropy
from gapscope.inference.design.measure import judged
from gapscope.inference.posterior.posterior import find_posterior
from gapscope.inference.posterior.responses import Responses
from gapscope.inference.posterior.result import posterior_tree
from gapscope.inference.posterior.starts import ScannedStarts
from gapscope.inference.refine import Conditions, Guess
from gapscope.problem.define import Named, define
from gapscope.problem.draft import Draft
from gapscope.problem.quantities import quantity

Array = NDArray[np.float64]
WINDOW = 10


def conditions(
    material: str,
    classes: Sequence[str],
    ranges: dict[str, tuple[float, float]],
    energy: float,
    **fixed: float,
) -> Conditions:
    draft = Draft(gs.material(material), 5.0, 60.0)
    unknowns = [quantity(name).unknown(name, *ends) for name, ends in ranges.items()]
    problem = define(draft, [Named(one) for one in classes], unknowns, fixed)
    return Conditions(problem, draft, gs.Numerics([energy], 5.0, WINDOW, gs.Grid(48)))


def maps_of(known: Conditions, energy: float, states: Sequence[Guess]) -> Array:
    numerics = gs.Numerics([energy], 5.0, WINDOW, known.numerics.method)
    maps = simulate_samples([known.sample(one) for one in states], numerics)[0]
    return np.asarray(maps[:, 0], dtype=np.float64)


def all_maps(known: Conditions, energy: float, count: int) -> Array:
    """Maps of all classes, gaps and potentials on an even grid, (states, sites)."""
    numerics = gs.Numerics([energy], 5.0, WINDOW, known.numerics.method)
    responses = Responses(replace(known, numerics=numerics))
    shares = (np.arange(count) + 0.5) / count
    return np.concatenate(
        [
            responses.of(cube, np.array([x])).maps(responses.potentials(cube, shares[:, None]))[
                :, 0
            ]
            for cube in responses.cubes
            for x in shares
        ]
    )


def noisy(known: Conditions, truth: Guess, ratio: float) -> tuple[Array, float]:
    clean = maps_of(known, known.numerics.energies[0], [truth])
    level = float(clean[0][known.sites_away].std()) / ratio
    return clean + level * np.random.default_rng(3).standard_normal(clean.shape), level


def test_gain_and_entropy_are_those_of_sums_over_all_states() -> None:
    """Nested Monte Carlo over a grid of simulated maps of both classes, which knows nothing of
    draws, kernels and slopes."""
    known = conditions("bi2212", ("A1g", "B1g"), {"gap": (10, 50), "potential": (20, 200)}, 5.0)
    map, level = noisy(known, Guess("A1g", {"gap": 30.0, "potential": 90.0}), 0.07)
    tree = posterior_tree(find_posterior(map, known, ScannedStarts(8), noise=[level]), 0)
    count = 48
    old, new = (all_maps(known, energy, count) for energy in (5.0, 30.0))
    before = -0.5 * ((old - map[:, known.sites_away]) ** 2).sum(axis=1) / level**2
    before -= logsumexp(before)
    rng = np.random.default_rng(4)
    chosen = rng.choice(len(old), size=600, p=np.exp(before))
    data = new[chosen] + level * rng.standard_normal((600, new.shape[1]))
    squares = (data**2).sum(axis=1)[:, None] - 2 * data @ new.T + (new**2).sum(axis=1)
    after = before - 0.5 * squares / level**2
    after -= logsumexp(after, axis=1, keepdims=True)

    def marginal(logs: Array) -> Array:
        """p(class, gap), (..., classes, gaps)."""
        return np.exp(logs).reshape(*logs.shape[:-1], 2, count, count).sum(axis=-1)

    cell = chosen // count
    now, then = marginal(before), marginal(after)
    gains = np.log(then.reshape(600, -1)[np.arange(600), cell] / now.ravel()[cell])
    left = entropy(then.sum(axis=2))

    found = judged(tree, known, np.array([level]), [Candidate("new", (30.0,), WINDOW)])
    one = found.expected[0]
    assert found.now == pytest.approx(float(entropy(now.sum(axis=1))), abs=0.05)
    # Maps bend within kernels, so that the gain is rather too small.
    error = np.hypot(one.gain[1], gains.std() / np.sqrt(600))
    assert 0.75 * gains.mean() - 3 * error < one.gain[0] < gains.mean() + 3 * error
    error = np.hypot(one.entropy[1], left.std() / np.sqrt(600))
    assert one.entropy[0] == pytest.approx(left.mean(), abs=0.04 + 3 * error)
    assert gains.mean() > 0.4


def test_the_sign_of_phi_is_told_by_a_moment_alone() -> None:
    """A scalar impurity has the same map for phi and -phi, wherever and however it is measured."""
    ranges = {"gap": (20.0, 60.0), "phi": (-np.pi / 2, np.pi / 2)}
    known = conditions("nbse2", ("Eu",), ranges, 10.0, theta=0.6)
    map, level = noisy(known, Guess("Eu", {"gap": 40.0, "phi": 0.8}), 10.0)
    assert known.problem.reversible
    tree = posterior_tree(find_posterior(map, known, ScannedStarts(16), noise=[level]), 0)
    mean = tree["mean"].sel({"class": "Eu", "unknown": "phi"})
    assert float(mean) == pytest.approx(0.8, abs=0.3)
    offered = candidates(
        known.problem,
        [10.0],
        WINDOW,
        energies=[30.0],
        larger=2 * WINDOW,
        quieter=2.0,
        potential=(30.0, 90.0),
        moment=(20.0, 60.0),
    )
    found = judged(tree, known, np.array([level]), offered, draws=64)
    phi = [one.name for one in known.problem.shown].index("phi")
    assert found.deviations_now[0, phi] == pytest.approx(0.8, rel=0.2)
    for one, after in zip(offered, found.deviations[:, 0, phi], strict=True):
        if one.name == "a magnetic defect":
            assert after < 0.1
        else:
            assert after == pytest.approx(0.8, rel=0.2), one.name
