"""Moves of a problem, from the crystal's point group; see :mod:`gapscope.problem.moves`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.group.crystal_group import CrystalGroup, time_reversal_violation
from gapscope.physics.group.found import EXACT
from gapscope.physics.group.lookup import find_irrep
from gapscope.physics.group.operation import Operation
from gapscope.physics.symmetry import C3, MIRROR_X
from gapscope.problem.draft import Draft, direction
from gapscope.problem.moves import ALONG_Z, MOMENT, Move
from gapscope.problem.problem import Problem

Matrix = NDArray[np.float64]
PAPER_TURNING = ("Eg", "Eu")
"""The paper's states of two partners."""
GENERAL_EG = ("theta_s", "phi_s", "theta_t", "phi_t")


def paper_moves() -> dict[tuple[tuple[int, int], tuple[int, int]], Matrix]:
    """C3v on the triangular lattice: W, and D on the paper's partners of Eg and Eu.

    theta -> theta - pi/3 under C3, theta -> -theta under x -> -x.
    """
    found = {}
    angle = -np.pi / 3
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for n in range(3):
        for mirrored in (False, True):
            w = np.linalg.matrix_power(C3, n) @ (MIRROR_X if mirrored else np.eye(2, dtype=int))
            d = np.linalg.matrix_power(turn, n) @ np.diag([1.0, -1.0 if mirrored else 1.0])
            found[_key(w)] = d
    return found


def with_moves(problem: Problem, group: CrystalGroup | None, draft: Draft) -> Problem:
    """The problem with all operations under which its maps are maps of it."""
    names = {one.name for one in problem.unknowns}
    turned = problem_moment(problem, draft)
    if names & set(MOMENT):
        # What the impurity's table fixes of a moment whose rest is unknown.
        fixed = {name: value for name, value in turned.items() if name not in names}
        problem = replace(problem, fixed={**fixed, **problem.fixed})
    found = [Move()]
    known = {_key(np.eye(2, dtype=int)), _key(-np.eye(2, dtype=int))}
    reversible = group is not None and time_reversal_violation(draft.material.bonds) <= EXACT
    for move in _candidates(problem, group, draft, reversible):
        key = _key(move.matrix)
        # Re rho(q), what a network sees, is even in q: W and -W are one move of it.
        if key not in known and _keeps(problem, move, turned):
            found.append(move)
            known |= {key, _key(-move.matrix)}
    return replace(
        problem,
        moves=tuple(found),
        group="" if group is None else group.schoenflies,
        reversible=reversible and _keeps(problem, _time_reversal(problem), turned),
    )


def _time_reversal(problem: Problem) -> Move:
    one = ((1.0, 0.0), (0.0, 1.0))
    turning = [
        label
        for index, label in enumerate(problem.labels)
        if (first := problem.leading(index)).partners == 2
        or (first.named_in_paper and first.irrep in PAPER_TURNING)
    ]
    return Move(conjugate=True, partners=dict.fromkeys(turning, one))


def problem_moment(problem: Problem, draft: Draft) -> dict[str, float]:
    """Size and angles of the moment that all samples have in common, as far as they are fixed."""
    own = dict(zip(MOMENT, direction(draft.moment), strict=True))
    return own | {name: value for name, value in problem.fixed.items() if name in MOMENT}


def _candidates(
    problem: Problem, group: CrystalGroup | None, draft: Draft, reversible: bool
) -> Iterator[Move]:
    if group is None:
        for w, d in paper_moves().items():
            partners = {
                label: _rows(d)
                for index, label in enumerate(problem.labels)
                if problem.leading(index).irrep in PAPER_TURNING
            }
            yield Move(w, partners=partners)
        return
    for number, operation in enumerate(group.operations):
        if not _about_impurity(operation, draft):
            continue
        turned = _partners(problem, group, number, operation)
        if turned is None:
            continue
        spin = operation.planar.axial
        for conjugate in (False, True) if reversible else (False,):
            yield Move(_key(operation.lattice), _spin(spin), conjugate, turned)


def _about_impurity(operation: Operation, draft: Draft) -> bool:
    """Whether an operation takes the site r = 0, all its orbitals, to itself."""
    if np.ptp(operation.shift, axis=0).any():
        return False
    if draft.weights is None:
        return True
    weights = np.diag(draft.weights)
    moved = operation.orbitals @ weights @ operation.orbitals.T
    return bool(np.abs(moved - weights).max() < 1e-9)


def _partners(
    problem: Problem, group: CrystalGroup, number: int, operation: Operation
) -> Mapping[str, tuple[tuple[float, float], tuple[float, float]]] | None:
    """D by class; None where the paper's states are not known under the operation."""
    found = {}
    for index, label in enumerate(problem.labels):
        candidate = problem.leading(index)
        if candidate.named_in_paper and candidate.irrep in PAPER_TURNING:
            known = paper_moves()
            w = _key(operation.lattice)
            d = known.get(w, known.get(_key(-operation.lattice)))
            if d is None:
                return None
            found[label] = _rows(d)
        elif candidate.partners == 2:
            irrep = find_irrep(group, candidate.irrep)
            found[label] = _rows(irrep.matrices[number])
    return found


def _keeps(problem: Problem, move: Move, moment: Mapping[str, float]) -> bool:
    """Whether a move changes nothing that is fixed."""
    names = {one.name for one in problem.unknowns}
    rng = np.random.default_rng(0)
    for index, one in enumerate(problem.classes):
        candidate = problem.leading(index)
        if not problem.turns(index, move):
            continue
        if any(name in names or name in problem.fixed for name in GENERAL_EG):
            return False
        given = {
            name: rng.uniform(0.1, 1.4) if name in names else problem.fixed.get(name, 0.0)
            for name in candidate.angles
            if name not in GENERAL_EG
        }
        moved = move.angles(one.label, given, max(1, len(candidate.functions)))
        if any(_apart(moved[name], given[name]) for name in given if name not in names):
            return False
    if ALONG_Z in names and abs(abs(move.along_z) - 1) > EXACT:
        return False
    if not (moment["moment"] or "moment" in names):
        return True
    return _keeps_moment(move, names, moment, rng)


def _keeps_moment(
    move: Move, names: set[str], moment: Mapping[str, float], rng: np.random.Generator
) -> bool:
    own = {n: rng.uniform(0.3, 1.2) if n in names else v for n, v in moment.items()}
    moved = move.moment(*(own[name] for name in MOMENT))
    along_z = abs(np.sin(own["moment_polar"])) < 1e-9  # the azimuth has no meaning
    skipped = {*names, "moment", *(("moment_azimuth",) if along_z else ())}
    return not any(_apart(moved[n], own[n]) for n in MOMENT if n not in skipped)


def _apart(one: float, other: float) -> bool:
    return bool(abs(np.angle(np.exp(1j * (one - other)))) > 1e-6)


def _key(w: NDArray[np.integer]) -> tuple[tuple[int, int], tuple[int, int]]:
    (a, b), (c, d) = w.tolist()
    return (a, b), (c, d)


def _rows(d: Matrix) -> tuple[tuple[float, float], tuple[float, float]]:
    (a, b), (c, e) = d.tolist()
    return (a, b), (c, e)


def _spin(rows: Matrix) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(a), float(b), float(c)) for a, b, c in rows.tolist())
