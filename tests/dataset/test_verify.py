"""``verify`` finds what is wrong, and its digest is a matter of the numbers alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from doubles import build_here, recipe
from gapscope.dataset.assemble import write_dataset
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.schema import Arrays
from gapscope.dataset.shards import read_shard, write_shard
from gapscope.dataset.verify import Status, status, verify
from gapscope.errors import CorruptShardError, DatasetError


def forge(dataset: Path, index: int, change: Callable[[Arrays], None]) -> None:
    """Change a shard and everything that vouches for it."""
    manifest = Manifest.read(dataset)
    path = dataset / "shards" / f"shard-{index:05d}.h5"
    shard = read_shard(path, manifest.recipe, manifest.recipe.shards()[index])
    change(shard.arrays)
    entry = write_shard(path, shard.arrays, shard.origin, 1.0)
    manifest = manifest.with_shard(index, entry)
    manifest.write(dataset)
    write_dataset(dataset, manifest)


def test_a_sound_dataset_is_counted(finished: Path) -> None:
    found = verify(finished)
    assert (found.samples, found.shards) == (40, 6)
    assert found.counts["train"] == {"A1g": 4, "A1u": 2, "A2g": 4, "A2u": 2, "Eg": 4, "Eu": 4}
    assert found.counts["validation"] == found.counts["test"]
    assert status(finished) == Status(done=40, total=40, shards_done=6, shards_total=6)


def test_the_digest_does_not_depend_on_shards(finished: Path, tmp_path: Path) -> None:
    for size in (1, 13, 40, 100):
        other = build_here(recipe(shard_size=size), tmp_path / str(size))
        assert verify(other).digest == verify(finished).digest


def nudge(name: str) -> Callable[[Arrays], None]:
    def change(arrays: Arrays) -> None:
        first = arrays[name].reshape(-1)[:1]
        first[...] = np.nextafter(first, np.inf)

    return change


@pytest.mark.parametrize("name", ["ldos_change", "dos", "gap", "printed_gap", "theta", "eps0"])
def test_the_last_bit_of_any_array_changes_the_digest(
    dataset: Path, finished: Path, name: str
) -> None:
    forge(dataset, 0, nudge(name))
    assert verify(dataset).digest != verify(finished).digest


def test_another_seed_has_another_digest(finished: Path, tmp_path: Path) -> None:
    assert verify(build_here(recipe(seed=8), tmp_path / "8")).digest != verify(finished).digest


def test_all_broken_shards_are_named(dataset: Path) -> None:
    shards = dataset / "shards"
    (shards / "shard-00000.h5").unlink()
    os.truncate(shards / "shard-00002.h5", 5000)
    content = bytearray((shards / "shard-00005.h5").read_bytes())
    content[len(content) // 2] ^= 1
    (shards / "shard-00005.h5").write_bytes(content)
    with pytest.raises(CorruptShardError) as caught:
        verify(dataset)
    for name in ("shard-00000", "shard-00002", "shard-00005"):
        assert name in caught.value.received
    assert "shard-00001" not in caught.value.received


def test_a_flipped_bit_anywhere_in_a_shard_is_found_or_means_nothing(
    dataset: Path, finished: Path, rng: np.random.Generator
) -> None:
    path = dataset / "shards" / "shard-00003.h5"
    whole = path.read_bytes()
    digest, found = verify(finished).digest, 0
    for offset in rng.integers(0, len(whole), 40):
        damaged = bytearray(whole)
        damaged[offset] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            assert verify(dataset).digest == digest  # a bit that HDF5 does not use
        except CorruptShardError:
            found += 1
    assert found > 20


def test_an_unfinished_dataset_has_a_status_but_no_digest(dataset: Path) -> None:
    manifest = json.loads((dataset / "manifest.json").read_text())
    manifest["shards"] = manifest["shards"][:2] + manifest["shards"][5:]
    (dataset / "manifest.json").write_text(json.dumps(manifest))
    assert status(dataset) == Status(done=19, total=40, shards_done=3, shards_total=6)
    with pytest.raises(DatasetError, match="3 of 6 shards"):
        verify(dataset)


def test_no_dataset_has_no_status(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"has a manifest\.json"):
        status(tmp_path)


def not_a_number(arrays: Arrays) -> None:
    arrays["ldos_change"][2, 1, 0, 0] = np.nan


def infinite(arrays: Arrays) -> None:
    arrays["dos"][2, 0] = np.inf


def constant(arrays: Arrays) -> None:
    arrays["ldos_change"][2, 0] = 1.0


def other_class(arrays: Arrays) -> None:
    arrays["irrep"][2] = arrays["irrep"][3]


def other_label(arrays: Arrays) -> None:
    arrays["label"][2] = arrays["label"][3]


def other_split(arrays: Arrays) -> None:
    arrays["split"][2] = 2


def other_ids(arrays: Arrays) -> None:
    arrays["sample"][2] = 40


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (not_a_number, "are finite[\\s\\S]*samples 9"),
        (infinite, "are finite[\\s\\S]*samples 9"),
        (constant, "No image is constant[\\s\\S]*samples 9"),
        (other_class, "candidates come in turn"),
        (other_label, "Classes come in turn[\\s\\S]*samples 9"),
        (other_split, "Splits are[\\s\\S]*samples 9"),
        (other_ids, "Sample ids[\\s\\S]*samples 40"),
    ],
)
def test_content_that_breaks_a_rule_is_found(
    dataset: Path, change: Callable[[Arrays], None], rule: str
) -> None:
    forge(dataset, 1, change)
    with pytest.raises(DatasetError, match=rule):
        verify(dataset)


@pytest.mark.parametrize("name", ["eps0", "sample"])
def test_a_view_that_differs_from_its_shards_is_found(dataset: Path, name: str) -> None:
    with h5py.File(dataset / "dataset.h5", "r+") as file:
        file[name][5] = 12
    with pytest.raises(DatasetError, match=f"shows what the shards hold[\\s\\S]*{name} differs"):
        verify(dataset)
