"""Training learns, and goes on after an interruption as if there had been none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toys
from gapscope.dataset.load import DatasetReader
from gapscope.errors import DatasetError, RunError, TrainingError
from gapscope.learning.data.samples import Samples
from gapscope.learning.evaluation.evaluate import evaluate
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.training.batches import TrainingBatches
from gapscope.learning.training.display import Progress
from gapscope.learning.training.fit import compiled
from gapscope.learning.training.run_checkpoint import RunCheckpoint
from gapscope.learning.training.train import train


def test_a_network_learns_irreps_and_parameters(toy_dataset: Path, learned: RunFolder) -> None:
    result = evaluate(learned.path, toy_dataset)
    assert result.accuracy > 0.6  # chance: 0.2
    gaps = result.predictions["true_gap"]
    guess = float(abs(gaps - gaps.mean()).mean())
    assert np.mean([row.errors["gap"].value for row in result.rows]) < 0.6 * guess
    for row in result.rows:
        if row.label in ("Eg", "Eu"):
            assert row.errors["theta"].value < 0.5  # chance: pi / 4


def test_the_best_epoch_is_kept(toy_dataset: Path, learned: RunFolder) -> None:
    history = learned.history()
    assert [entry["epoch"] for entry in history] == list(range(1, 13))
    validation = evaluate(learned.path, toy_dataset, "validation")
    best = min(history, key=lambda entry: entry["val_loss"])
    assert validation.accuracy == pytest.approx(best["val_irrep_hit"], abs=1e-6)


def test_a_run_cut_off_between_two_files_ends_with_the_weights_of_an_undisturbed_one(
    toy_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill between two files of an epoch leaves what the folder holds then, and no more."""
    cut = RunFolder(tmp_path / "cut")
    save = RunFolder.save

    def save_and_copy(self: RunFolder, model: Any, target: Path) -> None:
        if target == self.checkpoint and len(self.history()) == 2:
            shutil.copytree(self.path, cut.path)
            shutil.copy(tmp_path / "first.weights.h5", cut.path)
        save(self, model, target)
        if target == self.checkpoint and len(self.history()) == 1:
            shutil.copy(self.best, tmp_path / "first.weights.h5")

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "save", save_and_copy)
        whole = train(toy_dataset, tmp_path / "whole", toys.averaging_config(), progress=False)
    assert len(cut.history()) == 2  # the second epoch lacks its checkpoint, and is repeated
    assert_averages_are_kept(cut, toys.averaging_config().batch_size)
    train(toy_dataset, cut.path, toys.averaging_config(), progress=False)
    pairs = zip(
        whole.trained_network().get_weights(), cut.trained_network().get_weights(), strict=True
    )
    for undisturbed, resumed in pairs:
        # Threads add in any order, and Adam divides by small numbers.
        np.testing.assert_allclose(resumed, undisturbed, rtol=1e-3, atol=1e-5)
    losses = ([entry["val_loss"] for entry in run.history()] for run in (cut, whole))
    np.testing.assert_allclose(next(losses), next(losses), rtol=1e-3)
    assert not cut.checkpoint.exists()


def assert_averages_are_kept(run: RunFolder, steps: int) -> None:
    """After the first epoch the best weights are averages, the checkpoint's are the last ones."""
    network = run.config().network()
    run.load(network, run.path / "first.weights.h5")
    averages = network.get_weights()
    trainer = compiled(network, run.config().training, steps)
    trainer.optimizer.build(trainer.trainable_variables)
    run.load(trainer, run.checkpoint)
    assert np.abs(averages[0] - network.get_weights()[0]).max() > 1e-4


def test_a_finished_run_is_left_as_it_is(toy_dataset: Path, learned: RunFolder) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in learned.path.iterdir()}
    config = learned.config().training
    train(toy_dataset, learned.path, config, progress=False)
    assert {path.name: path.stat().st_mtime_ns for path in learned.path.iterdir()} == before


def test_a_run_can_be_replaced_and_what_else_lies_there_stays(
    toy_dataset: Path, learned: RunFolder, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(learned.path, tmp_path / "run"))
    (folder / "note.txt").write_text("mine")
    run = train(toy_dataset, folder, toys.tiny_config(epochs=1), resume=False, progress=False)
    assert len(run.history()) == 1
    assert run.config().training.epochs == 1
    assert (folder / "note.txt").read_text() == "mine"


def test_a_folder_with_another_run_is_not_touched(
    toy_dataset: Path, learned: RunFolder, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="epochs: 12 there, 3 now"):
        train(toy_dataset, learned.path, toys.tiny_config(), progress=False)
    other = toys.build_toys(tmp_path / "other", seed=12, name="other toys")
    with pytest.raises(RunError, match="dataset: toy there, other toys now"):
        train(other, learned.path, learned.config().training, progress=False)


def test_a_window_larger_than_the_maps_is_refused(toy_dataset: Path, tmp_path: Path) -> None:
    config = toys.tiny_config(network=toys.tiny_network(input_size=toys.WINDOW + 4))
    with pytest.raises(TrainingError, match="input_size = 20, window = 16"):
        train(toy_dataset, tmp_path / "run", config, progress=False)


def test_a_dataset_without_validation_is_refused(tmp_path: Path) -> None:
    splits: dict[str, Any] = {"train": 20, "validation": 0, "test": 10}
    dataset = toys.build_toys(tmp_path / "dataset", splits=splits)
    with pytest.raises(DatasetError, match="the split validation is empty"):
        train(dataset, tmp_path / "run", toys.tiny_config(), progress=False)


@pytest.fixture
def checkpoint(toy_dataset: Path, learned: RunFolder, tmp_path: Path) -> RunCheckpoint:
    """Keeps a run in the test's own folder."""
    config = learned.config()
    with DatasetReader(toy_dataset) as reader:
        samples = Samples.of(reader, "train", toys.WINDOW, cache_gib=1.0)
        batches = TrainingBatches(samples, config.inputs, config.targets, config.training)
    return RunCheckpoint(RunFolder(tmp_path), config.network(), batches)


def test_the_batches_are_told_which_epoch_begins(checkpoint: RunCheckpoint) -> None:
    before = checkpoint.batches[0][0]
    checkpoint.on_epoch_begin(7)
    assert (checkpoint.batches[0][0] != before).any()


def test_a_loss_that_is_no_number_ends_the_run(checkpoint: RunCheckpoint, tmp_path: Path) -> None:
    checkpoint.on_epoch_begin(0)
    checkpoint.on_test_end({"loss": float("nan")})
    with pytest.raises(TrainingError, match="smaller learning_rate"):
        checkpoint.on_epoch_end(0, {"loss": 1.0, "val_loss": float("nan")})
    assert not list(tmp_path.iterdir())


def test_progress_in_a_log_file_is_one_line_per_epoch(capfd: pytest.CaptureFixture[str]) -> None:
    progress = Progress(epochs=2, steps=3)
    logs = {"loss": 1.5, "val_loss": 2.5, "irrep_hit": 0.5, "val_irrep_hit": 0.25}
    for epoch in range(2):
        progress.on_epoch_begin(epoch)
        for batch in range(3):
            progress.on_train_batch_end(batch, {"loss": 1.0})
        progress.on_epoch_end(epoch, logs)
    out, err = capfd.readouterr()
    first, second = out.splitlines()
    assert first.startswith(
        "epoch 1/2   loss 1.500 (validation 2.500)   accuracy 50% (validation 25%)"
    )
    assert first.endswith("left")
    assert second.startswith("epoch 2/2")
    assert err == ""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_train_too(backend: str, toy_dataset: Path, tmp_path: Path) -> None:
    pytest.importorskip(backend)
    code = (
        "import sys, toys; from gapscope.learning.training.train import train; "
        "from gapscope.learning.evaluation.evaluate import evaluate; toys.register(); "
        "train(sys.argv[1], sys.argv[2], toys.tiny_config(epochs=2)); "
        "print(evaluate(sys.argv[2], sys.argv[1]).text)"
    )
    run = RunFolder(tmp_path / "run")
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-c", code, str(toy_dataset), str(run.path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert run.config().versions["backend"] == backend
    assert len(run.history()) == 2
