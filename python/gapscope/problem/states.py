"""From numbers to superconductors: the state of a candidate, and all that a sample is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from operator import add
from typing import Any

from gapscope.errors import SpecificationError
from gapscope.physics.gaps.basis_function import BasisFunction
from gapscope.physics.gaps.choice import choose_function
from gapscope.physics.group.found import EXACT, find_group
from gapscope.physics.material import Material
from gapscope.physics.pairing import Pairing
from gapscope.physics.specification import Specification
from gapscope.problem.candidate import Candidate
from gapscope.problem.classes import Class, Member
from gapscope.problem.coefficients import coefficients
from gapscope.problem.draft import Draft
from gapscope.problem.others import Beside
from gapscope.problem.problem import Problem
from gapscope.problem.quantities import is_angle, order, quantity

PLAIN = ("theta", "phi")


@dataclass(frozen=True, eq=False)
class Sample:
    """What a map is computed from.

    Parameters
    ----------
    broadening : in meV.
    temperature, modulation : in K and meV rms, of the energy resolution.
    """

    specification: Specification
    broadening: float
    temperature: float = 0.0
    modulation: float = 0.0


class States:
    """Builds samples of a problem.

    Parameters
    ----------
    draft : what all samples have in common.
    tolerance : meV to which the crystal's symmetry has to hold.

    Raises
    ------
    SpecificationError : the crystal does not have a candidate's irrep or basis functions.
    """

    def __init__(self, problem: Problem, draft: Draft, tolerance: float = EXACT) -> None:
        self.problem = problem
        self._draft = draft
        for name in sorted(problem.fixed, key=order):
            self._draft = quantity(name).sets(self._draft, problem.fixed[name])
        self._functions = {
            one.name: functions_of(draft.material, one, tolerance) for one in problem.candidates
        }

    def sample(
        self,
        label: int,
        values: Mapping[str, float],
        member: int = 0,
        beside: Beside | None = None,
    ) -> Sample:
        """The sample of a class, as one of its members.

        Parameters
        ----------
        values : by name, of the class's unknowns in its own normalisation; others are left aside.
        beside : further impurities.
        """
        one = self.problem.classes[label]
        return self.as_member(one, one.members[member], values, beside)

    def as_member(
        self,
        one: Class,
        chosen: Member,
        values: Mapping[str, float],
        beside: Beside | None = None,
    ) -> Sample:
        """The sample of a class with these values, as a candidate that is or may be of it."""
        draft = self._draft
        numbers = {name: values[name] for name in one.unknowns} | dict(chosen.held)
        for name in sorted(numbers, key=order):
            draft = quantity(name).sets(draft, float(numbers[name]))
        own = dict(draft.angles)
        if "theta" in own and (chosen.sign, chosen.offset) != (1, 0.0):
            own["theta"] = chosen.sign * own["theta"] + chosen.offset
        draft = replace(draft, gap=draft.gap * chosen.factor)
        pairing = self._pairing(self.problem.candidate(chosen.candidate), draft.gap, own)
        further = [] if beside is None else beside.impurities(self.problem, self._draft)
        impurity = reduce(add, further, draft.impurity())
        specification = Specification(draft.material, pairing, impurity, eps0=draft.eps0)
        return Sample(specification, draft.broadening, draft.temperature, draft.modulation)

    def _pairing(self, one: Candidate, gap: float, angles: Mapping[str, float]) -> Pairing:
        own = {name: angles[name] for name in one.angles if name in angles}
        missing = [name for name in one.required if name not in own]
        if missing:
            raise SpecificationError(
                f"{one.name} needs {', '.join(missing)}.",
                ", ".join(own) or "no angle",
                "Name it among the unknowns, or fix it.",
            )
        if one.named_in_paper:
            given: dict[str, Any] = own
            return Pairing(one.irrep, gap, **given)
        functions = self._functions[one.name]
        state = coefficients(own, len(functions), one.partners)
        made = Pairing.from_functions(gap, list(zip(functions, state.tolist(), strict=True)))
        plain: dict[str, Any] = {name: own[name] for name in PLAIN if name in own}
        return replace(made, **plain)


@lru_cache(maxsize=32)
def functions_of(
    material: Material, one: Candidate, tolerance: float = EXACT
) -> tuple[BasisFunction, ...]:
    """The basis functions of a candidate; none for a state that the paper names."""
    if one.named_in_paper:
        return ()
    group = find_group(material, tolerance)
    return tuple(
        choose_function(material, group, one.irrep, which.shell, which.channel, which.copy)
        for which in one.functions
    )


def require_angles(problem: Problem) -> None:
    """Raise SpecificationError unless every candidate's angles are unknown or fixed, and every
    angle that is belongs to a candidate."""
    had = {name for one in problem.candidates for name in one.angles}
    given = [*(one.name for one in problem.unknowns), *problem.fixed]
    foreign = [name for name in given if is_angle(name) and name not in had]
    if foreign:
        raise SpecificationError(
            "An angle belongs to a candidate.",
            f"{', '.join(foreign)}; the candidates have {', '.join(sorted(had)) or 'none'}",
            f"Leave {', '.join(foreign)} out.",
        )
    for one in problem.candidates:
        missing = [name for name in one.required if name not in given]
        if missing:
            raise SpecificationError(
                f"{one.name} has {', '.join(missing)}, which is unknown or fixed.",
                ", ".join(given),
                f'Add for example {missing[0]} = "any" to [unknowns].',
            )
