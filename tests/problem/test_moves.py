"""A moved map is the map of the moved state: exact, for every move of every problem."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gapscope.physics.symmetry import act_on_map
from problems import CRYSTALS, maps_of, recipe

STATE = {"gap": [20.0, 40.0], "theta": "any"}
ANY_MOMENT = {"moment": [20.0, 60.0], "moment_polar": [0.0, 3.1], "moment_azimuth": "any"}
CASES: dict[str, tuple[str, dict[str, Any], int]] = {
    "square": ("bi2212", {"candidates": [{"irrep": "B1g"}, {"irrep": "Eu"}]}, 4),
    "square, complex": (
        "bi2212",
        {
            "candidates": [{"irrep": "A2g"}, {"irrep": "Eu"}],
            "unknowns": {"gap": [20.0, 40.0], "theta": "any", "phi": "any"},
        },
        4,
    ),
    "square, moment along z": (
        "bi2212",
        {
            "candidates": [{"irrep": "B1g"}, {"irrep": "Eu"}],
            "impurity": {"scalar": 50.0, "moment": [0.0, 0.0, 60.0]},
            "unknowns": {"gap": [20.0, 40.0], "theta": "any", "phi": "any"},
        },
        4,
    ),
    "square, any moment": (
        "bi2212",
        {
            "candidates": [{"irrep": "B1g"}, {"irrep": "Eu"}],
            "unknowns": {**STATE, "phi": "any", **ANY_MOMENT},
        },
        4,
    ),
    "Rashba, moment in the plane": (
        "rashba",
        {
            "candidates": [{"irrep": "E1", "shell": 1, "channel": "tz"}],
            "impurity": {"scalar": 50.0, "moment": [60.0, 0.0, 0.0]},
            "unknowns": {"gap": [20.0, 40.0], "theta": "any", "moment_azimuth": "any"},
        },
        6,
    ),
    "square, moment along x": (
        "bi2212",
        {"impurity": {"scalar": 50.0, "moment": [60.0, 0.0, 0.0]}},
        2,
    ),
    "square, two functions": (
        "bi2212",
        {
            "candidates": [
                {"irrep": "A1g", "name": "s + s", "mixed": [{"shell": 0}, {"shell": 1}]},
                {"irrep": "B1g"},
            ],
            "unknowns": {"gap": [20.0, 40.0], "mix": "any", "phase": [0.0, 3.0]},
        },
        4,
    ),
    "the paper's": (
        "nbse2",
        {
            "candidates": [{"irrep": "A1g"}, {"irrep": "A1u"}, {"irrep": "Eg"}, {"irrep": "Eu"}],
            "unknowns": {"gap": [20.0, 40.0], "theta": "any"},
        },
        6,
    ),
    "the paper's, chiral": (
        "nbse2",
        {
            "candidates": [{"irrep": "Eg"}, {"irrep": "Eu"}],
            "impurity": {"scalar": 50.0, "moment": [0.0, 0.0, 60.0]},
            "unknowns": {"gap": [20.0, 40.0], "theta": "any", "phi": "any"},
        },
        6,
    ),
    "the paper's, a moment along z with its sign": (
        "nbse2",
        {
            "candidates": [{"irrep": "A1g"}, {"irrep": "Eg"}, {"irrep": "Eu"}],
            "unknowns": {**STATE, "phi": "any", "moment_z": [-60.0, 60.0]},
        },
        6,
    ),
    "the paper's, any moment": (
        "nbse2",
        {
            "candidates": [{"irrep": "A1g"}, {"irrep": "Eg"}],
            "unknowns": {**STATE, **ANY_MOMENT},
        },
        6,
    ),
    "Rashba": (
        "rashba",
        {
            "candidates": [
                {"irrep": "A1", "shell": 1, "channel": "s"},
                {"irrep": "E1", "shell": 1, "channel": "tz"},
            ]
        },
        6,
    ),
    "Rashba, singlet and triplet": (
        "rashba",
        {
            "candidates": [
                {
                    "irrep": "A1",
                    "mixed": [
                        {"shell": 1, "channel": "s"},
                        {"shell": 1, "channel": "txy"},
                    ],
                },
                {
                    "irrep": "E2",
                    "mixed": [
                        {"shell": 1, "channel": "s"},
                        {"shell": 1, "channel": "txy", "copy": 1},
                    ],
                },
            ],
            "unknowns": {
                "gap": [20.0, 40.0],
                "mix": "any",
                "phase": "any",
                "theta_1": "any",
                "theta_2": "any",
                "phi_1": "any",
                "phi_2": "any",
            },
        },
        6,
    ),
    "Rashba, any moment": (
        "rashba",
        {
            "candidates": [{"irrep": "E1", "shell": 1, "channel": "tz"}],
            "unknowns": {**STATE, "phi": "any", **ANY_MOMENT},
        },
        6,
    ),
    "rectangle": (
        "rectangle",
        {
            "candidates": [{"irrep": "Ag", "shell": 1}, {"irrep": "B2u", "shell": 1}],
            "unknowns": {"gap": [20.0, 40.0]},
        },
        2,
    ),
}


@pytest.mark.parametrize(("crystal", "changes", "moves"), CASES.values(), ids=CASES)
def test_a_moved_map_is_the_map_of_the_moved_state(
    crystal: str, changes: dict[str, Any], moves: int
) -> None:
    matter = CRYSTALS[crystal]()
    what = recipe(**changes)
    problem = what.define(matter)
    assert len(problem.moves) == moves
    rng = np.random.default_rng(5)
    for label, one in enumerate(problem.classes):
        values = {u.name: u.drawn(rng.random()) for u in problem.unknowns if u.name in one.unknowns}
        before = maps_of(what, problem, matter, label, [values])
        for number, move in enumerate(problem.moves):
            arrays = {name: np.array([value]) for name, value in values.items()}
            moved = problem.moved(arrays, np.array([label]), [number])
            there = {name: float(column[0]) for name, column in moved.items()}
            found = maps_of(what, problem, matter, label, [there])
            expected = act_on_map(move.matrix, before, matter.lattice)
            inside = act_on_map(np.eye(2, dtype=int), found, matter.lattice)
            apart = np.abs(inside - expected).max() / np.abs(expected).max()
            assert apart < 1e-10, (one.label, move)
            back = problem.moved_back(moved, np.array([label]), number)
            again = maps_of(
                what, problem, matter, label, [{n: float(c[0]) for n, c in back.items()}]
            )
            assert np.abs(again - before).max() < 1e-10 * np.abs(before).max()
