"""The impurity of a sample as numbers, and drawn anew."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.impurity import Impurity
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


def unit_potentials(draft: Draft) -> NDArray[np.complex128]:
    """V of a unit of the potential, of Jx, of Jy and of Jz on the draft's orbitals, (4, d, d)."""
    units = [Impurity.scalar(1.0, draft.weights)]
    units += [Impurity.magnetic(one, draft.weights) for one in np.eye(3).tolist()]
    return np.stack([one.nambu_matrix(draft.material.orbitals) for one in units])


def potentials(
    problem: Problem, draft: Draft, values: Mapping[str, Array]
) -> NDArray[np.complex128]:
    """V of n samples in meV, (n, d, d); parameters as of :func:`impurity_numbers`."""
    scalar, moment = impurity_numbers(problem, draft, values)
    strengths = np.concatenate([scalar[:, None], moment], axis=1)
    return np.tensordot(strengths, unit_potentials(draft), axes=1)
