"""Every irrep under every operation of D3h, spin included.

An operation g moves bonds, R -> g R, and turns spinors by the spin-1/2 matrix U of its proper part
(inversion leaves spins alone). The paper writes its gaps as i sy (d.sigma), i sy on the left; for d
to turn as a vector, its spinors transform with U*: He -> U* He U^T, Delta -> U* Delta U^dagger. The
normal state holds sigma_z alone and is the same under U and U* (the sign of sz is not observable).
The labels are the signs of two mirrors: g and u are even and odd under sigma_h, 1 and 2 even and
odd under sigma_v (kx -> -kx). In the usual names of D3h: A1', A2', E', and A2'', A1'', E''.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from gapscope.physics import Bonds, Material, Pairing
from gapscope.physics.form_factors import FORM_FACTORS
from gapscope.physics.symmetry import (
    C6,
    MIRROR_X,
    act_on_bonds,
    mirror_theta,
    rotate_theta_by_c3,
)

PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
BASIS = np.array([[1.0, 0.0], [0.5, np.sqrt(3) / 2]])
ROUNDING = 1e-13

Operation = tuple[NDArray[np.float64], NDArray[np.complex128]]


def rotation(axis: int, angle: float) -> Operation:
    """A rotation about x, y or z: its action on vectors and on spin-1/2."""
    vector = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    c, s = np.cos(angle), np.sin(angle)
    vector[[i, i, j, j], [i, j, i, j]] = c, -s, s, c
    return vector, np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * PAULI[axis]


def mirror(axis: int) -> Operation:
    """Reflection of one coordinate: inversion times the rotation by pi about that axis."""
    vector, spin = rotation(axis, np.pi)
    return -vector, spin


def product(*operations: Operation) -> Operation:
    vector, spin = np.eye(3), np.eye(2, dtype=complex)
    for v, u in operations:
        vector, spin = vector @ v, spin @ u
    return vector, spin


C3, SIGMA_H, SIGMA_V = rotation(2, 2 * np.pi / 3), mirror(2), mirror(0)
IDENTITY = product()


def d3h() -> Iterator[tuple[int, int, int, Operation]]:
    """All twelve operations as C3^n sigma_h^h sigma_v^v."""
    for n, h, v in np.ndindex(3, 2, 2):
        yield n, h, v, product(*[C3] * n, *[SIGMA_H] * h, *[SIGMA_V] * v)


def act(operation: Operation, bonds: Bonds, *, adjoint: bool = False) -> Bonds:
    """u M_R u^T (of a gap) or u M_R u^dagger (of a Hamiltonian), u = U*, moved from R to g R."""
    vector, spin = operation[0], operation[1].conj()
    moved = bonds.vectors @ BASIS @ vector[:2, :2].T @ np.linalg.inv(BASIS)
    assert np.abs(moved - np.rint(moved)).max() < 1e-12
    right = spin.conj().T if adjoint else spin.T
    return Bonds(np.rint(moved).astype(np.int64), spin @ bonds.matrices @ right)


def test_the_normal_state_has_every_symmetry_of_d3h(nbse2: Material) -> None:
    for *_, operation in d3h():
        assert act(operation, nbse2.bonds, adjoint=True).distance(nbse2.bonds) < ROUNDING


def test_the_normal_state_lacks_the_twofold_rotation_of_the_lattice(nbse2: Material) -> None:
    assert act(rotation(2, np.pi), nbse2.bonds, adjoint=True).distance(nbse2.bonds) > 0.1


@pytest.mark.parametrize("name", [name for name in FORM_FACTORS if name.startswith("A")])
def test_one_dimensional_irreps_have_their_characters(name: str) -> None:
    under_sigma_h = {"g": 1, "u": -1}[name[2]]
    under_sigma_v = {"1": 1, "2": -1}[name[1]]
    bonds = FORM_FACTORS[name]
    for _, h, v, operation in d3h():
        character = under_sigma_h**h * under_sigma_v**v
        assert act(operation, bonds).distance(bonds.scaled(character)) < ROUNDING


@pytest.mark.parametrize("channel", ["Eg{}(s)", "Eg{}(t,z)", "Eu{}(t,xy)"])
def test_two_dimensional_irreps_have_their_characters(channel: str) -> None:
    pair = [FORM_FACTORS[channel.format(n)] for n in (1, 2)]
    sites = sorted({tuple(r) for bonds in pair for r in bonds.vectors.tolist()})

    def flat(bonds: Bonds) -> NDArray[np.complex128]:
        given = dict(zip(map(tuple, bonds.vectors.tolist()), bonds.matrices, strict=True))
        return np.concatenate([given.get(s, np.zeros((2, 2))).ravel() for s in sites])

    basis = np.stack([flat(bonds) for bonds in pair], axis=1)
    under_sigma_h = {"g": 1, "u": -1}[channel[1]]
    for n, h, v, operation in d3h():
        images = np.stack([flat(act(operation, bonds)) for bonds in pair], axis=1)
        matrix = np.linalg.lstsq(basis, images)[0]
        assert np.abs(basis @ matrix - images).max() < ROUNDING
        assert np.abs(matrix.conj().T @ matrix - np.eye(2)).max() < ROUNDING
        character = under_sigma_h**h * (0 if v else (2 if n == 0 else -1))
        assert abs(np.trace(matrix) - character) < ROUNDING
        if (n, v) == (0, 1):
            assert np.abs(matrix - under_sigma_h**h * np.diag([1, -1])).max() < ROUNDING


@pytest.mark.parametrize("name", ["A1u(t,xy)", "A2u(t,xy)"])
def test_with_i_sy_on_the_right_spinors_would_transform_with_u_itself(name: str) -> None:
    conjugate = (C3[0], C3[1].conj())
    printed = FORM_FACTORS[name]
    assert act(conjugate, printed).distance(printed) > 1.0
    i_sy = 1j * PAULI[1]
    on_the_right = Bonds(printed.vectors, i_sy.T @ printed.matrices @ i_sy)
    assert act(conjugate, on_the_right).distance(on_the_right) < ROUNDING


@pytest.mark.parametrize("irrep", ["Eg", "Eu"])
@pytest.mark.parametrize("theta", [0.3, 1.7])
def test_rotating_or_mirroring_an_e_gap_changes_theta_up_to_its_sign(
    irrep: str, theta: float
) -> None:
    bonds = Pairing(irrep, 1.0, theta=theta).bonds()
    for operation, angle in (
        (C3, rotate_theta_by_c3(theta)),
        (SIGMA_V, mirror_theta(theta)),
    ):
        expected = Pairing(irrep, 1.0, theta=angle).bonds()
        image = act(operation, bonds)
        assert min(image.distance(expected), image.distance(expected.scaled(-1))) < ROUNDING


@pytest.mark.parametrize("name", sorted(FORM_FACTORS))
def test_every_form_factor_obeys_the_pauli_principle(name: str) -> None:
    bonds = FORM_FACTORS[name]
    assert bonds.distance(bonds.reversed().transpose().scaled(-1)) == 0.0


@pytest.mark.parametrize("name", sorted(FORM_FACTORS))
def test_every_form_factor_is_even_under_time_reversal(name: str) -> None:
    """Theta = i sy K: Delta(k) -> (i sy) Delta(-k)* (i sy)^T; on bonds the vector stays."""
    i_sy = 1j * PAULI[1]
    bonds = FORM_FACTORS[name]
    reversed_in_time = Bonds(bonds.vectors, i_sy @ bonds.matrices.conj() @ i_sy.T)
    assert reversed_in_time.distance(bonds) == 0.0


def test_the_normal_state_is_even_under_time_reversal(nbse2: Material) -> None:
    i_sy = 1j * PAULI[1]
    bonds = nbse2.bonds
    assert Bonds(bonds.vectors, i_sy @ bonds.matrices.conj() @ i_sy.T).distance(bonds) == 0.0


def test_a_relative_phase_of_the_components_breaks_time_reversal() -> None:
    i_sy = 1j * PAULI[1]
    for irrep in ("Eg", "Eu"):
        bonds = Pairing(irrep, 1.0, theta=0.7, phi=0.5).bonds()
        assert Bonds(bonds.vectors, i_sy @ bonds.matrices.conj() @ i_sy.T).distance(bonds) > 0.1


@pytest.mark.parametrize("irrep", ["A1g", "A2g", "Eg", "Eu"])
def test_theta_plus_pi_reverses_the_sign_of_the_gap(irrep: str) -> None:
    gap = Pairing(irrep, 1.0, theta=0.4).bonds()
    shifted = Pairing(irrep, 1.0, theta=0.4 + np.pi).bonds()
    assert shifted.distance(gap.scaled(-1)) < ROUNDING


def test_moving_bonds_turns_the_momentum_back(nbse2: Material, rng: np.random.Generator) -> None:
    """act_on_bonds gives H(g^-1 k), with g the named isometry of the plane."""
    bonds = Pairing("Eg", 1.0, theta=0.4).bonds()
    k = rng.uniform(-4, 4, (20, 2))
    c, s = np.cos(np.pi / 3), np.sin(np.pi / 3)
    for operation, isometry in (
        (C6, np.array([[c, -s], [s, c]])),
        (MIRROR_X, np.diag([-1.0, 1.0])),
    ):
        moved = act_on_bonds(operation, bonds).at(nbse2.lattice.reduced(k))
        expected = bonds.at(nbse2.lattice.reduced(k @ isometry))
        assert np.abs(moved - expected).max() < 10 * ROUNDING
