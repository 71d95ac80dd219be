"""Every entrance looks for the lattice that is asked for, and errors say which."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from click.testing import CliRunner

from any_lattice_maps import any_scan
from gapscope.cli.main import main
from gapscope.errors import LatticeNotFoundError, PreparationError
from gapscope.inference.measured_files import Scan
from gapscope.inference.measured_maps import network_window
from gapscope.measured.default import prepare_for_network
from gapscope.measured.preparation import find_lattice, prepare
from gapscope.measured.preparation.report import read_prepared
from gapscope.physics import Material
from gapscope.physics.lattice import Lattice
from gapscope.simulation.materials import material
from lattice_maps import NBS2, as_map, lattice_map
from wannier_files import Vector, write_hr

TRIANGULAR_NETWORK = cast(Any, SimpleNamespace(size=64, lattice=Lattice("triangular", 1.0)))

SQUARE = """
schema = 1
name = "Squarium"

[lattice]
name = "square"
constant = 3.33

[[bonds]]
vector = [1, 0]
real = -100.0

[[bonds]]
vector = [0, 1]
real = -100.0
"""


@pytest.fixture
def square(tmp_path: Path) -> Path:
    path = tmp_path / "square.toml"
    path.write_text(SQUARE)
    return path


@pytest.mark.parametrize("entrance", [find_lattice, prepare, prepare_for_network])
def test_a_square_crystal_is_looked_for_as_such(entrance: Callable[..., Any], square: Path) -> None:
    crystal = material(str(square))
    for given in (crystal, crystal.lattice):
        with pytest.raises(LatticeNotFoundError, match=r"a square lattice of 3\.33 Angstrom"):
            entrance(lattice_map(noise=0.3, pixels=64), given)


@pytest.mark.parametrize("more", [["--material", "SQUARE"], ["--cell", "3.33", "3.33", "90"]])
def test_a_network_of_another_lattice_is_not_fed(
    more: list[str], square: Path, tmp_path: Path
) -> None:
    scan, output = tmp_path / "scan.npy", tmp_path / "out.nc"
    np.save(scan, any_scan(Lattice("square", 3.33), pixels=128).image.values)
    options = [str(square) if one == "SQUARE" else one for one in more]
    given = [str(scan), "--width", "9.6", *options, "-o", str(output)]
    refused = CliRunner().invoke(main, ["predict", *given])
    assert refused.exit_code != 0
    assert "trained on the triangular lattice" in refused.output
    assert "a square lattice of 3.33 Angstrom" in refused.output
    assert not output.exists()
    done = CliRunner().invoke(main, ["prepare", *given, "--symmetry", "C4v"])
    assert done.exit_code == 0, done.output
    assert "a1, a2              3.33" in done.output
    assert "density wave" not in done.output
    # The network looks at what is in the file, whatever the options.
    with pytest.raises(PreparationError, match="trained on the triangular lattice"):
        network_window(read_prepared(output), TRIANGULAR_NETWORK)


def test_a_constant_scales_the_lattice_of_a_material_and_a_cell_stands_alone(square: Path) -> None:
    scaled = Scan(material=str(square), lattice_constant=3.5).wanted().lattice
    assert (scaled.name, scaled.constant) == ("square", 3.5)
    assert Scan(lattice_constant=3.5).wanted().lattice == Lattice("triangular", 3.5)
    assert Scan(cell=(3.5, 4.0, 90.0)).wanted().lattice.name == "rectangular"
    # A cell in another setting than the standard one is the same lattice.
    assert Scan(cell=(3.5, 3.5, 120.0)).wanted().lattice.name == "triangular"
    with pytest.raises(PreparationError, match="--cell beside"):
        Scan(material="nbse2", cell=(3.5, 4.0, 90.0)).wanted()


def test_a_material_is_as_good_as_its_constant(nbse2: Material) -> None:
    image = lattice_map(constant=3.5, noise=0.3)
    one, other, third = (
        find_lattice(image, given) for given in (nbse2, nbse2.lattice, nbse2.lattice.constant)
    )
    assert float(one.constant.value) == float(other.constant.value) == float(third.constant.value)
    assert one.constant.value == pytest.approx(3.5, rel=2e-3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (NBS2, "a triangular lattice of 3.33 Angstrom (the constant that was given)"),
        (Lattice("triangular", 3.1), "a triangular lattice of 3.1 Angstrom"),
        (None, "a triangular lattice of 3.44 Angstrom (that of the material NbSe2)"),
    ],
)
def test_where_none_is_found_the_error_says_which(
    given: float | Lattice | None, said: str, nbse2: Material
) -> None:
    noise = as_map(np.random.default_rng(1).standard_normal((64, 64)), 0.08)
    with pytest.raises(LatticeNotFoundError) as caught:
        prepare(noise, nbse2 if given is None else given)
    assert said in caught.value.rule


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "(that of the material NbSe2, the default of --material)"),
        (["--material", "nbse2"], "(that of the material NbSe2)"),
        (["--lattice-constant", "3.1"], "3.1 Angstrom (the constant of --lattice-constant)"),
    ],
)
def test_the_command_says_who_gave_the_constant(
    options: list[str], said: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "noise.npy", np.random.default_rng(1).standard_normal((64, 64)))
    given = ["prepare", str(tmp_path / "noise.npy"), "--width", "5", *options]
    result = CliRunner().invoke(main, [*given, "-o", str(tmp_path / "out.nc")])
    assert result.exit_code != 0
    assert said in " ".join(result.output.split())


def test_a_wannier90_file_gives_its_lattice_without_a_zero_of_energy(tmp_path: Path) -> None:
    """Also of a bulk crystal, and with the constant where nothing beside it has a length."""
    h: dict[Vector, np.ndarray] = {(0, 0, 0): np.eye(1)}
    for a, b, c in ((1, 0, 0), (0, 1, 0), (1, -1, 0), (0, 0, 1)):
        h[a, b, c] = h[-a, -b, -c] = np.eye(1) * 0.1
    write_hr(tmp_path / "x_hr.dat", h)
    np.save(tmp_path / "scan.npy", lattice_map(constant=NBS2, noise=0.3).values[::-1])
    given = ["prepare", str(tmp_path / "scan.npy"), "--width", str(0.06 * 128)]
    given += ["--material", str(tmp_path / "x_hr.dat"), "-o", str(tmp_path / "out.nc")]
    result = CliRunner().invoke(main, [*given, "--lattice-constant", str(NBS2)])
    assert result.exit_code == 0, result.output
    cell = f"{NBS2} 0 0\n{NBS2 / 2} {NBS2 * 3**0.5 / 2:.9f} 0\n0 0 12"
    (tmp_path / "x.win").write_text(f"begin unit_cell_cart\n{cell}\nend unit_cell_cart\n")
    result = CliRunner().invoke(main, given)
    assert result.exit_code == 0, result.output
