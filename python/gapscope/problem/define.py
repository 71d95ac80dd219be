"""A problem from what a recipe names and a crystal allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gapscope.errors import RecipeError
from gapscope.physics.gaps.choice import is_named_in_paper
from gapscope.physics.group.crystal_group import CrystalGroup
from gapscope.physics.group.found import EXACT, find_group
from gapscope.physics.group.lookup import find_irrep
from gapscope.physics.irreps import require_irrep
from gapscope.physics.material import Material
from gapscope.problem.candidate import Candidate, FunctionName
from gapscope.problem.classes import Class, Member
from gapscope.problem.draft import Draft
from gapscope.problem.problem import Problem
from gapscope.problem.quantities import is_angle
from gapscope.problem.states import functions_of, require_angles
from gapscope.problem.symmetry import with_moves
from gapscope.problem.unknown import Unknown


@dataclass(frozen=True)
class Named:
    """A candidate as a recipe names it.

    Parameters
    ----------
    irrep : gapscope's or Mulliken's name.
    functions : basis functions; none: the paper's state where the crystal is the paper's, else the
        innermost.
    name : in tables; "" for the irrep's.
    """

    irrep: str
    functions: tuple[FunctionName, ...] = ()
    name: str = ""


def define(
    draft: Draft,
    candidates: Sequence[Named],
    unknowns: Sequence[Unknown],
    fixed: Mapping[str, float],
    tolerance: float = EXACT,
) -> Problem:
    """The problem of a crystal, every candidate in a class of its own.

    Raises
    ------
    RecipeError : candidates of one name, or none.
    SpecificationError : an irrep, a basis function or an angle that the crystal's candidates do
        not have, or another number of the impurity's weights than of orbitals.
    """
    material = draft.material
    draft.impurity().blocks(material.orbitals)  # raises
    group = None if material.basis is None else find_group(material, tolerance)
    known = tuple(_candidate(material, group, one, tolerance) for one in candidates)
    names = [one.name for one in known]
    if not names or len(set(names)) != len(names):
        raise RecipeError(
            "A recipe names one candidate or more, each by a name of its own.",
            ", ".join(names) or "none",
            "Give those of one irrep different names (name = ...).",
        )
    classes = tuple(
        Class(
            one.name,
            (Member(one.name),),
            tuple(u.name for u in unknowns if not is_angle(u.name) or u.name in one.angles),
        )
        for one in known
    )
    problem = Problem(known, classes, tuple(unknowns), dict(fixed))
    require_angles(problem)
    return with_moves(problem, group, draft)


def _candidate(
    material: Material, group: CrystalGroup | None, one: Named, tolerance: float
) -> Candidate:
    if not one.functions and (paper := is_named_in_paper(material, group, one.irrep)):
        require_irrep(paper)
        return Candidate(one.name or paper, paper)
    which = one.functions or (FunctionName(),)
    if group is None:
        functions_of(material, Candidate(one.irrep, one.irrep, which), tolerance)  # raises
    assert group is not None
    irrep = find_irrep(group, one.irrep)
    named = Candidate(one.name or irrep.name, irrep.name, which, irrep.dimension)
    found = functions_of(material, named, tolerance)
    exact = tuple(FunctionName(f.shell, f.channel, f.copy) for f in found)
    if len(set(exact)) != len(exact):
        raise RecipeError(
            "A candidate mixes different basis functions.",
            ", ".join(f.title for f in found),
            "Tell them apart by shell, channel and copy.",
        )
    return replace(named, functions=exact)
