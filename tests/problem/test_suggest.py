"""A recipe to begin with is a recipe of the crystal."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from gapscope.cli.main import main
from gapscope.dataset.recipe import load_recipe
from gapscope.dataset.suggest import suggest_recipe
from gapscope.errors import RecipeError
from gapscope.learning.uncertainty.calibration import FEWEST
from gapscope.physics import Bonds
from gapscope.simulation.numerics import Converged
from problems import CRYSTALS, doped_honeycomb


@pytest.mark.parametrize("crystal", ["bi2212", "rashba", "rectangle"])
def test_the_beginning_is_a_recipe_of_its_crystal(tmp_path: Path, crystal: str) -> None:
    matter = CRYSTALS[crystal]()
    made = suggest_recipe(matter, "m.toml", (2.0, 8.0))
    path = tmp_path / "r.toml"
    path.write_text(made.text)
    what = load_recipe(path)
    problem = what.define(matter)
    assert len(problem.classes) >= 2
    assert len({one.irrep for one in problem.candidates}) == len(problem.candidates)
    known = {one.irrep for one in problem.candidates}
    assert not any(line.split(":")[0] in known for line in made.left_out)
    assert what.numerics().method == Converged()
    assert ("theta" in what.to_dict()["unknowns"]) == any(
        c.partners > 1 for c in problem.candidates
    )


@pytest.mark.parametrize("maps", [10, 2000])
def test_its_network_can_be_calibrated(maps: int, tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(suggest_recipe(CRYSTALS["bi2212"](), "m.toml", (2.0, 8.0), maps=maps).text)
    splits = load_recipe(path).splits
    assert splits.train >= maps
    assert min(splits.validation, splits.test) >= max(maps // 5, FEWEST)


def test_gaps_that_the_fermi_surface_does_not_see_are_left_out() -> None:
    """On NbSe2 with Rashba coupling the p wave of A2 vanishes to first order."""
    from gapscope.simulation.materials import material

    made = suggest_recipe(material("nbse2-substrate"), "m.toml", (1.0, 2.0))
    assert any(line.startswith("A2: its gap on the Fermi surface") for line in made.left_out)
    assert 'irrep = "A2"' not in made.text


def test_a_gap_that_is_another_one_with_spins_turned_is_left_out() -> None:
    """E2u of a honeycomb is A1u's on the Fermi surface; A2u, A1u's everywhere, is the build's."""
    made = suggest_recipe(doped_honeycomb(), "m.toml", (2.0, 8.0))
    assert any(
        line.startswith("E2u: on the Fermi surface its gap is that of A1u")
        for line in made.left_out
    )
    known = [one["irrep"] for one in tomllib.loads(made.text)["candidates"]]
    assert "E2u" not in known
    assert {"A1u", "A2u"} < set(known)
    assert 'irrep = "E2u"' in suggest_recipe(CRYSTALS["triangle"](), "m.toml", (2.0, 8.0)).text


def test_the_command_names_the_material_relative_to_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "crystals").mkdir()
    shipped = Path(__file__).parents[2] / "data" / "materials" / "bi2212.toml"
    own = tmp_path / "crystals" / "mine.toml"
    own.write_bytes(shipped.read_bytes())
    target = tmp_path / "recipes.toml"
    arguments = ["dataset", "recipe", str(own), "--gap", "10", "50", "-o", str(target)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "left out: A2g: no gap up to shell 1" in done.output
    assert tomllib.loads(target.read_text())["material"] == "crystals/mine.toml"


def test_a_range_that_does_not_rise_is_refused() -> None:
    with pytest.raises(RecipeError, match="rises from above zero"):
        suggest_recipe(CRYSTALS["bi2212"](), "m.toml", (3.0, 1.0))


def test_a_crystal_without_a_fermi_surface_is_told_so() -> None:
    metal = CRYSTALS["bi2212"]()
    onsite = Bonds.from_dict({(0, 0): 5000.0 * np.eye(2)})
    insulator = replace(metal, bonds=Bonds.sum([metal.bonds, onsite]))
    with pytest.raises(RecipeError, match="no band of which does"):
        suggest_recipe(insulator, "m.toml", (2.0, 8.0))
