"""Hamiltonians and gaps given by bonds: custom one-band models and several orbitals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agreement import AGREEMENT, IMPURITIES, assert_kernel_is_oracle, numerics
from closed_forms import cartesian, electron_matrix, epsilon, form_factor, gap_matrix, ising
from comparison import PAULI
from gapscope.physics import Bonds, Impurity, Lattice, Material, Pairing, Specification
from gapscope.simulation.spectrum import density_of_states
from oracle import Hamiltonian, Oracle
from wannier_files import write_hr


def nambu(electrons: Hamiltonian, gap: Hamiltonian) -> Hamiltonian:
    """Eq. 2 for any He(m) and Delta(m)."""

    def bdg(m: np.ndarray) -> np.ndarray:
        he, hole, delta = electrons(m), -electrons(-m).swapaxes(-1, -2), gap(m)
        top = np.concatenate([he, delta], axis=-1)
        return np.concatenate(
            [top, np.concatenate([delta.conj().swapaxes(-1, -2), hole], axis=-1)], axis=-2
        )

    return bdg


def f_wave(m: np.ndarray) -> np.ndarray:
    """sin k.a1 - sin k.a2 - sin k.(a1 - a2): odd, changes sign every 60 degrees."""
    m1, m2 = 2 * np.pi * m[..., 0], 2 * np.pi * m[..., 1]
    return np.sin(m1) - np.sin(m2) - np.sin(m1 - m2)


def one_band(m: np.ndarray) -> np.ndarray:
    """-80 (cos k.a1 + cos k.a2 + cos k.(a1 - a2)) - 30 meV."""
    m1, m2 = 2 * np.pi * m[..., 0], 2 * np.pi * m[..., 1]
    return -80 * (np.cos(m1) + np.cos(m2) + np.cos(m1 - m2)) - 30


I_SY = np.array([[0, 1], [-1, 0]])


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("impurity", ["attractive", "in plane"])
def test_onsite_singlet_with_f_wave_triplet_by_bonds(axis: int, impurity: str) -> None:
    """One band, Delta = 2 i sy + 1.5 f(k) i sy s_a: every bond is written out by hand."""
    neighbours = [(1, 0), (0, 1), (1, -1)]
    hopping = {(0, 0): -30.0 * np.eye(2)}
    gap: dict[tuple[int, int], np.ndarray] = {(0, 0): 2.0 * I_SY}
    for (r1, r2), sign in zip(neighbours, (1, -1, -1), strict=True):
        hopping[r1, r2] = hopping[-r1, -r2] = -40.0 * np.eye(2)
        gap[r1, r2] = sign * 1.5 / 2j * I_SY @ PAULI[axis]
        gap[-r1, -r2] = -gap[r1, r2]
    material = Material("one band", Lattice("triangular", 3.0), Bonds.from_dict(hopping))
    scatterer, v = IMPURITIES[impurity]
    hamiltonian = nambu(
        lambda m: one_band(m)[..., None, None] * np.eye(2),
        lambda m: 2.0 * I_SY + 1.5 * f_wave(m)[..., None, None] * (I_SY @ PAULI[axis]),
    )
    specification = Specification(material, Pairing.from_bonds(gap), scatterer)
    assert_kernel_is_oracle(specification, hamiltonian, v, numerics(64, 24))


@pytest.mark.parametrize("impurity", ["attractive", "in plane"])
def test_a_gap_for_one_spin_only_leaves_the_other_normal(nbse2: Material, impurity: str) -> None:
    """Non-unitary pairing up-up: the down electron and the down hole are blocks of their own."""
    up = np.diag([1.0, 0.0])
    scatterer, v = IMPURITIES[impurity]
    specification = Specification(
        nbse2, Pairing.from_bonds({(1, 0): up / 2j, (-1, 0): -up / 2j}), scatterer, 20.0
    )

    def electrons(m: np.ndarray) -> np.ndarray:
        return electron_matrix(*np.moveaxis(cartesian(m), -1, 0), 20.0)

    hamiltonian = nambu(electrons, lambda m: np.sin(2 * np.pi * m[..., 0])[..., None, None] * up)
    settings = numerics(48, 16)
    assert_kernel_is_oracle(specification, hamiltonian, v, settings)
    dos = density_of_states(specification, settings.energies, settings.broadening, 48)
    for omega, given in zip(settings.energies, dos, strict=True):
        assert float(given) == pytest.approx(Oracle(hamiltonian, v, 48, omega).dos, rel=AGREEMENT)


def test_rashba_coupling_joins_all_blocks(nbse2: Material) -> None:
    """He + 5 (sx sin k.a1 + sy sin k.a2) meV: neither sz nor a block is left."""
    rashba = {(1, 0): 5 / 2j * PAULI[0], (0, 1): 5 / 2j * PAULI[1]}
    rashba |= {(-r1, -r2): -matrix for (r1, r2), matrix in rashba.items()}
    material = Material("Rashba", nbse2.lattice, Bonds.sum([nbse2.bonds, Bonds.from_dict(rashba)]))
    scatterer, v = IMPURITIES["sum"]
    angles = {"theta": 0.3, "phi": 0.8}

    def electrons(m: np.ndarray) -> np.ndarray:
        kx, ky = np.moveaxis(cartesian(m), -1, 0)
        sines = np.sin(2 * np.pi * m)[..., None, None]
        diagonal = epsilon(kx, ky, 20.0)[..., None, None] * np.eye(2)
        zeeman = ising(kx, ky)[..., None, None] * PAULI[2]
        return (
            diagonal
            + zeeman
            + 5 * (sines[..., 0, :, :] * PAULI[0] + sines[..., 1, :, :] * PAULI[1])
        )

    hamiltonian = nambu(
        electrons, lambda m: gap_matrix("Eg", 1.0, *np.moveaxis(cartesian(m), -1, 0), **angles)
    )
    specification = Specification(material, Pairing("Eg", 1.0, **angles), scatterer, 20.0)
    assert_kernel_is_oracle(specification, hamiltonian, v, numerics(48, 16))


D_ORBITALS = ["dz2", "dx2-y2", "dxy"]


def three_orbitals() -> dict[tuple[int, int], np.ndarray]:
    """Symmetric H(R) in eV on two shells, with the bands and overlaps of a d-shell monolayer."""
    rng = np.random.default_rng(5)
    total = {(0, 0): np.diag([-0.2, 0.4, 0.4])}
    for r in [(1, 0), (0, 1), (1, -1), (1, 1), (2, -1), (-1, 2)]:
        matrix = np.round(rng.normal(scale=0.1, size=(3, 3)), 4)
        total[r], total[-r[0], -r[1]] = matrix, matrix.T
    return total


def three_orbital_material(folder: Path) -> Material:
    write_hr(folder / "toy_hr.dat", {(*r, 0): h for r, h in three_orbitals().items()})
    (folder / "toy.toml").write_text(
        'schema = 1\nname = "toy"\n[lattice]\nname = "triangular"\nconstant = 3.3\n[wannier90]\n'
        'hr = "toy_hr.dat"\nfermi_energy = 0.1\nsoc_strength = 60.0\n'
        f"soc_orbitals = {D_ORBITALS!r}\n"
    )
    return Material.from_toml(folder / "toy.toml")


def three_orbital_electrons(m: np.ndarray) -> np.ndarray:
    """He(m) in meV: Fourier sum, Fermi energy, and 30 meV sz Lz with Lz = -2i |x2-y2><xy| + h.c."""
    orbital = -100.0 * np.eye(3) + sum(
        1000 * np.exp(2j * np.pi * m @ np.array(r))[..., None, None] * h
        for r, h in three_orbitals().items()
    )
    lz = np.zeros((3, 3), dtype=complex)
    lz[1, 2], lz[2, 1] = -2j, 2j
    return np.kron(np.eye(2), orbital) + 30.0 * np.kron(PAULI[2], lz)


@pytest.mark.parametrize("in_plane", [False, True])
def test_a_wannier90_model_with_orbital_selective_impurity(tmp_path: Path, in_plane: bool) -> None:
    weights = (1.0, 0.0, 0.3)
    scatterer = Impurity.scalar(300.0, orbitals=weights)
    m = 300.0 * np.kron(np.eye(2), np.diag(weights))
    if in_plane:
        scatterer = scatterer + Impurity.magnetic((120.0, 70.0, 0.0))
        m = m + np.kron(120.0 * PAULI[0] + 70.0 * PAULI[1], np.eye(3))
    v = np.kron(np.diag([1, 0]), m) - np.kron(np.diag([0, 1]), m.T)

    def gap(k: np.ndarray) -> np.ndarray:
        kx, ky = np.moveaxis(cartesian(k), -1, 0)
        spin = np.cos(0.5) * form_factor("A1g(s)", kx, ky)
        spin = spin + np.sin(0.5) * form_factor("A1g(t,z)", kx, ky)
        return np.kron(2.0 * spin, np.eye(3))

    specification = Specification(
        three_orbital_material(tmp_path), Pairing("A1g", 2.0, theta=0.5), scatterer
    )
    hamiltonian = nambu(three_orbital_electrons, gap)
    assert_kernel_is_oracle(specification, hamiltonian, v, numerics(32, 12, 1.0))


def test_a_gap_with_an_orbital_matrix_of_its_own(tmp_path: Path) -> None:
    """Onsite singlet on the first orbital, and an odd-parity orbital triplet between the others."""
    onsite = np.kron(I_SY, np.diag([2.0, 0.5, 0.5]))
    antisymmetric = np.zeros((3, 3))
    antisymmetric[1, 2], antisymmetric[2, 1] = 1.5, -1.5
    onsite = onsite + np.kron(np.diag([1.0, -1.0]), antisymmetric)
    specification = Specification(
        three_orbital_material(tmp_path),
        Pairing.from_bonds({(0, 0): onsite}),
        Impurity.scalar(200.0),
    )
    hamiltonian = nambu(
        three_orbital_electrons, lambda k: np.broadcast_to(onsite, (*k.shape[:-1], 6, 6))
    )
    v = 200.0 * np.kron(np.diag([1, -1]), np.eye(6))
    assert_kernel_is_oracle(specification, hamiltonian, v, numerics(32, 12, 1.0))
