"""Material files of any cell, with atoms, shells and Rashba coupling."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gapscope.errors import MaterialFileError
from gapscope.physics import Lattice, Material, Orbital
from gapscope.physics.group.found import find_group
from gapscope.physics.spin import S0, SX, SY

HEADER = 'schema = 1\nname = "X"\n'
SQUARE = '[lattice]\nname = "square"\nconstant = 3.8\n'
K = np.random.default_rng(4).uniform(-0.5, 0.5, (40, 2))


def read(folder: Path, text: str) -> Material:
    (folder / "x.toml").write_text(HEADER + text)
    return Material.from_toml(folder / "x.toml")


def test_shells_of_a_square_lattice_with_rashba_coupling(tmp_path: Path) -> None:
    shells = "[[shells]]\nbond = [1, 0]\nhopping = -5.0\nrashba = 2.0\n"
    shells += "[[shells]]\nbond = [1, 1]\nhopping = 1.5\n"
    material = read(tmp_path, SQUARE + shells)
    x, y = 2 * np.pi * K.T
    band = -10 * (np.cos(x) + np.cos(y)) + 6 * np.cos(x) * np.cos(y)
    rashba = 4 * (np.multiply.outer(np.sin(y), SX) - np.multiply.outer(np.sin(x), SY))
    expected = np.multiply.outer(band, S0) + rashba
    assert np.abs(material.bonds.at(K) - expected).max() < 1e-12
    assert material.lattice == Lattice("square", 3.8)


def test_a_shell_of_a_rectangular_lattice_has_two_sites_along_an_axis(tmp_path: Path) -> None:
    cell = "[lattice]\na = 3.0\nb = 4.0\nangle = 90.0\n"
    shells = "[[shells]]\nbond = [1, 0]\nhopping = 1.0\n[[shells]]\nbond = [1, 2]\nhopping = 0.5\n"
    material = read(tmp_path, cell + shells)
    sites = sorted(map(tuple, material.bonds.vectors.tolist()))
    assert sites == sorted([(0, 0), (1, 0), (-1, 0), (1, 2), (1, -2), (-1, 2), (-1, -2)][1:])
    assert material.lattice.vectors == pytest.approx(np.array([[1.0, 0.0], [0.0, 4 / 3]]))


@pytest.mark.parametrize(
    "vectors",
    [
        [[3.0, 0.0], [-1.5, 2.598076211353316]],
        [[1.5, 2.598076211353316], [-1.5, 2.598076211353316]],
        [[1.5, -2.598076211353316], [3.0, 0.0]],
    ],
)
def test_one_crystal_in_several_cells_is_one_crystal(
    tmp_path: Path, vectors: list[list[float]]
) -> None:
    """Ising and Rashba terms, a second shell, and a dz2 orbital off the origin."""
    atom = '[[atoms]]\nname = "Nb"\nposition = {}\nheight = 0.5\norbitals = ["dz2"]\n'
    shells = (
        "[[shells]]\nbond = {}\nhopping = 3.0\nising_soc = 1.0\nrashba = 0.4\n"
        "[[shells]]\nbond = {}\nhopping = -1.0\n"
    )
    a = np.array([[3.0, 0.0], [1.5, 2.598076211353316]])
    standard = read(
        tmp_path,
        '[lattice]\nname = "triangular"\nconstant = 3.0\n'
        + atom.format([0.25, 0.5])
        + shells.format([1, 0], [1, 1]),
    )
    to_file = a @ np.linalg.inv(vectors)
    bonds = [np.rint(np.array(r) @ to_file).astype(int).tolist() for r in ([1, 0], [1, 1])]
    place = (np.array([0.25, 0.5]) @ to_file).tolist()
    given = read(
        tmp_path, f"[lattice]\nvectors = {vectors}\n" + atom.format(place) + shells.format(*bonds)
    )
    assert given.bonds.distance(standard.bonds) < 1e-12
    assert given.lattice.name == "triangular"
    assert given.lattice.constant == pytest.approx(3.0, rel=1e-12)
    assert given.basis is not None
    assert given.basis[0].position == pytest.approx((0.25, 0.5), abs=1e-12)
    assert (given.basis[0].name, given.basis[0].height) == ("Nb dz2", 0.5)
    assert "sites counted in the triangular cell" in given.description


def test_bonds_of_a_turned_cell_are_turned_with_their_orbitals(tmp_path: Path) -> None:
    """A chain of sigma bonds among p orbitals along a1 = (0, 3): along x once it is turned."""
    atoms = '[[atoms]]\nposition = [0.0, 0.0]\norbitals = ["px", "py"]\n'
    bond = 'spin = "doubled"\n'
    chain = "[[bonds]]\nvector = [1, 0]\nreal = [[0.0, 0.0], [0.0, 2.0]]\n"
    text = bond + "[lattice]\nvectors = [[1.5, 2.598076211353316], [-1.5, 2.598076211353316]]\n"
    on_side = bond + "[lattice]\nvectors = [[0.0, 3.0], [-2.598076211353316, 1.5]]\n"
    turned = read(tmp_path, on_side + atoms + chain)
    matrices = dict(
        zip(map(tuple, turned.bonds.vectors.tolist()), turned.bonds.matrices, strict=True)
    )
    assert matrices[1, 0] == pytest.approx(np.kron(S0, np.diag([2.0, 0.0])), abs=1e-12)
    assert turned.basis == (Orbital("px", name="px"), Orbital("py", name="py"))
    assert "turned by -90 degrees" in turned.description
    assert "turned" not in read(tmp_path, text + atoms + chain).description


def test_a_file_says_where_its_atoms_are(tmp_path: Path) -> None:
    atoms = '[[atoms]]\nname = "Cu"\nposition = [0, 0]\norbitals = ["dx2-y2"]\n'
    atoms += '[[atoms]]\nname = "O"\nposition = [0.5, 0.0]\nheight = -0.1\norbitals = ["px", "s"]\n'
    bond = f"[[bonds]]\nvector = [1, 0]\nreal = {np.eye(3).tolist()}\n"
    material = read(tmp_path, SQUARE + atoms + bond)
    assert material.basis == (
        Orbital("dx2-y2", (0.0, 0.0), 0.0, "Cu dx2-y2"),
        Orbital("px", (0.5, 0.0), -0.1, "O px"),
        Orbital("s", (0.5, 0.0), -0.1, "O s"),
    )


def test_a_material_is_read_back_from_json(tmp_path: Path, nbse2: Material) -> None:
    atoms = '[[atoms]]\nname = "Cu"\nposition = [0.25, 0]\norbitals = ["dx2-y2"]\n'
    cell = "[lattice]\na = 3.0\nb = 4.0\nangle = 80.0\n"
    given = read(tmp_path, cell + atoms + "[[bonds]]\nvector = [1, 0]\nreal = 0.7\nimag = 0.2\n")
    for material in (nbse2, given):
        again = Material.from_dict(json.loads(json.dumps(material.to_dict())))
        assert again.to_dict() == material.to_dict()
        assert again.lattice == material.lattice
        assert again.basis == material.basis
        assert np.array_equal(again.bonds.matrices, material.bonds.matrices)


SHELL = "[[shells]]\nbond = [1, 0]\nhopping = 1.0\n"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (SQUARE + '[[atoms]]\nposition = [0, 0]\norbitals = ["px"]\n' + SHELL, "of one orbital"),
        (
            SQUARE + '[[atoms]]\nposition = [0, 0]\norbitals = ["s", "dz2"]\n' + SHELL,
            "of one orbital",
        ),
        (
            SQUARE + '[[atoms]]\nposition = [0, 0]\norbitals = ["d"]\n' + SHELL,
            "character is one of",
        ),
        (SQUARE + '[[atoms]]\nposition = [0]\norbitals = ["s"]\n' + SHELL, "two reduced"),
        (SQUARE + '[[atoms]]\norbitals = ["s"]\n' + SHELL, "position must be given"),
        (SQUARE + SHELL.replace("[1, 0]", "[0, 0]") + "rashba = 1.0\n", "leads to another site"),
        ('[lattice]\nname = "rectangular"\nconstant = 3.0\n' + SHELL, "given by its name"),
        ("[lattice]\na = 3.0\nb = 4.0\n" + SHELL, "a, b and angle"),
        ("[lattice]\na = 3.0\nb = 4.0\nangle = 0.0\n" + SHELL, "between 0 and 180"),
        ("[lattice]\nvectors = [[1.0, 0.0], [2.0, 0.0]]\n" + SHELL, "not parallel"),
        ('[lattice]\nvectors = [["a", 0.0], [2.0, 0.0]]\n' + SHELL, "two vectors"),
    ],
)
def test_a_file_of_no_crystal_is_refused_by_its_rule(tmp_path: Path, text: str, rule: str) -> None:
    with pytest.raises(MaterialFileError, match=rule):
        read(tmp_path, text)


def test_a_dx2_y2_orbital_may_have_shells_on_a_square_lattice(tmp_path: Path) -> None:
    atoms = '[[atoms]]\nposition = [0, 0]\norbitals = ["dx2-y2"]\n'
    assert len(read(tmp_path, SQUARE + atoms + SHELL).bonds.vectors) == 4


def test_nbse2_on_a_substrate_has_lost_its_horizontal_mirror(
    tmp_path: Path, materials_folder: Path
) -> None:
    text = (materials_folder / "nbse2.toml").read_text()
    changed = text.replace("hopping = 33.52", "hopping = 33.52\nrashba = 3.0")
    (tmp_path / "x.toml").write_text(changed)
    material = Material.from_toml(tmp_path / "x.toml")
    assert find_group(Material.from_toml(materials_folder / "nbse2.toml")).schoenflies == "D3h"
    found = find_group(material)
    assert found.schoenflies == "C3v"
    assert found.violation < 1e-9
