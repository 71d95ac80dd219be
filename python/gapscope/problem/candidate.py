"""A candidate: an irrep with the basis functions that may take part in its state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from gapscope.errors import RecipeError
from gapscope.physics.paper_states import OPTIONAL, REQUIRED
from gapscope.problem.coefficients import angle_names

MOST_FUNCTIONS = 2


@dataclass(frozen=True)
class FunctionName:
    """Which of an irrep's basis functions is meant; None: the only one, or the innermost."""

    shell: int | None = None
    channel: str | None = None
    copy: int | None = None


@dataclass(frozen=True)
class Candidate:
    """A pairing symmetry that a map may have.

    Parameters
    ----------
    name : in tables and files.
    irrep : gapscope's or Mulliken's name.
    functions : the basis functions that are mixed, one or two; none: the paper's state of D3h of
        that name, with its own angles and normalisation.
    partners : dimension of the irrep.
    """

    name: str
    irrep: str
    functions: tuple[FunctionName, ...] = ()
    partners: int = 1

    def __post_init__(self) -> None:
        if len(self.functions) > MOST_FUNCTIONS:
            raise RecipeError(
                f"A candidate mixes at most {MOST_FUNCTIONS} basis functions.",
                f"{self.name}: {len(self.functions)}",
                "Leave the weakest out, or name several candidates.",
            )

    @property
    def named_in_paper(self) -> bool:
        """Whether it is one of the paper's six states."""
        return not self.functions

    @property
    def required(self) -> tuple[str, ...]:
        """Angles that its state needs."""
        if self.named_in_paper:
            return REQUIRED[self.irrep]
        return angle_names(len(self.functions), self.partners)[0]

    @property
    def optional(self) -> tuple[str, ...]:
        """Angles that are zero where nothing is said."""
        if self.named_in_paper:
            return OPTIONAL[self.irrep]
        return angle_names(len(self.functions), self.partners)[1]

    @property
    def angles(self) -> tuple[str, ...]:
        """All angles that it has."""
        return self.required + self.optional

    def to_dict(self) -> dict[str, Any]:
        """All content for JSON."""
        return {
            "name": self.name,
            "irrep": self.irrep,
            "functions": [vars(one) for one in self.functions],
            "partners": self.partners,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_dict`."""
        functions = tuple(FunctionName(**one) for one in content["functions"])
        return cls(content["name"], content["irrep"], functions, content["partners"])
