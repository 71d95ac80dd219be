"""Which lattice is looked for in a map, and who says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gapscope.physics.lattice import Lattice
from gapscope.physics.material import Material


@dataclass(frozen=True)
class Sought:
    """A lattice that is looked for.

    Attributes
    ----------
    lattice : any, its constant in Angstrom.
    source : whose lattice it is, for people.
    """

    lattice: Lattice
    source: str

    @property
    def constant(self) -> float:
        """The lattice constant in Angstrom."""
        return self.lattice.constant

    def __str__(self) -> str:
        article = "an" if self.lattice.name[0] in "aeiou" else "a"
        cell = cell_in_words(self.lattice)
        return f"{article} {self.lattice.name} lattice of {cell} ({self.source})"


Crystal = float | Lattice | Material | Sought
"""A lattice constant in Angstrom, of a triangular lattice; or any lattice, or what has one."""


def cell_in_words(lattice: Lattice) -> str:
    """The lengths that a lattice has, and the angle between them where the name does not say it."""
    if lattice.cell is None:
        return f"{lattice.constant:g} Angstrom"
    one, two = lattice.constant * lattice.vectors
    a, b = np.linalg.norm(one), np.linalg.norm(two)
    lengths = f"{a:.5g} x {b:.5g} Angstrom"
    if abs(one @ two) < 1e-9 * a * b:
        return lengths
    return f"{lengths} with {np.degrees(np.arccos(one @ two / (a * b))):.5g} degrees between"


def sought(crystal: Crystal) -> Sought:
    """What is looked for where a constant, a lattice or a material is given.

    Raises
    ------
    SpecificationError : a constant that is not a positive number.
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
    return Sought(lattice, source)
