"""The part of a state that one basis function is: its names and its partners' coefficients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gapscope.errors import SpecificationError
from gapscope.physics.gaps.basis_function import BasisFunction


@dataclass(frozen=True)
class GapTerm:
    """What a basis function is called, and the coefficients of its partners."""

    group: str
    channel: str
    shell: int
    copy: int
    coefficients: tuple[complex, ...]

    @classmethod
    def of(cls, function: BasisFunction, coefficients: Sequence[complex]) -> GapTerm:
        """The part that a function has with the given coefficients."""
        return cls(
            function.group,
            function.channel,
            function.shell,
            function.copy,
            tuple(complex(one) for one in coefficients),
        )

    def to_dict(self) -> dict[str, object]:
        """All content for JSON; coefficients as pairs of a real and an imaginary part."""
        pairs = [[c.real, c.imag] for c in self.coefficients]
        return {**self.names, "coefficients": pairs}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> GapTerm:
        """The term that :meth:`to_dict` wrote."""
        names = {key: content[key] for key in ("group", "channel", "shell", "copy")}
        return cls(**names, coefficients=tuple(complex(*pair) for pair in content["coefficients"]))

    @property
    def names(self) -> dict[str, str | int]:
        """Group, channel, shell and copy."""
        return {
            "group": self.group,
            "channel": self.channel,
            "shell": self.shell,
            "copy": self.copy,
        }


def partner_coefficients(
    function: BasisFunction, angles: Mapping[str, float]
) -> tuple[complex, ...]:
    """(1,), or (cos theta, exp(i phi) sin theta) where the irrep has two partners.

    Raises
    ------
    SpecificationError : an angle that the irrep does not have, or none where it has one.
    """
    partners = function.irrep.dimension
    allowed = ("theta", "phi") if partners > 1 else ()
    wrong = [angle for angle in angles if angle not in allowed]
    given = ", ".join(f"{angle} = {value!r}" for angle, value in angles.items())
    if wrong:
        raise SpecificationError(
            f"The angles of {function.title} are: {', '.join(allowed) or 'none'}.",
            given,
            f"Leave {', '.join(wrong)} out.",
        )
    if partners == 1:
        return (1.0,)
    if "theta" not in angles or not all(math.isfinite(value) for value in angles.values()):
        raise SpecificationError(
            f"{function.irrep.name} has two partners, like {function.irrep.partners}, which theta"
            " mixes: cos(theta) of the first, sin(theta) of the second.",
            given or "no angle",
            "Give theta in radians, and phi where the two have different phases.",
        )
    theta, phi = angles["theta"], angles.get("phi", 0.0)
    phase = complex(math.cos(phi), math.sin(phi)) if phi else 1.0
    return (math.cos(theta), phase * math.sin(theta))
