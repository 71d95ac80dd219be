"""Datasets of maps with further impurities beside the one on r = 0."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gapscope as gs
from built_here import build_here
from gapscope.dataset.card import card
from gapscope.dataset.compute import JuliaKernel
from gapscope.dataset.greens import sample_green
from gapscope.dataset.load import DatasetReader
from gapscope.dataset.preflight import define_problem
from gapscope.dataset.recipe import Recipe
from gapscope.errors import ConvergenceWarning, RecipeError
from gapscope.learning.data.fresh_maps import FreshMaps
from gapscope.physics.lattice import Lattice
from gapscope.problem.others import Others

TABLE: dict[str, Any] = {
    "schema": 2,
    "name": "some",
    "seed": 7,
    "material": "nbse2",
    "energies": [0.0, 0.6],
    "broadening": 0.5,
    "window": 8,
    "dtype": "float64",
    "method": {"name": "grid", "kgrid": 24},
    "candidates": [{"irrep": "A1g"}, {"irrep": "Eg"}],
    "unknowns": {
        "gap": [0.5, 1.5],
        "theta": "any",
        "potential": {"range": [-300.0, 300.0], "least": 10.0},
        "moment_z": [-50.0, 50.0],
    },
    "others": {"number": [0, 2], "distance": 3},
    "splits": {"train": 8, "validation": 0, "test": 0},
    "shard_size": 4,
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def test_maps_are_those_of_all_impurities(tmp_path: Path) -> None:
    """Stored ones, those of Green's functions, of ``simulate``, and of what a training keeps."""
    numerics = gs.Numerics([0.0, 0.6], 0.5, 8, kgrid=24)
    stored, greens = (
        build_here(Recipe.from_dict({**TABLE, "store": store}), tmp_path / store, JuliaKernel())
        for store in ("maps", "green")
    )
    with DatasetReader(stored) as one, DatasetReader(greens) as two:
        images = one.images(range(8))
        close = 1e-12 * np.abs(images).max()
        np.testing.assert_allclose(two.images(range(8)), images, rtol=0, atol=close)
        counts = [len(one.specification(i).impurity.sites) for i in range(8)]
        assert set(counts) == {1, 2, 3}
        assert two.green(0).shape == (2, 15, 15, 4, 4)
        several = counts.index(3)
        right = gs.simulate(one.specification(several), numerics)
        assert np.abs(images[several] - right.ldos_change.values).max() < close
        green = sample_green(two, several)
        assert int(green.attrs["reach"]) == 3
        again = gs.simulate_from_green(green, two.specification(several).impurity)
        assert np.abs(images[several] - again.ldos_change.values).max() < close
        fresh = FreshMaps.of(two, "train", 8)
        kept = fresh.maps(fresh.own(np.arange(8)))
        assert np.linalg.norm(kept - images) < 1e-3 * np.linalg.norm(images)
    assert "| others | 0 to 2 more within 3 sites of r = 0 |" in card(stored)


def test_impurities_are_drawn_from_seed_and_sample_alone() -> None:
    recipe, nbse2 = Recipe.from_dict(TABLE), gs.material("nbse2")
    problem = recipe.define(nbse2)
    drawn = [recipe.beside(problem, nbse2.lattice, i) for i in range(300)]
    again = recipe.beside(problem, nbse2.lattice, 11)
    assert drawn[11] is not None
    assert again is not None
    np.testing.assert_array_equal(drawn[11].sites, again.sites)
    np.testing.assert_array_equal(drawn[11].values["potential"], again.values["potential"])
    counts = np.bincount([len(one) for one in drawn if one is not None])
    assert (counts > 80).all()
    sites = np.concatenate([one.sites for one in drawn if one is not None])
    assert len(np.unique(sites, axis=0)) == len(Others(0, 2, 3).sites(nbse2.lattice)) == 36
    for one in drawn:
        assert one is not None
        assert len(np.unique(one.sites, axis=0)) == len(one)
    potentials = np.concatenate([one.values["potential"] for one in drawn if one is not None])
    assert (np.abs(potentials) >= 10).all()
    assert np.abs(potentials).max() > 250


def test_sites_are_mapped_onto_themselves_by_the_point_group() -> None:
    for name in ("triangular", "square"):
        lattice = Lattice(name, 1.0)
        sites = Others(1, 1, 4).sites(lattice)
        assert np.abs(sites).max() == 4
        known = {tuple(site) for site in sites.tolist()}
        for operation in lattice.operations:
            assert {tuple(site) for site in (sites @ operation.T).tolist()} == known


def test_without_the_table_recipes_are_what_they_were() -> None:
    plain = {name: value for name, value in TABLE.items() if name != "others"}
    recipe, nbse2 = Recipe.from_dict(plain), gs.material("nbse2")
    assert "others" not in recipe.to_dict()
    assert recipe.beside(recipe.define(nbse2), nbse2.lattice, 3) is None
    content = Recipe.from_dict(TABLE).to_dict()
    assert content["others"] == {"number": [0, 2], "distance": 3}
    assert Recipe.from_dict(content).to_dict() == content


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"others": {"number": [0, 2], "distance": 4}}, "at most 3"),
        ({"others": {"number": [0, 0], "distance": 3}}, r"number = \[0, 2\]"),
        ({"others": {"number": [2, 1], "distance": 3}}, r"\[2, 1\]"),
        ({"others": {"number": [0, 17], "distance": 3}}, "up to 16"),
        ({"others": {"number": [0, 2], "distance": 0}}, "distance"),
        ({"setpoints": [5.0]}, "setpoints"),
    ],
)
def test_what_others_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        Recipe.from_dict({**TABLE, **changes})


def test_there_are_as_many_sites_as_impurities() -> None:
    recipe = Recipe.from_dict({**TABLE, "others": {"number": [0, 7], "distance": 1}})
    with pytest.raises(RecipeError, match="up to 7 others on the 6 sites"):
        define_problem(recipe, gs.material("nbse2"))
