"""Wannier90 files that are damaged, incomplete, or of another physics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gapscope.errors import MaterialFileError
from gapscope.physics import Material
from gapscope.physics.wannier90 import atomic_soc, read_wannier90
from wannier_files import write_hr, write_wsvec

NAN = float("nan")
HEXAGON = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1))
ONE = np.eye(1)
DAMAGE: dict[str, Callable[[list[str]], list[str]]] = {
    "empty": lambda lines: [],
    "header only": lambda lines: lines[:3],
    "no number": lambda lines: [lines[0], "two", *lines[2:]],
    "truncated": lambda lines: lines[:-1],
    "negative count": lambda lines: [*lines[:2], "-5", *lines[3:]],
    "Fortran overflow": lambda lines: [*lines[:-1], lines[-1][:30] + "************"],
    "no such orbital": lambda lines: [*lines[:-1], lines[-1].replace("    2    2", "    2    3")],
    "degeneracy missing": lambda lines: [*lines[:3], lines[3][:-5], *lines[4:]],
}


@pytest.fixture
def hr_file(tmp_path: Path) -> Path:
    elements = {(r, s, 0): np.eye(2) for r, s in HEXAGON}
    return write_hr(tmp_path / "x_hr.dat", elements)


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_wannier90_file_is_refused(hr_file: Path, kind: str) -> None:
    read_wannier90(hr_file, fermi_energy=0.0)
    hr_file.write_text("\n".join(DAMAGE[kind](hr_file.read_text().splitlines())) + "\n")
    with pytest.raises(MaterialFileError, match="layout of the user guide"):
        read_wannier90(hr_file, fermi_energy=0.0)


def test_a_wannier90_file_needs_its_energies_and_angles(hr_file: Path, tmp_path: Path) -> None:
    with pytest.raises(MaterialFileError, match="layout of the user guide"):
        read_wannier90(tmp_path / "absent_hr.dat", fermi_energy=0.0)
    with pytest.raises(MaterialFileError, match="finite number in eV"):
        read_wannier90(hr_file, fermi_energy=NAN)
    with pytest.raises(MaterialFileError, match="60 or 120 degrees"):
        read_wannier90(hr_file, fermi_energy=0.0, cell_angle=90)
    for wrong in ({"fermi_energy": "0"}, {"filling": "1"}, {"filling": NAN}):
        with pytest.raises(MaterialFileError, match="is a finite number"):
            Material.from_wannier90(hr_file, lattice_constant=3.3, **wrong)  # type: ignore[arg-type]


def test_a_damaged_wsvec_file_is_refused(tmp_path: Path) -> None:
    path = write_hr(tmp_path / "x_hr.dat", {(0, 0, 0): np.eye(2)})
    whole = {(0, 0, 0, i, j): [(0, 0, 0)] for i in (1, 2) for j in (1, 2)}
    companion = write_wsvec(tmp_path / "x_wsvec.dat", whole)
    lines = companion.read_text().splitlines()
    read_wannier90(path, fermi_energy=0.0, cell_angle=60)
    for content in (lines[:-1], lines[:-2], lines[:-3], lines[:1], [*lines[:2], "    0"]):
        companion.write_text("\n".join(content) + "\n")
        with pytest.raises(MaterialFileError, match="layout of the user guide"):
            read_wannier90(path, fermi_energy=0.0, cell_angle=60)


def test_a_wannier90_file_of_another_physics_is_refused(tmp_path: Path) -> None:
    bulk = write_hr(tmp_path / "bulk_hr.dat", {(0, 0, r): ONE for r in (-1, 0, 1)})
    with pytest.raises(MaterialFileError, match="two-dimensional"):
        read_wannier90(bulk, fermi_energy=0.0)
    open_chain = write_hr(tmp_path / "open_hr.dat", {(0, 0, 0): ONE, (1, 0, 0): ONE})
    skew = write_hr(tmp_path / "skew_hr.dat", {(1, 0, 0): ONE, (-1, 0, 0): 2 * ONE})
    with pytest.raises(MaterialFileError, match="Hermitian"):
        read_wannier90(skew, fermi_energy=0.0, cell_angle=60)
    with pytest.raises(MaterialFileError, match="without their opposite"):
        read_wannier90(open_chain, fermi_energy=0.0, cell_angle=60)
    with pytest.raises(MaterialFileError, match="knows the orbitals"):
        atomic_soc(80.0, ["dz2", "px"])


def test_soc_must_name_every_orbital_of_the_file(tmp_path: Path) -> None:
    write_hr(tmp_path / "x_hr.dat", {(0, 0, 0): np.eye(3)})
    text = (
        'schema = 1\nname = "X"\n[lattice]\nname = "triangular"\nconstant = 3.3\n[wannier90]\n'
        'hr = "x_hr.dat"\nfermi_energy = 0.0\ncell_angle = 60\nsoc_strength = 1.0\n'
        'soc_orbitals = ["dz2"]\n'
    )
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(MaterialFileError, match="names every orbital"):
        Material.from_toml(tmp_path / "x.toml")
