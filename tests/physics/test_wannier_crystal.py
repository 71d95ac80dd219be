"""Wannier90 files with what stands beside them: cells, orbitals, centres, planes, sparse files."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from gapscope.errors import MaterialFileError, MaterialWarning, SpecificationError
from gapscope.physics import Bonds, Lattice, Material
from gapscope.physics.group.found import find_group
from gapscope.physics.wannier_projections import BOHR
from gapscope.physics.wannier_win import read_win
from wannier_files import Vector, write_hr, write_wsvec

WIN = """num_wann = {n}
begin unit_cell_cart
{cell}
end unit_cell_cart
begin atoms_frac
{atoms}
end atoms_frac
Begin Projections
{projections}
End Projections
"""
SQUARE = "3.8 0 0\n0 3.8 0\n0 0 20"
HEXAGONAL = "2.46 0 0\n-1.23 2.1304225 0\n0 0 20"


def read(path: Path, **options: object) -> Material:
    given: dict = {"fermi_energy": 0.0} | options
    return Material.from_wannier90(path, **given)


def three_orbitals(rng: np.random.Generator) -> dict[Vector, np.ndarray]:
    h: dict[Vector, np.ndarray] = {(0, 0, 0): np.diag([0.1, -0.5, -0.4])}
    for r in ((1, 0, 0), (0, 1, 0), (1, -1, 0)):
        h[r] = np.round(rng.normal(size=(3, 3)), 6)
        h[-r[0], -r[1], 0] = h[r].T
    return h


def win(folder: Path, n: int, cell: str, atoms: str, projections: str) -> None:
    text = WIN.format(n=n, cell=cell, atoms=atoms, projections=projections)
    (folder / "x.win").write_text(text)


def test_a_square_lattice_with_three_orbitals(tmp_path: Path, rng: np.random.Generator) -> None:
    h = three_orbitals(rng)
    path = write_hr(tmp_path / "x_hr.dat", h)
    atoms = "Cu 0 0 0.5\nO1 0.5 0 0.5\nO2 0.0 0.5 0.5"
    win(tmp_path, 3, SQUARE, atoms, "Cu: dx2-y2 ! the d band\nO1 : l=1,mr=2\nO2:py")
    found = read(path)
    assert found.lattice == Lattice("square", 3.8)
    assert found.basis is not None
    assert [one.character for one in found.basis] == ["dx2-y2", "px", "py"]
    assert [one.position for one in found.basis] == [(0, 0), (0.5, 0), (0, 0.5)]
    assert [one.name for one in found.basis] == ["Cu dx2-y2", "O1 px", "O2 py"]
    assert np.ptp([one.height for one in found.basis]) == 0
    at_gamma = sum(1000 * matrix for matrix in h.values())
    assert found.bonds.at([0, 0])[:3, :3] == pytest.approx(at_gamma, abs=1e-9)
    assert read(path, lattice_constant=3.9).lattice == Lattice("square", 3.9)


def test_projections_stand_in_the_order_of_wannier90(tmp_path: Path) -> None:
    """Sites first, then l, then m_r, whatever the order in which they are written."""
    win(tmp_path, 8, SQUARE, "Fe 0 0 0\nfe 0.5 0.5 0", "Fe:dxy;s;l=2,mr=3,1")
    projections = read_win(tmp_path / "x_hr.dat").projections.harmonics
    assert projections is not None
    assert [name for _, _, name in projections] == 2 * ["s", "dz2", "dyz", "dxy"]
    assert [place[0] for _, place, _ in projections] == 4 * [0.0] + 4 * [0.5]
    win(tmp_path, 3, SQUARE, "Fe 0 0 0", "f=0.25,0.5,0:p")
    projections = read_win(tmp_path / "x_hr.dat").projections.harmonics
    assert projections is not None
    assert [name for _, _, name in projections] == ["pz", "px", "py"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Fe:sp3", "no real harmonic"),
        ("random", "no real harmonic"),
        ("Fe:l=-3", "no real harmonic"),
        ("Fe:px;pz:z=1,1,1:x=1,-1,0", "more real harmonics than it has functions"),
        ("Fe:px;py:x=1,0,1", "not at right angles"),
        ("Fe:px;py(u)", "not of both spins along z"),
        ("Fe:px;py(u,d)[1,0,0]", "not of both spins along z"),
        ("Fe:px;py[0,0,-1]", "not of both spins along z"),
        ("Se:p", "no atom for the projection"),
        ("Fe:p", "3 projections in the .win for 2 orbitals"),
    ],
)
def test_what_is_no_real_harmonic_on_an_atom_is_unknown(
    tmp_path: Path, line: str, reason: str
) -> None:
    win(tmp_path, 2, SQUARE, "Fe 0 0 0", line)
    path = write_hr(tmp_path / "x_hr.dat", {(0, 0, 0): np.diag([0.1, 0.2])})
    found = read(path)
    assert found.basis is None
    assert reason in found.description
    with pytest.raises(SpecificationError) as refused:
        find_group(found)
    assert reason in refused.value.received


@pytest.mark.parametrize("line", ["Fe:px;py", "Fe:px;py(u,d)[0,0,1]", "Fe:py;px:zona=2.0:r=1"])
def test_what_says_the_same_in_other_words_is_known(tmp_path: Path, line: str) -> None:
    win(tmp_path, 2, SQUARE, "Fe 0 0 0", line)
    path = write_hr(tmp_path / "x_hr.dat", {(0, 0, 0): np.diag([0.1, 0.2])})
    found = read(path)
    assert found.basis is not None
    assert [one.character for one in found.basis] == ["px", "py"]
    assert "turned" not in found.description


def test_blocks_end_as_wannier90_lets_them(tmp_path: Path) -> None:
    """As an example of its own does (benzene.win)."""
    win(tmp_path, 2, SQUARE, "Fe 0 0 0", "Fe:px;py")
    path = write_hr(tmp_path / "x_hr.dat", {(0, 0, 0): np.diag([0.1, 0.2])})
    text = (tmp_path / "x.win").read_text()
    (tmp_path / "x.win").write_text(text.replace("end unit_cell_cart", "end_unit_cell_cart"))
    assert read(path).lattice == Lattice("square", 3.8)


def test_orbitals_with_axes_of_their_own_are_turned_into_the_crystals(tmp_path: Path) -> None:
    """x' = (x + y)/sqrt2, y' = (y - x)/sqrt2: x'z, y'z, and x'y' = -(x2 - y2)/2 up to sqrt 3."""
    names = ["dxz", "dyz", "dx2-y2"]
    hoppings = {(1, 0): [-0.1, -0.02, -0.3], (0, 1): [-0.02, -0.1, -0.3]}
    h = {(0, 0, 0): np.diag([0.0, 0.0, 0.25])}
    for (r1, r2), values in hoppings.items():
        h[r1, r2, 0] = h[-r1, -r2, 0] = np.diag(values)
    root = np.sqrt(0.5)
    own = np.array([[root, -root, 0], [root, root, 0], [0, 0, -1.0]])
    path = write_hr(tmp_path / "x_hr.dat", {r: own.T @ matrix @ own for r, matrix in h.items()})
    win(tmp_path, 3, SQUARE, "Ru 0 0 0", "Ru:dxz;dyz;dxy:x=1,1,0")
    found = read(path)
    assert found.basis is not None
    assert [one.character for one in found.basis] == names
    assert "turned into those of the crystal" in found.description
    right = Bonds.from_dict({r[:2]: 1000 * matrix for r, matrix in h.items()}).kron(left=np.eye(2))
    assert found.bonds.distance(right) < 1e-5
    assert find_group(found).schoenflies == "D4h"
    h = {r: np.diag([1.0, 2.0, 3.0]) for r in ((1, 0, 0), (-1, 0, 0))}  # of pz, px, py
    own = np.array([[0, 0, 1.0], [1, 0, 0], [0, 1, 0]])  # z' = x, x' = y, y' = z in pz, px, py
    path = write_hr(tmp_path / "x_hr.dat", {r: own.T @ matrix @ own for r, matrix in h.items()})
    win(tmp_path, 3, SQUARE, "Ru 0 0 0", "Ru:p:z=1,0,0:x=0,2,0")
    right = Bonds.from_dict({r[:2]: 1000 * matrix for r, matrix in h.items()}).kron(left=np.eye(2))
    assert read(path).bonds.distance(right) < 1e-9


def graphene() -> dict[Vector, np.ndarray]:
    """Two sites at 1/3, 2/3 and 2/3, 1/3 of a cell with 120 degrees."""
    up, down = np.array([[0, 1.0], [0, 0]]), np.array([[0, 0], [1.0, 0]])
    return {
        (0, 0, 0): -2.7 * (up + down),
        (-1, 0, 0): -2.7 * up,
        (1, 0, 0): -2.7 * down,
        (0, 1, 0): -2.7 * up,
        (0, -1, 0): -2.7 * down,
    }


@pytest.mark.parametrize("unit", ["ang", "bohr"])
@pytest.mark.parametrize("cartesian", [False, True])
def test_bonds_and_places_of_a_honeycomb_change_together(
    tmp_path: Path, unit: str, cartesian: bool
) -> None:
    """Every hopping leads from a site to a neighbour at a / sqrt 3, in the standard cell too."""
    path = write_hr(tmp_path / "x_hr.dat", graphene())
    scale = BOHR if unit == "bohr" else 1.0
    cell = np.array([[2.46, 0, 0], [-1.23, 2.13042249, 0], [0, 0, 20]])
    sites = np.array([[1 / 3, 2 / 3, 0.02], [2 / 3, 1 / 3, 0.98]])
    rows = [" ".join(f"{x:.9f}" for x in row) for row in cell / scale]
    win(tmp_path, 2, "\n".join([unit, *rows]), "", "C:pz")
    places = sites @ cell / scale if cartesian else sites
    atoms = "\n".join("C " + " ".join(f"{x:.9f}" for x in row) for row in places)
    kind = "atoms_cart" if cartesian else "atoms_frac"
    atoms = f"begin {kind}\n{unit if cartesian else ''}\n{atoms}\nend {kind}"
    text = (tmp_path / "x.win").read_text().replace("begin atoms_frac\n\nend atoms_frac", atoms)
    (tmp_path / "x.win").write_text(text)
    found = read(path)
    assert found.lattice.name == "triangular"
    assert found.lattice.constant == pytest.approx(2.46, abs=1e-6)
    assert found.basis is not None
    assert [one.height for one in found.basis] == pytest.approx([0.4, -0.4], abs=1e-6)
    tau = np.array([one.position for one in found.basis])
    checked = 0
    for r, matrix in zip(found.bonds.vectors, found.bonds.matrices, strict=True):
        for i, j in np.ndindex(2, 2):
            if abs(matrix[i, j]) > 1:
                step = (r + tau[j] - tau[i]) @ found.lattice.vectors
                assert np.linalg.norm(step) == pytest.approx(1 / np.sqrt(3), abs=1e-5)
                checked += 1
    assert checked == 6
    # The Dirac point.
    assert np.abs(found.bonds.at([2 / 3, 1 / 3])).max() < 1e-9


@pytest.mark.parametrize("cell", ["3.3 0 0\n1.65 2.865 0\n0 0 20", "0 3.3 0\n2.865 1.65 0\n0 0 20"])
def test_a_cell_near_the_triangular_one_is_what_its_bands_are(tmp_path: Path, cell: str) -> None:
    win(tmp_path, 1, cell, "Nb 0 0 0", "Nb:dz2")
    sites = ((1, 0), (0, 1), (1, -1))
    for third, name in ((0.1, "triangular"), (0.13, "centred")):
        h: dict[Vector, np.ndarray] = {}
        for r, t in zip(sites, (third, 0.1, 0.1), strict=True):
            h[*r, 0] = h[-r[0], -r[1], 0] = np.eye(1) * t
        found = read(write_hr(tmp_path / "x_hr.dat", h))
        assert found.lattice.name == name
        assert "triangular" in found.description
        assert found.basis is not None
        assert found.basis[0].character == "dz2"
        turned = cell.startswith("0") and name == "triangular"
        assert ("turned by" in found.description) == turned


def test_centres_say_which_cell_an_orbital_sits_in(tmp_path: Path) -> None:
    path = write_hr(tmp_path / "x_hr.dat", {(0, 0, 0): np.diag([0.1, 0.2])})
    win(tmp_path, 2, SQUARE, "Cu 0 0 0\nO 0.5 0 0", "Cu:dx2-y2\nO:px")
    (tmp_path / "x_centres.xyz").write_text(
        "4\ncentres\nX 0.01 0.0 0.0\nX -1.9 3.8 0.0\nCu 0 0 0\nO 1.9 0 0\n"
    )
    found = read(path).basis
    assert found is not None
    assert found[1].position == (-0.5, 1.0)
    (tmp_path / "x_centres.xyz").write_text("2\ncentres\nX 0.01 0.0 0.0\nX -1.0 3.8 0.0\n")
    moved = read(path)
    assert moved.basis is None
    assert "function 2 lies 0.9 Angstrom" in moved.description
    (tmp_path / "x_centres.xyz").write_text("1\ncentres\nX 0.01 0.0 0.0\n")
    with pytest.raises(MaterialFileError, match="1 lines for 2 functions"):
        read(path)


def test_centres_that_were_translated_home_move_no_orbital(tmp_path: Path) -> None:
    """``translate_home_cell`` moves the centres of the .xyz, and not those of the Hamiltonian."""
    path = write_hr(tmp_path / "x_hr.dat", {(0, 0, 0): np.diag([0.1, 0.2])})
    (tmp_path / "x_centres.xyz").write_text("2\ncentres\nX 0.01 0.0 0.0\nX 1.9 0.0 0.0\n")
    found = {}
    for said in ("false", "true"):
        win(tmp_path, 2, SQUARE, "Cu 0 0 0\nO -0.5 0 0", "Cu:dx2-y2\nO:px")
        with (tmp_path / "x.win").open("a") as file:
            file.write(f"translate_home_cell = .{said}.\n")
        basis = read(path).basis
        assert basis is not None
        found[said] = basis[1].position
    assert found == {"false": (0.5, 0.0), "true": (-0.5, 0.0)}


@pytest.mark.parametrize("order", ["interleaved", "blocks"])
def test_spinors_have_one_orbital_for_two_functions(tmp_path: Path, order: str) -> None:
    spinless = {(0, 0, 0): np.diag([0.1, 0.3]), (1, 0, 0): np.eye(2) * 0.2}
    spinless[-1, 0, 0] = spinless[1, 0, 0]
    rashba = {(1, 0, 0): 0.05j, (-1, 0, 0): -0.05j, (0, 0, 0): 0}
    flip = np.array([[0, 1], [-1, 0]])
    spinful = {}
    for r, h in spinless.items():
        matrix = np.kron(np.eye(2), h) + rashba[r] * np.kron(1j * flip, np.diag([1, 2]))
        mix = [0, 2, 1, 3] if order == "interleaved" else [0, 1, 2, 3]
        spinful[r] = matrix[np.ix_(mix, mix)]
    path = write_hr(tmp_path / "x_hr.dat", spinful)
    win(tmp_path, 4, SQUARE, "Cu 0 0 0", "Cu:dx2-y2;dxy")
    with (tmp_path / "x.win").open("a") as file:
        file.write("spinors = .true.\n")
    found = read(path)
    assert f"spin {order}" in found.description
    assert found.orbitals == 2
    assert found.basis is not None
    assert [one.character for one in found.basis] == ["dx2-y2", "dxy"]


def test_coupling_is_added_to_the_orbitals_that_the_win_names_and_once(tmp_path: Path) -> None:
    h = {(0, 0, 0): np.diag([0.1, 0.2])}
    path = write_hr(tmp_path / "x_hr.dat", h)
    text = 'schema = 1\nname = "x"\n[wannier90]\nhr = "x_hr.dat"\nfermi_energy = 0.1\n'
    text += "soc_strength = 40.0\nsoc_orbitals = {}\n"

    def made(orbitals: str) -> Material:
        (tmp_path / "x.toml").write_text(text.format(orbitals))
        return Material.from_toml(tmp_path / "x.toml")

    win(tmp_path, 2, SQUARE, "Fe 0 0 0", "Fe:dxz;dyz")
    own = made('["dxz", "dyz"]').bonds.matrices[0]
    with pytest.raises(MaterialFileError, match=r"names the orbitals as the \.win"):
        made('["dyz", "dxz"]')
    write_hr(path, {(0, 0, 0): own / 1000 + 0.1 * np.eye(4)})
    with pytest.raises(MaterialFileError, match="Hamiltonian without it"):
        made('["dxz", "dyz"]')
    write_hr(path, {(0, 0, 0): np.diag([0.1, 0.2, 0.1, 0.2])})
    spin = "spin = 'blocks'\n"
    (tmp_path / "x.toml").write_text(text.format('["dxz", "dyz"]') + spin)
    np.testing.assert_allclose(Material.from_toml(tmp_path / "x.toml").bonds.matrices[0], own)


def test_a_wsvec_that_was_left_behind_is_told(tmp_path: Path) -> None:
    path = write_hr(tmp_path / "x_hr.dat", {(0, 0, 0): np.diag([0.1, 0.2])})
    win(tmp_path, 2, SQUARE, "Cu 0 0 0\nO -0.5 0 0", "Cu:dx2-y2\nO:px")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(path)
    with (tmp_path / "x.win").open("a") as file:
        file.write("use_ws_distance : true\n")
    with pytest.warns(MaterialWarning, match=r"no x_wsvec\.dat"):
        read(path)
    write_wsvec(
        tmp_path / "x_wsvec.dat", {(0, 0, 0, i, j): [(0, 0, 0)] for i in (1, 2) for j in (1, 2)}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(path)


def test_the_win_of_another_cell_than_the_tb_file_is_refused(tmp_path: Path) -> None:
    rows = ["1", "1", "1", "0 0 0", "1 1 0.5 0.0", "0 0 0", "1 1 0.0 0.0 0.0 0.0 0.0 0.0"]
    path = tmp_path / "x_tb.dat"
    for constant, fits in (("3.8001", True), ("3.9", False)):
        cell = SQUARE.replace("3.8", constant)
        path.write_text("\n".join(["a file", cell, *rows]))
        win(tmp_path, 1, SQUARE, "Cu 0 0 0", "Cu:s")
        if fits:
            assert read(path, fermi_energy=0.5).lattice.constant == 3.8
            continue
        with pytest.raises(MaterialFileError, match="have one cell"):
            read(path, fermi_energy=0.5)
        (tmp_path / "x.win").unlink()
        assert read(path, fermi_energy=0.5).lattice.constant == 3.9


def test_a_sparse_file_is_the_whole_one(tmp_path: Path, rng: np.random.Generator) -> None:
    h = three_orbitals(rng)
    for matrix in h.values():
        matrix[0, 1:] = matrix[1:, 0] = 0
    whole = read(write_hr(tmp_path / "x_hr.dat", h), vectors=[[3.0, 0], [0, 4.0]])
    lines = (tmp_path / "x_hr.dat").read_text().splitlines()
    kept = [line for line in lines[4:] if any(float(x) for x in line.split()[5:])]
    assert len(kept) < len(lines[4:])
    rng.shuffle(kept)
    for name, head in (
        ("plain", [lines[0], "# a comment", *lines[1:4]]),
        ("counted", [lines[0], f"{len(kept)}  ! lines", *lines[1:4]]),
    ):
        path = tmp_path / f"{name}_hr.dat"
        path.write_text("\n".join([*head, *kept]) + "\n")
        sparse = read(path, vectors=[[3.0, 0], [0, 4.0]])
        assert sparse.bonds.distance(whole.bonds) == 0, name
        assert sparse.lattice.name == "rectangular"
    for cut in (1, 4):
        (tmp_path / "cut_hr.dat").write_text("\n".join([*lines[:4], *kept[:-cut]]) + "\n")
        with pytest.raises(MaterialFileError, match="layout of the user guide"):
            read(tmp_path / "cut_hr.dat", vectors=[[3.0, 0], [0, 4.0]])


def test_a_bulk_crystal_is_cut_at_a_plane(tmp_path: Path, rng: np.random.Generator) -> None:
    h = three_orbitals(rng)
    for r in ((0, 0, 1), (1, 0, 1), (0, 1, 2)):
        h[r] = np.round(rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)), 6)
        h[-r[0], -r[1], -r[2]] = h[r].conj().T
    path = write_hr(tmp_path / "x_hr.dat", h)
    win(tmp_path, 3, SQUARE, "Cu 0 0 0", "Cu:p")
    with pytest.raises(MaterialFileError, match="two-dimensional") as caught:
        read(path)
    assert "--kz Gamma" in caught.value.remedy
    m = rng.uniform(-0.5, 0.5, (10, 2))
    for kz, k3 in (("Gamma", 0.0), ("Z", 0.5), ("z", 0.5), (0.5, 0.5), (0, 0.0)):
        direct = sum(
            1000 * np.multiply.outer(np.exp(2j * np.pi * (m @ r[:2] + k3 * r[2])), matrix)
            for r, matrix in h.items()
        )
        found = read(path, kz=kz)
        assert found.bonds.at(m)[:, :3, :3] == pytest.approx(np.array(direct), abs=1e-8)
        assert found.lattice.name == "square"
    for wrong in (0.3, "X"):
        with pytest.raises(MaterialFileError, match="k3 and -k3 are one plane"):
            read(path, kz=wrong)
    filled = read(path, kz="Z", fermi_energy=None, filling=2.0)
    assert "the filling is that of this plane" in filled.description


@pytest.mark.parametrize("vacuum", [0, 1])
@pytest.mark.parametrize("given", [{}, {"kz": "Gamma"}, {"surface": "top"}])
def test_a_slab_with_its_vacuum_along_another_axis_is_refused_and_the_remedy_works(
    tmp_path: Path, vacuum: int, given: dict[str, str]
) -> None:
    h: dict[Vector, np.ndarray] = {(0, 0, 0): np.zeros((1, 1))}
    for axis, t in ((1 - vacuum, 0.3), (2, 0.1)):
        for sign in (1, -1):
            r1, r2, r3 = (sign * np.eye(3, dtype=int)[axis]).tolist()
            h[r1, r2, r3] = np.full((1, 1), t)
    path = write_hr(tmp_path / "x_hr.dat", h)
    with pytest.raises(MaterialFileError, match=f"vacuum is along a{vacuum + 1}") as refused:
        Material.from_wannier90(path, fermi_energy=0.0, lattice_constant=3.8, **given)
    assert f"columns R{vacuum + 1} and R3" in refused.value.remedy
    lines = [line.split() for line in path.read_text().splitlines()]
    for words in lines[4:]:
        words[vacuum], words[2] = words[2], words[vacuum]
    (tmp_path / "y_hr.dat").write_text("\n".join(" ".join(words) for words in lines))
    (tmp_path / "y.toml").write_text(
        'schema = 1\nname = "y"\n[lattice]\nvectors = [[3.8, 0.0], [0.0, 4.1]]\n'
        '[wannier90]\nhr = "y_hr.dat"\nfermi_energy = 0.0\n'
    )
    found = Material.from_toml(tmp_path / "y.toml")
    bonds = dict(zip(map(tuple, found.bonds.vectors.tolist()), found.bonds.matrices, strict=True))
    along = [float(bonds[r][0, 0].real) for r in ((1, 0), (0, 1))]
    assert along == pytest.approx([300, 100] if vacuum else [100, 300])


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("3.8 0 1\n0 3.8 0\n0 0 20", "plane is that of a1 and a2"),
        ("3.8 0 0\n0 3.8 0\n1.9 1.9 6", "plane is that of a1 and a2"),
        ("3.8 0 0\n0 3.8 0\n0 0", "layout of the user guide"),
        ("3.8 0 0\n7.6 0 0\n0 0 20", "not parallel"),
    ],
)
def test_a_cell_of_no_planar_crystal_is_refused(tmp_path: Path, cell: str, rule: str) -> None:
    path = write_hr(tmp_path / "x_hr.dat", {(0, 0, 0): np.eye(1)})
    win(tmp_path, 1, cell, "Cu 0 0 0", "Cu:s")
    with pytest.raises(ValueError, match=rule):
        read(path)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("Cu:p[0,1]", "a spin axis has three components"),
        ("Cu:p:x=1,0", "an axis has three components"),
        ("Cu:p:z=0,0,0", "an axis has three components"),
        ("Cu:l=1,mr=4", "runs from 1 to 3"),
        ("f=0,0:p", "three coordinates"),
    ],
)
def test_projections_that_are_none_are_refused(tmp_path: Path, line: str, complaint: str) -> None:
    path = write_hr(tmp_path / "x_hr.dat", {(0, 0, 0): np.eye(3)})
    win(tmp_path, 3, SQUARE, "Cu 0 0 0", line)
    with pytest.raises(MaterialFileError, match="layout of the user guide") as caught:
        read(path)
    assert complaint in caught.value.received


def test_a_length_is_needed_and_two_cells_must_agree(tmp_path: Path) -> None:
    h: dict[Vector, np.ndarray] = {
        (0, 0, 0): np.eye(1),
        (1, 0, 0): np.eye(1),
        (-1, 0, 0): np.eye(1),
    }
    path = write_hr(tmp_path / "x_hr.dat", h)
    with pytest.raises(MaterialFileError, match="no length of its own"):
        read(path)
    win(tmp_path, 1, SQUARE, "Cu 0 0 0", "Cu:s")
    with pytest.raises(MaterialFileError, match="has the shape of the one"):
        read(path, vectors=[[3.0, 0.0], [0.0, 4.0]])
    assert read(path, vectors=[[4.0, 0.0], [0.0, 4.0]]).lattice.constant == 4.0
    text = 'schema = 1\nname = "x"\n[wannier90]\nhr = "x_hr.dat"\nfermi_energy = 0.1\n'
    (tmp_path / "x.toml").write_text(text)
    found = Material.from_toml(tmp_path / "x.toml")
    assert found.lattice == Lattice("square", 3.8)
    (tmp_path / "x.win").unlink()
    with pytest.raises(MaterialFileError, match="no length of its own"):
        Material.from_toml(tmp_path / "x.toml")
    (tmp_path / "y.toml").write_text(
        text.replace("[wannier90]", '[lattice]\nname = "square"\nconstant = 3.7\n[wannier90]')
    )
    assert Material.from_toml(tmp_path / "y.toml").lattice == Lattice("square", 3.7)
    (tmp_path / "y.toml").write_text((tmp_path / "y.toml").read_text() + "cell_angle = 60\n")
    with pytest.raises(MaterialFileError, match="cell_angle is that of a triangular"):
        Material.from_toml(tmp_path / "y.toml")
