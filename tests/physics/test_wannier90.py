"""Wannier90 Hamiltonians: layout, cell, degeneracies, shared vectors, atomic SOC."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from gapscope.errors import MaterialFileError
from gapscope.physics import Bonds, Material
from gapscope.physics.symmetry import C3, MIRROR_X, act_on_bonds
from gapscope.physics.wannier90 import atomic_soc, read_wannier90
from wannier_files import Pair, Vector, write_hr, write_wsvec

ROUNDING = 1e-12
HEXAGON_60 = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)]
"""Origin and nearest neighbours in the basis with 60 degrees between a1 and a2."""


def in_120_degrees(r1: int, r2: int) -> tuple[int, int]:
    """The same site with a2(120) = a2(60) - a1: r1 a1 + r2 a2(60) = (r1 + r2) a1 + r2 a2(120)."""
    return r1 + r2, r2


def random_hamiltonian(rng: np.random.Generator) -> dict[tuple[int, int], np.ndarray]:
    """Hermitian two-orbital H(R) in eV on the nearest neighbours, rounded as the file is.

    Its bands have the threefold symmetry that a file's have to have whose cell nobody states.
    """
    onsite, hopping = np.round(rng.normal(size=(2, 2, 2)) + 1j * rng.normal(size=(2, 2, 2)), 4)
    turned = [(1, 0), (-1, 1), (0, -1)]
    return (
        {(0, 0): onsite + onsite.conj().T}
        | dict.fromkeys(turned, hopping)
        | {(-r, -s): hopping.conj().T for r, s in turned}
    )


@pytest.mark.parametrize("angle", [60, 120])
@pytest.mark.parametrize("told", [True, False])
def test_both_cells_give_the_same_bonds(
    tmp_path: Path, rng: np.random.Generator, angle: int, told: bool
) -> None:
    hamiltonian = random_hamiltonian(rng)
    sites = {r: r if angle == 60 else in_120_degrees(*r) for r in hamiltonian}
    path = write_hr(tmp_path / "x_hr.dat", {(*sites[r], 0): h for r, h in hamiltonian.items()})
    bonds = read_wannier90(path, fermi_energy=0.25, cell_angle=angle if told else None)
    expected = {r: 1000 * h for r, h in hamiltonian.items()}
    expected[0, 0] = expected[0, 0] - 250 * np.eye(2)
    assert bonds.distance(Bonds.from_dict(expected)) < ROUNDING


def test_an_undecided_cell_angle_is_asked_for(tmp_path: Path) -> None:
    chain = {(r, 0, 0): np.eye(1) for r in (-1, 0, 1)}
    path = write_hr(tmp_path / "x_hr.dat", chain)
    with pytest.raises(MaterialFileError, match="angle between a1 and a2 cannot be told"):
        read_wannier90(path, fermi_energy=0.0)
    assert len(read_wannier90(path, fermi_energy=0.0, cell_angle=120).vectors) == 3


@pytest.mark.parametrize("reach", [7, 16])
def test_degeneracies_divide_and_may_fill_several_lines(tmp_path: Path, reach: int) -> None:
    """Chains of 15 and 33 vectors need one and three lines; the ends of the cell count half."""
    chain = {(r, 0, 0): np.eye(1) * abs(r) for r in range(-reach, reach + 1)}
    path = write_hr(tmp_path / "x_hr.dat", chain, {(-reach, 0, 0): 2, (reach, 0, 0): 2})
    bonds = read_wannier90(path, fermi_energy=0.0, cell_angle=60)
    amplitudes = dict(zip(bonds.vectors[:, 0].tolist(), bonds.matrices[:, 0, 0], strict=True))
    assert amplitudes[reach - 1] == 1000 * (reach - 1)
    assert amplitudes[reach] == amplitudes[-reach] == 500 * reach


def test_wsvec_shares_an_element_among_its_vectors(tmp_path: Path) -> None:
    """Only the pair of orbitals named in the file moves; the row is the first index."""
    hopping = np.array([[1.0, 2.0], [4.0, 3.0]])
    elements: dict[Vector, np.ndarray] = {
        (-1, 0, 0): hopping.T,
        (0, 0, 0): np.zeros((2, 2)),
        (1, 0, 0): hopping,
    }
    shifts: dict[Pair, list[Vector]] = {
        (r, 0, 0, i, j): [(0, 0, 0)] for r in (-1, 0, 1) for i in (1, 2) for j in (1, 2)
    }
    shifts[1, 0, 0, 1, 2] = [(0, 0, 0), (-2, 0, 0), (-2, 2, 0), (0, 2, 0)]
    shifts[-1, 0, 0, 2, 1] = [(0, 0, 0), (2, 0, 0), (2, -2, 0), (0, -2, 0)]
    path = write_hr(tmp_path / "x_hr.dat", elements)
    alone = read_wannier90(path, fermi_energy=0.0, cell_angle=60)
    write_wsvec(tmp_path / "x_wsvec.dat", shifts)
    shared = read_wannier90(path, fermi_energy=0.0, cell_angle=60)
    quarter = np.array([[0, 500], [0, 0]])
    expected = {
        (1, 0): np.array([[1000, 500], [4500, 3000]]),
        (-1, 0): np.array([[1000, 4500], [500, 3000]]),
        (-1, 2): quarter,
        (1, 2): quarter,
        (1, -2): quarter.T,
        (-1, -2): quarter.T,
    }
    assert alone.distance(Bonds.from_dict({(1, 0): 1000 * hopping, (-1, 0): 1000 * hopping.T})) == 0
    assert shared.distance(Bonds.from_dict(expected)) < ROUNDING


def test_shifts_by_the_supercell_change_nothing_on_its_mesh(tmp_path: Path) -> None:
    """exp(i k.T) = 1 on the mesh of k-points that the Wannier functions were made from."""
    rng = np.random.default_rng(3)
    path = write_hr(tmp_path / "x_hr.dat", {(*r, 0): h for r, h in random_hamiltonian(rng).items()})
    alone = read_wannier90(path, fermi_energy=0.0)
    shifts = {
        (*r, 0, i, j): [(0, 0, 0), (3 * (i - j), 6 * (j - i), 0)]
        for r in HEXAGON_60
        for i in (1, 2)
        for j in (1, 2)
    }
    write_wsvec(tmp_path / "x_wsvec.dat", shifts)
    shared = read_wannier90(path, fermi_energy=0.0, cell_angle=60)
    j = np.arange(3) / 3
    mesh = np.stack(np.meshgrid(j, j), axis=-1)
    assert np.abs(alone.at(mesh) - shared.at(mesh)).max() < 1e-9
    assert np.abs(alone.at([0.1, 0.2]) - shared.at([0.1, 0.2])).max() > 1.0


def test_a_material_file_reads_wannier90_and_adds_atomic_soc(tmp_path: Path) -> None:
    onsite = np.diag([-1.0, 0.5, 0.5])
    hop = 0.1 * np.eye(3)
    write_hr(tmp_path / "x_hr.dat", {(*r, 0): hop if any(r) else onsite for r in HEXAGON_60})
    (tmp_path / "x.toml").write_text(
        'schema = 1\nname = "X"\n[lattice]\nname = "triangular"\nconstant = 3.3\n'
        '[wannier90]\nhr = "x_hr.dat"\nfermi_energy = -0.5\n'
        'soc_strength = 80.0\nsoc_orbitals = ["dz2", "dx2-y2", "dxy"]\n'
    )
    material = Material.from_toml(tmp_path / "x.toml")
    assert material.orbitals == 3
    origin = material.bonds.matrices[material.bonds.vectors.tolist().index([0, 0])]
    expected = np.kron(np.eye(2), 1000 * onsite + 500 * np.eye(3))
    soc = origin - expected
    lz = np.zeros((3, 3), dtype=complex)
    lz[1, 2], lz[2, 1] = -2j, 2j
    assert np.abs(soc - 40.0 * np.kron(np.diag([1, -1]), lz)).max() < 1e-9
    plain = Material.from_wannier90(tmp_path / "x_hr.dat", fermi_energy=-0.5, lattice_constant=3.3)
    assert plain.name == "x"
    onsite_added = Bonds.from_dict({(0, 0): soc})
    assert Bonds.sum([plain.bonds, onsite_added]).distance(material.bonds) < ROUNDING


# --- atomic spin-orbit coupling -------------------------------------------------------------

D_SHELL = ["dz2", "dxz", "dyz", "dx2-y2", "dxy"]


def test_the_d_shell_splits_into_j_five_halves_and_three_halves() -> None:
    """L.S has the eigenvalues 1 (six states of j = 5/2) and -3/2 (four states of j = 3/2)."""
    energies = np.linalg.eigvalsh(atomic_soc(80.0, D_SHELL))
    assert energies == pytest.approx([-120.0] * 4 + [80.0] * 6, abs=1e-10)


def test_atomic_soc_is_hermitian_and_even_under_time_reversal() -> None:
    soc = atomic_soc(80.0, D_SHELL)
    i_sy = np.kron([[0, 1], [-1, 0]], np.eye(5))
    assert np.abs(soc - soc.conj().T).max() < ROUNDING
    assert np.abs(i_sy @ soc.conj() @ i_sy.T - soc).max() < ROUNDING


def test_atomic_soc_is_the_angular_momentum_of_real_d_functions() -> None:
    """<i|L|j> by differentiating the homogeneous polynomials dxz = xz, dyz = yz and so on."""
    identity = np.eye(3)
    s3 = np.sqrt(3)
    forms = {  # symmetric matrices Q, function r.Q.r, all of one norm
        "dz2": np.diag([-1.0, -1.0, 2.0]) / s3,
        "dxz": identity[:, [2, 1, 0]] - np.diag([0, 1.0, 0]),
        "dyz": identity[:, [0, 2, 1]] - np.diag([1.0, 0, 0]),
        "dx2-y2": np.diag([1.0, -1.0, 0.0]),
        "dxy": identity[:, [1, 0, 2]] - np.diag([0, 0, 1.0]),
    }
    epsilon = np.zeros((3, 3, 3))
    for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        epsilon[a, b, c], epsilon[a, c, b] = 1, -1
    pauli = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    expected = np.zeros((10, 10), dtype=complex)
    for axis in range(3):
        # L_a (r.Q.r) = -i eps_abc r_b d_c (r.Q.r) = -2i r_b eps_abc Q_cd r_d
        l_matrix = np.zeros((5, 5), dtype=complex)
        for column, name in enumerate(D_SHELL):
            image = -2j * epsilon[axis] @ forms[name]
            image = (image + image.T) / 2
            for row, other in enumerate(D_SHELL):
                l_matrix[row, column] = np.sum(forms[other] * image) / 2
        expected += 40.0 * np.kron(pauli[axis], l_matrix)
    assert np.abs(atomic_soc(80.0, D_SHELL) - expected).max() < ROUNDING * 100


def test_orbitals_of_another_order_give_the_same_coupling_reordered() -> None:
    order = [3, 0, 4]
    soc = atomic_soc(80.0, [D_SHELL[i] for i in order])
    pick = [s * 5 + i for s in (0, 1) for i in order]
    assert np.array_equal(soc, atomic_soc(80.0, D_SHELL)[np.ix_(pick, pick)])


# --- the measured Hamiltonian of NbS2, where it is present -----------------------------------


@pytest.fixture
def nbs2(measured: Path) -> Path:
    path = measured / "nbs2" / "NbS2_hr.dat"
    if not path.exists():
        pytest.skip(f"no {path.name}: set GAPSCOPE_MEASURED to the folder with nbs2/")
    return path


def energies(bonds: Bonds, m: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(bonds.at(m))


def test_nbs2_has_the_symmetry_of_the_lattice_in_the_60_degree_basis(
    nbs2: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    """To the file's accuracy of 0.2 meV; with the wrong cell, which breaks C3 by 1 eV, refused."""
    alone = Path(shutil.copy(nbs2, tmp_path))
    m = rng.uniform(-1, 1, (300, 2))
    right = read_wannier90(alone, fermi_energy=-4.0)
    for operation, accuracy in ((C3, 0.3), (MIRROR_X, 0.01)):
        moved = act_on_bonds(operation, right)
        assert np.abs(energies(moved, m) - energies(right, m)).max() < accuracy
    with pytest.raises(MaterialFileError, match="Give cell_angle = 120"):
        read_wannier90(alone, fermi_energy=-4.0, cell_angle=60)


def test_nbs2_needs_its_wsvec_file(nbs2: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    """It shifts bands by meV between the 12 x 12 k-points of the calculation, not on them."""
    shared = read_wannier90(nbs2, fermi_energy=-4.0)
    alone = read_wannier90(Path(shutil.copy(nbs2, tmp_path)), fermi_energy=-4.0)
    m = rng.uniform(-1, 1, (1000, 2))
    assert 1.0 < np.abs(energies(shared, m) - energies(alone, m)).max() < 5.0
    j = np.arange(12) / 12
    mesh = np.stack(np.meshgrid(j, j), axis=-1)
    assert np.abs(energies(shared, mesh) - energies(alone, mesh)).max() < 1e-9
    moved = act_on_bonds(C3, shared)
    assert np.abs(energies(moved, mesh) - energies(shared, mesh)).max() < 0.05


def test_nbs2_becomes_a_material_of_three_orbitals(nbs2: Path) -> None:
    material = Material.from_wannier90(nbs2, fermi_energy=-4.0, lattice_constant=3.33)
    assert (material.name, material.orbitals) == ("NbS2", 3)
    bands = energies(material.bonds, np.array([[0.0, 0.0]]))[0]
    assert bands[::2] == pytest.approx(bands[1::2], abs=1e-9)
    assert bands.min() < 0 < bands.max()
