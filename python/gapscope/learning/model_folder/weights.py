"""A network's weights in half precision, as safetensors files and an index in JSON.

    weights.json               tensors and their shapes; files and their SHA-256
    weights-01.safetensors     the tensors, or pieces of large ones, flat

Matrices and convolution kernels are float16; vectors (biases, normalisation) float32. Reading runs
no code: JSON, checksums, and arrays whose names and shapes must be those of the network.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from gapscope.errors import RunError, SchemaVersionError
from gapscope.support.array_file import UNREADABLE
from gapscope.support.networks import INDEX
from gapscope.support.reading import read_bounded, read_json, require_regular
from gapscope.support.storage import write_whole

WEIGHTS_SCHEMA = 1
PIECE_BYTES = 8_000_000
FILE_BYTES = 16_000_000
"""Largest piece of a tensor, and largest file without its header (of some kB): below 20 MB."""

MOST_FILE = 2 * FILE_BYTES
"""Bytes of a file that are read at most."""
MOST_VALUES = 2**28
"""Weights of a network that are read at most."""
_HEADER = 1_000_000  # bytes of a file that are not its tensors, at most

_FILE = re.compile(r"weights-\d+\.safetensors")
Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Index:
    """Content of ``weights.json``.

    Attributes
    ----------
    source : SHA-256 of the run's weights that were exported, which names them.
    shapes : shapes of the tensors by name, in the network's order.
    files : SHA-256 of each file by its name.
    """

    source: str
    shapes: dict[str, tuple[int, ...]]
    files: dict[str, str]

    def to_json(self) -> str:
        """Text of ``weights.json``."""
        content = {"source": self.source, "shapes": self.shapes, "files": self.files}
        return json.dumps({"schema": WEIGHTS_SCHEMA, **content}, indent=1) + "\n"

    @classmethod
    def read(cls, folder: Path) -> Index:
        """The index of a folder.

        Raises
        ------
        RunError : missing or damaged.
        SchemaVersionError : written by a newer gapscope.
        """
        path = folder / INDEX
        try:
            content = read_json(path)
            schema = int(content["schema"])
            shapes = {str(k): tuple(map(int, v)) for k, v in content["shapes"].items()}
            files = {str(k): str(v) for k, v in content["files"].items()}
            index = cls(str(content["source"]), shapes, files)
        except UNREADABLE as error:
            raise _damaged(path, f"{type(error).__name__}: {error}") from error
        if schema > WEIGHTS_SCHEMA:
            raise SchemaVersionError(
                f"This version of gapscope reads weights of schema {WEIGHTS_SCHEMA} and older.",
                f"{path}: schema {schema}",
                "Update gapscope.",
            )
        foreign = [name for name in files if not _FILE.fullmatch(name)]
        if foreign:
            raise _damaged(path, f"files {foreign}")
        return index

    def require_held(self, folder: Path, kernel: int, width: int, energies: int) -> None:
        """Raise RunError unless these tensors are of such a network and fit the files' sizes.

        It is checked before a network is built: the side of the first convolution's kernel, the
        width of the aggregation and the number of energies stand in a text that asks for memory.
        """
        path = folder / INDEX
        values = sum(math.prod(shape) for shape in self.shapes.values())
        every = [shape for shape in self.shapes.values() if len(shape) == 4]
        first = every[0] if every else ()
        if any(size < 0 for shape in self.shapes.values() for size in shape):
            raise _damaged(path, "a tensor of negative size")
        if not 0 < values <= MOST_VALUES:
            raise _damaged(path, f"{values} weights, where {MOST_VALUES} are read at most")
        wide = any(len(shape) == 2 and shape[1] == width for shape in self.shapes.values())
        if first[:3] != (kernel, kernel, energies) or not wide:
            raise _damaged(path, f"tensors of another network: first {first}, width {width}")
        try:
            sizes = []
            for name in self.files:
                require_regular(folder / name, MOST_FILE)
                sizes.append((folder / name).stat().st_size)
        except (OSError, ValueError) as error:
            raise _damaged(path, str(error)) from error
        if not 2 * values <= sum(sizes) <= 4 * values + _HEADER * len(sizes):
            names = ", ".join(self.files)
            raise _damaged(path, f"{names}: {sum(sizes)} bytes for {values} weights")


def write_weights(network: keras.Model, folder: Path, source: str) -> Index:
    """Write a network's weights into a folder, the index last; raises StorageError.

    Raises
    ------
    RunError : weights that half precision cannot hold.
    """
    tensors = {name: _stored(name, value) for name, value in _named(network)}
    files = {}
    for number, content in enumerate(_shards(tensors), start=1):
        name = f"weights-{number:02d}.safetensors"
        data = save(content)
        write_whole(folder / name, data)
        files[name] = hashlib.sha256(data).hexdigest()
    index = Index(source, {name: value.shape for name, value in tensors.items()}, files)
    write_whole(folder / INDEX, index.to_json().encode())
    return index


def read_weights(network: keras.Model, folder: Path) -> Index:
    """Set a network's weights to those of a folder.

    Raises
    ------
    RunError : files that are missing, damaged, or of another network.
    SchemaVersionError : written by a newer gapscope.
    """
    index = Index.read(folder)
    expected = {name: value.shape for name, value in _named(network)}
    if expected != index.shapes:
        differing = sorted(set(expected.items()) ^ set(index.shapes.items()))
        raise _damaged(folder / INDEX, f"tensors of another network: {differing[:2]}")
    pieces: Tensors = {}
    for name, checksum in index.files.items():
        pieces |= _read_file(folder / name, checksum)
    try:
        values = [_assembled(name, shape, pieces) for name, shape in index.shapes.items()]
    except (KeyError, ValueError) as error:
        raise _damaged(folder / INDEX, f"{type(error).__name__}: {error}") from error
    network.set_weights(values)
    return index


def remove_weights(folder: Path) -> None:
    """Remove the index, then the files that :func:`write_weights` writes, and nothing else."""
    (folder / INDEX).unlink(missing_ok=True)
    for file in folder.glob("weights-*.safetensors"):
        if _FILE.fullmatch(file.name):
            file.unlink()


def _named(network: keras.Model) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Weights in the network's order; Keras' own paths depend on what was built before."""
    for number, (variable, value) in enumerate(
        zip(network.weights, network.get_weights(), strict=True)
    ):
        yield f"{number:03d}.{variable.name}", value


def _stored(name: str, value: NDArray[np.float32]) -> NDArray[Any]:
    if value.ndim < 2:
        return value.astype(np.float32)
    with np.errstate(over="ignore"):
        half = value.astype(np.float16)
    if not np.isfinite(half).all():
        raise RunError(
            "Half precision holds weights up to 65504.",
            f"{name}: {np.abs(value).max():g}",
            "Train again with a smaller learning_rate.",
        )
    return half


def _shards(tensors: Tensors) -> Iterator[Tensors]:
    """The tensors' pieces in order, in groups of at most FILE_BYTES."""
    group: Tensors = {}
    size = 0
    for name, value in tensors.items():
        flat = np.ascontiguousarray(value).ravel()
        count = max(1, -(-flat.nbytes // PIECE_BYTES))
        for number, piece in enumerate(np.array_split(flat, count)):
            if group and size + piece.nbytes > FILE_BYTES:
                yield group
                group, size = {}, 0
            group[f"{name}/{number}"] = np.ascontiguousarray(piece)
            size += piece.nbytes
    yield group


def _assembled(name: str, shape: tuple[int, ...], pieces: Tensors) -> NDArray[np.float32]:
    own: list[NDArray[Any]] = []
    while f"{name}/{len(own)}" in pieces:
        own.append(pieces[f"{name}/{len(own)}"])
    if not own:
        raise KeyError(name)
    value = np.concatenate(own).astype(np.float32).reshape(shape)
    if not np.isfinite(value).all():
        raise ValueError(f"{name} is not finite")
    return value


def _read_file(path: Path, checksum: str) -> Tensors:
    try:
        data = read_bounded(path, MOST_FILE)
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    if hashlib.sha256(data).hexdigest() != checksum:
        raise _damaged(path, "the SHA-256 is not that of weights.json")
    try:
        return dict(load(data))
    except (SafetensorError, KeyError, ValueError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, received: str) -> RunError:
    return RunError(
        "A model folder holds the whole weights of the network that its config.json describes.",
        f"{path}: {received}",
        "Copy the folder again, or export the run again.",
    )
