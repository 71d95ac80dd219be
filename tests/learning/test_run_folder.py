"""A run folder can be read again, or says why not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import toys
from disks import files_of_at_most
from gapscope.errors import RunError, SchemaVersionError, StorageError, TrainingError
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.network.run_config import RUN_SCHEMA, RunConfig
from gapscope.learning.prediction.predictor import Predictor
from gapscope.learning.training.train import LOCK


@pytest.fixture
def run(learned: RunFolder, tmp_path: Path) -> RunFolder:
    """A finished run of the test's own."""
    return RunFolder(shutil.copytree(learned.path, tmp_path / "run"))


def edit(run: RunFolder, **changes: Any) -> None:
    path = run.path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_run_folder_holds_json_and_arrays_only(learned: RunFolder) -> None:
    names = sorted(path.name for path in learned.path.iterdir())
    assert names == ["best.weights.h5", "config.json", "history.jsonl", "surfaces.npz", LOCK]
    kinds = set()
    with h5py.File(learned.best) as file:
        file.visititems(lambda _, item: kinds.add(getattr(item, "dtype", np.dtype("f4")).kind))
    with np.load(learned.emulators, allow_pickle=False) as file:
        kinds |= {file[name].dtype.kind for name in file.files} - {"U"}
    assert kinds <= {"f", "i", "u"}  # no opaque or object type that could carry a pickle


def test_the_configuration_survives_json(learned: RunFolder) -> None:
    config = learned.config()
    assert RunConfig.from_json(config.to_json()) == config


def test_a_run_of_a_newer_schema_asks_for_an_update(run: RunFolder) -> None:
    edit(run, schema=RUN_SCHEMA + 1)
    with pytest.raises(SchemaVersionError, match=f"schema {RUN_SCHEMA + 1}"):
        Predictor.load(run.path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 1}', '{"schema": "one"}'])
def test_a_damaged_configuration_is_named(run: RunFolder, content: str) -> None:
    (run.path / "config.json").write_text(content)
    with pytest.raises(RunError, match=r"config\.json"):
        Predictor.load(run.path)


def test_an_unknown_backbone_in_a_run_is_named(run: RunFolder) -> None:
    text = (run.path / "config.json").read_text()
    (run.path / "config.json").write_text(text.replace('"tiny"', '"huge"'))
    with pytest.raises(RunError, match="huge"):
        Predictor.load(run.path)


def test_a_run_with_other_classes_is_refused(run: RunFolder) -> None:
    edit(run, labels=["A1g", "A1u", "A2g", "Eg", "Eu"])
    with pytest.raises(RunError, match="A1u"):
        Predictor.load(run.path)


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=str(tmp_path / "nothing")):
        Predictor.load(tmp_path / "nothing")


def test_missing_weights_are_named(run: RunFolder) -> None:
    run.best.unlink()
    with pytest.raises(RunError, match=r"best\.weights\.h5"):
        Predictor.load(run.path)


def test_damaged_weights_are_named(run: RunFolder) -> None:
    run.best.write_bytes(run.best.read_bytes()[:1000])
    with pytest.raises(RunError, match=r"best\.weights\.h5"):
        Predictor.load(run.path)


def test_weights_of_another_network_are_named(run: RunFolder) -> None:
    text = (run.path / "config.json").read_text()
    (run.path / "config.json").write_text(text.replace('"width": 32', '"width": 16'))
    with pytest.raises(RunError, match=r"best\.weights\.h5"):
        Predictor.load(run.path)


def test_the_loaded_network_is_the_saved_one(learned: RunFolder, tmp_path: Path) -> None:
    network = learned.trained_network()
    copy = RunFolder(tmp_path)
    copy.save(network, copy.best)
    again = learned.config().network()
    copy.load(again, copy.best)
    for one, other in zip(again.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_full_disk_leaves_the_old_weights_and_no_litter(run: RunFolder) -> None:
    before, names = run.best.read_bytes(), sorted(run.path.iterdir())
    network = run.trained_network()
    with files_of_at_most(4000), pytest.raises(StorageError, match="File too large"):
        run.save(network, run.best)
    assert run.best.read_bytes() == before
    assert sorted(run.path.iterdir()) == names


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"weight_decay": -1.0},
        {"gaussian_noise": float("inf")},
        {"ema_momentum": 1.0},
        {"precision": "float16"},
        {"seed": -1},
    ],
)
def test_options_outside_their_range_are_refused(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(TrainingError, match=name) as caught:
        toys.tiny_config(**options)
    assert caught.value.remedy
