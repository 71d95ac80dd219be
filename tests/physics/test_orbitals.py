"""Real harmonics under operations of space, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gapscope.errors import SpecificationError
from gapscope.physics import Bonds, Lattice, Material, Orbital
from gapscope.physics.orbitals import CHARACTERS, rotation

SQUARE = Lattice("square", 3.8)
P = ["px", "py", "pz"]
D = ["dz2", "dx2-y2", "dxy", "dxz", "dyz"]


def about_z(angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def random_rotation(rng: np.random.Generator) -> NDArray[np.float64]:
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return q * np.linalg.det(q)


def test_p_orbitals_turn_as_vectors(rng: np.random.Generator) -> None:
    for sign in (1, -1):
        r = sign * random_rotation(rng)
        assert rotation(P, r) == pytest.approx(r, abs=1e-12)


def test_d_orbitals_turn_as_quadratic_forms(rng: np.random.Generator) -> None:
    """f(r) = r.Q r goes to R Q R^T."""
    xyz = np.eye(3)
    pair = [
        np.outer(xyz[i], xyz[j]) + np.outer(xyz[j], xyz[i]) for i, j in ((0, 1), (0, 2), (1, 2))
    ]
    forms = np.array(
        [
            np.diag([-1, -1, 2]) / np.sqrt(6),
            np.diag([1, -1, 0]) / np.sqrt(2),
            *(form / np.sqrt(2) for form in pair),
        ]
    )
    r = random_rotation(rng)
    turned = r @ forms @ r.T
    assert rotation(D, r) == pytest.approx(np.einsum("iab,jab->ij", forms, turned), abs=1e-12)


def test_d_orbitals_under_a_quarter_turn_and_a_mirror() -> None:
    turned = rotation(D, about_z(np.pi / 2))
    expected = np.diag([1.0, -1, -1, 0, 0])
    expected[4, 3], expected[3, 4] = 1, -1  # xz to yz, yz to -xz
    assert turned == pytest.approx(expected, abs=1e-12)
    assert rotation(D, np.diag([-1, 1, 1])) == pytest.approx(np.diag([1, 1, -1, -1, 1]), abs=1e-12)
    assert rotation(D, np.diag([1, 1, -1])) == pytest.approx(np.diag([1, 1, 1, -1, -1]), abs=1e-12)


def test_all_harmonics_represent_the_group(rng: np.random.Generator) -> None:
    names = list(CHARACTERS)
    one, two = random_rotation(rng), -random_rotation(rng)
    product = rotation(names, one) @ rotation(names, two)
    assert rotation(names, one @ two) == pytest.approx(product, abs=1e-12)
    assert product @ product.T == pytest.approx(np.eye(16), abs=1e-12)
    parity = [(-1.0) ** ell for ell in CHARACTERS.values()]
    assert rotation(names, -np.eye(3)) == pytest.approx(np.diag(parity), abs=1e-12)


def test_harmonics_about_z_turn_by_their_angular_momentum() -> None:
    """The pair of order m turns by m times the angle: cos first, sin second."""
    pairs = [("px", "py", 1), ("dxz", "dyz", 1), ("dx2-y2", "dxy", 2), ("fxz2", "fyz2", 1)]
    pairs += [("fz(x2-y2)", "fxyz", 2), ("fx(x2-3y2)", "fy(3x2-y2)", 3)]
    for first, second, m in pairs:
        turned = rotation([first, second], about_z(0.3))
        assert turned == pytest.approx(about_z(m * 0.3)[:2, :2], abs=1e-12)


@pytest.mark.parametrize(
    ("names", "operation", "match"),
    [
        (["d"], np.eye(3), "character is one of s, "),
        (["s", "s"], np.eye(3), "stands once"),
        (["s"], np.eye(2), "orthogonal"),
        (["s"], 2 * np.eye(3), "orthogonal"),
        (["s"], np.full((3, 3), np.nan), "orthogonal"),
    ],
)
def test_what_is_no_rotation_of_harmonics(names: list[str], operation: object, match: str) -> None:
    with pytest.raises(SpecificationError, match=match):
        rotation(names, operation)


def test_a_material_of_one_orbital_is_an_s_orbital_at_the_origin() -> None:
    one = Bonds.from_dict({(0, 0): np.eye(2)})
    two = Bonds.from_dict({(0, 0): np.eye(4)})
    assert Material("one", SQUARE, one).basis == (Orbital("s"),)
    assert Material("two", SQUARE, two).basis is None
    assert "basis" not in Material("one", SQUARE, one).to_dict()
    assert "basis" not in Material("two", SQUARE, two).to_dict()
    basis = (Orbital("dz2", (1 / 3, 2 / 3), 1.5, "Nb"), Orbital("px"))
    known = Material("two", SQUARE, two, basis=basis)
    assert known.to_dict()["basis"] == [
        {"character": "dz2", "position": [1 / 3, 2 / 3], "height": 1.5, "name": "Nb"},
        {"character": "px", "position": [0.0, 0.0], "height": 0.0, "name": ""},
    ]
    with pytest.raises(SpecificationError, match="2 orbitals in the basis of 1 orbitals"):
        Material("one", SQUARE, one, basis=basis)


def test_an_orbital_stands_somewhere() -> None:
    for position in ((0.0,), (0.0, np.nan), (0, 0, 0)):
        with pytest.raises(SpecificationError, match="two reduced coordinates"):
            Orbital("s", position)  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="height = inf"):
        Orbital("s", height=np.inf)
    assert Orbital("fxyz").angular_momentum == 3
