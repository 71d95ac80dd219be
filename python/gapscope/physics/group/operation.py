"""A symmetry operation of a crystal: what it does to sites, orbitals, spins, bonds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.bonds import Bonds
from gapscope.physics.group.planar import PlanarOperation, spin_matrix


@dataclass(frozen=True, eq=False)
class Operation:
    """An operation of a planar crystal with its matrices.

    Parameters
    ----------
    planar : its part in the plane and its sign of z.
    lattice : W, (2, 2) integers: the lattice vector (r1, r2) goes to W r.
    translation : (t1, t2) by which it moves in units of a1, a2; a site tau goes to W tau + t.
    image : (n,) site of each orbital's image, by number of sites; see ``sites``.
    shift : (n, 2) lattice vector that is left over: W tau_j + t = tau_image + shift.
    orbitals : (n, n) real and orthogonal; column j holds the image of orbital j.
    sites : (n,) site of each orbital.
    violation : largest |U H_R U^dagger - H_(g R)| in meV.
    """

    planar: PlanarOperation
    lattice: NDArray[np.int64]
    translation: NDArray[np.float64]
    image: NDArray[np.int64]
    shift: NDArray[np.int64]
    orbitals: NDArray[np.float64]
    sites: NDArray[np.int64]
    violation: float = 0.0

    @cached_property
    def matrix(self) -> NDArray[np.complex128]:
        """U = SU(2) x orbitals, (2n, 2n), spin major: (up orbitals, down orbitals)."""
        return np.asarray(np.kron(spin_matrix(self.planar), self.orbitals))

    @property
    def pure_translation(self) -> bool:
        """Whether it moves the crystal by less than a lattice vector and does nothing else."""
        return self.planar.name == "E" and bool(np.abs(self.translation).max() > 1e-6)

    def on_hamiltonian(self, bonds: Bonds) -> Bonds:
        """U H_R U^dagger on the moved bonds."""
        return self._moved(bonds, self.matrix.conj().T)

    def on_gap(self, bonds: Bonds) -> Bonds:
        """U Delta_R U^T on the moved bonds: how c^dagger Delta (c^dagger)^T transforms."""
        return self._moved(bonds, self.matrix.T)

    def moved_vector(self, vectors: NDArray[np.int64], row: int, column: int) -> NDArray[np.int64]:
        """Lattice vectors of bonds from orbital ``row`` (cell 0) to ``column`` (cell R), moved."""
        moved = vectors[..., :2] @ self.lattice.T + self.shift[column] - self.shift[row]
        return np.concatenate([moved, vectors[..., 2:]], axis=-1)  # z stays where there are layers

    def _moved(self, bonds: Bonds, right: NDArray[np.complex128]) -> Bonds:
        n = len(self.sites)
        members = [np.flatnonzero(self.sites == site) for site in range(self.sites.max() + 1)]
        spinful = [np.concatenate([one, one + n]) for one in members]
        total: dict[tuple[int, ...], NDArray[np.complex128]] = {}
        for a, rows in zip(members, spinful, strict=True):
            for b, columns in zip(members, spinful, strict=True):
                part = bonds.matrices[:, rows][:, :, columns]
                turned = self.matrix[:, rows] @ part @ right[columns]
                vectors = self.moved_vector(bonds.vectors, int(a[0]), int(b[0]))
                for vector, matrix in zip(vectors.tolist(), turned, strict=True):
                    total[tuple(vector)] = total.get(tuple(vector), 0) + matrix
        return Bonds.from_dict(total)
