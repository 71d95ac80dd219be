"""Only triangular lattices are looked for: every entrance refuses others, and errors say which."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from gapscope.cli.main import main
from gapscope.errors import LatticeNotFoundError, SpecificationError
from gapscope.measured.default import prepare_for_network
from gapscope.measured.preparation import find_lattice, prepare
from gapscope.physics import Material
from gapscope.physics.lattice import Lattice
from gapscope.simulation.materials import material
from lattice_maps import NBS2, as_map, lattice_map

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
def test_a_square_crystal_is_refused_before_any_work(
    entrance: Callable[..., Any], square: Path
) -> None:
    crystal = material(str(square))
    for given in (crystal, crystal.lattice):
        with pytest.raises(SpecificationError, match=r"a square lattice of 3\.33 Angstrom"):
            entrance(lattice_map(), given)


@pytest.mark.parametrize("command", ["prepare", "predict"])
@pytest.mark.parametrize("more", [[], ["--lattice-constant", "3.3"]])
def test_the_commands_refuse_a_square_material(
    command: str, more: list[str], square: Path, tmp_path: Path
) -> None:
    scan, output = tmp_path / "scan.npy", tmp_path / "out.nc"
    np.save(scan, lattice_map(noise=0.3).values)
    given = [command, str(scan), "--width", "7.68", "--material", str(square), *more]
    result = CliRunner().invoke(main, [*given, "-o", str(output)])
    assert result.exit_code != 0
    assert "triangular lattice alone" in result.output
    assert "a square lattice of 3.33 Angstrom" in result.output
    assert not output.exists()


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
