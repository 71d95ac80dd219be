"""Recipes: what they decide, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from doubles import TABLE, recipe
from gapscope.dataset.recipe import Recipe, load_recipe
from gapscope.dataset.schema import SPLITS
from gapscope.errors import RecipeError, SchemaVersionError
from gapscope.simulation.materials import material
from gapscope.support.resources import share_folder

RECIPES = sorted((share_folder() / "data" / "recipes").glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_shipped_recipe_covers_every_class_equally_in_every_split(path: Path) -> None:
    shipped = load_recipe(path)
    problem = shipped.define(material(shipped.material, folder=path.parent))
    classes = len(problem.classes)
    split = shipped.split_of(range(shipped.samples))
    label = np.arange(shipped.samples) % classes
    for index, count in enumerate(shipped.splits.counts):
        found = np.bincount(label[split == index], minlength=classes).tolist()
        # Candidates that no map tells apart are one class when it is built: these divide then.
        assert sum(found) == count
        assert max(found) - min(found) <= (path.stem in ("nbs2", "nbse2-open"))


def test_the_papers_recipe_has_the_papers_numbers_of_maps() -> None:
    paper = next(path for path in RECIPES if path.stem == "nbse2-paper")
    assert load_recipe(paper).splits.counts == (5000, 250, 250)


def test_splits_are_runs_of_sample_ids() -> None:
    expected = [0] * 20 + [1] * 10 + [2] * 10
    assert recipe().split_of(range(40)).tolist() == expected
    assert recipe().split_of(range(18, 31)).tolist() == expected[18:31]
    assert SPLITS == ("train", "validation", "test")


def test_a_split_may_be_empty() -> None:
    only_test = recipe(splits={"train": 0, "validation": 0, "test": 10})
    assert set(only_test.split_of(range(10))) == {2}


def test_shards_hold_all_samples_once() -> None:
    assert [len(ids) for ids in recipe().shards()] == [7, 7, 7, 7, 7, 5]
    assert [i for ids in recipe().shards() for i in ids] == list(range(40))


def test_a_recipe_survives_json() -> None:
    assert Recipe.from_dict(json.loads(json.dumps(recipe().to_dict()))) == recipe()


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"kgrid": 64}, "kgrid is not a key"),
    "unknown key in a table": (
        {"method": {"name": "grid", "kgrid": 64, "n": 1}},
        "method.n is not",
    ),
    "missing table": ({"ranges": None}, "ranges"),
    "unknown method": (
        {"method": {"name": "magic", "kgrid": 64}},
        "expected tags: 'grid', 'converged'",
    ),
    "count that is no multiple": (
        {"splits": {"train": 25, "validation": 10, "test": 10}},
        "multiple of 10",
    ),
    "no samples": ({"splits": {"train": 0, "validation": 0, "test": 0}}, "has samples"),
    "negative count": ({"splits": {"train": -10, "validation": 10, "test": 10}}, "splits.train"),
    "number as text": ({"broadening": "0.1"}, "broadening"),
    "whole number expected": ({"shard_size": 2.5}, "shard_size"),
    "empty shards": ({"shard_size": 0}, "shard_size"),
    "negative seed": ({"seed": -1}, "seed"),
    "NaN": ({"energies": [float("nan")]}, "energies"),
    "infinite range": ({"ranges": TABLE["ranges"] | {"eps0": [0.0, float("inf")]}}, "eps0"),
    "range of one end": ({"ranges": TABLE["ranges"] | {"gap": [0.3]}}, "ranges.gap"),
    "falling range": ({"ranges": TABLE["ranges"] | {"gap": [1.5, 0.3]}}, "gap"),
    "gap that is not positive": ({"ranges": TABLE["ranges"] | {"gap": [0.0, 1.0]}}, "positive"),
    "odd window": ({"window": 15}, "even number of sites"),
    "negative broadening": ({"broadening": -0.1}, "broadening"),
    "window beyond the grid": ({"window": 128}, "window <= kgrid"),
    "no energy": ({"energies": []}, "Energies"),
    "energy twice": ({"energies": [0.1, 0.1]}, "Each energy stands once"),
    "no scatterer": (
        {"impurity": {"scalar": 0.0}},
        "The impurity needs a nonzero potential or moment",
    ),
    "half a moment": ({"impurity": {"moment": [1.0, 0.0]}}, "impurity.moment"),
    "setpoint twice": ({"setpoints": [5.0, 5.0]}, "Each setpoint stands once"),
    "setpoint at zero": ({"setpoints": [0.0]}, "bias other than zero"),
    "unknown dtype": ({"dtype": "float16"}, "dtype"),
}


@pytest.mark.parametrize(("change", "rule"), BROKEN.values(), ids=BROKEN)
def test_a_broken_recipe_is_refused_with_rule_value_and_remedy(
    change: dict[str, Any], rule: str
) -> None:
    table = {key: value for key, value in (TABLE | change).items() if value is not None}
    with pytest.raises(RecipeError) as caught:
        Recipe.from_dict(table, "broken.toml")
    assert rule in caught.value.rule
    assert caught.value.rule.startswith("broken.toml: ")
    assert caught.value.received is not None
    assert caught.value.remedy


def test_a_newer_recipe_asks_for_a_newer_gapscope() -> None:
    with pytest.raises(SchemaVersionError, match=r"schema 3[\s\S]*Update gapscope"):
        Recipe.from_dict(TABLE | {"schema": 3})


@pytest.mark.parametrize("content", [b"seed = ", b"\xff\xfe", None], ids=["TOML", "text", "file"])
def test_an_unreadable_recipe_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "recipe.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecipeError, match="readable TOML"):
        load_recipe(path)
