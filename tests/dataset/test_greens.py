"""Datasets of Green's functions: maps follow, sizes are told, old ones are what they were."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gapscope as gs
from built_here import build_here
from doubles import TABLE, recipe
from gapscope.dataset.build import build
from gapscope.dataset.compute import JuliaKernel
from gapscope.dataset.greens import sample_green
from gapscope.dataset.load import DatasetReader, open_dataset
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.recipe import Recipe
from gapscope.dataset.verify import verify
from gapscope.errors import (
    ConvergenceWarning,
    CorruptShardError,
    DatasetError,
    NumericsError,
    RecipeError,
    StorageError,
)

SMALL: dict[str, Any] = {
    "energies": [0.0, 0.6],
    "window": 8,
    "method": {"name": "grid", "kgrid": 24},
    "splits": {"train": 10, "validation": 0, "test": 0},
    "shard_size": 4,
    "dtype": "float64",
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


@pytest.fixture(scope="module")
def greens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("greens") / "dataset"
    return build_here(recipe(**SMALL, store="green"), folder, JuliaKernel())


def test_maps_follow_from_each_sample(greens: Path, tmp_path: Path) -> None:
    maps = build_here(recipe(**SMALL), tmp_path / "maps", JuliaKernel())
    with DatasetReader(greens) as one, DatasetReader(maps) as two:
        assert (one.store, two.store) == ("green", "maps")
        images = two.images(range(10))
        close = 1e-12 * np.abs(images).max()
        np.testing.assert_allclose(one.images(range(10)), images, rtol=0, atol=close)
        np.testing.assert_allclose(one.image(3), two.image(3), rtol=0, atol=close)
        np.testing.assert_allclose(one.densities(range(10)), two.densities(range(10)), rtol=1e-12)
        for name, values in one.parameters.items():
            np.testing.assert_array_equal(values, two.parameters[name])
        assert one.images([]).shape == (0, 2, 8, 8)
        with pytest.raises(DatasetError, match='store = "green"'):
            two.green(0)


def test_a_sample_serves_any_impurity(greens: Path) -> None:
    numerics = gs.Numerics([0.0, 0.6], 0.5, 8, kgrid=24)
    with DatasetReader(greens) as reader:
        assert reader.green(7).shape == (2, 9, 9, 4, 4)
        green = sample_green(reader, 7)
        own = reader.specification(7)
        with pytest.raises(DatasetError, match="Sample ids"):
            reader.green(10)
    assert own.eps0 == pytest.approx(float(reader.parameters["eps0"][7]))
    kernel = gs.green_function(own, numerics)
    assert float(abs(green.green - kernel.green).max()) < 1e-12
    moment = gs.Impurity.magnetic((0.0, 10.0, 20.0))
    found = gs.simulate_from_green(green, moment)
    spec = gs.Specification(own.material, own.pairing, moment, own.eps0)
    right = gs.simulate(spec, numerics)
    assert float(abs(found.ldos_change - right.ldos_change).max()) < 1e-12


def test_the_folder_is_verified_and_opened(greens: Path, tmp_path: Path) -> None:
    assert verify(greens).samples == 10
    with open_dataset(greens) as whole:
        assert whole.green_re.dims == ("sample", "energy", "r1", "r2", "row", "column")
        assert whole.r1.values.tolist() == list(range(-4, 5))
        assert "ldos_change" not in whole
        with DatasetReader(greens) as reader:
            joined = whole.green_re[5].values + 1j * whole.green_im[5].values
            np.testing.assert_array_equal(reader.green(5), joined)
    broken = Path(shutil.copytree(greens, tmp_path / "broken"))
    shard = broken / "shards" / "shard-00001.h5"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(bytes(content))
    with pytest.raises(CorruptShardError):
        verify(broken)


def test_a_build_goes_on_where_it_was(greens: Path, tmp_path: Path) -> None:
    begun = Path(shutil.copytree(greens, tmp_path / "begun"))
    (begun / "shards" / "shard-00002.h5").unlink()
    times = {path.name: path.stat().st_mtime_ns for path in (begun / "shards").glob("*.h5")}
    build(recipe(**SMALL, store="green"), begun, workers=1, progress=False)
    assert verify(begun).digest == verify(greens).digest
    for name, written in times.items():
        assert (begun / "shards" / name).stat().st_mtime_ns == written
    with pytest.raises(RecipeError, match="one recipe"):
        build(recipe(**SMALL), begun, workers=1, progress=False)


def test_without_the_key_recipes_are_what_they_were() -> None:
    """Their JSON, and with it the identities of all datasets."""
    assert "store" not in recipe().to_dict()
    assert recipe(store="maps").to_dict() == recipe().to_dict()
    assert recipe(store="green").to_dict()["store"] == "green"
    nbse2 = gs.material("nbse2")
    identities = {
        Manifest.start(one, nbse2, one.define(nbse2)).identity
        for one in (recipe(), recipe(store="maps"), recipe(store="green"))
    }
    assert len(identities) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"setpoints": [5.0]},
        {"energies": [0.0], "resolutions": [[1.0, 0.1]]},
        {"store": "both"},
    ],
)
def test_what_a_greens_function_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(RecipeError):
        recipe(**{"store": "green", **changes})


def test_sizes_are_told_before_anything_is_computed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Recipe.from_dict({**TABLE, **SMALL, "store": "green"})
    per_sample = one.bytes(10) / 10
    assert per_sample == pytest.approx(2 * 2 * 81 * 16 * 8, rel=0.02)
    assert one.for_orbitals(3).bytes(10) / 10 == pytest.approx(9 * per_sample, rel=0.02)
    large = recipe(**SMALL | {"window": 128, "method": {"name": "grid", "kgrid": 256}},
                   store="green")  # fmt: skip
    splits = {"train": 10**6, "validation": 0, "test": 0}
    wide = Recipe.from_dict({**large.to_dict(), "splits": splits, "shard_size": 1000})
    with pytest.raises(StorageError, match=r"1000000 samples take about [\d,]+ GB; .* are free"):
        build(wide, tmp_path / "wide")
    shards = Recipe.from_dict({**large.to_dict(), "splits": splits, "shard_size": 10**6})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: Free(10**18))
    with pytest.raises(NumericsError, match="a shard of 1000000 samples"):
        build(shards, tmp_path / "shards")
    assert not list((tmp_path / "wide").glob("shards/*.h5"))
    assert json.loads((tmp_path / "wide" / "manifest.json").read_text())["shards"] == []
    capsys.readouterr()


class Free:
    def __init__(self, free: int) -> None:
        self.free = free
