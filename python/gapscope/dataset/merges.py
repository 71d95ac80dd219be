"""What no map can tell apart: found by computing the maps of all candidates.

Two candidates are one class where their maps coincide, to SAME of their size, under the recipe's
impurity, energies and broadening, at values drawn from its ranges. The gap of one may have to be
another multiple of its function, and theta may count from elsewhere: states whose maps coincide
have Hamiltonians that a transformation joins, so that tr H^2 summed over the zone, and with it the
norm of the gap's bonds, is the same; that tells the multiple. Maps are on a coarse grid of k and a
small window: what joins two states joins them at every k.

An unknown of a candidate is held where its maps are the same whatever it is: theta of a triplet
whose partners are one another's spins turned, the direction of a moment next to a singlet. Two
candidates that then have the same unknowns may be one class.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.compute import Simulator
from gapscope.dataset.deaths import outlived
from gapscope.dataset.recipe import Recipe
from gapscope.errors import RecipeError
from gapscope.physics import Material
from gapscope.problem.classes import Member
from gapscope.problem.impurities import IMPURITY
from gapscope.problem.others import Beside, Others
from gapscope.problem.problem import Problem, held, merged
from gapscope.problem.states import Sample, States
from gapscope.problem.told import NORMS, SAME
from gapscope.simulation.numerics import Grid

TRIALS = 3
"""Draws at which maps are compared."""
KGRID, WINDOW = 60, 12
TURNS = ((1, 0.0), (-1, 0.0), (1, np.pi / 2), (-1, np.pi / 2))
"""Sign and offset of theta that are tried."""

Maps = NDArray[np.float64]


def merge_candidates(
    problem: Problem, recipe: Recipe, material: Material, simulator: Simulator
) -> Problem:
    """The problem with candidates joined that no map of the recipe tells apart, and unknowns held
    that no map of a candidate tells.

    Raises
    ------
    RecipeError : fewer than two classes are left, or an unknown that no map tells.
    ClusterError : the kernel's host died again and again.
    KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
    """
    problem = _without_idle(problem, recipe, material, simulator)
    trials = _Trials(problem, recipe, material, simulator)
    groups: list[list[Member]] = []
    for number, one in enumerate(problem.classes):
        for group in groups:
            first = problem.class_of(group[0].candidate)
            found = trials.joined(first, number)
            if found is not None:
                group.append(found)
                break
        else:
            groups.append([one.members[0]])
    if len(problem.classes) > 1 and len(groups) == 1:
        raise RecipeError(
            "A recipe has candidates that maps tell apart.",
            f"{', '.join(problem.labels)}: no map of {recipe.name} tells any of them from the"
            " others",
            "Choose other energies, another impurity (a moment), or other candidates.",
        )
    return merged(problem, groups)


def _without_idle(
    problem: Problem, recipe: Recipe, material: Material, simulator: Simulator
) -> Problem:
    """The problem with unknowns held on which no map of a candidate depends."""
    trials = _Trials(problem, recipe, material, simulator)
    # Impurities of Green's functions are drawn anew for all maps alike.
    never = {"gap", *(IMPURITY if recipe.holds_green else ())}
    idle = {
        one.label: {
            name: problem.unknown(name).low
            for name in one.unknowns
            if name not in never and trials.idle(number, name)
        }
        for number, one in enumerate(problem.classes)
    }
    for unknown in problem.unknowns:
        having = [one.label for one in problem.classes if unknown.name in one.unknowns]
        if having and all(unknown.name in idle[label] for label in having):
            raise RecipeError(
                "What is unknown changes the maps of a candidate at least.",
                f"{unknown.name}: no map of {', '.join(having)} depends on it",
                f"Leave {unknown.name} out of [unknowns], and give its value in [fixed] where it"
                " needs one.",
            )
    return held(problem, idle)


@dataclass
class _Trials:
    """Maps of candidates at the values of some draws."""

    problem: Problem
    recipe: Recipe
    material: Material
    simulator: Simulator

    def __post_init__(self) -> None:
        recipe = self.recipe
        self.states = States(self.problem, recipe.draft(self.material), recipe.symmetry_tolerance)
        self.rng = np.random.default_rng(recipe.seed % 2**32)
        self.values = [
            {one.name: one.drawn(self.rng.uniform(0.05, 0.95)) for one in recipe.unknowns}
            for _ in range(TRIALS)
        ]
        self.beside: list[Beside | None] = [None] * TRIALS
        if recipe.others is not None:
            within = min(recipe.others.distance, WINDOW // 2 - 1)
            others = Others(recipe.others.number[1], recipe.others.number[1], within)
            lattice = self.material.lattice
            self.beside = [others.drawn(self.problem, lattice, self.rng) for _ in self.beside]
        self.known: dict[int, list[Maps]] = {}

    def idle(self, number: int, name: str) -> bool:
        """Whether the maps of a class are the same at two values of an unknown."""
        unknown = self.problem.unknown(name)
        for trial, values in enumerate(self.values):
            other = {**values, name: unknown.drawn(0.05 + 0.9 * self.rng.random())}
            moved = self.states.sample(number, other, beside=self.beside[trial])
            if not self._alike(number, trial, moved):
                return False
        return True

    def joined(self, first: int, other: int) -> Member | None:
        """How a class is the first one, if it is."""
        one, two = (self.problem.classes[i] for i in (first, other))
        if set(one.unknowns) != set(two.unknowns):
            return None
        turns = TURNS if "theta" in two.unknowns else TURNS[:1]
        for sign, offset in turns:
            member = replace(two.members[0], factor=1.0, sign=sign, offset=offset)
            factor = self._factor(first, member)
            if factor is None:
                continue
            member = replace(member, factor=factor)
            if self._coincide(first, member):
                return member
        return None

    def _factor(self, first: int, member: Member) -> float | None:
        """Ratio of the gaps at which both have one norm; None where it depends on the state."""
        one = self.problem.classes[first]
        ratios = []
        for values in self.values:
            size, its_size = (
                np.linalg.norm(sample.specification.pairing.bonds(self.material.orbitals).matrices)
                for sample in (
                    self.states.sample(first, values),
                    self.states.as_member(one, member, values),
                )
            )
            ratios.append(float(size / its_size))
        if max(ratios) - min(ratios) > NORMS * max(ratios):
            return None
        factor = 1.0 if abs(ratios[0] - 1) < NORMS else ratios[0]
        gap_is_free = any(one.name == "gap" for one in self.problem.unknowns)
        return factor if gap_is_free or factor == 1.0 else None

    def _coincide(self, first: int, member: Member) -> bool:
        one = self.problem.classes[first]
        return all(
            self._alike(first, trial, self.states.as_member(one, member, values, beside))
            for trial, (values, beside) in enumerate(zip(self.values, self.beside, strict=True))
        )

    def _alike(self, number: int, trial: int, other: Sample) -> bool:
        """Whether a sample has the map, at the same resolution, of a class at a draw's values."""
        own = self.states.sample(number, self.values[trial], beside=self.beside[trial])
        if (own.temperature, own.modulation) != (other.temperature, other.modulation):
            return False
        known = self.known.setdefault(number, [])
        if len(known) == trial:
            known.append(self._map(own))
        there = self._map(other)
        return bool(np.abs(there - known[trial]).max() <= SAME * np.abs(known[trial]).max())

    def _map(self, sample: Sample) -> Maps:
        """drho of a sample on a coarse grid."""
        numerics = replace(
            self.recipe.numerics(),
            broadening=sample.broadening,
            window=WINDOW,
            method=Grid(KGRID),
        )
        maps = outlived(
            lambda: self.simulator.maps([sample.specification], numerics),
            "the maps that tell candidates apart",
        )
        return np.asarray(maps.ldos_change, dtype=np.float64)
