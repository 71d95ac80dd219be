"""Opening datasets, and refusing those that are not what they should be."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from doubles import TABLE, build_here, image, recipe
from gapscope.dataset.load import DatasetReader, open_dataset, read_images
from gapscope.dataset.schema import SCHEMA_VERSION
from gapscope.errors import CorruptShardError, DatasetError, SchemaVersionError
from gapscope.physics import IRREPS, LABELS, Pairing, Specification, label_of, labelled_gap
from gapscope.simulation.materials import material


def shard(dataset: Path, index: int) -> Path:
    return dataset / "shards" / f"shard-{index:05d}.h5"


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 0xFF
    path.write_bytes(content)


def offset_of_image(path: Path, sample: int) -> int:
    """Where in the file the numbers of one sample's first image begin."""
    with h5py.File(path) as file:
        stored = file["ldos_change"]
        return int(stored.id.get_chunk_info_by_coord((sample, 0, 0, 0)).byte_offset)


def test_the_dataset_opens_lazily_with_names_and_units(finished: Path) -> None:
    with open_dataset(finished) as opened:
        assert not opened.ldos_change.variable._in_memory
        assert dict(opened.sizes) == {"sample": 40, "energy": 2, "r1": 16, "r2": 16}
        assert opened.energy.values.tolist() == [0.0, 0.4]
        assert opened.r1.values.tolist() == opened.r2.values.tolist() == list(range(-8, 8))
        assert opened.ldos_change.dtype == np.float32
        assert opened.dos.dtype == np.float64
        units = {name: opened[name].attrs["units"] for name in opened.variables}
        assert units["energy"] == units["gap"] == units["eps0"] == "meV"
        assert units["ldos_change"] == units["dos"] == "1/meV"
        assert units["theta"] == "rad"
        assert all(opened[name].attrs["long_name"] for name in opened.variables)


def test_the_dataset_says_where_it_comes_from(finished: Path) -> None:
    with open_dataset(finished) as opened:
        assert json.loads(opened.attrs["recipe"]) == recipe().to_dict()
        assert opened.attrs["schema_version"] == recipe().schema_version
        assert opened.attrs["material"] == "NbSe2"
        assert opened.attrs["lattice"] == "triangular"
        assert opened.attrs["lattice_constant"] == 3.44
        assert opened.attrs["broadening"] == 0.5
        assert opened.attrs["window"] == 16
        assert json.loads(opened.attrs["method"]) == {"name": "grid", "kgrid": 64}
        assert opened.attrs["gapscope_version"] == "of the tests"
        assert tuple(opened.attrs["labels"]) == LABELS
        assert tuple(opened.attrs["irreps"]) == IRREPS


def test_every_image_belongs_to_the_parameters_beside_it(finished: Path) -> None:
    what = recipe()
    nbse2 = material(what.material)
    with DatasetReader(finished) as reader:
        table = reader.parameters
        for i in range(len(reader)):
            irrep = reader.candidates[table["candidate"][i]]
            assert reader.labels[table["label"][i]] == label_of(irrep)
            assert table["gap"][i] == pytest.approx(labelled_gap(irrep, table["printed_gap"][i]))
            theta = None if np.isnan(table["theta"][i]) else float(table["theta"][i])
            pairing = Pairing(irrep, gap=float(table["printed_gap"][i]), theta=theta)
            spec = Specification(
                nbse2, pairing, what.impurity.impurity(), eps0=float(table["eps0"][i])
            )
            expected = image(spec, what.numerics()).astype(np.float32)
            assert np.array_equal(reader.image(i), expected)


def test_images_come_in_the_order_asked_for(finished: Path) -> None:
    with DatasetReader(finished) as reader, open_dataset(finished) as opened:
        ids = [33, 0, 33, 17]
        assert np.array_equal(reader.images(ids), opened.ldos_change.values[ids])
        assert np.array_equal(read_images(finished, ids), reader.images(np.array(ids)))
        assert reader.images([]).shape == (0, 2, 16, 16)


def test_splits_and_examples_are_found_by_name(finished: Path) -> None:
    with DatasetReader(finished) as reader:
        assert reader.ids("train").tolist() == list(range(20))
        assert reader.ids("test").tolist() == list(range(30, 40))
        with pytest.raises(DatasetError, match=r"train, validation, test[\s\S]*holdout"):
            reader.ids("holdout")
        examples = reader.examples(3)
        assert {name: ids.tolist() for name, ids in examples.items()} == {
            name: [i, i + 5, i + 10] for i, name in enumerate(LABELS)
        }


def test_an_id_outside_the_dataset_is_refused(finished: Path) -> None:
    with DatasetReader(finished) as reader:
        for sample in (-1, 40):
            with pytest.raises(DatasetError, match="run from 0 to 39"):
                reader.image(sample)


def test_a_moved_dataset_finds_its_own_shards(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = read_images(dataset, range(40))
    other = build_here(recipe(seed=8), tmp_path / "other")
    moved = Path(shutil.move(dataset, tmp_path / "moved"))
    monkeypatch.chdir(other)  # whose shards have the same relative paths
    assert np.array_equal(read_images(moved, range(40)), expected)
    with open_dataset("../moved") as opened:
        assert np.array_equal(opened.ldos_change, expected)


def test_a_missing_shard_is_an_error_and_not_a_picture_of_nothing(dataset: Path) -> None:
    shard(dataset, 2).unlink()
    for use in (open_dataset, DatasetReader):
        with pytest.raises(CorruptShardError, match=r"shard-00002\.h5: no file[\s\S]*Build again"):
            use(dataset)


def test_a_shard_that_is_lost_while_reading_is_an_error(dataset: Path) -> None:
    with DatasetReader(dataset) as reader:
        shard(dataset, 2).unlink()
        with pytest.raises(CorruptShardError, match="shard-00002"):
            reader.image(14)


def test_a_shard_without_file_handles_left_is_an_error(dataset: Path) -> None:
    with DatasetReader(dataset) as reader:
        reader._verified.update(range(6))
        shard(dataset, 2).unlink()  # HDF5 now shows its fill value
        with pytest.raises(CorruptShardError, match="sample 14 cannot be read"):
            reader.image(14)


def test_a_truncated_shard_is_refused(dataset: Path) -> None:
    path = shard(dataset, 4)
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(CorruptShardError, match=r"shard-00004\.h5: \d+ bytes, not \d+"):
        open_dataset(dataset)


def test_flipped_bits_of_an_image_are_found_on_first_use(dataset: Path) -> None:
    flip(shard(dataset, 1), offset_of_image(shard(dataset, 1), 3))
    with DatasetReader(dataset) as reader:
        reader.image(0)
        with pytest.raises(CorruptShardError, match=r"shard-00001\.h5: content that differs"):
            reader.image(7)


def test_a_shard_of_another_dataset_is_found_on_first_use(dataset: Path, tmp_path: Path) -> None:
    other = build_here(recipe(seed=8), tmp_path / "other")
    shutil.copy(shard(other, 0), shard(dataset, 0))
    with (
        DatasetReader(dataset) as reader,
        pytest.raises(CorruptShardError, match="manifest's checksum"),
    ):
        reader.image(0)


def test_an_unfinished_dataset_is_refused_with_what_is_done(dataset: Path) -> None:
    manifest = json.loads((dataset / "manifest.json").read_text())
    del manifest["shards"][3:5]
    (dataset / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DatasetError, match=r"4 of 6 shards[\s\S]*Run its build again"):
        open_dataset(dataset)


@pytest.mark.parametrize("name", ["manifest.json", "dataset.h5"])
def test_a_dataset_without_one_of_its_files_is_refused(dataset: Path, name: str) -> None:
    (dataset / name).unlink()
    with pytest.raises(DatasetError, match=name):
        open_dataset(dataset)


@pytest.mark.parametrize("name", ["manifest.json", "dataset.h5"])
def test_a_damaged_file_is_named(dataset: Path, name: str) -> None:
    os.truncate(dataset / name, 200)
    with pytest.raises(DatasetError, match=name):
        open_dataset(dataset)


def test_a_view_of_another_recipe_is_refused(dataset: Path, tmp_path: Path) -> None:
    other = build_here(recipe(seed=8), tmp_path / "other")
    shutil.copy(other / "dataset.h5", dataset / "dataset.h5")
    with pytest.raises(DatasetError, match="of one recipe"):
        open_dataset(dataset)


@pytest.mark.parametrize("place", ["manifest.json", "recipe", "dataset.h5", "shard"])
def test_a_newer_schema_asks_for_a_newer_gapscope(dataset: Path, place: str) -> None:
    if place in ("manifest.json", "recipe"):
        manifest = json.loads((dataset / "manifest.json").read_text())
        table = manifest if place == "manifest.json" else manifest["recipe"]
        table["schema"] = SCHEMA_VERSION + 1
        (dataset / "manifest.json").write_text(json.dumps(manifest))
    else:
        path = dataset / "dataset.h5" if place == "dataset.h5" else shard(dataset, 0)
        with h5py.File(path, "r+") as file:
            file.attrs.modify("schema_version", SCHEMA_VERSION + 1)
    with pytest.raises(SchemaVersionError, match="Update gapscope"):
        read_images(dataset, [0])


def test_the_limit_of_open_files_is_raised_or_reported(dataset: Path) -> None:
    code = (
        "import resource, sys; from gapscope.dataset.load import open_dataset\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, int(sys.argv[2])))\n"
        "open_dataset(sys.argv[1]).close()\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )

    def run(hard: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, str(dataset), str(hard)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert int(run(hard).stdout) >= 6 + 64
    assert "A process may open every shard" in run(64).stderr


def test_loading_knows_neither_dask_nor_julia() -> None:
    code = (
        "import sys, gapscope.dataset.load, gapscope.dataset.verify\n"
        "print([m for m in ('dask', 'distributed', 'juliacall') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_double_precision_is_kept_where_the_recipe_asks_for_it(tmp_path: Path) -> None:
    folder = build_here(Recipe64, tmp_path / "double")
    assert read_images(folder, [3]).dtype == np.float64


Recipe64 = recipe(dtype="float64", splits=TABLE["splits"] | {"train": 0})
