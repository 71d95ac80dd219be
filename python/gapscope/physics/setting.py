"""From the cell of a file to the standard one: lattice, bonds, and orbitals with their spins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gapscope.physics.bonds import Bonds
from gapscope.physics.cell import StandardCell, standard_cell
from gapscope.physics.lattice import Lattice
from gapscope.physics.orbitals import Orbital, rotation

Basis = tuple[Orbital, ...]
ZERO = 1e-13
"""Part of the largest amplitude below which an element is the rounding of an exact zero."""


@dataclass(frozen=True, eq=False)
class Setting:
    """How sites, bonds and orbitals of a given cell read in the standard one.

    With integer M from the given vectors a to the standard ones M a, a site R reads R M^-1. Where
    the axes are turned, by an angle t about z, the crystal is turned as a whole: every bond's
    matrix H becomes U H U^dagger, U = exp(-i t s_z / 2) x D with D the matrix of the harmonics.
    """

    lattice: Lattice
    cell: StandardCell

    @classmethod
    def of(cls, vectors: ArrayLike) -> Setting:
        """The setting of a cell by its rows a1, a2 in Angstrom.

        Raises
        ------
        SpecificationError : vectors that do not span a cell.
        """
        cell = standard_cell(vectors)
        return cls(Lattice.standard(cell), cell)

    @classmethod
    def own(cls, lattice: Lattice) -> Setting:
        """The setting of a lattice that is standard already."""
        vectors = lattice.constant * lattice.vectors
        return cls(
            lattice, StandardCell(lattice.name, vectors, np.eye(2, dtype=np.int64), 0.0, vectors)
        )

    @property
    def notes(self) -> list[str]:
        """What became of the cell, in words; nothing where it is as it was."""
        notes = []
        if not (self.cell.basis == np.eye(2)).all():
            rows = ", ".join(f"{m1} a1 + {m2} a2" for m1, m2 in self.cell.basis.tolist())
            notes.append(f"sites counted in the {self.lattice.name} cell {rows} of the file's")
        if self.cell.turn:
            degrees = np.rad2deg(self.cell.turn)
            notes.append(f"axes, orbitals and spins turned by {degrees:.6g} degrees about z")
        if self.cell.near:
            notes.append(
                f"the cell misses a {self.cell.near} one by less than 1 % and counts as"
                f" {self.lattice.name}"
            )
        return notes

    def sites(self, sites: ArrayLike) -> NDArray[np.float64]:
        """Reduced coordinates (..., 2) in the standard cell from those in the given one."""
        inverse = np.rint(np.linalg.inv(self.cell.basis))
        return np.asarray(np.asarray(sites, dtype=np.float64) @ inverse)

    def bonds(self, bonds: Bonds) -> Bonds:
        """Bonds counted in the standard cell; their matrices stay as they are."""
        sites = self.sites(bonds.vectors[:, :2]).astype(np.int64)
        return Bonds(np.column_stack([sites, bonds.vectors[:, 2:]]), bonds.matrices)

    def electrons(self, bonds: Bonds, basis: Basis | None) -> tuple[Bonds, Basis | None]:
        """Electron bonds (spin major) and their orbitals in the standard cell.

        A turn that leads out of the set of harmonics on a place (an x2-y2 without xy, turned by
        45 degrees) leaves no real harmonics: the basis is then unknown (None).
        """
        moved = self.bonds(bonds)
        if basis is not None:
            basis = tuple(
                Orbital(one.character, _pair(self.sites(one.position)), one.height, one.name)
                for one in basis
            )
        if not self.cell.turn:
            return moved, basis
        orbitals = np.eye(bonds.dimension // 2)
        if basis is not None:
            found = turned(basis, self.cell.turn)
            orbitals, basis = (orbitals, None) if found is None else (found, basis)
        phase = np.exp(-0.5j * self.cell.turn)
        u = np.kron(np.diag([phase, phase.conjugate()]), orbitals)
        matrices = u @ moved.matrices @ u.conj().T
        small = ZERO * np.abs(matrices).max()
        matrices.real[np.abs(matrices.real) < small] = 0.0
        matrices.imag[np.abs(matrices.imag) < small] = 0.0
        return Bonds(moved.vectors, matrices), basis


def turned(basis: Basis, angle: float) -> NDArray[np.float64] | None:
    """Orthogonal matrix of the orbitals under a turn about z; None where it leads out of the set.

    Harmonics of one l on one place are turned together; of several of one character, the first
    with the first, and so on.
    """
    c, s = np.cos(angle), np.sin(angle)
    operation = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    groups: dict[tuple[object, ...], list[int]] = {}
    seen: dict[tuple[object, ...], int] = {}
    for number, one in enumerate(basis):
        place = (*np.round(one.position, 6).tolist(), round(one.height, 6))
        copy = seen.setdefault((*place, one.character), 0)
        seen[(*place, one.character)] += 1
        groups.setdefault((*place, one.angular_momentum, copy), []).append(number)
    whole = np.zeros((len(basis), len(basis)))
    for members in groups.values():
        whole[np.ix_(members, members)] = rotation([basis[i].character for i in members], operation)
    whole[np.abs(whole) < ZERO] = 0.0
    closed = np.allclose(whole @ whole.T, np.eye(len(basis)), rtol=0, atol=1e-9)
    return whole if closed else None


def _pair(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(values[0]), float(values[1])
