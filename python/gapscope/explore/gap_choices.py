"""The gaps that the page offers for a crystal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from gapscope.physics import IRREPS, Material, Pairing
from gapscope.physics.gaps.choice import is_named_in_paper
from gapscope.physics.gaps.classify import classify_gaps
from gapscope.physics.gaps.pair_space import CHANNELS
from gapscope.physics.group.found import find_group
from gapscope.physics.paper_states import OPTIONAL, REQUIRED
from gapscope.problem.candidate import FunctionName
from gapscope.simulation.materials import material

SHELLS = 2
"""Shells of neighbours whose gaps are offered."""


@dataclass(frozen=True)
class GapChoice:
    """One of the paper's states, or one basis function of an irrep of the crystal.

    Attributes
    ----------
    irrep : name.
    angles : those of theta and phi that it has.
    shell, channel, copy : which function; None for the paper's states.
    """

    irrep: str
    angles: tuple[str, ...]
    shell: int | None = None
    channel: str | None = None
    copy: int | None = None

    @property
    def label(self) -> str:
        """Its name on the page."""
        if self.shell is None:
            return self.irrep
        return f"{self.irrep}, {self.channel}, shell {self.shell}, copy {self.copy}"

    @property
    def name(self) -> FunctionName | None:
        """The function as a problem names it; None for the paper's states."""
        if self.shell is None:
            return None
        return FunctionName(self.shell, self.channel, self.copy)

    @property
    def function(self) -> dict[str, object]:
        """Arguments of :meth:`Pairing.of` that say which function; none for the paper's states."""
        if self.shell is None:
            return {}
        return {"shell": self.shell, "channel": self.channel, "copy": self.copy}

    def pairing(self, crystal: Material, gap: float, angles: Mapping[str, float]) -> Pairing:
        """The gap of this magnitude in meV, with the angles in rad that it has."""
        return Pairing.of(
            crystal,
            self.irrep,
            gap,
            shell=self.shell,
            channel=self.channel,
            copy=self.copy,
            theta=angles.get("theta"),
            phi=angles.get("phi"),
        )


@lru_cache(maxsize=4)
def crystal_of(name: str) -> Material:
    """The material of a name or a file, read once."""
    return material(name)


@lru_cache(maxsize=4)
def gap_choices(name: str) -> Mapping[str, GapChoice]:
    """The choices by label, of a material's name or file.

    Raises
    ------
    MaterialFileError, SpecificationError : no such material, or one whose orbitals are unknown.
    """
    crystal = crystal_of(name)
    group = None if crystal.basis is None else find_group(crystal)
    if is_named_in_paper(crystal, group, IRREPS[0]):
        choices = [
            GapChoice(irrep, tuple(a for a in ("theta", "phi") if a in _angles(irrep)))
            for irrep in IRREPS
        ]
    else:
        choices = [
            GapChoice(
                one.irrep.name,
                ("theta", "phi") if one.irrep.dimension == 2 else (),
                one.shell,
                one.channel,
                one.copy,
            )
            for one in classify_gaps(crystal, SHELLS, CHANNELS)
        ]
    return {choice.label: choice for choice in choices}


def usual_gap(name: str) -> str:
    """The choice that a crystal's page begins with: of the paper's states the one with the most
    angles, else the first.

    Raises
    ------
    MaterialFileError, SpecificationError : see :func:`gap_choices`.
    """
    choices = gap_choices(name)
    named = [label for label, one in choices.items() if one.name is None]
    return max(named, key=lambda label: len(choices[label].angles), default=next(iter(choices)))


def _angles(irrep: str) -> tuple[str, ...]:
    return REQUIRED[irrep] + OPTIONAL[irrep]
