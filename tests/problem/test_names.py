"""One map goes by one name, whichever of its names its state was drawn by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from problems import CRYSTALS, maps_of, recipe

PI = np.pi
SQUARE = {"candidates": [{"irrep": "Eu"}]}
GAP = {"gap": [20.0, 40.0]}
MOMENT = {"scalar": 50.0, "moment": [0.0, 0.0, 60.0]}
COMPLEX = {"theta": "any", "phi": "any"}
DIRECTION = {"moment": [20.0, 60.0], "moment_polar": [0.0, 3.1], "moment_azimuth": "any"}
MIXED = {"candidates": [{"irrep": "A1g", "name": "s", "mixed": [{"shell": 0}, {"shell": 1}]}]}
ONE = {"gap": 30.0, "theta": 0.5, "phi": 0.7}
AROUND = {"moment": 40.0, "moment_polar": 1.0, "moment_azimuth": 0.6}

# Crystal, recipe, a state, and other names of its map.
CASES: dict[str, tuple[str, dict[str, Any], dict[str, float], list[dict[str, float]]]] = {
    "partners": (
        "bi2212",
        {**SQUARE, "unknowns": {**GAP, **COMPLEX}},
        ONE,
        [
            {"theta": PI - 0.5, "phi": 0.7 + PI},
            {"phi": 2 * PI - 0.7},
            {"theta": PI - 0.5, "phi": PI - 0.7},
        ],
    ),
    "partners of the paper's state": (
        "nbse2",
        {"candidates": [{"irrep": "Eu"}], "unknowns": {**GAP, **COMPLEX}},
        ONE,
        [{"theta": PI - 0.5, "phi": 0.7 + PI}, {"phi": 2 * PI - 0.7}],
    ),
    "partners around a moment": (
        "bi2212",
        {**SQUARE, "impurity": MOMENT, "unknowns": {**GAP, **COMPLEX}},
        ONE,
        [{"theta": PI - 0.5, "phi": 0.7 + PI}],
    ),
    "functions": (
        "bi2212",
        {**MIXED, "unknowns": {**GAP, "mix": "any", "phase": "any"}},
        {"gap": 30.0, "mix": 0.5, "phase": 0.7},
        [{"mix": PI - 0.5, "phase": 0.7 + PI}, {"phase": -0.7}],
    ),
    "a moment around a state without a phase": (
        "bi2212",
        {"candidates": [{"irrep": "B1g"}], "unknowns": {**GAP, **DIRECTION}},
        {"gap": 30.0, **AROUND},
        [{"moment_polar": PI - 1.0, "moment_azimuth": 0.6 + PI}],
    ),
    "a moment in the plane": (
        "bi2212",
        {
            "candidates": [{"irrep": "B1g"}],
            "impurity": {"scalar": 50.0, "moment": [60.0, 0.0, 0.0]},
            "unknowns": {**GAP, "moment_azimuth": "any"},
        },
        {"gap": 30.0, "moment_azimuth": 0.6},
        [{"moment_azimuth": 0.6 + PI}],
    ),
    "a moment along z around a state without a phase": (
        "bi2212",
        {"candidates": [{"irrep": "B1g"}], "unknowns": {**GAP, "moment_z": [-60.0, 60.0]}},
        {"gap": 30.0, "moment_z": 40.0},
        [{"moment_z": -40.0}],
    ),
    "partners and a moment along z": (
        "nbse2",
        {
            "candidates": [{"irrep": "Eu"}],
            "unknowns": {**GAP, **COMPLEX, "moment_z": [-60.0, 60.0]},
        },
        {**ONE, "moment_z": 40.0},
        [{"phi": -0.7, "moment_z": -40.0}, {"theta": PI - 0.5, "phi": 0.7 + PI}],
    ),
    "partners and a moment": (
        "bi2212",
        {**SQUARE, "unknowns": {**GAP, **COMPLEX, **DIRECTION}},
        {**ONE, **AROUND},
        [{"phi": -0.7, "moment_polar": PI - 1.0, "moment_azimuth": 0.6 + PI}],
    ),
}


@pytest.mark.parametrize(("crystal", "changes", "state", "others"), CASES.values(), ids=CASES)
def test_names_of_one_map_are_one(
    crystal: str,
    changes: dict[str, Any],
    state: dict[str, float],
    others: list[dict[str, float]],
) -> None:
    matter = CRYSTALS[crystal]()
    what = recipe(**changes)
    problem = what.define(matter)
    every = [state, *({**state, **other} for other in others)]
    values = {name: np.array([one[name] for one in every]) for name in state}
    named = problem.named(values, np.zeros(len(every), int))
    for name, column in named.items():
        np.testing.assert_allclose(column, column[0], atol=1e-9, err_msg=name)
        own = problem.unknown(name)
        assert own.low - 1e-9 <= column[0] <= own.high + 1e-9
    again = {name: float(column[0]) for name, column in named.items()}
    maps = maps_of(what, problem, matter, 0, [*every, again])
    scale = np.abs(maps).max()
    np.testing.assert_allclose(
        maps[1:], np.broadcast_to(maps[0], maps[1:].shape), atol=1e-10 * scale
    )


def test_around_a_fixed_moment_conjugates_are_two() -> None:
    matter = CRYSTALS["rashba"]()
    candidates = [{"irrep": "E1", "shell": 1, "channel": "tz"}]
    what = recipe(candidates=candidates, impurity=MOMENT, unknowns={**GAP, **COMPLEX})
    problem = what.define(matter)
    assert not problem.reversible
    values = {k: np.array([v, v]) for k, v in ONE.items()}
    values["phi"][1] *= -1
    named = problem.named(values, np.zeros(2, int))
    np.testing.assert_allclose(named["phi"], [0.7, 2 * PI - 0.7])
    first, second = maps_of(what, problem, matter, 0, [ONE, {**ONE, "phi": -0.7}])
    assert np.abs(first - second).max() > 1e-3 * np.abs(first).max()


def test_a_range_that_holds_each_map_once_keeps_its_names() -> None:
    """Other ranges than the usual one; (pi - theta, phi + pi) lies in them."""
    matter = CRYSTALS["bi2212"]()
    what = recipe(**SQUARE, unknowns={**GAP, "theta": "any", "phi": [1.6, 3.1]})
    problem = what.define(matter)
    rng = np.random.default_rng(2)
    values = {"theta": rng.uniform(0, PI, 50), "phi": rng.uniform(1.6, 3.1, 50)}
    named = problem.named(values, np.zeros(50, int))
    for name, column in values.items():
        np.testing.assert_allclose(named[name], column, atol=1e-9)
    moved = problem.moved(values, np.zeros(50, int), rng.integers(4, size=50).tolist())
    assert ((moved["phi"] >= 1.6) & (moved["phi"] <= 3.1)).all()


def test_real_states_keep_their_angles_to_the_bit() -> None:
    matter = CRYSTALS["nbse2"]()
    problem = recipe(candidates=[{"irrep": "Eu"}]).define(matter)
    values = {"theta": np.random.default_rng(3).uniform(0, PI, 20)}
    named = problem.named(values, np.zeros(20, int))
    np.testing.assert_array_equal(named["theta"], values["theta"])
