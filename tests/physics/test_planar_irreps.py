"""Irreps of all planar point groups: representations, complete, independent, and named as usual.

Independent sources: characters from spgrep (K. Shinohara, A. Togo and I. Tanaka, J. Open Source
Softw. 8, 5269 (2023)), symbols from spglib, and which irrep each function of x, y, z and the axial
vector R belongs to, as printed in tables of point groups (S. L. Altmann and P. Herzig, Point-Group
Theory Tables, Clarendon 1994; R. S. Mulliken, J. Chem. Phys. 23, 1997 (1955)).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gapscope.physics.group.irreps import irreps
from gapscope.physics.group.names import HERMANN_MAUGUIN, schoenflies
from gapscope.physics.group.planar import PlanarOperation, reflection, spin_matrix
from planar_groups import GENERATORS, generate, integer_rotations, turned

spglib = pytest.importorskip("spglib")
spgrep = pytest.importorskip("spgrep")

ROUNDING = 1e-12
every_group = pytest.mark.parametrize("name", GENERATORS)


@every_group
def test_the_symbols_are_those_of_spglib(name: str) -> None:
    group = generate(GENERATORS[name])
    symbol = schoenflies(group)
    assert symbol == name.split(",")[0].split()[0]
    printed = spglib.get_pointgroup(integer_rotations(group))[0].strip()
    same = {"-62m": "-6m2", "-4m2": "-42m", "-6m2": "-6m2"}
    assert HERMANN_MAUGUIN[symbol] == same.get(printed, printed)


def test_all_27_planar_point_groups_are_here() -> None:
    found = {schoenflies(generate(generators)) for generators in GENERATORS.values()}
    assert found == set(HERMANN_MAUGUIN)
    assert len(found) == 27


@every_group
@pytest.mark.parametrize("angle", [0.0, 17.0])
def test_matrices_multiply_like_the_operations(name: str, angle: float) -> None:
    """D(g) D(h) = D(g h), also for a crystal that does not lie along the axes."""
    group = turned(generate(GENERATORS[name]), angle)
    for irrep in irreps(group, axis=angle):
        for one, left in zip(group, irrep.matrices, strict=True):
            for two, right in zip(group, irrep.matrices, strict=True):
                product = one.times(two)
                (number,) = [n for n, g in enumerate(group) if g.is_same(product)]
                assert np.abs(left @ right - irrep.matrices[number]).max() < ROUNDING


@every_group
def test_characters_are_those_of_spgrep(name: str) -> None:
    """Each character once: an irrep of spgrep, or a pair of complex conjugates added up."""
    group = generate(GENERATORS[name])
    rotations = integer_rotations(group)
    table, _ = spgrep.get_spacegroup_irreps_from_primitive_symmetry(
        rotations, np.zeros((len(group), 3)), np.zeros(3)
    )
    characters = [np.trace(one, axis1=1, axis2=2) for one in table]
    expected = set()
    for one in characters:
        real = one if np.abs(one.imag).max() < 1e-8 else one + one.conj()
        expected.add(tuple(np.round(real.real, 6) + 0.0))
    found = irreps(group)
    assert {tuple(np.round(one.characters, 6) + 0.0) for one in found} == expected
    assert len(found) == len(expected)
    complex_pairs = [one for one in characters if np.abs(one.imag).max() > 1e-8]
    assert 2 * sum(one.conjugate_pair for one in found) == len(complex_pairs)


@every_group
def test_matrices_are_real_orthogonal_and_great_orthogonality_holds(name: str) -> None:
    """sum_g D_ij D'_kl = |G|/d delta (Wigner); a conjugate pair has twice the trace's norm."""
    found = irreps(generate(GENERATORS[name]))
    for one in found:
        unity = one.matrices @ one.matrices.transpose(0, 2, 1)
        assert np.abs(unity - np.eye(one.dimension)).max() < ROUNDING
        for two in found:
            sums = np.einsum("gij,gkl->ijkl", one.matrices, two.matrices) / len(one.matrices)
            if one is not two:
                assert np.abs(sums).max() < ROUNDING
            elif not one.conjugate_pair:
                delta = np.eye(one.dimension)
                expected = np.einsum("ik,jl->ijkl", delta, delta) / one.dimension
                assert np.abs(sums - expected).max() < ROUNDING
            else:
                assert np.mean(one.characters**2) == pytest.approx(2.0)


Function = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
FUNCTIONS: dict[str, Function] = {
    "x": lambda x, y, z: x,
    "y": lambda x, y, z: y,
    "z": lambda x, y, z: z,
    "xy": lambda x, y, z: x * y,
    "xz": lambda x, y, z: x * z,
    "yz": lambda x, y, z: y * z,
    "x2-y2": lambda x, y, z: x**2 - y**2,
    "xyz": lambda x, y, z: x * y * z,
    "z(x2-y2)": lambda x, y, z: z * (x**2 - y**2),
    "x(x2-3y2)": lambda x, y, z: x * (x**2 - 3 * y**2),
    "y(3x2-y2)": lambda x, y, z: y * (3 * x**2 - y**2),
    "xz(x2-3y2)": lambda x, y, z: x * z * (x**2 - 3 * y**2),
    "yz(3x2-y2)": lambda x, y, z: y * z * (3 * x**2 - y**2),
    "xy(x2-y2)": lambda x, y, z: x * y * (x**2 - y**2),
}

# Names by function; "Rz" is the axial vector along z.
TABLES: dict[str, dict[str, str]] = {
    "Ci": {"x": "Au", "xy": "Ag"},
    "C2": {"z": "A", "x": "B", "xy": "A"},
    "C2 in plane": {"x": "A", "z": "B", "y": "B"},
    "Cs": {"x": "A'", "z": "A''"},
    "Cs vertical": {"x": "A'", "z": "A'", "y": "A''"},
    "C2h": {"z": "Au", "x": "Bu", "xy": "Ag", "xz": "Bg", "Rz": "Ag"},
    "C2h in plane": {"x": "Au", "z": "Bu", "yz": "Ag", "xy": "Bg"},
    "D2": {"z": "B1", "y": "B2", "x": "B3", "xyz": "A"},
    "C2v": {"z": "A1", "xy": "A2", "x": "B1", "y": "B2", "Rz": "A2"},
    "C2v in plane": {"x": "A1", "yz": "A2", "z": "B1", "y": "B2"},
    "D2h": {
        "xy": "B1g",
        "xz": "B2g",
        "yz": "B3g",
        "z": "B1u",
        "y": "B2u",
        "x": "B3u",
        "xyz": "Au",
        "Rz": "B1g",
    },
    "C4": {"z": "A", "xy": "B", "x2-y2": "B", "x": "E"},
    "S4": {"z": "B", "xy": "B", "Rz": "A", "xyz": "A", "x": "E", "xz": "E"},
    "C4h": {"z": "Au", "xy": "Bg", "xyz": "Bu", "x": "Eu", "xz": "Eg"},
    "D4": {"z": "A2", "x2-y2": "B1", "xy": "B2", "x": "E", "xyz": "B1", "Rz": "A2"},
    "C4v": {"z": "A1", "Rz": "A2", "x2-y2": "B1", "xy": "B2", "x": "E"},
    "D2d": {"Rz": "A2", "x2-y2": "B1", "xy": "B2", "z": "B2", "xyz": "A1", "x": "E"},
    "D2d, axes on the diagonals": {"Rz": "A2", "xy": "B1", "x2-y2": "B2", "z": "B2", "x": "E"},
    "D4h": {
        "Rz": "A2g",
        "x2-y2": "B1g",
        "xy": "B2g",
        "xz": "Eg",
        "z": "A2u",
        "xyz": "B1u",
        "z(x2-y2)": "B2u",
        "x": "Eu",
        "xy(x2-y2)": "A2g",
    },
    "C3": {"z": "A", "x": "E", "xy": "E"},
    "S6": {"z": "Au", "Rz": "Ag", "x": "Eu", "xy": "Eg"},
    "D3": {"z": "A2", "Rz": "A2", "x": "E", "x(x2-3y2)": "A1", "y(3x2-y2)": "A2"},
    "C3v": {"z": "A1", "Rz": "A2", "x": "E", "x(x2-3y2)": "A1", "y(3x2-y2)": "A2"},
    "C3v, mirror x": {"z": "A1", "Rz": "A2", "x(x2-3y2)": "A2", "y(3x2-y2)": "A1"},
    "D3d": {
        "Rz": "A2g",
        "xz": "Eg",
        "xy": "Eg",
        "z": "A2u",
        "x": "Eu",
        "x(x2-3y2)": "A1u",
        "y(3x2-y2)": "A2u",
        "yz(3x2-y2)": "A1g",
    },
    "C6": {"z": "A", "x(x2-3y2)": "B", "y(3x2-y2)": "B", "x": "E1", "xy": "E2"},
    "C3h": {"z": "A''", "Rz": "A'", "x": "E'", "xz": "E''", "x(x2-3y2)": "A'"},
    "C6h": {"z": "Au", "x(x2-3y2)": "Bu", "xz(x2-3y2)": "Bg", "x": "E1u", "xy": "E2g", "xz": "E1g"},
    "D6": {"z": "A2", "x(x2-3y2)": "B1", "y(3x2-y2)": "B2", "x": "E1", "xy": "E2"},
    "C6v": {"z": "A1", "Rz": "A2", "x(x2-3y2)": "B1", "y(3x2-y2)": "B2", "x": "E1", "xy": "E2"},
    "D3h": {"z": "A2''", "Rz": "A2'", "x": "E'", "xy": "E'", "xz": "E''", "x(x2-3y2)": "A1'"},
    "D3h, mirror x": {"z": "A2''", "Rz": "A2'", "x(x2-3y2)": "A2'", "y(3x2-y2)": "A1'"},
    "D6h": {
        "Rz": "A2g",
        "yz(3x2-y2)": "B1g",
        "xz(x2-3y2)": "B2g",
        "xz": "E1g",
        "xy": "E2g",
        "z": "A2u",
        "x(x2-3y2)": "B1u",
        "y(3x2-y2)": "B2u",
        "x": "E1u",
        "xyz": "E2u",
    },
}


def images(function: str, group: list[PlanarOperation], points: np.ndarray) -> np.ndarray:
    """f(g^-1 r) for every operation, (operations, points); of Rz its own sign, at any point."""
    if function == "Rz":
        return np.array([g.axial[2, 2] * np.ones(len(points)) for g in group])
    return np.array([FUNCTIONS[function](*(points @ g.cartesian).T) for g in group])


@pytest.mark.parametrize(("name", "function"), [(n, f) for n, t in TABLES.items() for f in t])
def test_functions_belong_to_the_irreps_of_the_tables(name: str, function: str) -> None:
    """P f = d/|G| sum_g chi(g) f(g^-1 r) leaves f where it belongs to the irrep, else nothing."""
    group = generate(GENERATORS[name])
    points = np.random.default_rng(2).normal(size=(20, 3))
    moved = images(function, group, points)
    for irrep in irreps(group):
        weight = irrep.dimension / len(group) / (2 if irrep.conjugate_pair else 1)
        projected = weight * irrep.characters @ moved
        belongs = irrep.mulliken == TABLES[name][function]
        assert np.abs(projected - belongs * moved[0]).max() < ROUNDING


def test_the_names_follow_the_crystal_when_it_is_turned() -> None:
    for angle in (17.0, 45.0, -30.0):
        for name, generators in GENERATORS.items():
            straight = generate(generators)
            crooked = turned(straight, angle)
            for one, two in zip(irreps(straight), irreps(crooked, axis=angle), strict=True):
                assert one.name == two.name, name
                assert np.abs(one.matrices - two.matrices).max() < ROUNDING


def test_d3h_is_named_as_in_the_paper() -> None:
    """g and u: even and odd under sigma_h; 1 and 2: even and odd under sigma_v."""
    group = generate(GENERATORS["D3h, mirror x"])
    (h,) = [n for n, g in enumerate(group) if g.kind == "h"]
    (v,) = [n for n, g in enumerate(group) if g.is_same(reflection(90))]
    found = {one.name: one for one in irreps(group)}
    assert set(found) == {"A1g", "A1u", "A2g", "A2u", "Eg", "Eu"}
    for name, irrep in found.items():
        assert irrep.characters[h] == pytest.approx(irrep.dimension * {"g": 1, "u": -1}[name[-1]])
        if irrep.dimension == 1:
            assert irrep.characters[v] == pytest.approx({"1": 1, "2": -1}[name[1]])
    aliases = {one.name: one.mulliken for one in found.values()}
    assert (aliases["A1u"], aliases["A2u"], aliases["Eu"]) == ("A2''", "A1''", "E''")


@pytest.mark.parametrize("name", GENERATORS)
def test_spin_matrices_turn_spins_like_axial_vectors(name: str) -> None:
    """U sigma_a U^dagger = sum_b R_ba sigma_b, R = det(O) O."""
    pauli = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    for g in turned(generate(GENERATORS[name]), 17.0):
        u = spin_matrix(g)
        assert np.abs(u @ u.conj().T - np.eye(2)).max() < ROUNDING
        expected = np.einsum("ba,bij->aij", np.linalg.det(g.cartesian) * g.cartesian, pauli)
        assert np.abs(u @ pauli @ u.conj().T - expected).max() < ROUNDING
