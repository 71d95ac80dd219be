"""What is simulated: a material, a gap, an impurity. No grid, no energies, no Julia."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import SpecificationError
from gapscope.physics.bonds import Bonds
from gapscope.physics.impurity import ORIGIN, Impurity, Site
from gapscope.physics.kinds import is_number, require_kind
from gapscope.physics.lattice import require_triangular
from gapscope.physics.layers import downward
from gapscope.physics.material import Material
from gapscope.physics.pairing import Pairing


def bdg_bonds(electrons: Bonds, gap: Bonds) -> Bonds:
    """Bogoliubov-de Gennes bonds from those of He(k) and Delta(k) (paper, eq. 2).

    H(k) = [[He(k), Delta(k)], [Delta(k)^dagger, -He(-k)^T]] in the basis
    (c_k, c^dagger_-k), each spin major: up orbitals, then down orbitals.
    """
    corner = np.zeros((2, 2))
    blocks = (
        (0, 0, electrons),
        (0, 1, gap),
        (1, 0, gap.adjoint()),
        (1, 1, electrons.reversed().transpose().scaled(-1)),
    )
    terms = []
    for row, column, bonds in blocks:
        unit = corner.copy()
        unit[row, column] = 1
        terms.append(bonds.kron(left=unit))
    return Bonds.sum(terms)


def require_specification(value: object) -> None:
    """Raise SpecificationError for anything but a Specification."""
    example = "gs.Specification(material, pairing, impurity)"
    require_kind(value, Specification, "What is simulated", example)


@dataclass(frozen=True, eq=False)
class Scatterers:
    """Impurities as the kernel takes them: blocks of V between sites.

    Parameters
    ----------
    sites : (n, 2).
    potentials : V_ab in Nambu space, (m, d, d) in meV.
    pairs : (m, 2), the numbers a and b of the sites of each block.
    """

    sites: NDArray[np.int64]
    potentials: NDArray[np.complex128]
    pairs: NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Specification:
    """A superconductor with an impurity, at r = 0 unless it says otherwise, or several.

    Parameters
    ----------
    material : normal state.
    pairing : gap.
    impurity : scatterers and their sites.
    eps0 : onsite energy added to every orbital, in meV; moves the filling.

    Raises
    ------
    SpecificationError : a part of another kind, eps0 is not finite, or the parts do not fit each
        other's orbitals.
    """

    material: Material
    pairing: Pairing
    impurity: Impurity
    eps0: float = 0.0

    def __post_init__(self) -> None:
        require_kind(self.material, Material, "A material", 'gs.material("nbse2")')
        require_kind(self.pairing, Pairing, "A pairing", 'gs.Pairing("Eg", gap=1.0, theta=0.3)')
        require_kind(self.impurity, Impurity, "An impurity", "gs.Impurity.scalar(50.0)")
        if not is_number(self.eps0):
            raise SpecificationError(
                "The onsite energy eps0 is a finite number in meV.", self.eps0, "Give a number."
            )
        if self.pairing.custom is None:
            require_triangular(self.material.lattice, "A gap named by an irrep of D3h")
        self.pairing.bonds(self.material.orbitals)
        self.impurity.blocks(self.material.orbitals)

    def __repr__(self) -> str:
        parts = (self.material, self.pairing, self.impurity, f"eps0={float(self.eps0)!r}")
        lines = "".join(f"\n    {part if isinstance(part, str) else repr(part)}," for part in parts)
        return f"Specification({lines}\n)"

    def bdg(self) -> Bonds:
        """H_R of the Bogoliubov-de Gennes Hamiltonian in meV, (n, 4 orbitals, 4 orbitals).

        R3 counts the layers of a half-infinite crystal from the surface down, and the gap is the
        same in each of them.
        """
        orbitals, surface = self.material.orbitals, self.material.surface
        bonds = bdg_bonds(self.material.electrons(self.eps0), self.pairing.bonds(orbitals))
        return bonds if surface is None else downward(bonds, surface)

    def impurity_matrix(self, site: Site = ORIGIN) -> NDArray[np.complex128]:
        """V of a site in Nambu space in meV, (4 orbitals, 4 orbitals)."""
        return self.impurity.nambu_matrix(self.material.orbitals, site)

    def scatterers(self) -> Scatterers:
        """V of every site that carries an impurity, and between sites that one couples."""
        sites = self.impurity.sites
        number = {site: n for n, site in enumerate(sites)}
        blocks = self.impurity.blocks(self.material.orbitals)
        return Scatterers(
            np.array(sites, dtype=np.int64),
            np.stack(list(blocks.values())),
            np.array([(number[a], number[b]) for a, b in blocks], dtype=np.int64),
        )

    def to_dict(self) -> dict[str, object]:
        """All parameters for JSON: enough to compute the same maps again."""
        return {
            "material": self.material.to_dict(),
            "pairing": self.pairing.to_dict(),
            "impurity": self.impurity.to_dict(),
            "eps0": float(self.eps0),
        }
