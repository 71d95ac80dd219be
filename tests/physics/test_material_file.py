"""Material files in TOML, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gapscope.errors import MaterialFileError, SpecificationError
from gapscope.physics import Bonds, Lattice, Material

HEADER = 'schema = 1\nname = "X"\n'
LATTICE = '[lattice]\nname = "triangular"\nconstant = 3.4\n'
SQUARE = LATTICE.replace("triangular", "square")


def read(folder: Path, text: str) -> Material:
    path = folder / "x.toml"
    path.write_text(text, encoding="utf-8")
    return Material.from_toml(path)


def test_the_shipped_material_carries_its_lattice_and_citation(nbse2: Material) -> None:
    assert (nbse2.name, nbse2.orbitals) == ("NbSe2", 1)
    assert nbse2.lattice == Lattice("triangular", 3.44)
    assert "Milivojevic" in nbse2.citation
    assert nbse2.to_dict()["lattice_constant"] == 3.44


def test_the_two_forms_of_t6_are_told_apart_by_name(
    materials_folder: Path, nbse2: Material
) -> None:
    printed = Material.from_toml(materials_folder / "nbse2-t6-as-printed.toml")
    assert printed.name != nbse2.name
    assert "t6" in printed.name
    assert "t6" in printed.description
    assert "t6" in nbse2.description
    moved = Bonds.sum([printed.bonds, nbse2.bonds.scaled(-1)])
    lengths = {r1 * r1 + r2 * r2 + r1 * r2 for r1, r2 in moved.vectors[moved.matrices.any((1, 2))]}
    assert lengths == {3, 12}


def test_a_shell_is_every_site_at_that_distance(tmp_path: Path) -> None:
    shell = read(tmp_path, HEADER + LATTICE + "[[shells]]\nbond = [2, 1]\nhopping = 1.5\n")
    filled = shell.bonds.matrices.any(axis=(1, 2))
    lengths = {r1 * r1 + r2 * r2 + r1 * r2 for r1, r2 in shell.bonds.vectors[filled]}
    assert (filled.sum(), lengths) == (12, {7})


def test_bonds_may_be_given_in_half_and_without_spin(tmp_path: Path) -> None:
    """t = -1 meV on a square lattice: E(k) = -2 (cos kx + cos ky), twice for spin."""
    bonds = "".join(f"[[bonds]]\nvector = {r}\nreal = -1.0\n" for r in ([1, 0], [0, 1]))
    material = read(tmp_path, HEADER + SQUARE + bonds)
    m = np.array([0.13, 0.41])
    expected = -2 * np.cos(2 * np.pi * m).sum() * np.eye(2)
    assert np.abs(material.bonds.at(m) - expected).max() < 1e-14


def test_the_partner_of_a_bond_is_its_adjoint(tmp_path: Path) -> None:
    bond = "[[bonds]]\nvector = [1, 0]\nreal = [[1, 2], [3, 4]]\nimag = [[0, 5], [0, 0]]\n"
    bonds = read(tmp_path, HEADER + LATTICE + bond).bonds
    matrix = np.array([[1, 2 + 5j], [3, 4]])
    assert bonds.distance(Bonds.from_dict({(1, 0): matrix, (-1, 0): matrix.conj().T})) == 0.0


def test_even_matrices_are_spinful_unless_doubled(tmp_path: Path) -> None:
    bond = "[[bonds]]\nvector = [0, 0]\nreal = [[1, 0.5], [0.5, -1]]\nimag = [[0, 1], [-1, 0]]\n"
    spinful = read(tmp_path, HEADER + LATTICE + bond)
    matrix = np.array([[1, 0.5 + 1j], [0.5 - 1j, -1]])
    assert spinful.orbitals == 1
    assert np.array_equal(spinful.bonds.matrices[0], matrix)
    doubled = read(tmp_path, HEADER + 'spin = "doubled"\n' + LATTICE + bond)
    assert doubled.orbitals == 2
    assert np.array_equal(doubled.bonds.matrices[0], np.kron(np.eye(2), matrix))


SHELL = "[[shells]]\nbond = [1, 0]\nhopping = 1.0\n"
BOND = "[[bonds]]\nvector = [1, 0]\nreal = 1.0\n"
WANNIER = '[wannier90]\nhr = "absent_hr.dat"\nfermi_energy = 0.0\n'


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("schema = 1\nname = ", "readable TOML"),
        (LATTICE + SHELL, "schema must be given as int"),
        ("schema = 2\n" + LATTICE + SHELL, "reads material schema 1"),
        ("schema = 1\n" + LATTICE + SHELL, "name must be given as str"),
        (HEADER + SHELL, "lattice must be given as dict"),
        (HEADER + LATTICE, "one of shells, bonds, wannier90"),
        (HEADER + LATTICE + SHELL + BOND, "one of shells, bonds, wannier90"),
        (HEADER + 'colour = "red"\n' + LATTICE + SHELL, "one of shells, bonds, wannier90"),
        (HEADER + "citation = 3\n" + LATTICE + SHELL, "citation must be given as str"),
        (HEADER + LATTICE + "angle = 60\n" + SHELL, "lattice] has name and constant"),
        (HEADER + LATTICE.replace("triangular", "kagome") + SHELL, "lattice is one of"),
        (HEADER + LATTICE.replace("3.4", "-3.4") + SHELL, "positive length"),
        (HEADER + LATTICE.replace("3.4", "nan") + SHELL, "positive length"),
        (HEADER + LATTICE.replace("3.4", "true") + SHELL, "constant must be given"),
        (HEADER + SQUARE + SHELL + "ising_soc = 1.0\n", "on the triangular lattice alone"),
        (HEADER + LATTICE + SHELL + "t = 1.0\n", "has the keys bond, hopping, ising_soc"),
        (HEADER + LATTICE + SHELL.replace("1, 0", "1, 0.5"), "two whole numbers"),
        (HEADER + LATTICE + SHELL.replace("1, 0", "1, 0, 0"), "two whole numbers"),
        (HEADER + LATTICE + SHELL.replace("1.0", '"much"'), "hopping must be given"),
        (HEADER + LATTICE + SHELL.replace("1.0", "nan"), "x.toml: Bond amplitudes are finite"),
        (
            HEADER + LATTICE + "[[shells]]\nbond = [1, 1]\nising_soc = 1.0\n",
            "vertical mirror plane forbids",
        ),
        (HEADER + "shells = 3\n" + LATTICE, "shells must be given as list"),
        (HEADER + LATTICE + BOND + BOND, "each bond vector stands once"),
        (HEADER + LATTICE + BOND.replace("= 1.0", '= [["a"]]'), "matrix of numbers"),
        (HEADER + LATTICE + BOND.replace("= 1.0", "= [[1.0, 2.0]]"), "square"),
        (
            HEADER + LATTICE + BOND + BOND.replace("[1, 0]", "[-1, 0]").replace("1.0", "2.0"),
            "x.toml: X: H.-R. = H.R..dagger",
        ),
        (HEADER + 'spin = "up"\n' + LATTICE + BOND, "are spinless"),
        (HEADER + 'spin = "doubled"\n' + LATTICE + SHELL, "are spinless"),
        (HEADER + LATTICE + WANNIER, "layout of the user guide"),
        (HEADER + SQUARE + WANNIER, "layout of the user guide"),
        (HEADER + LATTICE + WANNIER + "efermi = 1.0\n", "has hr, fermi_energy"),
        (HEADER + LATTICE + '[wannier90]\nhr = "x_hr.dat"\n', "zero of energy is given once"),
    ],
)
def test_a_bad_material_file_is_refused_by_its_rule(tmp_path: Path, text: str, rule: str) -> None:
    with pytest.raises(MaterialFileError, match=rule) as caught:
        read(tmp_path, text)
    assert "x.toml" in str(caught.value) or "absent_hr.dat" in str(caught.value)
    assert caught.value.remedy


def test_an_absent_material_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaterialFileError, match="readable TOML"):
        Material.from_toml(tmp_path / "absent.toml")


def test_electron_matrices_come_in_pairs_of_spins() -> None:
    bonds = Bonds.from_dict({(0, 0): np.eye(3)})
    with pytest.raises(SpecificationError, match="n orbitals, two spins"):
        Material("X", Lattice("triangular", 1.0), bonds)
