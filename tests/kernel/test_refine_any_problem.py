"""Refinement of another crystal with other unknowns, the broadening among them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gapscope as gs
from gapscope.dataset.samples import simulate_samples
from gapscope.inference.refine import Conditions, Guess, refine
from gapscope.instrument.resolution import energy_rule
from gapscope.problem.define import Named, define
from gapscope.problem.draft import Draft
from gapscope.problem.quantities import quantity
from gapscope.simulation.maps import simulate_batch

WINDOW = 16
RANGES = {
    "gap": (10.0, 50.0),
    "potential": (20.0, 200.0),
    "broadening": (2.0, 8.0),
}


def square(*further: str, **fixed: float) -> Conditions:
    """A cuprate's problem: A1g and B1g, gap, potential and broadening unknown."""
    draft = Draft(gs.material("bi2212"), 5.0, 100.0)
    unknowns = [quantity(name).unknown(name, *RANGES[name]) for name in ("gap", *further)]
    problem = define(draft, [Named("A1g"), Named("B1g")], unknowns, fixed)
    return Conditions(problem, draft, gs.Numerics([10.0], 5.0, WINDOW, gs.Grid(256)))


@pytest.mark.filterwarnings("ignore::gapscope.errors.ConvergenceWarning")
def test_gap_potential_and_broadening_of_a_cuprate_are_found() -> None:
    known = square("potential", "broadening")
    truth = [
        Guess("B1g", {"gap": 32.0, "potential": 90.0, "broadening": 4.0}),
        Guess("A1g", {"gap": 20.0, "potential": 60.0, "broadening": 6.0}),
    ]
    maps, _ = simulate_samples([known.sample(one) for one in truth], known.numerics)
    off = {"gap": 1.06, "potential": 0.9, "broadening": 1.15}
    starts = [
        [Guess(label, {n: v * off[n] for n, v in one.values.items()}) for label in ("A1g", "B1g")]
        for one in truth
    ]
    found = refine(maps, starts, known, rounds=8)
    for one, wanted in zip(found, truth, strict=True):
        assert one.label == wanted.label
        assert one.chi < 1e-3
        for name, value in one.values.items():
            assert value == pytest.approx(wanted.values[name], rel=3e-3), name


def test_what_is_positive_stays_so_and_no_step_leaves_the_range_behind() -> None:
    known = square("potential", "broadening")
    start = Guess("B1g", {"gap": 12.0, "potential": 50.0, "broadening": 3.0})
    moved = known.moved(start, np.array([-1e9, 1e9, -1e9])).values
    assert moved["gap"] == pytest.approx(10 / 15)
    assert moved["potential"] == pytest.approx(50 + 180)
    assert moved["broadening"] == pytest.approx(3.0 * 2 / 8)
    up = known.moved(start, np.array([1.0, 0.0, np.log(1.1)])).values
    assert (up["gap"], up["broadening"]) == (pytest.approx(13.0), pytest.approx(3.3))


def test_finite_differences_are_small_in_narrow_ranges_too() -> None:
    known = square("potential", "broadening")
    narrow = replace(known.problem.unknowns[0], low=20.0, high=20.04)
    problem = replace(known.problem, unknowns=(narrow, *known.problem.unknowns[1:]))
    start = Guess("B1g", {"gap": 20.0, "potential": 50.0, "broadening": 3.0})
    differences = replace(known, problem=problem).differences(start)
    np.testing.assert_allclose(differences, [0.002, 0.05, 5e-4])
    np.testing.assert_allclose(known.differences(start), [0.01, 0.05, 5e-4])


def test_finite_differences_are_derivatives_where_features_are_narrow() -> None:
    """Against differences of fourth order: errors of a few percent leave a small part of the steps
    of least squares along a valley, such as that of energies which are all scaled."""
    draft = Draft(gs.material("nbse2"), 0.05, 100.0)
    ranges = {
        "gap": (0.3, 1.5),
        "eps0": (-300.0, 100.0),
        "hopping": (0.95, 1.05),
        "broadening": (0.05, 0.5),
        "potential": (-300.0, 300.0),
    }
    own = [quantity(name).unknown(name, *ends) for name, ends in ranges.items()]
    problem = define(draft, [Named("A1u")], own, {})
    known = Conditions(problem, draft, gs.Numerics([0.5], 0.05, WINDOW))
    values = {"gap": 0.71, "eps0": -294.0, "hopping": 1.04, "broadening": 0.05, "potential": 40.0}
    point = Guess(problem.labels[0], values)
    steps = known.differences(point)
    for row, step in zip(np.eye(len(steps)), steps, strict=True):
        far = [known.moved(point, times * step * row) for times in (0, 1, -4, 4, -8, 8)]
        here, one, *around = known.values(far)
        low, high, lower, higher = around
        slope = (8 * (high - low) - (higher - lower)) / 48
        error = np.linalg.norm(one - here - slope) / np.linalg.norm(slope)
        assert error < 0.01, (row, error)


@pytest.mark.filterwarnings("ignore::gapscope.errors.ConvergenceWarning")
def test_samples_have_their_own_broadening_and_energy_resolution() -> None:
    known = square("broadening", temperature=4.0)
    numerics = gs.Numerics([0.0, 12.0], 1.0, WINDOW, gs.Grid(64))
    guesses = [Guess("B1g", {"gap": 30.0, "broadening": width}) for width in (3.0, 6.0, 3.0)]
    samples = [known.sample(one) for one in guesses]
    maps, density = simulate_samples(samples, numerics)
    np.testing.assert_array_equal(maps[0], maps[2])
    nodes, weights = energy_rule(4.0, 0.0, 7)
    for row, width in ((0, 3.0), (1, 6.0)):
        for place, energy in enumerate((0.0, 12.0)):
            at = gs.Numerics((energy + nodes).tolist(), width, WINDOW, gs.Grid(64))
            made = simulate_batch([samples[row].specification], at)
            expected = np.tensordot(weights, made.ldos_change[0], 1)
            np.testing.assert_allclose(maps[row, place], expected, rtol=1e-9, atol=1e-12)
            assert density[row, place] == pytest.approx(weights @ made.dos[0], rel=1e-9)
    assert not np.allclose(maps[0], maps[1], rtol=1e-2)
