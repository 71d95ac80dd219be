"""The impurity of a sample as numbers, and drawn anew."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gapscope.problem.draft import Draft
from gapscope.problem.moves import ALONG_Z, MOMENT
from gapscope.problem.problem import Problem
from gapscope.problem.quantities import order, quantity

Array = NDArray[np.float64]
IMPURITY = ("potential", *MOMENT, ALONG_Z)
"""Quantities of which the T-matrix alone knows."""


def own_impurity(problem: Problem) -> tuple[str, ...]:
    """Names of the unknowns of a problem's impurity, in the order in which they are drawn."""
    return tuple(one.name for one in problem.unknowns if one.name in IMPURITY)


def redrawn(problem: Problem, rng: np.random.Generator) -> dict[str, float]:
    """Unknowns of another impurity, from their ranges."""
    return {name: problem.unknown(name).drawn(rng.random()) for name in own_impurity(problem)}


def impurity_numbers(
    problem: Problem, draft: Draft, values: Mapping[str, Array]
) -> tuple[Array, Array]:
    """v (n,) and J (n, 3) in meV of n samples.

    Parameters
    ----------
    draft : what all samples have in common.
    values : unknowns by name, (n,).
    """
    for name in sorted(problem.fixed.keys() & set(IMPURITY), key=order):
        draft = quantity(name).sets(draft, problem.fixed[name])
    names = own_impurity(problem)
    count = len(values[names[0]]) if names else 1
    scalar = values["potential"] if "potential" in names else np.full(count, draft.scalar)
    moment = np.tile(np.array(draft.moment), (count, 1))
    if turned := [name for name in MOMENT if name in names]:
        for row in range(count):
            own = draft
            for name in turned:
                own = quantity(name).sets(own, float(values[name][row]))
            moment[row] = own.moment
    if ALONG_Z in names:
        moment[:, 2] = values[ALONG_Z]
    return scalar, moment
