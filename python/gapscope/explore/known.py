"""What a network has learned from, and where the page shows something else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from gapscope.dataset.recipe import Recipe
from gapscope.explore.gap_choices import gap_choices
from gapscope.explore.state import State
from gapscope.explore.symbols import symbol_text
from gapscope.problem.candidate import Candidate
from gapscope.problem.draft import direction
from gapscope.problem.moves import ALONG_Z, MOMENT
from gapscope.problem.paper import stored_problem
from gapscope.problem.problem import Problem
from gapscope.problem.quantities import is_angle, order, quantity

Ends = tuple[float, float]
NEAR = 1e-6
"""Relative difference that slider's steps add up to."""


@dataclass(frozen=True)
class Known:
    """The maps that a network has learned from.

    Parameters
    ----------
    dataset : what a run keeps of its dataset, ``RunConfig.dataset``.
    energies : of its maps, in meV.
    size : sites per side of the window that it looks at.
    """

    dataset: Mapping[str, Any]
    energies: tuple[float, ...]
    size: int

    @cached_property
    def problem(self) -> Problem:
        """What it is asked."""
        return stored_problem(self.dataset)

    @cached_property
    def recipe(self) -> Recipe:
        """How its maps were made."""
        return Recipe.from_dict(dict(self.dataset["recipe"]))

    @property
    def crystal(self) -> str:
        """Name of the material."""
        return str(self.dataset["material"])

    def knows(self, state: State) -> bool:
        """Whether its maps are of a state's crystal."""
        return state.material.name == self.crystal

    def first(self, crystal: str | None = None, scale: float | None = None) -> State:
        """Where the sliders stand first: on a map of the network's kind, if the crystal is its own.

        Parameters
        ----------
        crystal : name or file of a material; by default the recipe's.
        scale : magnitude of gaps in meV; by default one that the network has learned.

        Raises
        ------
        MaterialFileError, SpecificationError : see :meth:`State.first`.
        """
        crystal = crystal or self.recipe.material
        if not self.knows(State.first(crystal)):
            return State.first(crystal, scale or 1.0)
        state = State.first(crystal, scale or self._scale)
        if self.candidate(state) is None:
            others = [replace(state, irrep=one) for one in gap_choices(crystal)]
            state = next((one for one in others if self.candidate(one)), state)
        trained = self.trained
        near: dict[str, Any] = {
            slider: _nearest(getattr(state, slider), trained[name])
            for slider, name in (
                ("eps0", "eps0"),
                ("impurity", "potential"),
                ("moment", "moment"),
                ("broadening", "broadening"),
            )
        }
        return replace(state, energy=self.energies[0], **near)

    def candidate(self, state: State) -> Candidate | None:
        """The candidate that a state's gap belongs to."""
        choice = state.choice
        for one in self.problem.candidates:
            same = choice.name is None if one.named_in_paper else choice.name in one.functions
            if same and one.irrep == choice.irrep:
                return one
        return None

    def departures(self, state: State) -> list[str]:
        """In words, each slider that is not where the training maps were made."""
        found = []
        if len(self.energies) == 1 and self.energies[0] != state.energy:
            found.append(f"ω = {state.energy:g}, trained at {self.energies[0]:g} meV")
        weights = getattr(self.recipe.impurity, "weights", None)
        if weights is not None:
            told = ", ".join(f"{w:g}" for w in weights)
            found.append(f"the impurity acts on all orbitals, trained with weights ({told})")
        candidate, trained = self.candidate(state), self.trained
        if candidate is None:
            found.append(f"{state.irrep} is none of the gaps that it has learned from")
        given = self._given(state, candidate, "moment_polar" in trained)
        names = [*given, *(name for name in trained if name not in given and not is_angle(name))]
        for name in sorted(names, key=order):
            row, ends = quantity(name), trained.get(name, (0.0, 0.0))
            # What the page has no slider for is left as it is.
            value = given.get(name, 1.0 if row.unit == "1" else 0.0)
            if not _within(value, ends):
                unit = "" if row.unit == "1" else f" {row.unit}"
                found.append(
                    f"{symbol_text(row.symbol)} = {value:g}, trained at {_said(ends)}{unit}"
                )
        return found

    def sees(self) -> str:
        """In words, the kind of map that it has learned from."""
        energies = ", ".join(f"{w:g}" for w in self.energies)
        parts = [f"ω = {energies}"]
        for name in ("broadening", "potential", "moment"):
            if self.trained[name] != (0.0, 0.0):
                symbol = symbol_text(quantity(name).symbol)
                parts.append(f"{symbol} = {_said(self.trained[name])}")
        return f"{', '.join(parts)} meV, {self.size} × {self.size} sites"

    @cached_property
    def trained(self) -> Mapping[str, Ends]:
        """Range of each quantity among its maps, both ends the same where it is fixed; a moment
        along z with its sign, in place of its angles."""
        impurity, unknowns = self.recipe.impurity, self.problem.unknowns
        size, *angles = direction(impurity.moment)
        numbers = {
            "eps0": 0.0,
            "potential": impurity.scalar,
            **dict(zip(MOMENT, (size, *angles), strict=True)),
            "broadening": self.recipe.numerics().broadening,
            "temperature": 0.0,
            "modulation": 0.0,
            **self.problem.fixed,
        }
        ranges = {name: (value, value) for name, value in numbers.items()}
        for one in unknowns:
            whole = one.circular and one.high - one.low > one.period * (1 - NEAR)
            ranges[one.name] = (-math.inf, math.inf) if whole else (one.low, one.high)
        if ALONG_Z in ranges:
            ranges["moment"] = ranges.pop(ALONG_Z)
            del ranges["moment_polar"], ranges["moment_azimuth"]
        elif ranges["moment_polar"] == (0.0, 0.0) or ranges["moment"] == (0.0, 0.0):
            del ranges["moment_polar"], ranges["moment_azimuth"]
        elif ranges["moment_polar"] == (math.pi, math.pi):
            low, high = ranges["moment"]
            ranges["moment"] = (-high, -low)
            del ranges["moment_polar"], ranges["moment_azimuth"]
        return ranges

    @property
    def _scale(self) -> float:
        """Two thirds of the largest gap that it has learned, to one figure, if that is among them;
        else the largest."""
        low, high = self.trained["gap"]
        rounded = float(f"{2 / 3 * high:.1g}")
        return rounded if low <= rounded <= high else high

    def _given(self, state: State, candidate: Candidate | None, turned: bool) -> dict[str, float]:
        """What the sliders say, by the names of quantities."""
        size, polar, azimuth = direction((0.0, 0.0, state.moment))
        numbers = {
            "gap": state.gap,
            "eps0": state.eps0,
            "potential": state.impurity,
            "moment": size if turned else state.moment,
            "broadening": state.broadening,
        }
        if turned:
            numbers |= {"moment_polar": polar, "moment_azimuth": azimuth}
        if candidate is None:
            return numbers
        members = self.problem.classes[self.problem.class_of(candidate.name)].members
        own = next(one for one in members if one.candidate == candidate.name)
        numbers["gap"] = state.gap / own.factor
        if len(candidate.functions) < 2:
            return numbers | state.angles
        # The page shows one of the functions that the candidate mixes.
        which = candidate.functions.index(state.choice.name)
        numbers["mix"] = which * math.pi / 2
        return numbers | {f"{name}_{which + 1}": value for name, value in state.angles.items()}


def _within(value: float, ends: Ends) -> bool:
    low, high = ends
    margin = NEAR * max(abs(value), NEAR)
    return low - margin <= value <= high + margin


def _said(ends: Ends) -> str:
    low, high = ends
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _nearest(value: float, ends: Ends) -> float:
    """A value if it lies in a range, else the range's middle."""
    return value if _within(value, ends) else sum(ends) / 2
