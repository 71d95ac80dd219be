"""Bonds are Fourier series: algebra on bonds is algebra on H(k)."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.physics import Bonds, Impurity, Material, Pairing, Specification

ROUNDING = 1e-13


@pytest.fixture
def hopping(rng: np.random.Generator) -> Bonds:
    vectors = np.array([[0, 0], [1, 0], [-2, 1], [3, 5]])
    return Bonds(vectors, rng.normal(size=(4, 2, 2)) + 1j * rng.normal(size=(4, 2, 2)))


@pytest.fixture
def momenta(rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(-1, 1, (20, 2))


def test_bonds_at_a_momentum_are_the_fourier_sum(hopping: Bonds, momenta: np.ndarray) -> None:
    expected = sum(
        np.exp(2j * np.pi * momenta @ r)[:, None, None] * matrix
        for r, matrix in zip(hopping.vectors, hopping.matrices, strict=True)
    )
    assert np.abs(hopping.at(momenta) - expected).max() < ROUNDING
    assert hopping.at(momenta.reshape(4, 5, 2)).shape == (4, 5, 2, 2)


def test_operations_on_bonds_are_operations_on_matrices(
    hopping: Bonds, momenta: np.ndarray
) -> None:
    there, back = hopping.at(momenta), hopping.at(-momenta)
    for bonds, matrix in (
        (hopping.reversed(), back),
        (hopping.transpose(), there.swapaxes(-1, -2)),
        (hopping.adjoint(), there.conj().swapaxes(-1, -2)),
        (hopping.scaled(2j), 2j * there),
        (Bonds.sum([hopping, hopping.reversed()]), there + back),
    ):
        assert np.abs(bonds.at(momenta) - matrix).max() < ROUNDING


def test_kron_puts_spin_left_and_orbitals_right(hopping: Bonds, momenta: np.ndarray) -> None:
    left, right = np.array([[1, 2], [3, 4]]), np.array([[0, 1], [1, 0]])
    for m, matrix in zip(momenta, hopping.at(momenta), strict=True):
        expected = np.kron(left, np.kron(matrix, right))
        assert np.abs(hopping.kron(left=left, right=right).at(m) - expected).max() < ROUNDING


def test_cancelling_bonds_leave_a_zero_at_the_origin(hopping: Bonds) -> None:
    nothing = Bonds.sum([hopping, hopping.scaled(-1)])
    assert nothing.vectors.tolist() == [[0, 0]]
    assert not nothing.matrices.any()
    assert nothing.distance(nothing) == 0.0


def test_bonds_are_ordered_and_cannot_be_changed(hopping: Bonds) -> None:
    shuffled = Bonds(hopping.vectors[::-1], hopping.matrices[::-1])
    assert np.array_equal(shuffled.vectors, hopping.vectors)
    assert np.array_equal(shuffled.matrices, hopping.matrices)
    with pytest.raises(ValueError, match="read-only"):
        hopping.matrices[0, 0, 0] = 1.0


def test_the_bdg_hamiltonian_is_hermitian_with_particle_hole_symmetry(
    nbse2: Material, momenta: np.ndarray
) -> None:
    """H(k) = H(k)^dagger, and tau_x H(-k)* tau_x = -H(k)."""
    pairing = Pairing("Eg", 1.0, theta=0.3, theta_s=0.4, phi_s=0.5, theta_t=0.6, phi_t=0.7)
    bonds = Specification(nbse2, pairing, Impurity.scalar(1.0), 20.0).bdg()
    h, reverse = bonds.at(momenta), bonds.at(-momenta)
    tau_x = np.kron([[0, 1], [1, 0]], np.eye(2))
    assert np.abs(h - h.conj().swapaxes(-1, -2)).max() < 1e-11
    assert np.abs(tau_x @ reverse.conj() @ tau_x + h).max() < 1e-11


def test_a_gap_given_by_the_bonds_of_an_irrep_is_that_irrep(nbse2: Material) -> None:
    eu = Pairing("Eu", 0.8, theta=0.3, phi=0.2)
    custom = Pairing.from_bonds(eu.bonds())
    pair = [Specification(nbse2, p, Impurity.scalar(1.0)).bdg() for p in (eu, custom)]
    assert pair[0].distance(pair[1]) == 0.0


def test_a_gap_is_the_identity_in_orbital_space_unless_given_in_full() -> None:
    eu = Pairing("Eu", 0.8, theta=0.3)
    doubled = eu.bonds(orbitals=3)
    assert doubled.distance(eu.bonds().kron(right=np.eye(3))) == 0.0
    full = Pairing.from_bonds(eu.bonds().kron(right=np.diag([1.0, 0.5, 0.0])))
    assert full.bonds(orbitals=3).dimension == 6
