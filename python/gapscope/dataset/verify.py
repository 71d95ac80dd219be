"""The state of a dataset folder: how much is done, and whether what is done is right."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.load import REBUILD, open_view
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.recipe import Recipe
from gapscope.dataset.schema import (
    CANDIDATE,
    DATASET,
    SPLITS,
    Arrays,
    shard_name,
)
from gapscope.dataset.shards import faults, read_shard
from gapscope.errors import CorruptShardError, DatasetError
from gapscope.problem.sampling import draw


@dataclass(frozen=True)
class Status:
    """Progress of a build, in samples and in shards."""

    done: int
    total: int
    shards_done: int
    shards_total: int


@dataclass(frozen=True)
class Verification:
    """What :func:`verify` found in a dataset without fault.

    ``digest`` is SHA-256 over all arrays in the order of sample ids: equal for equal numbers,
    whatever the shards, workers and interruptions. ``counts`` are samples by split and candidate.
    """

    samples: int
    shards: int
    counts: dict[str, dict[str, int]]
    digest: str


def status(directory: str | Path) -> Status:
    """How much of a dataset is finished, by its manifest.

    Raises
    ------
    DatasetError : the folder holds no dataset.
    """
    manifest = Manifest.read(Path(directory))
    shards = manifest.recipe.shards()
    done = sum(len(shards[index]) for index in manifest.shards)
    return Status(done, manifest.recipe.samples, len(manifest.shards), len(shards))


def verify(directory: str | Path) -> Verification:
    """Check checksums, finiteness, constant images, ids, splits, balance, and ``dataset.h5``.

    Raises
    ------
    CorruptShardError : shards that are missing, unreadable or changed; all of them are named.
    DatasetError : the build is not finished, or what it holds breaks a rule.
    SchemaVersionError : the dataset was written by a newer gapscope.
    """
    folder = Path(directory)
    manifest = Manifest.read(folder)
    manifest.require_finished()
    recipe = manifest.recipe
    variables = recipe.variables()
    columns = ["sample", *(variable.name for variable in recipe.parameters())]
    hashes = {variable.name: hashlib.sha256() for variable in variables}
    broken: list[CorruptShardError] = []
    tables: list[Arrays] = []
    with open_view(folder, manifest) as view:
        for index, samples in enumerate(recipe.shards()):
            try:
                shard = read_shard(folder / shard_name(index), recipe, samples)
                manifest.require_entered(index, shard.entry.sha256)
            except CorruptShardError as error:
                broken.append(error)
                continue
            for rule, ids in faults(shard.arrays):
                _require(rule, ids)
            for name, values in shard.arrays.items():
                _require_shown(view[name][samples.start : samples.stop], values, name)
                hashes[name].update(values.data)
            tables.append({name: shard.arrays[name] for name in columns})
    if broken:
        received = "; ".join(str(error.received) for error in broken)
        raise CorruptShardError(broken[0].rule, received, broken[0].remedy)
    table = {name: np.concatenate([part[name] for part in tables]) for name in columns}
    _require_ids_and_splits(table, recipe)
    counts = _require_balance(table, manifest)
    total = hashlib.sha256()
    for variable in variables:
        shape = variable.shape(recipe.sizes(recipe.samples))
        content = hashes[variable.name].hexdigest()
        total.update(f"{variable.name} {variable.dtype} {shape} {content}\n".encode())
    return Verification(recipe.samples, len(tables), counts, total.hexdigest())


def _require_shown(shown: NDArray[Any], stored: NDArray[Any], name: str) -> None:
    if shown.tobytes() != stored.tobytes():
        raise DatasetError(f"{DATASET} shows what the shards hold.", f"{name} differs", REBUILD)


def _require_ids_and_splits(table: Arrays, recipe: Recipe) -> None:
    ids, all_ids = table["sample"], range(recipe.samples)
    _require("Sample ids run from 0 without gaps.", ids[ids != all_ids].tolist())
    wrong = table["split"] != recipe.split_of(all_ids)
    _require("Splits are the recipe's ranges of sample ids.", ids[wrong].tolist())


def _require_balance(table: Arrays, manifest: Manifest) -> dict[str, dict[str, int]]:
    """Samples by split and candidate: classes, and the members of each, in turn."""
    problem = manifest.problem
    column = CANDIDATE[manifest.recipe.schema_version]
    names = [one.name for one in problem.candidates]
    counts = {
        split: {
            name: int(np.sum((table["split"] == s) & (table[column] == i)))
            for i, name in enumerate(names)
        }
        for s, split in enumerate(SPLITS)
    }
    ids = table["sample"]
    drawn = [draw(problem, manifest.recipe.seed, int(sample)) for sample in ids]
    label = np.array([one.label for one in drawn])
    _require("Classes come in turn.", ids[table["label"] != label].tolist())
    members = [problem.classes[one.label].members[one.member].candidate for one in drawn]
    candidate = np.array([names.index(name) for name in members])
    _require("A class's candidates come in turn.", ids[table[column] != candidate].tolist())
    for unknown in problem.unknowns:
        values = np.array([one.values.get(unknown.name, np.nan) for one in drawn])
        # Another machine's logarithm may round differently.
        same = np.isclose(values, table[unknown.name], rtol=1e-12, atol=0, equal_nan=True)
        _require("Parameters follow from seed and sample id.", ids[~same].tolist())
    return counts


def _require(rule: str, samples: list[int]) -> None:
    """Raise DatasetError if a rule is broken by any sample."""
    if samples:
        shown = ", ".join(str(sample) for sample in samples[:10])
        more = f" and {len(samples) - 10} more" if len(samples) > 10 else ""
        raise DatasetError(rule, f"samples {shown}{more}", REPORT)


REPORT = "Report this with the recipe: a build refuses to write such a dataset."
