"""Maps on other lattices, of normal states, several atoms, and impurities given by matrices.

Against the inverse of a whole torus with the impurity in it, made from bonds alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

import gapscope as gs
from comparison import difference
from gapscope.physics import Bonds, Impurity, Lattice, Material, Orbital, Pairing, Specification
from gapscope.physics.group.lattice_operations import isometry
from gapscope.physics.lattice import symmetric_window
from gapscope.physics.spin import D0, DZ, S0, SX, SY, SZ
from gapscope.simulation.maps import simulate, simulate_batch
from gapscope.simulation.numerics import Numerics

N = 8
AGREEMENT = 1e-9
ENERGIES = [0.0, 0.7]
Dense = NDArray[np.complex128]
LATTICES = {
    "square": Lattice("square", 3.8),
    "rectangular": Lattice.from_cell(3.0, 4.0, 90.0),
    "centred": Lattice.from_cell(3.0, 3.0, 80.0),
    "oblique": Lattice.from_cell(3.0, 3.7, 80.0),
}


def crystal(lattice: Lattice, rng: np.random.Generator, orbitals: int = 2) -> Material:
    """Random bonds with spin-orbit coupling; orbitals on places of their own."""
    terms: dict[tuple[int, int], Dense] = {(0, 0): np.zeros((2 * orbitals, 2 * orbitals), complex)}
    for r in ((0, 0), (1, 0), (0, 1), (1, 1)):
        m = rng.normal(size=(2, 2 * orbitals, 2 * orbitals))
        h = m[0] + 0.3j * m[1]
        back = (-r[0], -r[1])
        terms[r] = terms.get(r, 0) + h
        terms[back] = terms.get(back, 0) + h.conj().T
    basis = tuple(
        Orbital("s", (i / (2 * orbitals), i / 5), 0.1 * i, f"X{i}") for i in range(orbitals)
    )
    return Material("random", lattice, Bonds.from_dict(terms), basis=basis)


def torus(bonds: Bonds, extra: Mapping[tuple[int, int, int, int], Dense] | None = None) -> Dense:
    """H on the N x N torus: H_R couples r to r + R, ``extra`` one site to another."""
    d = bonds.dimension
    h = np.zeros((N, N, d, N, N, d), dtype=complex)
    for (r1, r2), matrix in zip(bonds.vectors.tolist(), bonds.matrices, strict=True):
        for a1, a2 in np.ndindex(N, N):
            h[a1, a2, :, (a1 + r1) % N, (a2 + r2) % N, :] += matrix
    for (a1, a2, b1, b2), matrix in (extra or {}).items():
        h[a1 % N, a2 % N, :, b1 % N, b2 % N, :] += matrix
    return h.reshape(d * N**2, d * N**2)


def nambu_torus(
    spec: Specification,
    electrons: Mapping[tuple[int, int, int, int], Dense] | None = None,
    gap: Mapping[tuple[int, int, int, int], Dense] | None = None,
) -> Dense:
    """[[He, D], [D^dagger, -He^T]] with He and D as matrices over the whole torus."""
    he = torus(spec.material.electrons(spec.eps0), electrons)
    delta = torus(spec.pairing.bonds(spec.material.orbitals), gap)
    assert np.abs(delta + delta.T).max() < 1e-12
    assert np.abs(he - he.conj().T).max() < 1e-12
    return np.block([[he, delta], [delta.conj().T, -he.T]])


def density(clean: Dense, dirty: Dense, d: int, omega: float, broadening: float) -> NDArray:
    """drho by electron component, (N, N, d), index r modulo N."""
    z = (omega + 1j * broadening) * np.eye(len(clean))
    change = np.linalg.inv(z - dirty) - np.linalg.inv(z - clean)
    return -np.diagonal(change)[: d * N**2].reshape(N, N, d).imag / np.pi


def check(
    spec: Specification,
    electrons: Mapping[tuple[int, int, int, int], Dense],
    gap: Mapping[tuple[int, int, int, int], Dense] | None = None,
) -> None:
    d = 2 * spec.material.orbitals
    settings = Numerics(ENERGIES, 0.8, N, kgrid=N)
    given = simulate_batch([spec], settings, layers=np.arange(d)).ldos_change[0]
    whole = simulate_batch([spec], settings).ldos_change[0]
    assert difference(given.sum(axis=1), whole) < AGREEMENT
    clean, dirty = nambu_torus(spec), nambu_torus(spec, electrons, gap)
    for omega, values in zip(ENERGIES, given, strict=True):
        dense = density(clean, dirty, d, omega, 0.8)
        found = np.moveaxis(np.fft.ifftshift(values, axes=(-2, -1)), 0, -1)
        assert difference(found, dense) < AGREEMENT


def d_wave(orbitals: int) -> Pairing:
    pair = {(1, 0): 0.3, (-1, 0): 0.3, (0, 1): -0.2, (0, -1): -0.2}
    terms = {r: np.kron(c * D0, np.eye(orbitals)) for r, c in pair.items()}
    for r, sign in (((1, 1), 1), ((-1, -1), -1)):
        terms[r] = np.kron(0.1j * sign * DZ, np.eye(orbitals))
    return Pairing.from_bonds(terms)


@pytest.mark.parametrize("name", LATTICES)
@pytest.mark.parametrize("normal", [False, True])
def test_orbital_densities_on_any_lattice_are_those_of_the_torus(
    name: str, normal: bool, rng: np.random.Generator
) -> None:
    material = crystal(LATTICES[name], rng)
    pairing = Pairing.normal() if normal else d_wave(2)
    impurity = Impurity.scalar(1.5, orbitals=(1.0, 0.4)) + Impurity.magnetic((0.3, 0.2, -0.5))
    m = np.kron(1.5 * S0, np.diag([1.0, 0.4]))
    m = m + np.kron(0.3 * SX + 0.2 * SY - 0.5 * SZ, np.eye(2))
    check(Specification(material, pairing, impurity, 0.4), {(0, 0, 0, 0): m})


def test_an_impurity_between_orbitals(rng: np.random.Generator) -> None:
    material = crystal(LATTICES["oblique"], rng)
    m = np.array([[0.5, 0.4 - 0.3j], [0.4 + 0.3j, -1.0]])
    spec = Specification(material, d_wave(2), Impurity.onsite(m, site=(1, -2)))
    check(spec, {(1, -2, 1, -2): np.kron(S0, m)})
    whole = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    spec = Specification(material, d_wave(2), Impurity.onsite(whole + whole.conj().T))
    check(spec, {(0, 0, 0, 0): whole + whole.conj().T})


def test_a_hopping_defect_with_and_without_spin(rng: np.random.Generator) -> None:
    material = crystal(LATTICES["square"], rng)
    for size in (2, 4):
        m = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
        full = np.kron(S0, m) if size == 2 else m
        impurity = Impurity.hopping(m, (1, 0), (2, 1)) + Impurity.scalar(0.7)
        spec = Specification(material, d_wave(2), impurity)
        on_site = {(0, 0, 0, 0): 0.7 * np.eye(4, dtype=complex)}
        check(spec, on_site | {(1, 0, 2, 1): full, (2, 1, 1, 0): full.conj().T})


def test_a_gap_that_is_suppressed_on_a_bond_and_changed_on_a_site(rng: np.random.Generator) -> None:
    material = crystal(LATTICES["rectangular"], rng, orbitals=1)
    pairing = d_wave(1)
    on_bond, odd = -0.25 * D0, (0.2 + 0.1j) * DZ
    impurity = (
        Impurity.gap(-0.25, (0, 0), (1, 0))
        + Impurity.gap(odd, (0, 0), (0, 1))
        + Impurity.gap(0.6, (2, 2))
        + Impurity.scalar(0.9)
    )
    gap = {
        (0, 0, 1, 0): on_bond,
        (1, 0, 0, 0): -on_bond.T,
        (0, 0, 0, 1): odd,
        (0, 1, 0, 0): -odd.T,
        (2, 2, 2, 2): 0.6 * D0,
    }
    check(Specification(material, pairing, impurity), {(0, 0, 0, 0): 0.9 * S0}, gap)


def test_the_normal_state_is_the_limit_of_a_small_gap(nbse2: Material) -> None:
    settings = Numerics([0.0, 2.0], 0.5, 32, accuracy=0.002)
    impurity = Impurity.scalar(50.0)
    normal = simulate(Specification(nbse2, Pairing.normal(), impurity, 20.0), settings)
    small = simulate(
        Specification(nbse2, Pairing("A1g", 1e-4, theta=0.3), impurity, 20.0), settings
    )
    assert difference(normal.ldos_change, small.ldos_change) < 0.004
    assert difference(normal.dos, small.dos) < 0.004
    assert normal.attrs["irrep"] == "normal"
    assert normal.attrs["gap"] == 0.0
    assert float(normal.relative_error.max()) <= 0.002


def test_a_d_wave_map_on_a_square_lattice_has_its_four_fold_axis() -> None:
    hopping = {(1, 0): -100.0, (1, 1): 25.0}
    terms = {(0, 0): 80.0 * S0}
    for (r1, r2), t in hopping.items():
        for image in {(r1, r2), (-r2, r1), (-r1, -r2), (r2, -r1)}:
            terms[image] = t * S0
    material = Material("cuprate", LATTICES["square"], Bonds.from_dict(terms))
    gap = {(1, 0): 8.75, (-1, 0): 8.75, (0, 1): -8.75, (0, -1): -8.75}
    pairing = Pairing.from_bonds({r: c * D0 for r, c in gap.items()})
    assert pairing.gap == pytest.approx(35.0, rel=1e-3)
    spec = Specification(material, pairing, Impurity.scalar(100.0))
    values = simulate(spec, Numerics([10.0], 2.0, 64, accuracy=0.002)).ldos_change.to_numpy()[0]
    inner = values[1:, 1:]
    for turned in (np.rot90(inner), inner.T):
        assert difference(turned, inner) < 1e-5


def honeycomb() -> Material:
    places = ((1 / 3, 1 / 3), (-1 / 3, -1 / 3))
    up = np.kron(S0, [[0, 1], [0, 0]])
    # A of the cell 0 to B of the cells R: the step is R + tau_B - tau_A.
    terms = {(0, 0): 0.4 * np.eye(4, dtype=complex)}
    for r in ((1, 1), (1, 0), (0, 1)):
        terms[r] = terms.get(r, 0) - 2.0 * up
        back = (-r[0], -r[1])
        terms[back] = terms.get(back, 0) - 2.0 * up.T
    basis = (Orbital("pz", places[0], name="A pz"), Orbital("pz", places[1], name="B pz"))
    return Material("honeycomb", Lattice("triangular", 2.46), Bonds.from_dict(terms), basis=basis)


def test_maps_of_two_atoms_stand_at_their_places() -> None:
    """Neighbours are a / sqrt 3 apart, and rho(q) is the plain sum over places."""
    material = honeycomb()
    bonds = {
        tuple(r): m
        for r, m in zip(material.bonds.vectors.tolist(), material.bonds.matrices, strict=True)
    }
    tau = np.array([atom.position for atom in material.atoms])
    for r, m in bonds.items():
        if abs(m[0, 1]) > 1:
            step = (np.array(r) + tau[1] - tau[0]) @ material.lattice.vectors
            assert np.linalg.norm(step) == pytest.approx(1 / np.sqrt(3), rel=1e-12)
    spec = Specification(material, Pairing.normal(), Impurity.scalar(3.0), 0.1)
    maps = simulate(spec, Numerics([0.3], 0.4, 16, kgrid=64), by_orbital=True)
    assert maps.ldos_change.dims == ("energy", "atom", "r1", "r2")
    assert maps.atom.to_numpy().tolist() == ["A", "B"]
    assert maps.orbital.to_numpy().tolist() == ["A pz", "B pz"]
    assert difference(maps.ldos_change_orbital, maps.ldos_change) < 1e-12
    assert difference(maps.dos_orbital.sum("orbital"), maps.dos) < 1e-12
    x, y = maps.x.to_numpy(), maps.y.to_numpy()
    a1, a2 = 2.46 * material.lattice.vectors
    place = 3 * a1 - 2 * a2 - (a1 + a2) / 3
    at = maps.sel(atom="B", r1=3, r2=-2)
    assert (float(at.x), float(at.y)) == pytest.approx(tuple(place), rel=1e-12)
    inside = np.stack([symmetric_window(material.lattice, 16, tuple(t), 1 / 3) for t in tau])
    assert inside.sum() > 2 * 120
    rho = maps.qpi_re.to_numpy()[0] + 1j * maps.qpi_im.to_numpy()[0]
    values = maps.ldos_change.to_numpy()[0]
    for i, j in ((8, 8), (9, 8), (3, 12), (0, 0)):
        qx, qy = (float(maps[name][i, j]) for name in ("qx", "qy"))
        expected = (np.exp(-1j * (qx * x + qy * y)) * values)[inside].sum()
        assert abs(rho[i, j] - expected) < 1e-9 * np.abs(values).sum()


def test_a_map_of_two_atoms_has_the_symmetry_of_the_impurity() -> None:
    """Equal impurities on A and B of a cell: inversion about its middle takes A to B."""
    spec = Specification(honeycomb(), Pairing.normal(), Impurity.scalar(3.0), 0.1)
    maps = simulate(spec, Numerics([0.3], 0.4, 16, kgrid=64))
    a, b = maps.ldos_change.to_numpy()[0][:, 1:, 1:]
    assert difference(a[::-1, ::-1], b) < 1e-9
    assert float(np.abs(maps.qpi_im).max()) < 1e-9 * float(np.abs(maps.qpi_re).max())


@pytest.mark.parametrize("convention", ["ldos", "paper"])
def test_the_image_of_a_vacancy_is_threefold_about_its_atom(
    convention: Literal["ldos", "paper"],
) -> None:
    """Wherever in the cell the atom is: the image counts from it, and so does its window."""
    spec = Specification(
        honeycomb(), Pairing.normal(), Impurity.scalar(1e3, orbitals=[1, 0], site=(0, -1))
    )
    maps = simulate(spec, Numerics([0.3], 0.4, 16, kgrid=64), convention)
    assert maps.attrs["image_centre"] == pytest.approx([1 / 3, -2 / 3], abs=1e-12)
    rho = (maps.qpi_re + 1j * maps.qpi_im).to_numpy()[0]
    q = np.stack([maps.qx.to_numpy(), maps.qy.to_numpy()], axis=-1)
    turned = q @ np.array([[-0.5, np.sqrt(0.75)], [-np.sqrt(0.75), -0.5]])
    apart = np.linalg.norm(turned[:, :, None, None] - q, axis=-1)
    i, j, k, m = np.nonzero(apart < 1e-9)
    assert len(i) > 150
    assert np.abs(rho[i, j] - rho[k, m]).max() < 1e-12 * np.abs(rho).max()


def test_an_impurity_far_from_the_origin_leaves_the_image_where_it_is() -> None:
    spec = Specification(honeycomb(), Pairing.normal(), Impurity.scalar(3.0, site=(4, 1)))
    maps = simulate(spec, Numerics([0.3], 0.4, 16, kgrid=32))
    assert list(maps.attrs["image_centre"]) == [0, 0]


def test_orbitals_of_one_place_are_counted_together(rng: np.random.Generator) -> None:
    loose = crystal(LATTICES["oblique"], rng, orbitals=3)
    places = ((0.0, 0.0), (0.5, 0.25), (0.0, 0.0))
    names = ("M s", "X s", "M px")
    basis = tuple(Orbital(n.split()[1], p, 0.0, n) for n, p in zip(names, places, strict=True))
    material = Material("shared", loose.lattice, loose.bonds, basis=basis)
    assert [(atom.name, atom.orbitals) for atom in material.atoms] == [("M", (0, 2)), ("X", (1,))]
    spec = Specification(material, Pairing.normal(), Impurity.scalar(1.0), 0.1)
    settings = Numerics(ENERGIES, 0.8, 8, kgrid=8)
    by_atom, resolved = simulate(spec, settings), simulate(spec, settings, by_orbital=True)
    for maps in (by_atom, resolved):
        orbital = resolved.ldos_change_orbital
        assert difference(maps.ldos_change.sel(atom="X"), orbital.sel(orbital="X s")) < 1e-12
        both = orbital.sel(orbital="M s") + orbital.sel(orbital="M px")
        assert difference(maps.ldos_change.sel(atom="M"), both) < 1e-12
    assert difference(by_atom.qpi_re, resolved.qpi_re) < 1e-12
    paper = simulate(spec, settings, convention="paper")
    assert not paper.qpi_im.any()
    assert difference(paper.ldos_change, by_atom.ldos_change) < 1e-12


@pytest.mark.parametrize("name", LATTICES)
def test_coordinates_are_cartesian_on_every_lattice(name: str, rng: np.random.Generator) -> None:
    lattice = LATTICES[name]
    material = crystal(lattice, rng, orbitals=1)
    spec = Specification(material, Pairing.normal(), Impurity.scalar(1.0))
    maps = simulate(spec, Numerics([0.0], 0.8, 8, kgrid=8))
    a = lattice.constant * lattice.vectors
    b = 2 * np.pi * np.linalg.inv(a).T
    at = maps.sel(r1=2, r2=-3)
    assert (float(at.x), float(at.y)) == pytest.approx(tuple(2 * a[0] - 3 * a[1]), rel=1e-12)
    q = maps.isel(q1=6, q2=1)
    assert (float(q.qx), float(q.qy)) == pytest.approx(tuple(b[0] / 4 - 3 * b[1] / 8), rel=1e-12)
    assert Lattice.from_dict(maps.attrs) == lattice
    assert len(lattice.operations) in (2, 4, 8)
    for w in lattice.operations:
        turn = isometry(w, lattice.vectors)
        assert turn @ turn.T == pytest.approx(np.eye(2), abs=1e-12)


def test_the_density_of_states_and_the_spectral_function_on_a_rectangle(
    rng: np.random.Generator,
) -> None:
    material = crystal(LATTICES["rectangular"], rng)
    spec = Specification(material, Pairing.normal(), Impurity.scalar(0.0))
    dos = gs.density_of_states(spec, ENERGIES, 0.5, 12)
    m = np.stack(np.meshgrid(np.arange(12) / 12, np.arange(12) / 12), axis=-1)
    bands = np.linalg.eigvalsh(material.bonds.at(m))
    for omega, value in zip(ENERGIES, dos.to_numpy(), strict=True):
        expected = -(1 / (omega + 0.5j - bands)).imag.sum() / np.pi / 144
        assert value == pytest.approx(expected, rel=1e-9)


def blocks_and_twins() -> Specification:
    """Three orbitals in a d wave gap: the third like the first, the second on its own."""
    terms: dict[tuple[int, int], Dense] = {(0, 0): np.diag([0.3, -0.5, 0.3] * 2).astype(complex)}
    for r in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        terms[r] = -np.diag([1.0, 0.6, 1.0] * 2).astype(complex)
    material = Material("three", LATTICES["square"], Bonds.from_dict(terms))
    d = {(1, 0): 0.2 * D0, (-1, 0): 0.2 * D0, (0, 1): -0.2 * D0, (0, -1): -0.2 * D0}
    return Specification(material, Pairing.from_bonds(d), Impurity.scalar(0.0))


@pytest.mark.parametrize("kgrid", [24, None])
@pytest.mark.parametrize("coupled", [True, False])
def test_the_density_of_states_by_orbital_is_the_diagonal_of_green(
    kgrid: int | None, coupled: bool, rng: np.random.Generator
) -> None:
    if coupled:
        material = crystal(LATTICES["oblique"], rng, orbitals=3)
        spec = Specification(material, Pairing.normal(), Impurity.scalar(0.0))
    else:
        spec = blocks_and_twins()
    settings = {"kgrid": kgrid} if kgrid else {"accuracy": 1e-4}
    found = gs.density_of_states(spec, ENERGIES, 0.8, by_orbital=True, **settings)
    total = gs.density_of_states(spec, ENERGIES, 0.8, **settings)
    assert found.dims == ("energy", "orbital")
    assert difference(found.sum("orbital"), total) < 1e-12
    n = kgrid or 96
    m = np.stack(np.meshgrid(np.arange(n) / n, np.arange(n) / n), axis=-1)
    h = spec.bdg().at(m)
    for omega, values in zip(ENERGIES, found.to_numpy(), strict=True):
        green = np.linalg.inv((omega + 0.8j) * np.eye(h.shape[-1]) - h).mean(axis=(0, 1))
        own = -np.diagonal(green).imag[:6] / np.pi
        assert values == pytest.approx(own[:3] + own[3:], rel=1e-9 if kgrid else 1e-4)
