"""The paper's problem, which recipes, datasets and networks of schema 1 are about.

Classes are the irreps of D3h that a scalar impurity on NbSe2 tells apart: with conserved s_z, A1u
at a gap D and A2u at sqrt(3) D give the same maps. Unknown are gap, eps0 and theta, drawn in this
order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from gapscope.physics.irreps import IRREPS, LABELS
from gapscope.physics.paper_states import REQUIRED
from gapscope.problem.candidate import Candidate
from gapscope.problem.classes import Class, Member
from gapscope.problem.moves import Move
from gapscope.problem.problem import Problem
from gapscope.problem.quantities import quantity
from gapscope.problem.symmetry import PAPER_TURNING, paper_moves

MEMBERS = {"A12u": (Member("A1u"), Member("A2u", math.sqrt(3)))}
DRAWN = ("gap", "eps0", "theta")


def paper_problem(ranges: Mapping[str, Sequence[float]]) -> Problem:
    """The problem of a recipe of schema 1.

    Parameters
    ----------
    ranges : of gap and eps0 in meV, and of theta in rad.

    Raises
    ------
    RecipeError : a range that is empty, infinite or outside of what has a meaning.
    """
    classes = []
    for label in LABELS:
        members = MEMBERS.get(label, (Member(label),))
        has_theta = "theta" in REQUIRED[members[0].candidate]
        classes.append(Class(label, members, tuple(n for n in DRAWN if n != "theta" or has_theta)))
    moves = []
    for w, d in paper_moves().items():
        (a, b), (c, e) = d.tolist()
        moves.append(Move(w, partners=dict.fromkeys(PAPER_TURNING, ((a, b), (c, e)))))
    return Problem(
        tuple(Candidate(name, name) for name in IRREPS),
        tuple(classes),
        tuple(quantity(n).unknown(n, ranges[n][0], ranges[n][1]) for n in DRAWN),
        moves=tuple(moves),
        group="D3h",
    )


def stored_problem(dataset: Mapping[str, Any]) -> Problem:
    """The problem of a dataset, from what a run or a manifest keeps of it: ``recipe``, and in
    schema 2 ``problem``."""
    if "problem" in dataset:
        return Problem.from_dict(dataset["problem"])
    return paper_problem(dataset["recipe"]["ranges"])


PAPER_RANGES: Mapping[str, tuple[float, float]] = {
    "gap": (0.3, 1.5),
    "eps0": (-300.0, 100.0),
    "theta": (0.0, math.pi),
}
"""The paper's (section III)."""


def predicted_problem(attributes: Mapping[str, Any]) -> Problem:
    """The problem that predictions answer, from the attributes of their dataset.

    Predictions of before there were problems are of the paper's, and do not say in which ranges.
    """
    if "problem" in attributes:
        return Problem.from_dict(json.loads(attributes["problem"]))
    return paper_problem(PAPER_RANGES)
