"""What is learned around a likelihood's maximum, against maps computed there."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

import gapscope as gs
from gapscope.dataset.samples import simulate_samples
from gapscope.inference.least_squares import Fit
from gapscope.inference.posterior import modes
from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.emulator import Emulator
from gapscope.inference.posterior.forward import Forward
from gapscope.inference.posterior.importance import sample
from gapscope.inference.posterior.mixture import Mixture
from gapscope.inference.posterior.modes import Mode, find_modes, proposal
from gapscope.inference.posterior.starts import ScannedStarts
from gapscope.inference.posterior.surroundings import Surroundings
from gapscope.inference.refine import Conditions, Guess
from gapscope.problem.define import Named, define
from gapscope.problem.draft import Draft
from gapscope.problem.quantities import quantity

Array = NDArray[np.float64]
RANGES = {
    "gap": (10.0, 50.0),
    "broadening": (2.0, 8.0),
    "potential": (-200.0, 200.0),
    "moment_z": (-60.0, 60.0),
}
TRUTH = {"gap": 32.0, "broadening": 2.3, "potential": 90.0, "moment_z": 20.0}


def known(label: str = "B1g", window: int = 12) -> Conditions:
    """A cuprate with an unknown impurity: its moment's sign is not told, a broadening near the end
    of its range."""
    draft = Draft(gs.material("bi2212"), 5.0, 100.0)
    unknowns = [quantity(name).unknown(name, *ends) for name, ends in RANGES.items()]
    problem = define(draft, [Named(label)], unknowns, {})
    return Conditions(problem, draft, gs.Numerics([-5.0, 20.0], 5.0, window, gs.Grid(96)))


def searched(noise: float) -> tuple[Forward, Cube, list[Mode]]:
    conditions = known()
    sample_of = conditions.sample(Guess("B1g", TRUTH))
    map = simulate_samples([sample_of], conditions.numerics)[0][0].astype(np.float64)
    level = noise * map[:, conditions.sites_away].std(axis=1)
    map += level[:, None, None] * np.random.default_rng(3).standard_normal(map.shape)
    forward = Forward(map, conditions, level.tolist())
    found = find_modes(forward, ScannedStarts(16).points(forward.cubes))
    return forward, forward.cubes[0], [one for one in found if one.precision is not None]


@pytest.mark.parametrize("damping", [1e4, 1e8])
def test_a_search_ends_at_a_maximum_however_careful_its_first_steps_are(
    damping: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps that led away are followed by short ones, as those of such dampings are."""
    monkeypatch.setattr(modes, "Fit", partial(Fit, damping=damping))
    forward, cube, (mode, *_) = searched(0.003)
    truth = cube.point(TRUTH)
    outer, inner = truth[: cube.outer], truth[None, cube.outer :]
    assert mode.log_likelihood > forward.log_likelihood(cube, outer, inner)[0]


def near(mode: Mode, count: int, reach: float) -> Array:
    """Expensive coordinates within some standard deviations of a maximum."""
    assert mode.precision is not None
    o = mode.cube.outer
    root = np.linalg.cholesky(np.linalg.inv(mode.precision)[:o, :o])
    step = np.random.default_rng(4).uniform(-reach, reach, (count, o)) @ root.T
    return np.clip(mode.point[:o] + step, 0, 1)


def test_an_emulator_foretells_likelihoods_of_maps_that_are_not_computed() -> None:
    """To a small part of what separates states."""
    forward, cube, (mode, *_) = searched(0.1)
    for point in near(mode, 20, 2.0):
        forward.responses.of(cube, point)
    assert mode.precision is not None
    o = cube.outer
    spread = np.linalg.inv(mode.precision)[:o, :o]
    responses = forward.responses.known(cube)
    emulator = Emulator.fitted(mode.point[:o], spread, cube.circles[:o], responses, forward.target)
    assert emulator is not None
    outer = near(mode, 12, 2.0)[6:]
    steps = np.random.default_rng(5).uniform(-2, 2, (len(outer), 30, cube.size - o))
    inner = mode.point[o:] + steps * np.sqrt(np.diag(np.linalg.inv(mode.precision))[o:])
    potentials = forward.responses.potentials(cube, inner.reshape(-1, cube.size - o))
    potentials = potentials.reshape(*inner.shape[:2], *potentials.shape[1:])
    foretold = emulator.squares(outer, potentials)
    exact = np.stack([forward.squares(cube, *one) for one in zip(outer, inner, strict=True)])
    variance = np.asarray(forward.noise.level) ** 2
    wanted = (exact / variance).sum(axis=-1) / 2
    away = (foretold / variance).sum(axis=-1) / 2 - wanted
    matters = wanted < wanted.min() + 20
    assert wanted[matters].std() > 3
    assert np.abs(away[matters]).max() < 0.3
    few = responses[:o]
    assert Emulator.fitted(mode.point[:o], spread, cube.circles[:o], few, forward.target) is None


def test_a_learned_proposal_follows_the_likelihood_from_a_bad_one() -> None:
    """At an end of a range, and with a moment of which no map tells the sign; the evidence is that
    of the bad one."""
    forward, cube, modes = searched(0.5)
    rng = np.random.default_rng(6)
    around = Surroundings(forward, cube, modes, rng)
    start = proposal(modes)
    shifted = [
        replace(one, mean=one.mean + np.sqrt(np.diag(one.scale)), scale=4 * one.scale)
        for one in start.components
    ]
    bad = Mixture(tuple(shifted), start.circles)
    plain = sample(around, bad, rng, (150,), inner=8)
    learned = sample(around, around.learned(bad), rng, (60,), inner=8)
    assert learned.efficiency > 0.6 > 2 * plain.efficiency
    error = np.hypot(plain.evidence_error, learned.evidence_error)
    assert learned.log_evidence == pytest.approx(plain.log_evidence, abs=4 * error)


def test_maps_of_other_names_are_computed_by_the_one_that_was_found() -> None:
    draft = Draft(gs.material("nbse2"), 20.0, 50.0)
    ranges = {"gap": (20.0, 60.0), "theta": (0.0, np.pi), "phi": (-np.pi, np.pi)}
    unknowns = [quantity(name).unknown(name, *ends) for name, ends in ranges.items()]
    problem = define(draft, [Named("Eu")], unknowns, {})
    conditions = Conditions(problem, draft, gs.Numerics([0.0], 20.0, 12, gs.Grid(48)))
    values = {"gap": 40.0, "theta": 0.7, "phi": 0.6}
    map = simulate_samples([conditions.sample(Guess("Eu", values))], conditions.numerics)[0][0]
    forward = Forward(np.asarray(map, dtype=np.float64), conditions, [np.abs(map).max() / 10])
    cube = forward.cubes[0]
    place = cube.point(values)
    mode = Mode(cube, place, np.ones(1), 0.0, 1e4 * np.eye(3))
    around = Surroundings(forward, cube, [mode], np.random.default_rng(0))
    step = np.array([0.01, 0.005, -0.008])
    outer = np.stack([twin + signs * step for twin, signs in cube.twins(place)])
    assert len(outer) > 1
    outer = np.where(cube.circles, outer % 1.0, outer)
    assert cube.inside(outer).all()
    found = around.log_likelihood(outer, np.empty((len(outer), 1, 0)))
    assert forward.computed == 1
    direct = [forward.log_likelihood(cube, one, np.empty((1, 0))) for one in outer]
    assert forward.computed > 1
    np.testing.assert_allclose(found, direct, atol=1e-6)
