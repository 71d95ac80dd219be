"""Cells in the plane: their Bravais type, standard setting, zone and window."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from gapscope.errors import SpecificationError
from gapscope.physics import Bonds, Lattice, Orbital
from gapscope.physics.cell import standard_cell
from gapscope.physics.lattice import symmetric_window, window_coordinates
from gapscope.physics.setting import Setting
from gapscope.plots.maps import nearest

ROOT3 = np.sqrt(3)
CELLS: list[tuple[list[list[float]], str, int]] = [
    ([[3.0, 0.0], [1.5, 1.5 * ROOT3]], "triangular", 12),
    ([[3.0, 0.0], [-1.5, 1.5 * ROOT3]], "triangular", 12),
    ([[1.5 * ROOT3, 1.5], [0.0, 3.0]], "triangular", 12),
    ([[3.0, 0.0], [1.5, -1.5 * ROOT3]], "triangular", 12),
    ([[3.44, 0.0], [1.7201, 2.9791]], "triangular", 12),
    ([[0.0, 3.0], [-3.0, 0.0]], "square", 8),
    ([[2.0, 2.0], [-2.0, 2.0]], "square", 8),
    ([[0.0, 3.0], [-4.0, 0.0]], "rectangular", 4),
    ([[3.0, 0.0], [3.0, 5.0]], "rectangular", 4),
    ([[1.0, -4.0], [1.0, 4.0]], "centred", 4),
    ([[2.0, 0.0], [1.0, 4.0]], "centred", 4),
    ([[-3.0, 4.0], [3.0, 4.0]], "centred", 4),
    ([[3.0, 0.0], [0.8, 4.0]], "oblique", 2),
    ([[3.0, 0.0], [6.8, 4.0]], "oblique", 2),
]


@pytest.mark.parametrize(("vectors", "name", "order"), CELLS)
def test_a_cell_of_any_setting_is_found(
    vectors: list[list[float]], name: str, order: int, rng: np.random.Generator
) -> None:
    setting = Setting.of(vectors)
    lattice, cell = setting.lattice, setting.cell
    assert lattice.name == name
    assert len(lattice.operations) == order
    assert np.linalg.det(lattice.vectors) > 0
    # The same places, but for the turn and the rounding of the given numbers.
    c, s = np.cos(cell.turn), np.sin(cell.turn)
    sites = rng.integers(-9, 9, (20, 2))
    there = sites @ np.array(vectors) @ np.array([[c, s], [-s, c]])
    here = lattice.constant * setting.sites(sites) @ lattice.vectors
    assert np.abs(here - there).max() < 5e-3
    # The standard setting is a fixed point, by vectors and by JSON.
    assert Lattice.from_vectors(lattice.constant * lattice.vectors).name == name
    assert standard_cell(lattice.constant * lattice.vectors).unchanged
    assert Lattice.from_dict(json.loads(json.dumps(lattice.to_dict()))) == lattice


def test_named_settings_are_the_documented_ones() -> None:
    assert Setting.of([[3.0, 0.0], [-1.5, 1.5 * ROOT3]]).lattice == Lattice("triangular", 3.0)
    assert Setting.of([[0.0, 3.0], [-3.0, 0.0]]).lattice == Lattice("square", 3.0)
    assert Lattice.from_cell(3.0, 3.0, 60.0) == Lattice("triangular", 3.0)
    assert Lattice.from_cell(3.0, 3.0, 90.0) == Lattice("square", 3.0)
    (x1, y1), (x2, y2) = Lattice.from_cell(5.0, 5.0, 100.0).vectors
    assert (x1, y1) == pytest.approx((x2, -y2), rel=1e-12)
    assert Lattice("triangular", 3.44).to_dict() == {
        "lattice": "triangular",
        "lattice_constant": 3.44,
    }


def test_axes_that_lie_along_x_and_y_are_not_turned() -> None:
    turns = {
        "long side first": ([[0.0, 3.0], [-4.0, 0.0]], 0.0),
        "by a hexagon's 60 degrees": ([[1.5, 1.5 * ROOT3], [-1.5, 1.5 * ROOT3]], 0.0),
        "a hexagon on its side": ([[0.0, 3.0], [-1.5 * ROOT3, 1.5]], 90.0),
        "a square on its tip": ([[2.0, 2.0], [-2.0, 2.0]], 45.0),
    }
    for vectors, degrees in turns.values():
        assert abs(np.rad2deg(standard_cell(vectors).turn)) == pytest.approx(degrees, abs=1e-9)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Lattice("rectangular", 3.0), "one of triangular, square"),
        (lambda: Lattice("square", 3.0, ((1.0, 0.0), (0.0, 2.0))), "a rectangular cell"),
        (lambda: Lattice.from_cell(3.0, 3.0, 120.0), r"here \(3, 0; 1.5, 2.59808\)"),
        (lambda: Lattice.from_vectors([[0.0, 3.0], [-4.0, 0.0]]), r"here \(4, 0; 0, 3\)"),
        (lambda: Lattice.from_vectors([[2.0, 2.0], [-2.0, 2.0]]), "turned by 45 degrees"),
        (lambda: Lattice.from_cell(3.0, 4.0, 180.0), "between 0 and 180"),
        (lambda: Lattice.from_cell(3.0, -4.0, 80.0), "positive lengths"),
        (lambda: Lattice.from_vectors([[1.0, 2.0], [2.0, 4.0]]), "not parallel"),
        (lambda: Lattice.from_vectors([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0]]), "two vectors"),
        (lambda: Lattice.from_vectors([[1.0, np.nan], [0.0, 1.0]]), "two vectors"),
        (lambda: Lattice.from_vectors("cell"), "two vectors"),
    ],
)
def test_what_is_no_lattice_in_its_standard_setting(make, match: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SpecificationError, match=match):
        make()


def test_a_cell_near_a_higher_symmetry_is_told() -> None:
    near = Setting.of([[3.0, 0.0], [0.0, 3.01]])
    assert near.lattice.name == "rectangular"
    assert near.notes == ["the cell misses a square one by less than 1 % and counts as rectangular"]
    assert Setting.of([[3.0, 0.0], [0.0, 3.1]]).notes == []
    assert Setting.of([[3.0, 0.0], [0.0, 3.0001]]).lattice.name == "square"


@pytest.mark.parametrize(("vectors", "name", "order"), CELLS)
def test_the_window_holds_all_images_of_its_sites_and_the_zone_its_area(
    vectors: list[list[float]], name: str, order: int
) -> None:
    lattice = Setting.of(vectors).lattice
    mask, r = symmetric_window(lattice, 12), window_coordinates(12)
    inside = {(int(r[i]), int(r[j])) for i, j in zip(*np.nonzero(mask), strict=True)}
    for operation in lattice.operations:
        assert {tuple((operation @ site).tolist()) for site in inside} == inside
    for site in ((1, 0), (0, -1), (5, 0)):
        assert site in inside
    assert (-6, 0) not in inside
    zone = lattice.brillouin_zone
    x, y = zone.T
    area = float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    assert area == pytest.approx(abs(np.linalg.det(lattice.reciprocal)), rel=1e-9)


@pytest.mark.parametrize(("vectors", "name", "order"), CELLS)
def test_the_nearest_site_is_the_nearest_of_all(
    vectors: list[list[float]], name: str, order: int, rng: np.random.Generator
) -> None:
    a = np.array(vectors)
    around = np.stack(np.meshgrid(np.arange(-9, 10), np.arange(-9, 10)), axis=-1).reshape(-1, 2)
    points = rng.uniform(-2, 2, (200, 2))
    found = nearest(points, a) @ a
    best = np.linalg.norm(around @ a - points[:, None], axis=-1).min(axis=1)
    assert np.linalg.norm(found - points, axis=1) == pytest.approx(best, abs=1e-12)


def dispersion(bonds: Bonds, lattice: Lattice, k: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.eigvalsh(bonds.at(lattice.reduced(lattice.constant * k)))


def test_a_turned_crystal_keeps_its_bands_and_its_orbitals() -> None:
    """A square lattice on its tip, px and py with sigma and pi hopping, and Rashba coupling."""
    vectors = np.array([[2.0, 2.0], [-2.0, 2.0]])
    sigma, pi, rashba = 0.7, -0.2, 0.1
    spin = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]]])
    terms = {}
    for r in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        x, y = (np.array(r) @ vectors) / np.linalg.norm(vectors[0])
        orbital = pi * np.eye(2) + (sigma - pi) * np.outer([x, y], [x, y])
        coupling = -1j * rashba * (spin[0] * y - spin[1] * x)
        terms[r] = np.kron(np.eye(2), orbital) + np.kron(coupling, np.eye(2))
    given = Bonds.from_dict(terms)
    setting = Setting.of(vectors)
    bonds, basis = setting.electrons(given, (Orbital("px", name="A"), Orbital("py", name="A")))
    assert basis == (Orbital("px", name="A"), Orbital("py", name="A"))
    k = np.random.default_rng(2).uniform(-1, 1, (30, 2))
    c, s = np.cos(setting.cell.turn), np.sin(setting.cell.turn)
    before = np.linalg.eigvalsh(given.at(k @ vectors.T / (2 * np.pi)))
    after = dispersion(bonds, setting.lattice, k @ np.array([[c, s], [-s, c]]))
    assert after == pytest.approx(before, abs=1e-12)
    along_x = {tuple(r): m for r, m in zip(bonds.vectors.tolist(), bonds.matrices, strict=True)}[
        1, 0
    ]
    expected = np.kron(np.eye(2), np.diag([sigma, pi]))
    expected = expected + np.kron(1j * rashba * spin[1], np.eye(2))
    assert along_x == pytest.approx(expected, abs=1e-12)


def test_a_harmonic_that_a_turn_leads_out_of_its_set_is_not_kept() -> None:
    setting = Setting.of([[2.0, 2.0], [-2.0, 2.0]])
    one = Bonds.from_dict({(0, 0): np.eye(2)})
    assert setting.electrons(one, (Orbital("dx2-y2"),))[1] is None
    assert setting.electrons(one, (Orbital("dz2"),))[1] == (Orbital("dz2"),)
