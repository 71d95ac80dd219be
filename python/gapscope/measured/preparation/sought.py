"""Which lattice is looked for in a map: the triangular one of a constant, and who says so."""

from __future__ import annotations

from dataclasses import dataclass

from gapscope.physics.lattice import Lattice, require_triangular
from gapscope.physics.material import Material


@dataclass(frozen=True)
class Sought:
    """A triangular lattice that is looked for.

    Attributes
    ----------
    lattice : triangular, its constant in Angstrom.
    source : whose constant it is, for people.
    """

    lattice: Lattice
    source: str

    @property
    def constant(self) -> float:
        """The lattice constant in Angstrom."""
        return self.lattice.constant

    def __str__(self) -> str:
        return f"a triangular lattice of {self.constant:g} Angstrom ({self.source})"


Crystal = float | Lattice | Material | Sought
"""A lattice constant in Angstrom, of a triangular lattice; or what has one."""


def sought(crystal: Crystal) -> Sought:
    """What is looked for where a constant, a lattice or a material is given.

    Raises
    ------
    SpecificationError : another lattice than the triangular one, or a constant without meaning.
    """
    if isinstance(crystal, Sought):
        return crystal
    if isinstance(crystal, Material):
        lattice, source = crystal.lattice, f"that of the material {crystal.name}"
    elif isinstance(crystal, Lattice):
        lattice, source = crystal, "the constant that was given"
    else:
        lattice = Lattice("triangular", float(crystal))
        source = "the constant that was given"
    require_triangular(lattice, "The preparation of measured maps")
    return Sought(lattice, source)
