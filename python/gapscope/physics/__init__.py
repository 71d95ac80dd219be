"""What is simulated: lattices, bonds, gaps, impurities, symmetries. No grid, no Julia."""

from gapscope.physics.bonds import Bonds
from gapscope.physics.impurity import Impurity
from gapscope.physics.irreps import IRREPS, LABELS, label_of, labelled_gap, printed_gap
from gapscope.physics.lattice import Lattice
from gapscope.physics.material import Material
from gapscope.physics.orbitals import Orbital
from gapscope.physics.pairing import Pairing
from gapscope.physics.specification import Specification

__all__ = [
    "IRREPS",
    "LABELS",
    "Bonds",
    "Impurity",
    "Lattice",
    "Material",
    "Orbital",
    "Pairing",
    "Specification",
    "label_of",
    "labelled_gap",
    "printed_gap",
]
