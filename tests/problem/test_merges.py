"""What no map can tell apart is found by computing maps, not listed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gapscope.dataset.compute import JuliaKernel
from gapscope.dataset.merges import merge_candidates, told
from gapscope.errors import RecipeError
from gapscope.problem.problem import Problem
from gapscope.problem.states import States
from gapscope.simulation.maps import simulate_batch
from problems import CRYSTALS, maps_of, recipe

PAPER = {
    "candidates": [{"irrep": name} for name in ("A1g", "A1u", "A2g", "A2u", "Eg", "Eu")],
    "unknowns": {"gap": [0.3, 1.5], "theta": "any", "eps0": [-300.0, 100.0]},
    "energies": [0.0, 0.4],
    "broadening": 0.3,
    "impurity": {"scalar": 50.0},
}


def merged(crystal: str, **changes: Any) -> Problem:
    what, matter = recipe(**changes), CRYSTALS[crystal]()
    return merge_candidates(what.define(matter), what, matter, JuliaKernel())


def test_the_papers_merge_is_found_with_its_factor() -> None:
    problem = merged("nbse2", **PAPER)
    assert problem.labels == ("A1g", "A1u/A2u", "A2g", "Eg", "Eu")
    _, other = problem.classes[1].members
    assert (other.candidate, other.factor) == ("A2u", pytest.approx(np.sqrt(3), rel=1e-12))
    (line,) = told(problem)
    assert "A2u with a gap 1.73205 times as large has the maps of A1u" in line


def test_turned_spins_of_one_state_are_one_class() -> None:
    """d = (kx, ky), (ky, -kx), (kx, -ky), (ky, kx) are one another's spins turned."""
    joined = merged(
        "bi2212",
        candidates=[{"irrep": n} for n in ("B1g", "A1u", "A2u", "B1u", "B2u")],
        unknowns={"gap": [20.0, 40.0]},
    )
    assert joined.labels == ("B1g", "A1u/A2u/B1u/B2u")


def test_rashba_coupling_parts_what_conserved_spin_joins() -> None:
    both = [{"irrep": n, "shell": 1, "channel": "txy"} for n in ("A1", "A2")]
    problem = merged("rashba", candidates=both, unknowns={"gap": [5.0, 9.0]})
    assert problem.labels == ("A1", "A2")


def test_theta_may_count_from_elsewhere() -> None:
    """Eu of two channels on the square: its spins up and down, and both alike."""
    names = [
        {"irrep": "Eu", "name": "one", "shell": 1},
        {"irrep": "Eu", "name": "two", "shell": 1},
        {"irrep": "B1g"},
    ]
    problem = merged("bi2212", candidates=names)
    assert problem.labels == ("one/two", "B1g")


def test_a_fixed_gap_is_not_rescaled() -> None:
    problem = merged(
        "nbse2",
        **(PAPER | {"unknowns": {"theta": "any", "eps0": [-300.0, 100.0]}, "fixed": {"gap": 1.0}}),
    )
    assert "A1u" in problem.labels
    assert "A2u" in problem.labels


def test_members_of_a_class_have_one_map_at_one_value() -> None:
    what, matter = recipe(**PAPER), CRYSTALS["nbse2"]()
    problem = merge_candidates(what.define(matter), what, matter, JuliaKernel())
    values = {"gap": 0.8, "eps0": -40.0}
    states = States(problem, what.draft(matter))
    both = [states.sample(1, values, member).specification for member in (0, 1)]
    first, second = simulate_batch(both, what.numerics()).ldos_change
    assert np.abs(first - second).max() < 1e-9 * np.abs(first).max()
    assert np.allclose(maps_of(what, problem, matter, 1, [values])[0], first, rtol=1e-12, atol=0)


def test_candidates_that_are_all_one_class_are_refused() -> None:
    with pytest.raises(RecipeError, match="tells any of them"):
        merged(
            "bi2212",
            candidates=[{"irrep": "A1u"}, {"irrep": "A2u"}],
            unknowns={"gap": [20.0, 40.0]},
        )
