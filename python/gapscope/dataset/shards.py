"""One shard: all variables of some samples in one HDF5 file that carries its own checksum."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from gapscope.dataset.recipe import Recipe
from gapscope.dataset.schema import (
    SHARD_SCHEMA,
    Arrays,
    require_readable,
)
from gapscope.errors import CorruptShardError, GapscopeError
from gapscope.support.storage import write_whole

logger = logging.getLogger(__name__)

HDF5 = ("v110", "v110")
"""HDF5 1.10 checksums its own metadata and knows virtual datasets."""


@dataclass(frozen=True)
class ShardEntry:
    """A finished shard as the manifest lists it.

    Attributes
    ----------
    sha256 : digest of its arrays, see :func:`checksum`.
    size : bytes of its file.
    seconds : that a worker took to simulate it.
    """

    sha256: str
    size: int
    seconds: float


@dataclass(frozen=True)
class Origin:
    """Which dataset a shard belongs to, and what computed it."""

    identity: str
    versions: dict[str, str]


@dataclass(frozen=True)
class Shard:
    """A shard's content and what it says of itself."""

    arrays: Arrays
    entry: ShardEntry
    origin: Origin


def checksum(arrays: Arrays) -> str:
    """SHA-256 over names, dtypes, shapes and numbers of the arrays, in their order."""
    digest = hashlib.sha256()
    for name, values in arrays.items():
        digest.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def faults(arrays: Arrays) -> Iterator[tuple[str, list[int]]]:
    """Rules that the maps of a shard break, each with the sample ids."""
    dos = arrays["dos"]
    if "green_re" in arrays:
        yield from _green_faults(arrays)
        return
    images = arrays["ldos_change"]
    finite = np.isfinite(images).all(axis=(1, 2, 3)) & np.isfinite(dos).all(axis=1)
    for name in ("integral_change", "broadened_change"):
        if name in arrays:
            finite &= np.isfinite(arrays[name]).all(axis=(1, 2, 3))
    constant = (images == images[..., :1, :1]).all(axis=(2, 3)).any(axis=1)
    for rule, wrong in (
        ("Maps and densities of states are finite.", ~finite),
        ("No image is constant: an impurity changes the density of states.", constant & finite),
    ):
        if wrong.any():
            yield rule, arrays["sample"][wrong].tolist()


def _green_faults(arrays: Arrays) -> Iterator[tuple[str, list[int]]]:
    """The same for a shard of Green's functions."""
    parts = [arrays[name].reshape(*arrays[name].shape[:2], -1) for name in ("green_re", "green_im")]
    finite = np.isfinite(arrays["dos"]).all(axis=1)
    for part in parts:
        finite &= np.isfinite(part).all(axis=(1, 2))
    largest = np.maximum(np.abs(parts[0]).max(axis=2), np.abs(parts[1]).max(axis=2))
    zero = (largest == 0).any(axis=1)
    for rule, wrong in (
        ("Green's functions and densities of states are finite.", ~finite),
        ("No Green's function is zero.", zero),
    ):
        if wrong.any():
            yield rule, arrays["sample"][wrong].tolist()


def write_shard(path: Path, arrays: Arrays, origin: Origin, seconds: float) -> ShardEntry:
    """Write a shard with every variable of :meth:`gapscope.dataset.recipe.Recipe.variables`.

    The file is laid out in memory, so that a full disk is met by a plain write.

    Raises
    ------
    StorageError : the system refused to write.
    """
    sha256 = checksum(arrays)
    image = io.BytesIO()
    with h5py.File(image, "w", libver=HDF5) as file:
        file.attrs.update(
            schema_version=SHARD_SCHEMA,
            identity=origin.identity,
            versions=json.dumps(origin.versions),
            sha256=sha256,
            seconds=seconds,
        )
        for name, values in arrays.items():
            one_image = (1, 1, *values.shape[2:]) if values.ndim >= 4 else None
            file.create_dataset(name, data=values, chunks=one_image)
    content = image.getvalue()
    write_whole(path, content)
    return ShardEntry(sha256, len(content), seconds)


def read_shard(path: Path, recipe: Recipe, samples: range) -> Shard:
    """Read a shard and check that it is whole.

    Raises
    ------
    CorruptShardError : missing, unreadable, of other shape, or not what its checksum says.
    SchemaVersionError : written by a newer gapscope.
    """
    with _opened(path) as file:
        names = [variable.name for variable in recipe.variables()]
        arrays = _read(file, recipe, samples, names)
        origin = Origin(str(file.attrs["identity"]), json.loads(file.attrs["versions"]))
        entry = ShardEntry(
            str(file.attrs["sha256"]), path.stat().st_size, float(file.attrs["seconds"])
        )
    if checksum(arrays) != entry.sha256:
        raise corrupt(path.name, "content that differs from its checksum")
    return Shard(arrays, entry, origin)


def intact_shard(path: Path, recipe: Recipe, samples: range) -> Shard | None:
    """The shard if it lies there and is whole; what is broken is reported and is None."""
    if not path.exists():
        return None
    try:
        return read_shard(path, recipe, samples)
    except CorruptShardError as error:
        logger.warning("Computed again: %s", error.received)
        return None


def read_variables(path: Path, recipe: Recipe, samples: range, names: Sequence[str]) -> Arrays:
    """Some variables of a shard, unchecked but for their shapes; raises as read_shard does."""
    with _opened(path) as file:
        return _read(file, recipe, samples, names)


def corrupt(shard: str, received: str) -> CorruptShardError:
    """The error for a shard that cannot be used."""
    return CorruptShardError(
        "Every shard is there, readable, and matches its checksum.",
        f"{shard}: {received}",
        "Build again with the same recipe and folder: only broken shards are computed anew.",
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with h5py.File(path, "r") as file:
            require_readable(int(file.attrs["schema_version"]), path.name)
            yield file
    except GapscopeError:
        raise
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise corrupt(path.name, str(error)) from error


def _read(file: Any, recipe: Recipe, samples: range, names: Sequence[str]) -> Arrays:
    """Arrays by name; shapes and dtypes are checked before anything is allocated."""
    sizes = recipe.sizes(len(samples))
    expected = {variable.name: variable for variable in recipe.variables()}
    arrays = {}
    for name in names:
        stored, shape, dtype = file[name], expected[name].shape(sizes), expected[name].dtype
        if stored.shape != shape or stored.dtype.str != dtype:
            raise ValueError(f"{name} is {stored.dtype.str} {stored.shape}, not {dtype} {shape}")
        arrays[name] = stored[()]
    return arrays
