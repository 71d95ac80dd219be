"""A run folder: all that a trained network needs, as JSON and HDF5 arrays; no code, no pickle.

    config.json            options, scalings, dataset and versions
    history.jsonl          one line per finished epoch
    best.weights.h5        weights of the epoch with the smallest validation loss
    surfaces.npz           see :mod:`gapscope.learning.emulator.by_irrep`; made after the last epoch
    checkpoint.weights.h5  weights and optimizer after the last finished epoch; gone at the end
    train.lock             held by the training that works in the folder

The network is built anew by the name of its backbone; files hold only its weights.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import h5py
import keras

from gapscope.errors import RunError, SchemaVersionError, TrainingError
from gapscope.learning.network.run_config import RunConfig
from gapscope.support.array_file import UNREADABLE
from gapscope.support.networks import CONFIG, require_network
from gapscope.support.reading import JSON_BYTES, parse_json, read_bounded, require_regular
from gapscope.support.storage import make_folder, remove_leftovers, write_whole

_OVERHEAD = 4_000_000  # bytes of a file of weights that are not its numbers


class RunFolder:
    """Reads and writes a run folder; every file is whole or absent."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._config = self.path / CONFIG
        self._history = self.path / "history.jsonl"
        self.best = self.path / "best.weights.h5"
        self.emulators = self.path / "surfaces.npz"
        self.checkpoint = self.path / "checkpoint.weights.h5"

    @property
    def begun(self) -> bool:
        """Whether there is anything to resume or to read."""
        return self._config.is_file()

    @property
    def finished(self) -> bool:
        """Whether the last epoch has been trained and nothing is left to do."""
        training = self.config().training
        return self.trained and (self.emulators.is_file() or not training.surfaces)

    @property
    def trained(self) -> bool:
        """Whether the last epoch has been trained."""
        return self.best.is_file() and len(self.history()) >= self.config().training.epochs

    def finish(self) -> None:
        """Drop, after the last epoch, the optimizer's state and what interruptions left behind."""
        self.checkpoint.unlink(missing_ok=True)
        remove_leftovers(self.path)

    def clear(self) -> None:
        """Remove the files of a run, and nothing else."""
        for file in (self._config, self._history, self.best, self.emulators, self.checkpoint):
            file.unlink(missing_ok=True)

    def config(self) -> RunConfig:
        """The configuration.

        Raises
        ------
        RunError : no run, or a damaged ``config.json``.
        SchemaVersionError : written by a newer gapscope.
        """
        require_network(self.path)
        try:
            return RunConfig.from_json(read_bounded(self._config, JSON_BYTES).decode())
        except SchemaVersionError:
            raise
        except (*UNREADABLE, TrainingError) as error:
            raise RunError(
                "config.json describes a run completely.",
                f"{self._config}: {type(error).__name__}: {error}",
                "Restore the file, or train again into another folder.",
            ) from error

    def write_config(self, config: RunConfig) -> None:
        """Begin a run; raises StorageError."""
        make_folder(self.path)
        write_whole(self._config, config.to_json().encode())

    def history(self) -> list[dict[str, float]]:
        """One entry per finished epoch: epoch (from 1), seconds, losses and accuracies."""
        if not self._history.is_file():
            return []
        return [
            parse_json(line)
            for line in read_bounded(self._history, JSON_BYTES).decode().splitlines()
        ]

    def write_history(self, entries: list[dict[str, float]]) -> None:
        """Replace the history; raises StorageError."""
        lines = "".join(json.dumps(entry) + "\n" for entry in entries)
        write_whole(self._history, lines.encode())

    def save(self, model: keras.Model, target: Path) -> None:
        """Save weights, and a compiled model's optimizer state; raises StorageError."""
        file = _Memory()
        model.save_weights(file)
        write_whole(target, file.getvalue())

    def load(self, model: keras.Model, source: Path) -> None:
        """Load what :meth:`save` wrote.

        Raises
        ------
        RunError : the file is missing, damaged, or of another network.
        """
        if not os.path.lexists(source):
            raise RunError(
                f"A trained run holds {source.name}.",
                str(self.path),
                "Run the training again; it goes on where it was interrupted.",
            )
        try:
            _require_weights(source, model)
            model.load_weights(source)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise RunError(
                f"{source.name} holds the weights of the network that config.json describes.",
                f"{source}: {str(error).splitlines()[0]}",
                "Restore the file, or train again into another folder.",
            ) from error

    def trained_network(self) -> keras.Model:
        """The network with its best weights in float32; raises as config and load do."""
        network = self.config().empty_network()
        self.load(network, self.best)
        return network


def _require_weights(path: Path, model: keras.Model) -> None:
    """Raise ValueError unless a file can hold weights of this model, before any of it is loaded.

    The model's own numbers, two moments of its optimizer and the average of its weights; no links
    and no arrays that lie elsewhere.
    """
    values = 4 * model.count_params() + 1000
    require_regular(path, 4 * values + _OVERHEAD)

    def look(group: h5py.Group) -> int:
        total = 0
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{name} is a link")
            entry = group[name]
            if isinstance(entry, h5py.Group):
                total += look(entry)
            elif entry.is_virtual or entry.external:
                raise ValueError(f"{name} lies elsewhere")
            else:
                total += int(entry.size)
        return total

    with h5py.File(path, "r") as file:
        found = look(file)
    if found > values:
        raise ValueError(f"{found} numbers, where the network has {model.count_params()}")


class _Memory(io.BytesIO):
    """A file of weights in memory, by the only name that Keras takes."""

    def __str__(self) -> str:
        return "memory.weights.h5"
