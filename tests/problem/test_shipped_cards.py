"""Cards of shipped datasets and networks name what their recipes give."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gapscope.dataset.manifest import Manifest
from gapscope.dataset.recipe import load_recipe
from gapscope.learning.network.config import RMS, STOKES
from gapscope.learning.prediction.predictor import Predictor
from gapscope.simulation.materials import material

DATA = Path(__file__).parents[2] / "data"
CARDS = sorted((DATA / "recipes").glob("*.md"))
MODELS = sorted((DATA / "models").iterdir())


def identity(name: str) -> str:
    """The identity of a shipped recipe's dataset."""
    recipe = load_recipe(DATA / "recipes" / f"{name}.toml")
    matter = material(recipe.material)
    return Manifest.start(recipe, matter, recipe.define(matter)).identity


@pytest.mark.parametrize("card", CARDS, ids=lambda path: path.stem)
def test_shipped_datasets_are_what_they_were(card: Path) -> None:
    assert re.findall(r"identity .*`([0-9a-f]{64})`", card.read_text()) == [identity(card.stem)]


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.name)
def test_networks_are_of_shipped_recipes(model: Path, shipped: Callable[[str], Predictor]) -> None:
    """Config, calibration and card of each name its datasets, and the recipe as it stands."""
    trained = shipped(model.name)
    calibration = trained.calibration
    assert calibration is not None
    stored, about = trained.config.dataset, calibration.about
    recipe = load_recipe(DATA / "recipes" / f"{stored['name']}.toml")
    assert stored["recipe"] == json.loads(json.dumps(recipe.deciding()))
    named = [identity(str(stored["name"])), identity(str(about["name"]))]
    assert [stored["identity"], about["identity"]] == named
    card = (model / "MODEL_CARD.md").read_text()
    assert re.findall(r"`([0-9a-f]{64})`", card) == named
    training = trained.config.training
    assert ("Stokes parameters" in card) == (training.network.targets == STOKES)
    assert ("root mean squares" in card) == (training.objective == RMS)


def test_what_follows_from_recipe_and_material_is_no_part_of_the_identity() -> None:
    recipe = load_recipe(DATA / "recipes" / "bi2212.toml")
    matter = material(recipe.material)
    problem = recipe.define(matter)
    other = replace(problem, reversible=not problem.reversible, moves=problem.moves[:1])
    begun = Manifest.start(recipe, matter, other)
    assert begun.identity == Manifest.start(recipe, matter, problem).identity
