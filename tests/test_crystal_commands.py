"""``gapscope symmetry`` and ``gaps``, and states of any crystal on the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import gapscope as gs
from gapscope.cli.main import main
from gapscope.physics.gaps.mixture import FunctionTerm

SMALL = ["--broadening", "5", "--window", "16", "--method", "grid", "--kgrid", "48"]
RASHBA = """
schema = 1
name = "on a substrate"
[lattice]
name = "square"
constant = 3.8
[[bonds]]
vector = [1, 0]
real = [[-100.0, -2.5], [2.5, -100.0]]
[[bonds]]
vector = [0, 1]
real = [[-100.0, 0.0], [0.0, -100.0]]
imag = [[0.0, 2.5], [2.5, 0.0]]
"""
UNKNOWN = """
schema = 1
name = "two orbitals"
spin = "doubled"
[lattice]
name = "square"
constant = 3.8
[[bonds]]
vector = [0, 0]
real = [[0.0, 5.0], [5.0, 40.0]]
[[bonds]]
vector = [1, 0]
real = [[-100.0, 0.0], [0.0, -20.0]]
[[bonds]]
vector = [0, 1]
real = [[-100.0, 0.0], [0.0, -20.0]]
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def rashba(tmp_path: Path) -> Path:
    path = tmp_path / "rashba.toml"
    path.write_text(RASHBA)
    return path


def test_symmetry_tells_lattice_group_operations_and_violation(tmp_path: Path) -> None:
    result = run("symmetry", "nbse2", "--json", tmp_path / "symmetry.json")
    assert result.exit_code == 0, result.output
    assert (
        "point group D3h (-6m2), irreps A1g (A1'), A2g (A2'), Eg (E'), A1u (A2'')" in result.output
    )
    content = json.loads((tmp_path / "symmetry.json").read_text())
    assert content["lattice"]["name"] == "triangular"
    assert (content["group"], content["hermann_mauguin"]) == ("D3h", "-6m2")
    assert content["violation"] < 1e-9
    assert len(content["operations"]) == 12
    names = [one["name"] for one in content["operations"]]
    assert {"E", "C3", "C3^-1", "sigma_h", "sigma_v(90)", "S3", "C2'(90)"} <= set(names)
    (mirror,) = [one for one in content["operations"] if one["name"] == "sigma_v(90)"]
    np.testing.assert_allclose(mirror["cartesian"], np.diag([-1, 1, 1]), atol=1e-12)
    (eg,) = [one for one in content["irreps"] if one["irrep"] == "Eg"]
    assert eg["mulliken"] == "E'"
    assert np.array(eg["matrices"]).shape == (12, 2, 2)


HONEYCOMB = """
schema = 1
name = "honeycomb"
spin = "doubled"
[lattice]
a = 2.46
b = 2.46
angle = 120.0
[[atoms]]
position = [0.33333333, 0.66666666]
orbitals = ["pz"]
[[atoms]]
position = [0.66666667, 0.33333333]
orbitals = ["pz"]
[[bonds]]
vector = [0, 0]
real = [[0.0, -2700.0], [-2700.0, 0.0]]
[[bonds]]
vector = [-1, 0]
real = [[0.0, -2700.0], [0.0, 0.0]]
[[bonds]]
vector = [0, 1]
real = [[0.0, -2700.0], [0.0, 0.0]]
"""


def test_the_digits_of_positions_are_no_translations(tmp_path: Path) -> None:
    """A third is 0.33333333; half a cell aside, there are glides about the same centre."""
    path = tmp_path / "honeycomb.toml"
    path.write_text(HONEYCOMB)
    output = run("symmetry", path).output
    assert "point group D6h" in output
    assert " a1 + " not in output
    for one, aside in (("0.33333333", "0.43333333"), ("0.66666667, 0", "0.76666667, 0")):
        path.write_text(path.read_text().replace(f"[{one}", f"[{aside}"))
    moved = run("symmetry", path).output
    assert "point group D6h" in moved
    assert "0.2 a1 + 0 a2" in moved


def test_a_symmetry_that_is_broken_is_told_with_the_energy(rashba: Path) -> None:
    exact = run("symmetry", rashba)
    assert "point group C4v (4mm)" in exact.output
    told = re.search(r"D4h is broken by 5 meV: --tolerance (\S+) takes it", exact.output)
    assert told is not None
    assert "point group D4h" in run("symmetry", rashba, "--tolerance", told[1]).output
    assert told[0] in run("gaps", rashba, "--shells", 0).output


def test_a_broken_symmetry_is_made_exact_in_a_file(rashba: Path, tmp_path: Path) -> None:
    made = tmp_path / "made.toml"
    result = run("symmetry", rashba, "--tolerance", 6, "--symmetrised", made)
    assert result.exit_code == 0, result.output
    assert f"wrote {made}" in result.output
    again = run("symmetry", made)
    assert "point group D4h (4/mmm)" in again.output
    assert "is broken" not in again.output
    refused = run("symmetry", rashba, "--symmetrised", tmp_path / "made.txt")
    assert refused.exit_code == 1
    assert "ends in .toml." in refused.output


def test_bands_are_all_that_unknown_orbitals_tell(tmp_path: Path) -> None:
    path = tmp_path / "unknown.toml"
    path.write_text(UNKNOWN)
    told = run("symmetry", path, "--json", tmp_path / "s.json")
    assert told.exit_code == 0, told.output
    assert "The point group is not known" in told.output
    content = json.loads((tmp_path / "s.json").read_text())
    assert content["group"] is None
    violations = {one["name"]: one["band_violation"] for one in content["operations"]}
    assert len(violations) == 8
    assert max(violations.values()) < 1e-9
    refused = run("gaps", path, "--shells", 1)
    assert refused.exit_code == 1
    assert "unknown character" in refused.output


def test_gaps_are_listed_irrep_by_irrep(tmp_path: Path) -> None:
    out, figure = tmp_path / "gaps.json", tmp_path / "gaps.svg"
    result = run("gaps", "bi2212", "--shells", 1, "--json", out, "--figure", figure)
    assert result.exit_code == 0, result.output
    content = json.loads(out.read_text())
    assert content["group"] == "D4h"
    keys = {"irrep", "dimension", "channel", "shell", "length", "bonds"}
    assert all(keys <= set(one) for one in content["gaps"])
    listed = [(one["irrep"], one["channel"], one["shell"]) for one in content["gaps"]]
    assert listed == [
        ("A1g", "s", 0),
        ("A1g", "s", 1),
        ("B1g", "s", 1),
        ("Eu", "tz", 1),
        ("A1u", "txy", 1),
        ("A2u", "txy", 1),
        ("B1u", "txy", 1),
        ("B2u", "txy", 1),
    ]
    d_wave = content["gaps"][2]
    (partner,) = d_wave["bonds"]
    bonds = {tuple(one["R"]): one for one in partner}
    assert set(bonds) == {(1, 0), (-1, 0), (0, 1), (0, -1)}
    np.testing.assert_allclose(bonds[1, 0]["real"], [[0, 0.25], [-0.25, 0]])
    np.testing.assert_allclose(bonds[0, 1]["real"], [[0, -0.25], [0.25, 0]])
    assert not np.any(bonds[1, 0]["imag"])
    (on,) = d_wave["on_fermi_surface"]
    assert on["least"] == 0.0
    nodes = np.array(on["nodes"])
    assert len(nodes) == 4
    np.testing.assert_allclose(np.abs(nodes[:, 0]), np.abs(nodes[:, 1]), atol=1e-6)
    assert len(content["gaps"][3]["bonds"]) == content["gaps"][3]["dimension"] == 2
    drawn = figure.read_text()
    assert "B1g s, shell 1" in drawn or "<path" in drawn
    assert "B1g           s        1      1        1" in result.output


def test_gaps_of_one_channel_and_irrep() -> None:
    result = run("gaps", "bi2212", "--shells", 2, "--channels", "s,tz", "--irrep", "Eu")
    assert result.exit_code == 0, result.output
    assert "4 gaps" in result.output
    assert "txy" not in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gaps", "bi2212", "--shells", 40], "Shells of neighbours"),
        (["gaps", "bi2212", "--shells", 1, "--channels", "triplet"], "A channel is s"),
        (["gaps", "bi2212", "--shells", 1, "--irrep", "E1g"], "irreps of D4h"),
        (["gaps", "bi2212", "--shells", 1, "--tolerance", 0], "positive energy"),
        (["symmetry", "bi2212", "--tolerance", -1], "positive energy"),
        (["symmetry", "bi2213"], "bi2212"),
        (["gaps", "bi2212", "--shells", 12, "--figure", "all.png"], "at most 120 panels"),
        (["gaps", "bi2212", "--shells", 1, "--figure", "all.txt"], "ends in"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 1
    assert message in result.output
    assert not list(tmp_path.iterdir())


def test_a_material_is_not_written_over(rashba: Path) -> None:
    before = rashba.read_text()
    result = run("symmetry", rashba, "--json", rashba)
    assert result.exit_code == 1
    assert "not written over" in result.output
    assert rashba.read_text() == before


def test_a_crystal_of_ones_own_is_simulated_by_irrep(rashba: Path, tmp_path: Path) -> None:
    """No Python file knows this crystal."""
    out = tmp_path / "map.nc"
    result = run(
        "simulate", "--material", rashba, "--irrep", "B1", "--channel", "s", "--gap", 20,
        "--impurity", 50, *SMALL, "-o", out, "--figure", tmp_path / "map.png",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    maps = gs.read_map(out)
    assert (maps.attrs["irrep"], maps.attrs["gap"]) == ("B1", 20.0)
    assert (maps.attrs["gap_channel"], maps.attrs["gap_shell"]) == ("s", 1)
    material = gs.material(str(rashba))
    state = gs.Specification(
        material, gs.Pairing.of(material, "B1", 20.0, channel="s"), gs.Impurity.scalar(50.0)
    )
    expected = gs.simulate(state, gs.Numerics([0.0], 5.0, 16, gs.Grid(48)))
    assert maps["ldos_change"].identical(expected["ldos_change"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--irrep", "B1g"], "irreps of C4v (4mm) are A1, A2, B1, B2, E"),
        (["--irrep", "A2", "--shell", 0], "A2 of C4v has none in shell 0"),
        (["--irrep", "A1", "--shell", 1], "A state names one basis function"),
        (["--irrep", "A1", "--function", "s:1", "--shell", 1], "Leave out --shell"),
        (["--irrep", "A1", "--function", "s"], "CHANNEL:SHELL"),
        (["--irrep", "A1", "--normal"], "Leave out --irrep, --gap"),
        (["--irrep", "A1", "--filling", 1], "filling belongs to a Wannier90 _hr.dat"),
        (["--irrep", "E"], "two partners"),
        (["--irrep", "B1", "--channel", "s", "--theta", 0.2], "Leave theta out"),
    ],
)
@pytest.mark.parametrize("command", ["simulate", "dos"])
def test_a_state_that_a_crystal_lacks_is_refused_with_those_it_has(
    command: str, options: list[object], message: str, rashba: Path, tmp_path: Path
) -> None:
    rest = ["--impurity", 50, *SMALL] if command == "simulate" else []
    result = run(
        command, "--material", rashba, *options, "--gap", 20, *rest, "-o", tmp_path / "x.nc"
    )
    assert result.exit_code == 1
    assert message in result.output
    assert not (tmp_path / "x.nc").exists()


def test_a_mixture_next_to_a_defect_of_a_bond(rashba: Path, tmp_path: Path) -> None:
    """s waves on the site and between neighbours, and a d vector in the plane, all in A1."""
    out, defect = tmp_path / "map.nc", tmp_path / "defect.toml"
    defect.write_text(
        'schema = 1\n[[terms]]\nkind = "hopping"\nreal = 20.0\nto = [1, 0]\n'
        '[[terms]]\nkind = "gap"\nreal = -2.0\nto = [1, 0]\n'
    )
    functions = ["s:0", "s:1=-0.5", "txy:1=0.3j"]
    result = run(
        "simulate", "--material", rashba, "--irrep", "A1", "--gap", 20, "--impurity-file", defect,
        *(word for one in functions for word in ("--function", one)), *SMALL, "-o", out,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "A1 of C4v: s of shell 0 + s of shell 1 + txy of shell 1" in result.output
    material = gs.material(str(rashba))
    pairing = gs.Pairing.mixture(
        material, "A1", 20.0, [FunctionTerm.parse(text) for text in functions]
    )
    impurity = gs.Impurity.hopping(20.0) + gs.Impurity.gap(-2.0, to=(1, 0))
    state = gs.Specification(material, pairing, impurity)
    expected = gs.simulate(state, gs.Numerics([0.0], 5.0, 16, gs.Grid(48)))
    assert gs.read_map(out)["ldos_change"].identical(expected["ldos_change"])
