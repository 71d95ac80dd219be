"""The point group that is found from a Hamiltonian."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from crystals import (
    SQUARE,
    TRIANGULAR,
    diagonal_hoppings,
    fese,
    honeycomb,
    of_symmetry,
    rashba_on,
    rashba_square,
    rectangular_hoppings,
    square,
    t2g,
    turning_square,
    without_spin_orbit,
)
from gapscope.errors import SpecificationError
from gapscope.physics import Bonds, Lattice, Material
from gapscope.physics.group.crystal_group import symmetrised, time_reversal_violation
from gapscope.physics.group.found import find_group
from gapscope.physics.group.lattice_operations import lattice_operations
from gapscope.physics.group.lookup import find_irrep
from gapscope.physics.orbitals import Orbital

ROUNDING = 1e-10

CRYSTALS: dict[str, tuple[Callable[[Material], Material], str, str]] = {
    "NbSe2: Ising coupling keeps z -> -z, breaks inversion": (lambda m: m, "D3h", "-6m2"),
    "NbSe2 without spin-orbit coupling": (without_spin_orbit, "D6h", "6/mmm"),
    "NbSe2 on a substrate": (rashba_on, "C3v", "3m"),
    "square": (lambda m: square(), "D4h", "4/mmm"),
    "square with Rashba coupling": (lambda m: rashba_square(), "C4v", "4mm"),
    "unlike hoppings along x and y": (lambda m: rectangular_hoppings(), "D2h", "mmm"),
    "unlike hoppings along the diagonals": (lambda m: diagonal_hoppings(), "D2h", "mmm"),
    "hoppings without a mirror": (lambda m: turning_square(), "C4h", "4/m"),
    "t2g with spin-orbit coupling": (lambda m: t2g(), "D4h", "4/mmm"),
    "graphene": (lambda m: honeycomb(), "D6h", "6/mmm"),
    "boron nitride": (lambda m: honeycomb(mass=500.0), "D3h", "-6m2"),
    "silicene": (lambda m: honeycomb(buckled=0.5), "D3d", "-3m"),
    "FeSe": (lambda m: fese(), "D4h", "4/mmm"),
}


@pytest.fixture(params=CRYSTALS)
def crystal(request: pytest.FixtureRequest, nbse2: Material) -> tuple[Material, str, str]:
    make, schoenflies, hermann_mauguin = CRYSTALS[request.param]
    return make(nbse2), schoenflies, hermann_mauguin


def test_the_group_is_the_one_it_should_be(crystal: tuple[Material, str, str]) -> None:
    material, schoenflies, hermann_mauguin = crystal
    group = find_group(material)
    assert (group.schoenflies, group.hermann_mauguin) == (schoenflies, hermann_mauguin)
    assert group.violation < 1e-9


def test_every_operation_leaves_the_spectrum_as_it_is_and_keeps_h_of_k(
    crystal: tuple[Material, str, str], rng: np.random.Generator
) -> None:
    """H(g k) = V H(k) V^dagger with V unitary; V at k carries the shifts of the sites' cells."""
    material, *_ = crystal
    k = rng.uniform(-0.5, 0.5, (5, 2))
    for one in find_group(material).operations:
        u = one.matrix
        assert np.abs(u @ u.conj().T - np.eye(len(u))).max() < ROUNDING
        gk = k @ np.linalg.inv(one.lattice)  # m.R = (g m).(W R)
        phase = np.exp(-2j * np.pi * gk @ np.tile(one.shift, (2, 1)).T)
        v = u * phase[:, None, :]
        expected = v @ material.bonds.at(k) @ v.conj().transpose(0, 2, 1)
        assert np.abs(material.bonds.at(gk) - expected).max() < 1e-8


def test_operations_are_a_group_also_on_orbitals_and_spins(
    crystal: tuple[Material, str, str],
) -> None:
    """U(g) U(h) = +-U(g h): the double group's sign is all that is left over."""
    operations = find_group(crystal[0]).operations
    for one in operations:
        for two in operations:
            product = one.planar.times(two.planar)
            (three,) = [g for g in operations if g.planar.is_same(product)]
            left, right = one.matrix @ two.matrix, three.matrix
            assert min(np.abs(left - right).max(), np.abs(left + right).max()) < ROUNDING


def test_a_glide_is_found_with_its_translation() -> None:
    """P4/nmm: z -> -z goes with half a diagonal; inversion sits between the iron atoms."""
    by_name = {one.planar.name: one for one in find_group(fese()).operations}
    np.testing.assert_allclose(by_name["sigma_h"].translation, [0.5, 0.5], atol=1e-9)
    assert len(by_name) == 16


@pytest.mark.parametrize("place", [(0.3, 0.1), (2 / 3, 1 / 3), (-1.2, 5.0)])
def test_the_origin_may_lie_anywhere(nbse2: Material, place: tuple[float, float]) -> None:
    moved = Material("moved", nbse2.lattice, nbse2.bonds, basis=(Orbital("dz2", place),))
    group = find_group(moved)
    assert group.schoenflies == "D3h"
    for one in group.operations:
        rest = one.lattice @ place + one.translation - np.array(place)
        assert np.abs(rest - np.rint(rest)).max() < 1e-9


@pytest.mark.parametrize(
    ("names", "lattice", "expected"),
    [
        (("px", "py", "pz"), SQUARE, "D4h"),
        (("px",), SQUARE, "D2h"),  # a quarter turn makes py of it
        (("px", "py"), TRIANGULAR, "D6h"),
        (("dxz", "dyz"), TRIANGULAR, "D6h"),
        (("dxz",), TRIANGULAR, "D2h"),
        (("dz2", "dx2-y2", "dxy"), TRIANGULAR, "D6h"),
        (("s", "px"), SQUARE, "D2h"),
        (("s", "s"), SQUARE, "D4h"),
    ],
)
def test_orbitals_decide_which_operations_there_are(
    names: tuple[str, ...], lattice: Lattice, expected: str
) -> None:
    material = of_symmetry([Orbital(name) for name in names], lattice)
    assert find_group(material).schoenflies == expected


def test_pz_among_s_orbitals_is_odd_under_the_horizontal_mirror() -> None:
    """A bond between s and pz breaks z -> -z; the same bond between s and s does not."""
    for character, expected in (("pz", "C4v"), ("s", "D4h")):
        hop = np.array([[-50.0, 20.0], [20.0, 30.0]])
        bonds = Bonds.from_dict(dict.fromkeys(((1, 0), (-1, 0), (0, 1), (0, -1)), hop))
        basis = (Orbital("s"), Orbital(character))
        material = Material("s", SQUARE, bonds.kron(left=np.eye(2)), basis=basis)
        assert find_group(material).schoenflies == expected


def test_a_symmetry_that_almost_holds_is_told_and_can_be_made_exact(
    nbse2: Material, rng: np.random.Generator
) -> None:
    noise = rng.uniform(-0.5, 0.5, nbse2.bonds.matrices.shape)
    rough = Bonds(nbse2.bonds.vectors, nbse2.bonds.matrices + noise)
    rough = Bonds.sum([rough, rough.adjoint()]).scaled(0.5)
    material = Material("rough", nbse2.lattice, rough, basis=nbse2.basis)
    exact = find_group(material)
    assert exact.schoenflies == "C1"
    assert "D3h" in [name for _, name in exact.almost]
    violation = min(v for v, name in exact.almost if name == "D3h")
    group = find_group(material, tolerance=2.0)
    assert group.schoenflies == "D3h"
    assert group.violation == pytest.approx(violation)
    assert 0.5 < violation < 2.0
    smooth = symmetrised(material, group)
    again = find_group(smooth)
    assert (again.schoenflies, again.almost) == ("D3h", ())
    assert again.violation < 1e-10
    difference = Bonds.sum([smooth.bonds, rough.scaled(-1)])
    assert np.abs(difference.matrices).max() < violation


def test_the_violation_is_the_largest_change_of_an_element() -> None:
    """Rashba coupling of 5 meV: 2.5 meV on a bond, turned over by z -> -z."""
    group = find_group(rashba_square(5.0))
    assert [(round(v, 9), name) for v, name in group.almost] == [(5.0, "D4h")]


def test_unknown_orbitals_are_refused_with_what_to_state() -> None:
    unknown = Material("w90", SQUARE, Bonds.from_dict({(0, 0): np.diag([1.0, 2, 1, 2])}))
    assert unknown.basis is None
    with pytest.raises(SpecificationError, match="2 orbitals of unknown character") as caught:
        find_group(unknown)
    assert "[[atoms]]" in caught.value.remedy


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan")])
def test_a_tolerance_is_positive(tolerance: float) -> None:
    with pytest.raises(SpecificationError, match="positive energy"):
        find_group(square(), tolerance)


def test_a_cell_that_is_too_large_is_noticed() -> None:
    """A chain of two equal atoms in one cell is a chain of one."""
    hop = np.array([[0.0, -50.0], [0.0, 0.0]])
    terms = {(0, 0): hop + hop.T, (-1, 0): hop, (1, 0): hop.T}
    basis = (Orbital("s", (0.0, 0.0)), Orbital("s", (0.5, 0.0)))
    bonds = Bonds.from_dict(terms).kron(left=np.eye(2))
    (found,) = find_group(Material("chain", SQUARE, bonds, basis=basis)).translations
    np.testing.assert_allclose(found.translation, [0.5, 0.0])


@pytest.mark.parametrize(
    ("vectors", "count"),
    [
        ([[1, 0], [0, 1]], 8),
        ([[1, 0], [0.5, np.sqrt(3) / 2]], 12),
        ([[1, 0], [-0.5, np.sqrt(3) / 2]], 12),
        ([[1, 0], [3.5, np.sqrt(3) / 2]], 12),
        ([[2, 1], [1, 1]], 8),
        ([[1, 0], [0, 1.3]], 4),
        ([[0.5, 0.8], [-0.5, 0.8]], 4),
        ([[1, 0], [0.2, 1.3]], 2),
    ],
)
def test_lattices_have_the_operations_of_their_kind(vectors: list[list[float]], count: int) -> None:
    """Square, triangular, rectangular, centred, oblique; also in cells that are not reduced."""
    rows = np.array(vectors, dtype=float)
    found = lattice_operations(rows)
    assert len(found) == count
    metric = rows @ rows.T
    for w in found:
        assert np.abs(w.T @ metric @ w - metric).max() < 1e-9
    np.testing.assert_array_equal(found[0], np.eye(2))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("A1g", "A1g"),
        ("a_{1g}", "A1g"),
        ("A1'", "A1g"),
        ("A2''", "A1u"),
        ("A2″", "A1u"),
        ("E'", "Eg"),
        ('E"', "Eu"),
        ("eu", "Eu"),
    ],
)
def test_irreps_are_understood_by_both_names(nbse2: Material, name: str, meant: str) -> None:
    assert find_irrep(find_group(nbse2), name).name == meant


def test_an_irrep_that_the_crystal_lacks_is_refused_with_those_it_has() -> None:
    group = find_group(square())
    with pytest.raises(SpecificationError, match="irreps of D4h") as caught:
        find_irrep(group, "B1")
    assert caught.value.remedy == "Did you mean B1g or B1u?"
    with pytest.raises(SpecificationError) as caught:
        find_irrep(group, "E2g")
    assert "Did you mean" not in caught.value.remedy or "Eg" in caught.value.remedy


def test_a_group_that_almost_holds_is_named_in_the_refusal() -> None:
    with pytest.raises(SpecificationError) as caught:
        find_irrep(find_group(rashba_square(5.0)), "B1g")
    assert caught.value.remedy == (
        "Did you mean B1? D4h is broken by 5 meV; a larger tolerance takes it as the group."
    )


def test_time_reversal_is_broken_by_a_field() -> None:
    field = Bonds.from_dict({(0, 0): np.diag([3.0, -3.0])})
    assert time_reversal_violation(square().bonds) == 0.0
    broken = Bonds.sum([square().bonds, field])
    assert time_reversal_violation(broken) == pytest.approx(6.0)
    assert find_group(Material("m", SQUARE, broken, basis=(Orbital("s"),))).schoenflies == "C4h"
