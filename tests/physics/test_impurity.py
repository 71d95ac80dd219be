"""Impurities in Nambu space."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

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


TERMS = """
schema = 1
[[terms]]
kind = "scalar"
strength = -7
orbitals = [1, 0.5]
site = [2, -1]
[[terms]]
kind = "magnetic"
moment = [0, 1, 2.5]
[[terms]]
kind = "onsite"
real = [[1, 2], [2, 3]]
imag = [[0, -1], [1, 0]]
[[terms]]
kind = "hopping"
real = [[1, 2], [3, 4]]
site = [0, 1]
to = [1, 1]
[[terms]]
kind = "gap"
real = [[1, 2], [2, 4]]
imag = [[0, 1], [1, 0]]
"""


def test_an_impurity_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "defect.toml"
    path.write_text(TERMS)
    m = [[1, 2 - 1j], [2 + 1j, 3]]
    expected = (
        Impurity.scalar(-7, orbitals=[1, 0.5], site=(2, -1))
        + Impurity.magnetic((0, 1, 2.5))
        + Impurity.onsite(m)
        + Impurity.hopping([[1, 2], [3, 4]], (0, 1), (1, 1))
        + Impurity.gap([[1, 2 + 1j], [2 + 1j, 4]])
    )
    read = Impurity.from_toml(path)
    assert read.to_dict() == expected.to_dict()
    assert read.scatters
    one = 'schema = 1\n[[terms]]\nkind = "hopping"\nreal = 2\nto = [1, 0]'
    path.write_text(one)
    assert Impurity.from_toml(path).to_dict() == Impurity.hopping(2.0, to=(1, 0)).to_dict()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("terms = 1\nschema = ", "readable TOML"),
        ("schema = 1", "a list"),
        ('[[terms]]\nkind = "scalar"\nstrength = 1', "schema = 1"),
        ("schema = 2\n[[terms]]", "schema = 2"),
        ("schema = 1\nother = 2\n[[terms]]", "other"),
        ("schema = 1\n[[terms]]\nstrength = 1", "term 1: kind is one of"),
        ('schema = 1\n[[terms]]\nkind = "scalar"', "has strength"),
        ('schema = 1\n[[terms]]\nkind = "scalar"\nstrength = 1\nto = [1, 0]', "may have orbitals"),
        ('schema = 1\n[[terms]]\nkind = "scalar"\nstrength = "1"', "strength is given as numbers"),
        ('schema = 1\n[[terms]]\nkind = "scalar"\nstrength = 1\nsite = [0.5, 1]', "2 whole"),
        ('schema = 1\n[[terms]]\nkind = "magnetic"\nmoment = [1, 2]', "3 numbers"),
        ('schema = 1\n[[terms]]\nkind = "hopping"\nreal = 1', "has real, to"),
        ('schema = 1\n[[terms]]\nkind = "onsite"\nreal = "x"', "matrix of numbers"),
        ('schema = 1\n[[terms]]\nkind = "onsite"\nreal = [[1, 2], [0]]', "matrix of numbers"),
        ('schema = 1\n[[terms]]\nkind = "gap"\nreal = 1\nimag = [[1, 2], [2, 1]]', "one shape"),
        ('schema = 1\n[[terms]]\nkind = "onsite"\nreal = [[1, 2], [0, 1]]', "Hermitian"),
    ],
)
def test_a_file_of_no_impurity_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "defect.toml"
    path.write_text(text)
    with pytest.raises(SpecificationError) as caught:
        Impurity.from_toml(path)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("impurity", "does"),
    [
        (Impurity.scalar(0.0), False),
        (Impurity.scalar(1.0, orbitals=[0, 0]), False),
        (Impurity.magnetic((0, 0, 1)), True),
        (Impurity.onsite([[0.0]]), False),
        (Impurity.gap(0.5), True),
        (Impurity.scalar(0.0) + Impurity.hopping(1.0), True),
    ],
)
def test_what_has_no_strength_does_not_scatter(impurity: Impurity, does: bool) -> None:
    assert impurity.scatters is does
