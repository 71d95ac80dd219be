"""Measurements that may come next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gapscope.errors import SettingError
from gapscope.problem.moves import ALONG_Z
from gapscope.problem.problem import Problem
from gapscope.problem.quantities import quantity
from gapscope.problem.unknown import Unknown

OTHER_POTENTIAL = 300.0
"""meV: potentials of another defect, of either sign, where the problem has none."""
MULTIPLES = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Energies over the gap that are tried."""
APART = 0.1
"""Least distance of these from what has been measured, over the gap."""


@dataclass(frozen=True)
class Candidate:
    """A measurement.

    Parameters
    ----------
    name : in tables.
    energies : meV.
    window : sites per side.
    quieter : the noise that the map has over this one's.
    defect : unknown potential and moment along z of another impurity; None: the same one.
    """

    name: str
    energies: tuple[float, ...]
    window: int
    quieter: float = 1.0
    defect: tuple[Unknown, Unknown] | None = None


def usual_energies(measured: Sequence[float], gap: float) -> list[float]:
    """Energies in and at the gap, none of those that are measured."""
    return [
        float(f"{share * gap:.3g}")
        for share in MULTIPLES
        if min(abs(share * gap - one) for one in measured) > APART * gap
    ]


def candidates(
    problem: Problem,
    measured: Sequence[float],
    window: int,
    *,
    energies: Sequence[float],
    larger: int,
    quieter: float,
    potential: tuple[float, float] | None,
    moment: tuple[float, float],
) -> list[Candidate]:
    """Maps at other energies, of other defects, of a larger field of view, with less noise.

    Parameters
    ----------
    measured, window : of the map.
    larger : sites per side of the larger one.
    potential : of another defect in meV; None: as the problem has it, else -300 to 300.
    moment : along z of a magnetic one, in meV.

    Raises
    ------
    SettingError : numbers that mean nothing.
    """
    if not np.isfinite(energies).all():
        raise SettingError(
            "Energies are finite numbers in meV.", list(energies), "Leave the others out."
        )
    if larger % 2 or larger <= window:
        raise SettingError(
            "A larger field of view has an even number of sites per side, more than the map's.",
            f"{larger} for a map of {window}",
            f"Give {2 * window}.",
        )
    if not (np.isfinite(quieter) and quieter > 1):
        raise SettingError(
            "Less noise is the map's noise over a number above 1.", quieter, "Give 2."
        )
    strength, none = _potential(problem, potential), _range(ALONG_Z, (0.0, 0.0))
    same = tuple(measured)
    kinds = [
        Candidate("another scalar defect", same, window, 1.0, (strength, none)),
        Candidate("a magnetic defect", same, window, 1.0, (strength, _range(ALONG_Z, moment))),
        Candidate(f"{larger} x {larger} sites", same, larger),
        Candidate(f"noise / {quieter:g}", same, window, quieter),
    ]
    again = {one: " again" if one in measured else "" for one in energies}
    return [
        Candidate(f"{one:g} meV{words}", (one,), window) for one, words in again.items()
    ] + kinds


def _potential(problem: Problem, given: tuple[float, float] | None) -> Unknown:
    if given is not None:
        return _range("potential", given)
    for one in problem.unknowns:
        if one.name == "potential":
            return one
    return _range("potential", (-OTHER_POTENTIAL, OTHER_POTENTIAL))


def _range(name: str, ends: tuple[float, float]) -> Unknown:
    low, high = ends
    if not (np.isfinite(ends).all() and low <= high):
        raise SettingError(
            f"The {quantity(name).long_name} of another defect lies between two finite numbers in"
            " rising order, in meV.",
            ends,
            "Give low and high.",
        )
    return quantity(name).unknown(name, low, high)
