"""Classes of candidates that no map tells apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Member:
    """A candidate in a class.

    Parameters
    ----------
    candidate : its name.
    factor : its own gap over the gap that the class goes by.
    sign, offset : its own theta is sign * theta + offset.
    held : values of unknowns on which no map of it depends.
    """

    candidate: str
    factor: float = 1.0
    sign: int = 1
    offset: float = 0.0
    held: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """All content for JSON."""
        content = dict(vars(self))
        if not self.held:
            del content["held"]
        return content


@dataclass(frozen=True)
class Class:
    """Candidates that no map of the problem tells apart.

    Parameters
    ----------
    label : in tables.
    members : candidates; the first one's gap and angles are the class's.
    unknowns : names of those that it has.
    """

    label: str
    members: tuple[Member, ...]
    unknowns: tuple[str, ...]
