"""Impurities in Nambu space."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from gapscope.errors import SpecificationError
from gapscope.physics import Impurity

SIGMA = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def test_a_scalar_impurity_is_v_tau3_s0() -> None:
    assert np.array_equal(Impurity.scalar(-7.0).nambu_matrix(), -7.0 * np.diag([1, 1, -1, -1]))


def test_a_magnetic_impurity_is_j_sigma_and_minus_its_transpose(rng: np.random.Generator) -> None:
    moment = rng.normal(size=3)
    m = np.tensordot(moment, SIGMA, axes=1)
    v = Impurity.magnetic(moment.tolist()).nambu_matrix()
    assert np.array_equal(v[:2, :2], m)
    assert np.array_equal(v[2:, 2:], -m.T)
    assert not v[:2, 2:].any()


@pytest.mark.parametrize("moment", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
def test_every_impurity_respects_the_nambu_redundancy(moment: tuple[float, ...]) -> None:
    """tau_x V* tau_x = -V: the particle-hole symmetry of the problem survives the impurity."""
    v = (Impurity.scalar(3.0) + Impurity.magnetic(moment)).nambu_matrix()
    tau_x = np.kron([[0, 1], [1, 0]], np.eye(2))
    assert np.array_equal(tau_x @ v.conj() @ tau_x, -v)


def test_impurities_add() -> None:
    one, two = Impurity.scalar(30.0), Impurity.magnetic((1.0, 2.0, 3.0))
    assert np.array_equal((one + two).nambu_matrix(), one.nambu_matrix() + two.nambu_matrix())
    assert len((one + two).to_dict()) == 2


def test_orbital_weights_select_orbitals() -> None:
    m = Impurity.scalar(10.0, orbitals=(1.0, 0.0, 0.5)).electron_matrix(3)
    assert np.array_equal(m, np.diag([10.0, 0.0, 5.0, 10.0, 0.0, 5.0]))
    everywhere = Impurity.scalar(10.0).electron_matrix(3)
    assert np.array_equal(everywhere, 10.0 * np.eye(6))


def test_weights_must_fit_the_orbitals() -> None:
    with pytest.raises(SpecificationError, match="2 weights for 3 orbitals"):
        Impurity.scalar(10.0, orbitals=(1.0, 0.0)).electron_matrix(3)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: Impurity.onsite([[1, 2j], [2j, 1]]), "differs from its adjoint by 4 meV"),
        (lambda: Impurity.onsite([[1.0, 2.0]]), "a 1 x 2 matrix"),
        (lambda: Impurity.onsite([[np.nan]]), "with NaN or infinity"),
        (lambda: Impurity.hopping(1.0, (1, 0), (1, 0)), "from one site to another"),
        (lambda: Impurity.hopping("a"), "made of numbers"),  # type: ignore[arg-type]
        (lambda: Impurity.hopping(np.eye(3)).blocks(2), "3 rows for 2 orbitals"),
        (lambda: Impurity.gap([[0, 1], [1, 0]]).blocks(1), "Pauli principle"),
    ],
)
def test_a_matrix_that_is_no_impurity_is_refused(make: Callable[[], object], rule: str) -> None:
    with pytest.raises(SpecificationError, match=rule):
        make()


def test_terms_by_matrix_are_shown_and_stored() -> None:
    terms = Impurity.hopping(20.0) + Impurity.gap(-0.25, (1, 1)) + Impurity.scalar(2.0)
    assert eval(repr(terms), {"Impurity": Impurity}) == terms
    assert terms.sites == ((0, 0), (1, 0), (1, 1))
    stored = json.loads(json.dumps(terms.to_dict()))
    assert stored[0]["kind"] == "hopping"
    assert (stored[0]["real"], stored[0]["to"]) == ([[20.0]], [1, 0])
    assert stored[2]["scalar"] == 2.0
