"""Wannier functions as a tip sees them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import gapscope as gs
from gapscope.errors import MaterialWarning, SettingError, SpecificationError
from gapscope.physics import Bonds, Lattice, Material, Orbital
from gapscope.physics.orbitals import CHARACTERS
from gapscope.simulation.continuum.tip import check_side, seen
from grid_files import grid_points, write_cube, write_xsf
from wannier_files import write_hr

Real = NDArray[np.float64]
SQUARE = Lattice("square", 3.8)


def material(*orbitals: Orbital, lattice: Lattice = SQUARE) -> Material:
    onsite = Bonds.from_dict({(0, 0): np.eye(2 * len(orbitals))})
    return Material("atoms", lattice, onsite, basis=orbitals)


@pytest.mark.parametrize("kind", ["slater", "gaussian"])
def test_orbitals_are_orthonormal(kind: str) -> None:
    """All harmonics on one place, on a grid around it."""
    place = Orbital("s", (0.25, -0.1), 0.7)
    atoms = material(*(Orbital(name, place.position, place.height) for name in CHARACTERS))
    made = (
        gs.WannierFunctions.slater(atoms, 1.9)
        if kind == "slater"
        else gs.WannierFunctions.gaussian(atoms, 0.6)
    )
    radii, weights = np.polynomial.legendre.leggauss(60)
    radii, weights = 6 * (radii + 1), 6 * weights
    cosines, around = np.polynomial.legendre.leggauss(12)
    angles = np.arange(16) * np.pi / 8
    r, c, phi = np.meshgrid(radii, cosines, angles, indexing="ij")
    ring = r * np.sqrt(1 - c**2)
    points = np.stack([ring * np.cos(phi), ring * np.sin(phi), r * c], axis=-1)
    volume = (weights * radii**2)[:, None, None] * around[:, None] * np.full(16, np.pi / 8)
    centre = np.array([0.25 * 3.8, -0.1 * 3.8, 0.7])
    values = made.at(points + centre).reshape(len(CHARACTERS), -1)
    overlap = values * volume.ravel() @ values.T
    np.testing.assert_allclose(overlap, np.eye(len(CHARACTERS)), atol=1e-8)


def yukawa(decay: float, place: Real) -> gs.WannierFunctions:
    """exp(-kappa r)/r, which the Schroedinger equation of the vacuum has as a solution."""

    def function(points: Real) -> Real:
        r = np.linalg.norm(points - place, axis=-1)
        return np.exp(-decay * r) / r

    return gs.WannierFunctions((function,), "a point source")


@pytest.mark.parametrize("lattice", [SQUARE, Lattice("triangular", 3.4)])
@pytest.mark.parametrize("orbital", ["s", "px", "py", "pz"])
def test_the_vacuum_continues_a_wave_as_it_goes_on(lattice: Lattice, orbital: str) -> None:
    functions = yukawa(1.1, np.array([0.3, -0.2, 0.0]))
    whole, continued = (
        seen(functions, gs.Tip(5.0, orbital, vacuum, decay=1.1, cut=1e-4), lattice, 8)
        for vacuum in (None, 3.0)
    )
    both = [
        {tuple(cell): one.values[0, :, :, n, 0] for n, cell in enumerate(one.cells.tolist())}
        for one in (whole, continued)
    ]
    scale = np.abs(whole.values).max()
    for cell in [(0, 0), (1, 0), (-1, 1), (0, -2)]:
        assert np.abs(both[0][cell] - both[1][cell]).max() < 2e-3 * scale


def test_tips_of_p_waves_see_the_derivative() -> None:
    """px of a Gaussian: -x / width^2 W; and shares add up as currents do."""
    atoms = material(Orbital("s"))
    functions = gs.WannierFunctions.gaussian(atoms, 0.9)
    s = seen(functions, gs.Tip(1.0), SQUARE, 6)
    p = seen(functions, gs.Tip(1.0, "px", decay=2.0), SQUARE, 6)
    z = seen(functions, gs.Tip(1.0, "pz", decay=2.0), SQUARE, 6)
    u = np.arange(6) / 6 * 3.8
    for one, factor in ((p, -u[:, None] / 0.81), (z, -1.0 / 0.81 + 0 * u[:, None])):
        where = [cell.tolist().index([0, 0]) for cell in (s.cells, one.cells)]
        wave, found = s.values[0, :, :, where[0], 0], one.values[0, :, :, where[1], 0]
        np.testing.assert_allclose(found, factor * wave / 2.0, atol=1e-6 * np.abs(wave).max())
    both = seen(functions, gs.Tip(1.0, {"s": 0.25, "pz": 0.75}, decay=2.0), SQUARE, 6)
    there = both.cells.tolist().index([0, 0])
    parts = both.values[:, :, :, there, 0]
    np.testing.assert_allclose(parts[0], 0.5 * s.values[0, :, :, s.cells.tolist().index([0, 0]), 0])
    assert len(parts) == 2


def test_functions_of_files_are_those_that_were_sampled(tmp_path: Path) -> None:
    """A d orbital off the origin, in both formats and another norm; zero outside the grid."""
    atoms = material(Orbital("dxz", (0.3, 0.1), 0.4))
    own = gs.WannierFunctions.gaussian(atoms, 0.9)
    cell = np.diag([3.8, 3.8, 20.0])
    origin, vectors = np.array([-4.0, -5.0, -4.0]), np.diag([10.0, 11.0, 9.0])
    points = grid_points(origin, vectors, (51, 56, 46))
    values = 7.0 * own.at(points)[0]
    paths = [
        write_xsf(tmp_path / "w_00001.xsf", cell, origin, vectors, values),
        write_cube(tmp_path / "w.cube", origin, vectors, values, angstrom=False),
    ]
    some = np.random.default_rng(1).uniform([-2, -2, 0], [4, 4, 3], (200, 3))
    scale = np.abs(own.at(some)).max()
    for path in paths:
        found = gs.WannierFunctions.from_files(atoms, str(path))
        np.testing.assert_allclose(found.at(some), own.at(some), atol=3e-4 * scale)
        assert path.name in found.description
        assert found.at(np.array([[0.0, 0.0, 7.0], [30.0, 0.0, 0.0]])).tolist() == [[0.0, 0.0]]


WIN = """begin unit_cell_cart
3.8 0 0
0 3.8 0
0 0 20
end unit_cell_cart
begin atoms_frac
Fe 0.1 0.2 0.02
end atoms_frac
begin projections
{}
end projections
"""


def sampled(
    folder: Path, orbitals: Sequence[Orbital], change: Callable[[Real], Real]
) -> list[Path]:
    """Gaussians of orbitals on a grid, changed, in files."""
    origin, vectors = np.array([-5.0, -6.0, -5.0]), np.diag([11.0, 12.0, 10.0])
    points = grid_points(origin, vectors, (45, 49, 41))
    waves = change(gs.WannierFunctions.gaussian(material(*orbitals), 0.8).at(points))
    cell = np.diag([3.8, 3.8, 20.0])
    return [
        write_xsf(folder / f"w_{i}.xsf", cell, origin, vectors, wave)
        for i, wave in enumerate(waves)
    ]


@pytest.mark.parametrize(
    ("case", "change", "told"),
    [
        ("right", lambda w: -3 * w, ""),
        ("hybrid", lambda w: w + 0.5 * np.abs(w), ""),
        ("another order", lambda w: w[[1, 0, 2]], "w_0.xsf does not look like px"),
        ("turned", lambda w: np.stack([w[0] + w[1], w[0] - w[1], w[2]]), r"[45]\d% px, [45]\d% py"),
        (
            "30 degrees",
            lambda w: np.stack([0.87 * w[0] + w[1] / 2, 0.87 * w[1] - w[0] / 2, w[2]]),
            r"7\d% px, 2\d% py",
        ),
        ("amplitudes", np.abs, "w_2.xsf does not look like dxz"),
        ("next cell", lambda w: np.roll(w, 15, axis=1), "not in the cell of the orbital"),
    ],
)
def test_functions_that_do_not_look_like_their_orbitals_are_told(
    case: str, change: Callable[[Real], Real], told: str, tmp_path: Path
) -> None:
    place = (0.1, 0.2), 0.4
    orbitals = [Orbital(name, *place) for name in ("px", "py", "dxz")]
    paths = sampled(tmp_path, orbitals, change)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gs.WannierFunctions.from_files(material(*orbitals), paths)
    words = "\n".join(str(one.message) for one in caught)
    assert bool(caught) == bool(told)
    assert re.search(told, words)


def test_functions_of_projections_with_axes_of_their_own(tmp_path: Path) -> None:
    """The Hamiltonian is turned into the crystal's axes, the files are not; the remedy works."""
    first, second = Orbital("px", (0.1, 0.2), 0.4), Orbital("py", (0.1, 0.2), 0.4)
    paths = sampled(tmp_path, [first, second], lambda w: np.stack([w[0] + w[1], w[1] - w[0]]))
    path = write_hr(tmp_path / "x_hr.dat", {(0, 0, 0): np.diag([0.1, -0.1])})
    win, text = tmp_path / "x.win", WIN.format("Fe: px;py:z=0,0,1:x=1,1,0")
    win.write_text(text)
    turned = gs.material(str(path), fermi_energy=0.0)
    assert abs(turned.bonds.at([0, 0])[0, 1]) == pytest.approx(100)
    with pytest.warns(MaterialWarning, match="take the projections out"):
        gs.WannierFunctions.from_files(turned, paths)
    win.write_text(text[: text.index("begin projections")])
    own = gs.material(str(path), fermi_energy=0.0)
    assert own.bonds.at([0, 0])[0, 1] == 0
    with pytest.warns(MaterialWarning, match="unknown character") as told:
        gs.WannierFunctions.from_files(own, paths)
    assert len(told) == 1
    gs.WannierFunctions.from_files(material(Orbital("s")), paths[:1])


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1)])
def test_functions_have_the_signs_of_their_projections(
    signs: tuple[int, ...], tmp_path: Path
) -> None:
    """Plots are positive where they are largest, so that the sign of a p or d orbital is chance."""
    orbitals = [Orbital(name, (0.1, 0.2), 0.4) for name in ("s", "px", "dxz")]
    paths = sampled(tmp_path, orbitals, lambda w: np.array(signs)[:, None, None, None] * w)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = gs.WannierFunctions.from_files(material(*orbitals), paths)
    own = gs.WannierFunctions.gaussian(material(*orbitals), 0.8)
    some = np.random.default_rng(1).uniform([-2, -2, -1], [3, 3, 3], (50, 3))
    np.testing.assert_allclose(found.at(some), own.at(some), atol=1e-3 * np.abs(own.at(some)).max())


def test_files_of_another_crystal_are_refused(tmp_path: Path) -> None:
    atoms = material(Orbital("s"))
    values = np.ones((3, 3, 3))
    turned = np.array([[0.0, 3.8, 0], [-3.8, 0, 0], [0, 0, 9.0]])
    wide = np.diag([3.9, 3.8, 9.0])
    double = np.diag([7.6, 3.8, 9.0])
    for cell, fits in ((turned, True), (wide, False), (double, False)):
        path = write_xsf(tmp_path / "w.xsf", cell, np.zeros(3), 5 * np.eye(3), values)
        path.write_text("".join(f" {line}\n" for line in path.read_text().splitlines()))
        if fits:
            gs.WannierFunctions.from_files(atoms, [path])
            continue
        with pytest.raises(SpecificationError, match="same axes"):
            gs.WannierFunctions.from_files(atoms, [path])
    with pytest.raises(SpecificationError, match="2 files for 1 orbitals"):
        gs.WannierFunctions.from_files(atoms, [path, path])
    zero = write_cube(tmp_path / "zero.cube", np.zeros(3), 5 * np.eye(3), 0 * values, True)
    with pytest.raises(SpecificationError, match="different from zero"):
        gs.WannierFunctions.from_files(atoms, [zero])


def test_unknown_orbitals_have_no_analytic_functions() -> None:
    unknown = Material("u", SQUARE, Bonds.from_dict({(0, 0): np.eye(4)}))
    with pytest.raises(SpecificationError, match="unknown character"):
        gs.WannierFunctions.slater(unknown)
    for wrong in (0.0, -1.0, np.nan):
        with pytest.raises(SpecificationError, match="positive number"):
            gs.WannierFunctions.gaussian(material(Orbital("s")), wrong)


@pytest.mark.parametrize(
    "settings",
    [
        {"height": np.nan},
        {"height": "3"},
        {"height": True},
        {"height": 3.0, "decay": 0.0},
        {"height": 3.0, "cut": 0.0},
        {"height": 3.0, "vacuum": 4.0},
        {"height": 3.0, "orbital": "d"},
        {"height": 3.0, "orbital": {}},
        {"height": 3.0, "orbital": {"s": -1.0}},
        {"height": 3.0, "orbital": {"s": 0.0}},
        {"height": 3.0, "orbital": None},
    ],
)
def test_a_tip_that_is_none_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        gs.Tip(**settings)  # type: ignore[arg-type]


def test_a_tip_is_where_a_half_infinite_crystal_is_open() -> None:
    """Below one that is open at its bottom; above, the layer that is seen would be buried."""
    bonds = Bonds.from_dict({(0, 0, 1): -np.eye(4), (0, 0, -1): -np.eye(4)})
    basis = (Orbital("s", height=1.0), Orbital("s", (0.5, 0.5), 3.0))
    wrong = {
        "top": [gs.Tip(2.0), gs.Tip(-5.0)],
        "bottom": [gs.Tip(7.0), gs.Tip(2.0), gs.Tip(-3.0, vacuum=-4.0)],
    }
    for surface, tips in wrong.items():
        crystal = Material("half", SQUARE, bonds, basis=basis, surface=surface)
        state = gs.Specification(crystal, gs.Pairing.normal(), gs.Impurity.scalar(50.0))
        for tip in tips:
            with pytest.raises(SettingError, match=f"at its {surface}") as refused:
                gs.continuum(state, gs.Numerics([0.0], broadening=50.0, window=8), tip=tip)
        height = float(refused.value.remedy.split("height=")[1].split(")")[0])
        check_side(gs.Tip(height), crystal)


@pytest.mark.parametrize(("height", "told"), [(9.0, False), (7.5, False), (5.0, True)])
def test_a_tip_below_a_layer_is_told(height: float, told: bool) -> None:
    """As where a height is counted from the atoms, and these are in the middle of the cell."""
    layer = material(Orbital("s", height=7.5), Orbital("s", (0.5, 0.5), 6.9))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_side(gs.Tip(height), layer)
        check_side(gs.Tip(height), material(Orbital("s")))
    assert bool(caught) == told
    assert all("Tip(height=11.5)" in str(one.message) for one in caught)


def test_a_tip_where_nothing_is_seen_is_refused(tmp_path: Path) -> None:
    atoms = material(Orbital("s"))
    with pytest.raises(SettingError, match="end within"):
        seen(gs.WannierFunctions.slater(atoms, 0.02), gs.Tip(3.0), SQUARE, 2)
    box = write_cube(tmp_path / "w.cube", -np.ones(3), 2 * np.eye(3), np.ones((3, 3, 3)), True)
    functions = gs.WannierFunctions.from_files(atoms, [box])
    with pytest.raises(SettingError, match=r"Tip\(vacuum=z\)"):
        seen(functions, gs.Tip(5.0), SQUARE, 8)
    seen(functions, gs.Tip(5.0, vacuum=0.5), SQUARE, 8)
