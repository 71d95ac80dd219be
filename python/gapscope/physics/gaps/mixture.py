"""Mixtures of an irrep's basis functions, each named by channel, shell and copy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from gapscope.errors import SpecificationError
from gapscope.physics.gaps.basis_function import BasisFunction
from gapscope.physics.gaps.choice import choose_function
from gapscope.physics.gaps.term import partner_coefficients
from gapscope.physics.group.crystal_group import CrystalGroup
from gapscope.physics.material import Material

_WRITTEN = re.compile(r"\s*(\w+)\s*:\s*(\d{1,4})\s*(?::\s*(\d{1,4})\s*)?(?:=(.*))?")


@dataclass(frozen=True)
class FunctionTerm:
    """One basis function of a mixture.

    Parameters
    ----------
    channel, shell, copy : which function; the copy may be left out where there is one.
    coefficients : one for each partner; of an irrep with two partners a single one multiplies
        (cos(theta), exp(i phi) sin(theta)).
    """

    channel: str
    shell: int
    copy: int | None = None
    coefficients: tuple[complex, ...] = (1.0,)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The term written as ``CHANNEL:SHELL[:COPY][=C[,C]]``, such as s:1=0.5 or txy:1:2=1,1j.

        Raises
        ------
        SpecificationError : another text.
        """
        found = _WRITTEN.fullmatch(text)
        if found is not None:
            channel, shell, copy, written = found.groups()
            try:
                values = tuple(complex(c.replace(" ", "")) for c in (written or "1").split(","))
            except ValueError:
                values = ()
            if values and (written is None or written.strip()):
                return cls(channel, int(shell), None if copy is None else int(copy), values)
        raise SpecificationError(
            "A basis function of a mixture is written as CHANNEL:SHELL[:COPY][=C[,C]], with complex"
            " coefficients C as in 0.3-0.2j.",
            text,
            "Write for example s:1, s:0=-0.5, tz:1:2=0.3j or, for two partners, txy:1=1,1j.",
        )


def mixed_functions(
    material: Material,
    group: CrystalGroup | None,
    irrep: str,
    terms: Sequence[FunctionTerm],
    angles: Mapping[str, float],
) -> list[tuple[BasisFunction, tuple[complex, ...]]]:
    """The basis functions that terms name, with the coefficients of their partners.

    Raises
    ------
    SpecificationError : a function that is not there or stands twice, a number of coefficients
        that its irrep does not have, or an angle that none of them needs.
    """
    made: list[tuple[BasisFunction, tuple[complex, ...]]] = []
    turned = False
    for term in terms:
        function = choose_function(material, group, irrep, term.shell, term.channel, term.copy)
        if any(_place(function) == _place(known) for known, _ in made):
            raise SpecificationError(
                "Each basis function stands once in a mixture.",
                function.title,
                "Add its coefficients.",
            )
        values = tuple(complex(value) for value in term.coefficients)
        partners = function.irrep.dimension
        if len(values) == 1 < partners:
            shares = partner_coefficients(function, angles)
            values, turned = tuple(values[0] * share for share in shares), True
        elif len(values) != partners:
            raise SpecificationError(
                f"{function.title} has {partners} partner{'s' if partners > 1 else ''}.",
                f"{len(values)} coefficients",
                f"Give {partners}{', or one, and theta' if partners > 1 else ''}.",
            )
        made.append((function, values))
    if angles and not turned:
        raise SpecificationError(
            "Angles mix the partners of functions that are given one coefficient.",
            ", ".join(f"{name} = {value!r}" for name, value in angles.items()),
            f"Leave {', '.join(angles)} out.",
        )
    return made


def coefficient_norm(terms: Sequence[tuple[BasisFunction, Sequence[complex]]]) -> float:
    """|c|, by which a state sum_a c_a f_a of basis functions of one irrep is divided.

    Raises
    ------
    SpecificationError : functions of several irreps, or coefficients that do not fit them.
    """
    names = {function.irrep.name for function, _ in terms}
    fitting = all(len(c) == function.irrep.dimension for function, c in terms)
    values = [complex(one) for _, c in terms for one in c]
    norm = float(np.linalg.norm(values)) if values else 0.0
    if len(names) != 1 or not fitting or not (np.isfinite(norm) and norm > 0):
        raise SpecificationError(
            "A state has finite coefficients, not all zero, one for each partner of basis"
            " functions of one irrep.",
            f"irreps {', '.join(sorted(names)) or 'none'}, coefficients"
            f" {[tuple(c) for _, c in terms]}",
            "Take functions of one irrep, and as many numbers for each as it has partners.",
        )
    return norm


def _place(function: BasisFunction) -> tuple[str, int, int]:
    return function.channel, function.shell, function.copy
