"""Recipes and datasets of schema 1 are the paper's problem, to the bit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gapscope.dataset.recipe import load_recipe
from gapscope.physics.symmetry import C3, MIRROR_X, mirror_theta, rotate_theta_by_c3
from gapscope.problem.paper import PAPER_RANGES, paper_problem, predicted_problem, stored_problem
from gapscope.problem.problem import Problem

RECIPES = Path(__file__).parents[2] / "data" / "recipes"
PAPER = paper_problem(PAPER_RANGES)


def test_columns_and_outputs_keep_their_order() -> None:
    assert [one.name for one in PAPER.unknowns] == ["gap", "eps0", "theta"]
    assert [one.name for one in PAPER.shown] == ["gap", "theta", "eps0"]
    assert [one.name for one in PAPER.learned] == ["theta", "eps0", "gap"]
    columns = [one.name for one in load_recipe(RECIPES / "nbse2-paper.toml").parameters()]
    assert columns == ["label", "irrep", "gap", "printed_gap", "theta", "eps0", "split"]


def test_moves_are_c3v_with_the_papers_angles() -> None:
    theta = np.linspace(0, 3, 7)
    for number, move in enumerate(PAPER.moves):
        turns, mirrored = divmod(number, 2)
        w = np.linalg.matrix_power(C3, turns) @ (MIRROR_X if mirrored else np.eye(2, dtype=int))
        assert move.lattice == tuple(map(tuple, w.tolist()))
        for label in ("Eg", "Eu", "A1g"):
            expected = theta
            if label != "A1g":
                expected = np.array([mirror_theta(t) for t in theta]) if mirrored else theta
                for _ in range(turns):
                    expected = np.array([rotate_theta_by_c3(t) for t in expected])
            index = np.full(7, PAPER.labels.index(label))
            moved = PAPER.moved({"theta": theta}, index, [number] * 7)["theta"]
            assert np.exp(2j * moved) == pytest.approx(np.exp(2j * expected), abs=1e-12)


def test_a_problem_goes_through_json() -> None:
    text = json.dumps(PAPER.to_dict())
    assert Problem.from_dict(json.loads(text)) == PAPER
    assert stored_problem({"recipe": {}, "problem": json.loads(text)}) == PAPER
    assert predicted_problem({"problem": text}) == PAPER
    assert predicted_problem({}) == PAPER
