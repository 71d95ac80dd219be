"""What no map can tell apart is found by computing maps, not listed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from gapscope.dataset.compute import JuliaKernel
from gapscope.dataset.merges import merge_candidates
from gapscope.errors import RecipeError
from gapscope.physics.symmetry import act_on_map
from gapscope.problem.problem import Problem, held
from gapscope.problem.states import States
from gapscope.problem.told import told
from gapscope.simulation.maps import simulate_batch
from problems import CRYSTALS, maps_of, recipe

TRIANGLE = {
    "candidates": [
        {"irrep": "E2u", "shell": 1, "copy": 1},
        {"irrep": "A1u"},
        {"irrep": "A2u"},
        {"irrep": "E1u"},
        {"irrep": "E2u", "shell": 1, "copy": 2, "name": "f in the plane"},
        {"irrep": "B2u"},
    ],
    "energies": [4.0],
}
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


DIRECTION = {"moment": [20.0, 60.0], "moment_polar": [0.3, 1.4]}


def test_an_angle_that_no_map_tells_is_held_and_its_class_joined() -> None:
    """theta of E2u, d = cos(theta) (kx, -ky) + sin(theta) (ky, kx), turns all spins about z, and
    a half turn of them about x makes it A1u. So does theta of the f wave, whose d along z is B2u.
    """
    what, matter = recipe(**TRIANGLE), CRYSTALS["triangle"]()
    problem = merge_candidates(what.define(matter), what, matter, JuliaKernel())
    assert problem.labels == ("E2u/A1u/A2u", "E1u", "f in the plane/B2u")
    joined, other, _ = problem.classes
    assert joined.unknowns == ("gap",)
    assert [dict(member.held) for member in joined.members] == [{"theta": 0.0}, {}, {}]
    assert other.unknowns == ("gap", "theta")
    assert "No map of E2u depends on theta (to 1e-06): theta = 0 in all of them" in told(problem)
    states = States(problem, what.draft(matter))
    every = [states.sample(0, {"gap": 30.0}, member).specification for member in range(3)]
    maps = simulate_batch(every, what.numerics()).ldos_change
    assert np.abs(maps - maps[0]).max() < 1e-9 * np.abs(maps[0]).max()
    assert Problem.from_dict(json.loads(json.dumps(problem.to_dict()))) == problem
    # A move of the crystal turns what is left alone.
    values = {"gap": np.array([30.0, 30.0]), "theta": np.array([np.nan, 0.3])}
    for number in range(len(problem.moves)):
        moved = problem.moved(values, np.array([0, 1]), [number, number])
        assert np.isnan(moved["theta"][0])
        assert np.isfinite(moved["theta"][1])


def test_a_singlet_does_not_tell_where_a_moment_points() -> None:
    """A triplet whose pairs have a spin, i d x d^* along z, does."""
    problem = merged(
        "triangle",
        candidates=[{"irrep": "E2u", "shell": 1, "copy": 1}, {"irrep": "A1g"}],
        unknowns={"gap": [20.0, 40.0], "theta": "any", "phi": [0.2, 1.4], **DIRECTION},
        energies=[4.0],
    )
    assert problem.classes[0].unknowns == ("gap", "theta", "phi", "moment", "moment_polar")
    assert problem.classes[1].unknowns == ("gap", "moment")


def test_beside_other_moments_a_singlet_tells_where_a_moment_points() -> None:
    """What two moments make of each other depends on the angle between them."""
    problem = merged(
        "triangle",
        candidates=[{"irrep": "A1g"}],
        unknowns={"gap": [20.0, 40.0], **DIRECTION},
        others={"number": [0, 1], "distance": 2},
        energies=[4.0],
    )
    assert problem.classes[0].unknowns == ("gap", "moment", "moment_polar")


def test_a_move_turns_a_moment_whose_angle_is_held() -> None:
    what = recipe(
        unknowns={"gap": [20.0, 40.0], "theta": "any", **DIRECTION, "moment_azimuth": "any"}
    )
    matter = CRYSTALS["bi2212"]()
    problem = held(what.define(matter), {"Eu": {"moment_azimuth": 0.4}})
    assert problem.classes[1].unknowns == ("gap", "theta", "moment", "moment_polar")
    state = {"gap": 30.0, "theta": 0.3, "moment": 40.0, "moment_polar": 1.0}
    before = maps_of(what, problem, matter, 1, [state])
    columns = {name: np.array([value]) for name, value in state.items()}
    columns["moment_azimuth"] = np.array([np.nan])
    for number, move in enumerate(problem.moves):
        moved = problem.moved(columns, np.array([1]), [number])
        assert np.isnan(moved["moment_azimuth"][0])
        own = {name: float(moved[name][0]) for name in state}
        after = maps_of(what, problem, matter, 1, [own])
        turned = act_on_map(move.matrix, before, matter.lattice)
        inside = act_on_map(np.eye(2, dtype=int), after, matter.lattice)
        assert np.abs(inside - turned).max() < 1e-10 * np.abs(turned).max()


def test_what_no_candidate_tells_is_refused() -> None:
    with pytest.raises(RecipeError, match="moment_polar: no map of B1g, Eu depends on it"):
        merged("bi2212", unknowns={"gap": [20.0, 40.0], "theta": "any", **DIRECTION})


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
