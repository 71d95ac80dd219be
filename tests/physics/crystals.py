"""Small crystals of many symmetries, by their bonds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from gapscope.physics import Bonds, Lattice, Material
from gapscope.physics.group.crystal_group import symmetrised
from gapscope.physics.group.found import find_group
from gapscope.physics.orbitals import Orbital
from gapscope.physics.wannier90 import atomic_soc

SX, SY, SZ = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
SQUARE, TRIANGULAR = Lattice("square", 3.8), Lattice("triangular", 3.4)


def hermitian(bonds: Mapping[tuple[int, int], ArrayLike]) -> Bonds:
    """Bonds with their partners on -R."""
    one = Bonds.from_dict(bonds)
    at_origin = one.matrices[(one.vectors == 0).all(axis=1)].sum(axis=0)
    onsite = Bonds.from_dict({(0, 0): at_origin + np.zeros((one.dimension, one.dimension))})
    return Bonds.sum([one, one.adjoint(), onsite.scaled(-1)])


def doubled(bonds: Bonds) -> Bonds:
    """The same for both spins."""
    return bonds.kron(left=np.eye(2))


def spins(bonds: Mapping[tuple[int, int], ArrayLike]) -> Bonds:
    """Spin-orbit coupling of one orbital: i d.sigma on R, Hermitian by itself."""
    terms = {r: 1j * np.einsum("a,aij->ij", np.asarray(d), [SX, SY, SZ]) for r, d in bonds.items()}
    return hermitian(terms)


def one_orbital(lattice: Lattice, bonds: Bonds, character: str = "s") -> Material:
    return Material("toy", lattice, bonds, basis=(Orbital(character),))


def square() -> Material:
    """Next-nearest neighbours too."""
    hoppings = {(0, 0): 40.0, (1, 0): -100.0, (0, 1): -100.0, (1, 1): 30.0, (1, -1): 30.0}
    return one_orbital(SQUARE, doubled(hermitian(hoppings)))


def rashba_square(strength: float = 5.0) -> Material:
    """alpha (sin ky sigma_x - sin kx sigma_y) on top."""
    coupling = spins({(1, 0): (0, strength / 2, 0), (0, 1): (-strength / 2, 0, 0)})
    return one_orbital(SQUARE, Bonds.sum([square().bonds, coupling]))


def rashba_on(material: Material, strength: float = 3.0) -> Material:
    """Rashba coupling z.(k x sigma) between nearest neighbours of a triangular lattice."""
    terms = {}
    for r in ((1, 0), (0, 1), (-1, 1)):
        x, y = np.array(r) @ material.lattice.vectors
        terms[r] = (-strength * y, strength * x, 0)
    bonds = Bonds.sum([material.bonds, spins(terms)])
    return Material("on a substrate", material.lattice, bonds, basis=(Orbital("dz2"),))


def without_spin_orbit(material: Material) -> Material:
    """The spinless part of a one-orbital material."""
    trace = np.trace(material.bonds.matrices, axis1=1, axis2=2) / 2
    bonds = Bonds(material.bonds.vectors, trace[:, None, None] * np.eye(2))
    return one_orbital(material.lattice, bonds, "dz2")


def rectangular_hoppings() -> Material:
    """Unlike hoppings along x and y on a square lattice: D2h."""
    return one_orbital(SQUARE, doubled(hermitian({(1, 0): -100.0, (0, 1): -60.0})))


def diagonal_hoppings() -> Material:
    """Unlike hoppings along the two diagonals: D2h with its axes at 45 degrees."""
    hoppings = {(1, 0): -100.0, (0, 1): -100.0, (1, 1): 30.0, (1, -1): 10.0}
    return one_orbital(SQUARE, doubled(hermitian(hoppings)))


def turning_square() -> Material:
    """Hoppings to (2, 1) and what C4 makes of it, not to (1, 2): C4h."""
    hoppings = {(1, 0): -100.0, (0, 1): -100.0, (2, 1): 20.0, (-1, 2): 20.0}
    return one_orbital(SQUARE, doubled(hermitian(hoppings)))


def t2g(soc: float = 20.0) -> Material:
    """dxz, dyz, dxy on a square lattice with atomic spin-orbit coupling."""
    names = ["dxz", "dyz", "dxy"]
    hoppings = {
        (0, 0): np.diag([10.0, 10.0, -30.0]),
        (1, 0): np.diag([-100.0, -10.0, -90.0]),
        (0, 1): np.diag([-10.0, -100.0, -90.0]),
    }
    bonds = [doubled(hermitian(hoppings)), Bonds.from_dict({(0, 0): atomic_soc(soc, names)})]
    return Material("t2g", SQUARE, Bonds.sum(bonds), basis=tuple(Orbital(c) for c in names))


def honeycomb(mass: float = 0.0, buckled: float = 0.0) -> Material:
    """s orbitals on two sites of a triangular cell: graphene, boron nitride, silicene."""
    hop = np.array([[0.0, -1000.0], [0.0, 0.0]])
    onsite = np.array([[mass, -1000.0], [-1000.0, -mass]])
    basis = (
        Orbital("s", (1 / 3, 1 / 3), buckled / 2),
        Orbital("s", (2 / 3, 2 / 3), -buckled / 2),
    )
    bonds = doubled(hermitian({(0, 0): onsite, (-1, 0): hop, (0, -1): hop}))
    return Material("honeycomb", TRIANGULAR, bonds, basis=basis)


def of_symmetry(basis: Sequence[Orbital], lattice: Lattice, seed: int = 0) -> Material:
    """A random spinful Hamiltonian, symmetrised by all that maps the orbitals onto themselves."""
    rng, size = np.random.default_rng(seed), 2 * len(basis)
    terms = {}
    for r1, r2 in np.ndindex(3, 3):
        terms[r1 - 1, r2 - 1] = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    bonds = Bonds.from_dict(terms)
    whole = Bonds.sum([bonds, bonds.adjoint()])
    rough = Material("random", lattice, whole, basis=tuple(basis))
    return symmetrised(rough, find_group(rough, tolerance=1e9))


def fese() -> Material:
    """Two Fe exchanged by a glide, chalcogens above and below: layer group P4/nmm."""
    d = ("dxz", "dyz", "dxy")
    iron = [Orbital(c, place) for place in ((0.75, 0.25), (0.25, 0.75)) for c in d]
    selenium = [Orbital("s", (0.25, 0.25), 1.4), Orbital("s", (0.75, 0.75), -1.4)]
    return of_symmetry([*iron, *selenium], SQUARE)
