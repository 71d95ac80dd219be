"""A problem: the candidates a map may be of, the numbers it is read as, and how symmetry acts.

Datasets, networks and predictions carry it as JSON; columns, targets, masks, tables, plots and
words follow from it, and nothing else in gapscope says what is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import SchemaVersionError
from gapscope.problem.candidate import Candidate
from gapscope.problem.classes import Class, Member
from gapscope.problem.moves import ALONG_Z, MOMENT, Move
from gapscope.problem.quantities import is_angle
from gapscope.problem.representative import components, has_names, names, representative
from gapscope.problem.unknown import Unknown, in_tables

PROBLEM_SCHEMA = 2
"""Problems without held unknowns are written as schema 1, which versions before 2 read."""
Values = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Problem:
    """What is asked of a map.

    Parameters
    ----------
    candidates : pairing symmetries.
    classes : what a map can tell apart, in the order of a network's output.
    unknowns : in the order in which they are drawn.
    fixed : further quantities by name.
    moves : operations under which maps of the problem are maps of it, the identity first.
    group : Schoenflies symbol of the crystal's point group; "" where it is not known.
    reversible : whether c^* around the moment -J gives the map of c around J, and is of the
        problem, too.
    """

    candidates: tuple[Candidate, ...]
    classes: tuple[Class, ...]
    unknowns: tuple[Unknown, ...]
    fixed: dict[str, float] = field(default_factory=dict)
    moves: tuple[Move, ...] = (Move(),)
    group: str = ""
    reversible: bool = False

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(one.label for one in self.classes)

    @cached_property
    def shown(self) -> tuple[Unknown, ...]:
        """Unknowns in the order of tables: the gap, angles, the rest."""
        return in_tables(self.unknowns)

    @cached_property
    def learned(self) -> tuple[Unknown, ...]:
        """Unknowns in the order of a network's output: angles, then the rest by name."""
        return tuple(sorted(self.unknowns, key=lambda u: (not u.circular, u.name)))

    def unknown(self, name: str) -> Unknown:
        """The unknown of a name."""
        return next(one for one in self.unknowns if one.name == name)

    def candidate(self, name: str) -> Candidate:
        """The candidate of a name."""
        return next(one for one in self.candidates if one.name == name)

    def leading(self, index: int) -> Candidate:
        """The candidate whose gap and angles are a class's."""
        return self.candidate(self.classes[index].members[0].candidate)

    def components(self, index: int) -> int:
        """Number of components of a class's states, basis functions times partners."""
        return components(self.leading(index))

    def has(self, name: str) -> NDArray[np.bool_]:
        """(classes,): whether each class has an unknown."""
        return np.array([name in one.unknowns for one in self.classes])

    @cached_property
    def rounds(self) -> int:
        """Samples of a class after which its members begin anew."""
        return math.lcm(*(len(one.members) for one in self.classes))

    def class_of(self, candidate: str) -> int:
        """Number of the class that a candidate is in."""
        return next(
            i
            for i, one in enumerate(self.classes)
            if any(member.candidate == candidate for member in one.members)
        )

    def moved(self, values: Values, label: NDArray[np.integer], move: Sequence[int]) -> Values:
        """Unknowns (n,) of samples of classes after moves, by number; what has no meaning for a
        class stays."""
        return self._moved(values, label, [self.moves[m] for m in move])

    def moved_back(self, values: Values, label: NDArray[np.integer], move: int) -> Values:
        """Inverse of :meth:`moved` for one move of all samples."""
        return self._moved(values, label, [self.moves[move].inverse] * len(label))

    def named(self, values: Values, label: NDArray[np.integer]) -> Values:
        """Unknowns (n,) of samples of classes by the names that their maps go by, each by one; see
        :mod:`gapscope.problem.representative`."""
        return self._moved(values, label, [Move()] * len(label))

    def _moved(self, values: Values, label: NDArray[np.integer], moves: Sequence[Move]) -> Values:
        new = {name: np.array(column, dtype=np.float64) for name, column in values.items()}
        turned = [name for name in new if is_angle(name)]
        for row, (index, move) in enumerate(zip(label.tolist(), moves, strict=True)):
            known = self.fixed | self._held(index)
            spin = [name for name in new if name in MOMENT and name not in known]
            if turned and self.turns(index, move):
                own = {name: float(values[name][row]) for name in turned}
                for name, value in self._angles(index, own, move).items():
                    new[name][row] = value
            if spin:
                size, polar, azimuth = (
                    float(values[name][row]) if name in spin else known.get(name, 0.0)
                    for name in MOMENT
                )
                found = move.moment(size if "moment" in spin else 1.0, polar, azimuth)
                for name in spin:
                    new[name][row] = found[name]
            if ALONG_Z in new:
                new[ALONG_Z][row] *= move.along_z
            if self._has_names[index]:
                given = (*turned, *spin, *({ALONG_Z} & new.keys()))
                named = [name for name in given if name in self.classes[index].unknowns]
                own = {name: float(new[name][row]) for name in named}
                for name, value in self._representative(index, own).items():
                    new[name][row] = value
        for unknown in self.unknowns:
            if unknown.circular and unknown.name in new:
                new[unknown.name] = unknown.on_circle(new[unknown.name])
        return new

    @cached_property
    def _has_names(self) -> list[bool]:
        return [
            has_names(self.leading(i), self._own(i), self.reversible)
            for i in range(len(self.classes))
        ]

    def _representative(self, index: int, values: dict[str, float]) -> dict[str, float]:
        own, held = self._own(index), self._held(index)
        return representative(self.leading(index), own, self.fixed, held, self.reversible, values)

    def other_names(
        self, index: int, values: Mapping[str, float], *, anywhere: bool = False
    ) -> list[dict[str, float]]:
        """Unknowns of a class that have the same map as ``values``, these themselves among them,
        where they lie in their ranges, or ``anywhere`` on their circles; none where each map has
        one name only."""
        if not self._has_names[index]:
            return []
        own = self._own(index)
        if anywhere:
            own = {
                name: replace(one, high=one.low + one.period) if one.circular else one
                for name, one in own.items()
            }
        turned = {
            name: value
            for name, value in values.items()
            if name in own and (is_angle(name) or name.startswith(MOMENT[0]))
        }
        held = self._held(index)
        found = names(self.leading(index), own, self.fixed, held, self.reversible, turned)
        return [{**values, **one} for one in found]

    def _own(self, index: int) -> dict[str, Unknown]:
        names = self.classes[index].unknowns
        return {one.name: one for one in self.unknowns if one.name in names}

    def _held(self, index: int) -> dict[str, float]:
        return dict(self.classes[index].members[0].held)

    def turns(self, index: int, move: Move) -> bool:
        """Whether a move changes the angles of a class."""
        candidate = self.leading(index)
        if self.classes[index].label in move.partners:
            return True
        return move.conjugate and not candidate.named_in_paper and len(candidate.functions) > 1

    def _angles(self, index: int, values: dict[str, float], move: Move) -> dict[str, float]:
        one = self.classes[index]
        candidate = self.leading(index)
        known = {n: v for n, v in (self.fixed | self._held(index)).items() if n in candidate.angles}
        known |= {name: value for name, value in values.items() if name in one.unknowns}
        found = move.angles(one.label, known, max(1, len(candidate.functions)))
        return {name: found[name] for name in values if name in found and name in one.unknowns}

    def to_dict(self) -> dict[str, Any]:
        """All content for JSON."""
        return {
            "schema": PROBLEM_SCHEMA if any(m.held for c in self.classes for m in c.members) else 1,
            "candidates": [one.to_dict() for one in self.candidates],
            "classes": [
                {
                    "label": one.label,
                    "members": [member.to_dict() for member in one.members],
                    "unknowns": list(one.unknowns),
                }
                for one in self.classes
            ],
            "unknowns": [one.to_dict() for one in self.unknowns],
            "fixed": dict(self.fixed),
            "moves": [one.to_dict() for one in self.moves],
            "group": self.group,
            "reversible": self.reversible,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_dict`.

        Raises
        ------
        SchemaVersionError : written by a newer gapscope.
        """
        if content["schema"] > PROBLEM_SCHEMA:
            raise SchemaVersionError(
                f"This version of gapscope reads problems of schema {PROBLEM_SCHEMA} and older.",
                f"schema {content['schema']}",
                "Update gapscope.",
            )
        return cls(
            tuple(Candidate.from_dict(one) for one in content["candidates"]),
            tuple(
                Class(
                    one["label"],
                    tuple(Member(**member) for member in one["members"]),
                    tuple(one["unknowns"]),
                )
                for one in content["classes"]
            ),
            tuple(Unknown.from_dict(one) for one in content["unknowns"]),
            {str(name): float(value) for name, value in content["fixed"].items()},
            tuple(Move.from_dict(one) for one in content["moves"]),
            str(content["group"]),
            bool(content.get("reversible", False)),
        )


def held(problem: Problem, values: Mapping[str, Mapping[str, float]]) -> Problem:
    """The problem with unknowns held that the maps of some classes do not depend on.

    Parameters
    ----------
    values : by class, the held unknowns with the value of each.
    """

    def without(one: Class) -> Class:
        own = values.get(one.label, {})
        members = tuple(replace(member, held=dict(own)) for member in one.members)
        return replace(
            one, members=members, unknowns=tuple(n for n in one.unknowns if n not in own)
        )

    return replace(problem, classes=tuple(without(one) for one in problem.classes))


def merged(problem: Problem, groups: Sequence[Sequence[Member]]) -> Problem:
    """The problem with classes joined; each group's first candidate names gap and angles.

    Parameters
    ----------
    groups : candidates of each class, in the order of the classes.
    """
    before = {one.members[0].candidate: one for one in problem.classes}
    classes = tuple(
        replace(
            before[group[0].candidate],
            label="/".join(member.candidate for member in group),
            members=tuple(group),
        )
        for group in groups
    )
    renamed = {before[g[0].candidate].label: c.label for g, c in zip(groups, classes, strict=True)}
    moves = tuple(
        replace(move, partners={renamed[k]: v for k, v in move.partners.items() if k in renamed})
        for move in problem.moves
    )
    return replace(problem, classes=classes, moves=moves)
