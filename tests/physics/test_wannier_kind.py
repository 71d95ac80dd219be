"""What a Wannier90 file is of: its spin, its lattice, its layout, its filling."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from gapscope.errors import MaterialFileError, MaterialWarning
from gapscope.physics import Material
from gapscope.physics.bonds import Bonds
from gapscope.physics.filling import SETTLED, fermi_level, level_in_words
from gapscope.physics.spin import SX, SY
from gapscope.physics.symmetry import C3, act_on_bonds
from wannier_files import Vector, write_hr

SIX = ((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1))
"""Nearest neighbours in the basis with 60 degrees."""
MEASURED = Path(os.environ.get("GAPSCOPE_MEASURED", "/nowhere"))


def triangular(angle: int = 60) -> dict[Vector, np.ndarray]:
    """One orbital, hopping 0.1 eV between nearest neighbours."""
    sites = SIX if angle == 60 else [(r1 + r2, r2) for r1, r2 in SIX]
    return {(0, 0, 0): np.eye(1) * 0.03} | {(*r, 0): np.eye(1) * 0.1 for r in sites}


def square(hopping: tuple[float, float]) -> dict[Vector, np.ndarray]:
    """One orbital with hoppings along x and y and none else."""
    along = {(1, 0, 0): hopping[0], (-1, 0, 0): hopping[0]}
    along |= {(0, 1, 0): hopping[1], (0, -1, 0): hopping[1], (0, 0, 0): 0.02}
    return {r: np.eye(1) * h for r, h in along.items()}


def spinful(order: str) -> dict[Vector, np.ndarray]:
    """Two orbitals with Rashba terms; ``order`` as in the file."""
    orbital = np.array([[0.1, 0.02], [0.02, -0.07]])
    h: dict[Vector, np.ndarray] = {(0, 0, 0): np.kron(np.eye(2), np.diag([0.3, -0.2]))}
    for r1, r2 in SIX:
        x, y = r1 + r2 / 2, r2 * np.sqrt(3) / 2
        rashba = 1j * np.kron(y * SX - x * SY, np.diag([0.01, 0.02]))
        h[r1, r2, 0] = np.kron(np.eye(2), orbital) + rashba
    if order == "interleaved":
        mix = [0, 2, 1, 3]
        h = {r: m[np.ix_(mix, mix)] for r, m in h.items()}
    return h


def read(path: Path, **options: object) -> Material:
    given: dict = {"fermi_energy": 0.0, "lattice_constant": 3.3} | options
    return Material.from_wannier90(path, **given)


def expected(order: str = "blocks") -> Bonds:
    return Bonds.from_dict({r[:2]: 1000 * np.round(m, 6) for r, m in spinful(order).items()})


@pytest.mark.parametrize("order", ["blocks", "interleaved"])
def test_the_order_of_spins_is_told_by_time_reversal(tmp_path: Path, order: str) -> None:
    found = read(write_hr(tmp_path / "x_hr.dat", spinful(order)))
    assert found.bonds.dimension == 4  # not doubled again
    assert found.bonds.distance(expected()) < 1e-9
    assert f"spin {order}" in found.description


def test_two_functions_that_are_up_and_down_are_not_doubled(tmp_path: Path) -> None:
    one = {r: m[::2, ::2] for r, m in spinful("blocks").items()}
    assert read(write_hr(tmp_path / "x_hr.dat", one)).bonds.dimension == 2
    told = read(tmp_path / "x_hr.dat", spin="none")
    assert told.bonds.dimension == 4


def test_a_file_without_spin_is_doubled(tmp_path: Path) -> None:
    found = read(write_hr(tmp_path / "x_hr.dat", triangular()))
    assert found.bonds.dimension == 2
    assert "spin none" in found.description


def test_spins_in_no_order_that_is_told_are_asked_for(tmp_path: Path) -> None:
    """Mixed by a unitary, as spinor Wannier functions may be: the bands are the same pairs."""
    rng = np.random.default_rng(3)
    mix = np.linalg.qr(rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)))[0]
    mixed = {r: mix @ m @ mix.conj().T for r, m in spinful("blocks").items()}
    path = write_hr(tmp_path / "x_hr.dat", mixed)
    with pytest.raises(MaterialFileError, match=r"both spins already[\s\S]*Kramers"):
        read(path)
    assert read(path, spin="blocks").bonds.dimension == 4


def test_a_magnet_whose_win_says_spinors_is_asked_for(tmp_path: Path) -> None:
    magnet = spinful("blocks")
    magnet[0, 0, 0] = magnet[0, 0, 0] + np.kron(np.diag([0.1, -0.1]), np.eye(2))
    path = write_hr(tmp_path / "x_hr.dat", magnet)
    (tmp_path / "x.win").write_text("num_wann = 4\nspinors = .true.\n")
    with pytest.raises(MaterialFileError, match="spinors"):
        read(path)
    (tmp_path / "x.win").write_text("! spinors = .true.\nspinors = .false.\n")
    assert read(path).bonds.dimension == 8


def ising(exchange: float = 0.0) -> dict[Vector, np.ndarray]:
    """One orbital with spin: bands e(k) +- (lambda(k) + exchange), lambda odd in k."""
    h = {r: np.kron(np.eye(2), m).astype(complex) for r, m in triangular().items()}
    for sign, (r1, r2) in zip((1, -1, 1, -1, 1, -1), SIX, strict=True):
        h[r1, r2, 0] = h[r1, r2, 0] + 0.01j * sign * np.diag([1, -1])
    h[0, 0, 0] = h[0, 0, 0] + exchange * np.diag([1, -1])
    return h


def test_bands_that_differ_at_k_and_minus_k_are_a_magnets_and_are_asked_for(
    tmp_path: Path,
) -> None:
    path = write_hr(tmp_path / "x_hr.dat", ising(0.05))
    with pytest.raises(MaterialFileError, match=r"both spins already[\s\S]*at k and -k"):
        read(path)
    assert read(path, spin="blocks").bonds.dimension == 2
    (tmp_path / "x.win").write_text("spinors = .false.\n")
    assert read(path).bonds.dimension == 4
    assert read(write_hr(tmp_path / "y_hr.dat", ising())).bonds.dimension == 2


def test_narrow_bands_without_spin_are_no_pairs(tmp_path: Path) -> None:
    """Two orbitals 4 meV apart with bands 0.9 meV wide: everything is within 5 meV."""
    h = {r: 0.001 * np.kron(m, np.eye(2)) for r, m in triangular().items()}
    h[0, 0, 0] = np.diag([0.0, 0.004])
    found = read(write_hr(tmp_path / "x_hr.dat", h))
    assert "spin none" in found.description
    assert found.bonds.dimension == 4


@pytest.mark.parametrize("order", ["blocks", "interleaved"])
def test_a_spin_that_is_known_not_to_be_so_is_refused(tmp_path: Path, order: str) -> None:
    path = write_hr(tmp_path / "x_hr.dat", spinful(order))
    other = "interleaved" if order == "blocks" else "blocks"
    with pytest.raises(MaterialFileError, match=f'Give spin = "{order}"'):
        read(path, spin=other)
    assert read(path, spin=order).bonds.distance(expected()) < 1e-9
    (tmp_path / "x.win").write_text("spinors : T\n")
    with pytest.raises(MaterialFileError, match=r"spinors = \.true\. holds both spins"):
        read(path, spin="none")


@pytest.mark.parametrize("angle", [60, 120])
def test_the_wrong_angle_is_refused_and_the_right_one_named(tmp_path: Path, angle: int) -> None:
    path = write_hr(tmp_path / "x_hr.dat", triangular(angle))
    with pytest.raises(MaterialFileError, match=f"Give cell_angle = {angle}"):
        read(path, cell_angle=180 - angle)
    for told in (angle, None):
        bonds = read(path, cell_angle=told).bonds
        assert act_on_bonds(C3, bonds).distance(bonds) < 1e-9


@pytest.mark.parametrize("hopping", [(0.1, 0.1), (0.1, 0.15)])
@pytest.mark.parametrize("angle", [60, 120])
def test_no_angle_makes_another_lattice_triangular(
    tmp_path: Path, hopping: tuple[float, float], angle: int
) -> None:
    path = write_hr(tmp_path / "x_hr.dat", square(hopping))
    with pytest.raises(MaterialFileError, match=r"symmetry of a (square|rectangular)"):
        read(path, cell_angle=angle)


def test_the_cell_of_the_win_is_taken_or_refused(tmp_path: Path) -> None:
    path = write_hr(tmp_path / "x_hr.dat", triangular(120))
    cell = "begin unit_cell_cart\nAng\n3.3 0 0\n{} 0\n0 0 20\nend unit_cell_cart\n"
    (tmp_path / "x.win").write_text(cell.format("-1.65 2.857884"))
    assert read(path).bonds.dimension == 2
    (tmp_path / "x.win").write_text(cell.format("0 3.3"))
    assert read(path).lattice.name == "square"
    text = 'schema = 1\nname = "x"\n[lattice]\nname = "triangular"\nconstant = 3.3\n'
    text += '[wannier90]\nhr = "x_hr.dat"\nfermi_energy = 0.0\n'
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(MaterialFileError, match=r"90\.0 degrees"):
        Material.from_toml(tmp_path / "x.toml")
    with pytest.raises(MaterialFileError, match=r"90\.0 degrees"):
        read(path, cell_angle=120)
    (tmp_path / "x.win").write_text(cell.format("-1.65 2.857884"))
    assert read(path, cell_angle=120).bonds.dimension == 2
    with pytest.raises(MaterialFileError, match="cell_angle = 60, and 120 degrees"):
        read(path, cell_angle=60)


def oblique() -> dict[Vector, np.ndarray]:
    """Vectors as of a triangular cell with 120 degrees, and bands without any symmetry."""
    hops = {(1, 0, 0): 0.1, (0, 1, 0): 0.2, (1, 1, 0): 0.05}
    h = {r: np.eye(1) * t for r, t in hops.items()}
    return h | {(-a, -b, 0): m for (a, b, _), m in h.items()} | {(0, 0, 0): np.eye(1) * 0.02}


def test_bands_without_threefold_symmetry_are_not_taken_for_triangular(tmp_path: Path) -> None:
    path = write_hr(tmp_path / "x_hr.dat", oblique())
    with pytest.raises(MaterialFileError, match=r"no threefold symmetry[\s\S]*\.win"):
        read(path)
    assert read(path, cell_angle=120).lattice.name == "triangular"
    text = 'schema = 1\nname = "x"\n[lattice]\nname = "triangular"\nconstant = 3.3\n'
    text += '[wannier90]\nhr = "x_hr.dat"\nfermi_energy = 0.0\n'
    (tmp_path / "x.toml").write_text(text)
    assert Material.from_toml(tmp_path / "x.toml").lattice.name == "triangular"
    narrow = {r: 0.01 * m for r, m in oblique().items()}
    with pytest.raises(MaterialFileError, match="no threefold symmetry"):
        read(write_hr(tmp_path / "y_hr.dat", narrow))
    cell = "begin unit_cell_cart\nAng\n3.1 0 0\n-0.8 4.4 0\n0 0 20\nend unit_cell_cart\n"
    (tmp_path / "x.win").write_text(cell)
    assert read(path).lattice.name == "oblique"


def test_the_win_of_another_calculation_is_refused(tmp_path: Path) -> None:
    path = write_hr(tmp_path / "x_hr.dat", triangular(60))
    cell = "begin unit_cell_cart\nAng\n3.3 0 0\n{} 2.857884 0\n0 0 20\nend unit_cell_cart\n"
    (tmp_path / "x.win").write_text(cell.format("-1.65"))
    with pytest.raises(MaterialFileError, match="only if a2 has the other sign"):
        read(path)
    (tmp_path / "x.win").write_text(cell.format("1.65"))
    assert read(path).lattice.name == "triangular"


def test_hopping_out_of_the_plane_is_summed_below_its_tolerance(tmp_path: Path) -> None:
    for out, refused in ((2e-6, False), (2e-4, True)):
        h = triangular() | {(0, 0, r): np.eye(1) * out for r in (1, -1)}
        path = write_hr(tmp_path / "x_hr.dat", h)
        if refused:
            with pytest.raises(MaterialFileError, match="two-dimensional"):
                read(path)
        else:
            onsite = float(read(path).bonds.at(np.zeros((1, 2)))[0, 0, 0].real)
            assert onsite == pytest.approx(1000 * (0.03 + 0.6 + 2 * out), abs=1e-9)


def test_free_format_gives_the_same_bonds(tmp_path: Path) -> None:
    plain = read(write_hr(tmp_path / "x_hr.dat", triangular()))
    lines = (tmp_path / "x_hr.dat").read_text().splitlines()
    counts = "\n".join(["1 1 1", "1 1", "", "1 1"])
    rows = [line.replace("0.100000", "1.0D-01") for line in lines[4:]]
    text = "\r\n".join([lines[0], "1 ! num_wann", "7 ! nrpts", counts, *rows, "", ""])
    (tmp_path / "y_hr.dat").write_text(text, newline="")
    assert read(tmp_path / "y_hr.dat").bonds.distance(plain.bonds) < 1e-12


def test_a_tb_file_gives_the_same_bonds(tmp_path: Path) -> None:
    plain = read(write_hr(tmp_path / "x_hr.dat", triangular()))
    lines = ["written by a test", "3.3 0 0", "1.65 2.858 0", "0 0 20", "1", "7", "1 1 1 1 1 1 1"]
    for (r1, r2, r3), h in triangular().items():
        lines += ["", f"{r1} {r2} {r3}", f"1 1 {h[0, 0]:.8E} 0.0"]
    for r1, r2, r3 in triangular():
        lines += ["", f"{r1} {r2} {r3}", "1 1 0.0 0.0 0.0 0.0 0.0 0.0"]
    (tmp_path / "x_tb.dat").write_text("\n".join(lines) + "\n")
    assert read(tmp_path / "x_tb.dat").bonds.distance(plain.bonds) < 1e-12


@pytest.mark.parametrize("filling", [0.3, 1.0, 1.7])
def test_the_bands_hold_the_filling_below_the_fermi_energy(tmp_path: Path, filling: float) -> None:
    path = write_hr(tmp_path / "x_hr.dat", triangular())
    found = read(path, fermi_energy=None, filling=filling)
    m = (np.arange(300) + 0.5) / 300
    momenta = np.stack(np.meshgrid(m, m), axis=-1).reshape(-1, 2)
    energies = np.linalg.eigvalsh(found.bonds.at(momenta))
    assert (energies < 0).sum() / 300**2 == pytest.approx(filling, abs=2e-3)


def test_the_level_of_a_filling_comes_with_its_error(tmp_path: Path) -> None:
    """Half of a band that is symmetric about 20 meV fills it up to there."""
    chain = {(0, 0): np.eye(2) * 20.0, (1, 0): np.eye(2) * 50.0, (-1, 0): np.eye(2) * 50.0}
    level, error = fermi_level(Bonds.from_dict(chain), 1.0)
    assert abs(level - 20) <= max(error, 0.01) < SETTLED
    assert "settled" not in level_in_words(level, error)
    assert "20 meV, which has not settled" in level_in_words(-1234.0, 20.0)
    found = read(write_hr(tmp_path / "x_hr.dat", triangular()), fermi_energy=None, filling=0.7)
    assert re.search(r"zero of energy at [-\d.]+ eV \+- [\d.]+ meV$", found.description)


def test_a_filling_in_a_material_file_is_that_of_the_bands(tmp_path: Path) -> None:
    path = write_hr(tmp_path / "x_hr.dat", triangular())
    text = 'schema = 1\nname = "x"\n[lattice]\nname = "triangular"\nconstant = 3.3\n'
    (tmp_path / "x.toml").write_text(text + '[wannier90]\nhr = "x_hr.dat"\nfilling = 0.7\n')
    found = Material.from_toml(tmp_path / "x.toml")
    direct = read(path, fermi_energy=None, filling=0.7)
    assert found.bonds.distance(direct.bonds) == 0
    assert "+-" in found.description
    for zero in ("", "filling = 0.7\nfermi_energy = 0.1\n"):
        (tmp_path / "x.toml").write_text(text + f'[wannier90]\nhr = "x_hr.dat"\n{zero}')
        with pytest.raises(MaterialFileError, match="given once"):
            Material.from_toml(tmp_path / "x.toml")


def test_vectors_without_their_opposite_are_refused_and_the_remedy_works(tmp_path: Path) -> None:
    whole = triangular()
    half = {r: h for r, h in whole.items() if r >= (0, 0, 0)}
    path = write_hr(tmp_path / "x_hr.dat", half)
    with pytest.raises(MaterialFileError, match="3 of 4 vectors without their opposite") as caught:
        read(path)
    assert "[[bonds]]" in caught.value.remedy
    bonds = "".join(
        f"[[bonds]]\nvector = {list(r[:2])}\nreal = [[{1000 * h[0, 0]}]]\n" for r, h in half.items()
    )
    text = 'schema = 1\nname = "x"\n[lattice]\nname = "triangular"\nconstant = 3.3\n'
    (tmp_path / "x.toml").write_text(text + bonds)
    right = read(write_hr(tmp_path / "y_hr.dat", whole)).bonds
    assert Material.from_toml(tmp_path / "x.toml").bonds.distance(right) < 1e-12


@pytest.mark.parametrize("surface", [None, "top"])
def test_a_fermi_energy_that_no_band_is_near_is_told(tmp_path: Path, surface: str | None) -> None:
    """As where 0 is given for the scale of the DFT code, or meV for eV."""
    h: dict[Vector, np.ndarray] = {(0, 0, 0): np.full((1, 1), 5.2)}
    for a, b, c in [(1, 0, 0), (0, 1, 0), (1, -1, 0), *([(0, 0, 1)] if surface else [])]:
        h[a, b, c] = h[-a, -b, -c] = np.full((1, 1), -0.1)
    path = write_hr(tmp_path / "x_hr.dat", h)
    toml = tmp_path / "x.toml"

    def made(**zero: float) -> None:
        given: dict = {"lattice_constant": 3.3, "cell_angle": 60, "surface": surface}
        Material.from_wannier90(path, **zero, **given)

    for wrong in (0.0, 5200.0):
        with pytest.warns(MaterialWarning, match=r"all bands of x_hr\.dat, from 4\.") as told:
            made(fermi_energy=wrong)
        toml.write_text(
            'schema = 1\nname = "x"\nlattice = {name = "triangular", constant = 3.3}\n[wannier90]\n'
            + f'hr = "x_hr.dat"\ncell_angle = 60\nfermi_energy = {wrong}\n'
            + (f'surface = "{surface}"\n' if surface else "")
        )
        with pytest.warns(MaterialWarning):
            Material.from_toml(toml)
    top = float(str(told[0].message).split(" to ")[1].split()[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made(fermi_energy=5.2)
        made(fermi_energy=top)
        made(filling=0.01)
    write_hr(path, {r: 1000 * matrix for r, matrix in h.items()})
    with pytest.raises(MaterialFileError, match="is in eV"):
        made(fermi_energy=5200.0)


def test_a_filling_that_no_band_holds_is_refused(tmp_path: Path) -> None:
    path = write_hr(tmp_path / "x_hr.dat", triangular())
    for filling in (0.0, 2.0, -1.0, float("nan")):
        with pytest.raises(MaterialFileError, match="filling"):
            read(path, fermi_energy=None, filling=filling)
    with pytest.raises(MaterialFileError, match="given once"):
        read(path, filling=1.0)


@pytest.mark.skipif(not MEASURED.is_dir(), reason="GAPSCOPE_MEASURED is not set")
def test_the_inputs_after_users_reports() -> None:
    for name in ("comment_hr.dat", "deg10_hr.dat"):
        found = read(MEASURED / "inputs" / name)
        assert found.bonds.dimension == 2
        assert len(found.bonds.vectors) == 6
        assert float(np.abs(found.bonds.matrices).max()) == 100.0
        assert act_on_bonds(C3, found.bonds).distance(found.bonds) > 0.01  # spins turn, too
    bonds = read(MEASURED / "nbs2" / "NbS2_hr.dat").bonds
    assert bonds.dimension == 6
    assert fermi_level(bonds, 1.0)[0] == pytest.approx(-6091, abs=1)
