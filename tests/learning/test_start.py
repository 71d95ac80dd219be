"""Training that begins with the weights of another network."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import toys
from gapscope.errors import RunError, TrainingError
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.model_folder.trained import load_trained
from gapscope.learning.training.train import LOCK, train
from gapscope.support.storage import only_writer


def test_a_start_is_taken_over_with_its_scalings(learned: RunFolder, tmp_path: Path) -> None:
    other = toys.build_toys(tmp_path / "other", seed=12, name="other toys")
    gently = toys.tiny_config(epochs=1, learning_rate=1e-6)
    run = train(other, tmp_path / "run", gently, start=learned.path, progress=False)
    before = load_trained(learned.path)
    assert run.config().start == before.weights
    assert run.config().inputs == before.config.inputs
    assert run.config().targets == before.config.targets
    # The best epoch's weights are those it began with, but for a millionth a step.
    began, best = (min(e["val_loss"] for e in one.history()) for one in (learned, run))
    untaught = learned.history()[0]["val_loss"]  # after an epoch
    assert best < 1.5 * began < 0.7 * untaught


def test_a_start_of_another_architecture_is_refused(
    toy_dataset: Path, learned: RunFolder, tmp_path: Path
) -> None:
    wider = toys.tiny_config(network=replace(toys.tiny_network(), width=40))
    with pytest.raises(TrainingError, match="width: 32 there, 40 here"):
        train(toy_dataset, tmp_path / "run", wider, start=learned.path, progress=False)
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_run_goes_on_from_its_own_start_only(
    toy_dataset: Path, learned: RunFolder, tmp_path: Path
) -> None:
    """More epochs of a finished run, too, are trained from its weights in another folder."""
    stored = learned.config().training
    more = replace(stored, epochs=stored.epochs + 1)
    with pytest.raises(RunError, match=rf"epochs: [\s\S]*--start {learned.path}"):
        train(toy_dataset, learned.path, more, progress=False)
    config = toys.tiny_config(epochs=1)
    run = train(toy_dataset, tmp_path / "run", config, start=learned.path)
    assert run.config().start == load_trained(learned.path).weights
    other = RunFolder(shutil.copytree(learned.path, tmp_path / "other"))
    network = other.trained_network()
    network.set_weights([1.001 * one for one in network.get_weights()])
    other.save(network, other.best)
    other.emulators.unlink()
    for start in (None, other.path):
        with pytest.raises(RunError, match="start: other weights"):
            train(toy_dataset, run.path, config, start=start, progress=False)
    moved = shutil.copytree(learned.path, tmp_path / "moved")
    train(toy_dataset, run.path, config, start=moved, progress=False)


def test_a_damaged_checkpoint_offers_the_best_weights(
    toy_dataset: Path, learned: RunFolder, tmp_path: Path
) -> None:
    cut = RunFolder(shutil.copytree(learned.path, tmp_path / "cut"))
    cut.emulators.unlink()
    cut.write_history(cut.history()[:-1])
    cut.checkpoint.write_bytes(b"damaged")
    config = cut.config().training
    with pytest.raises(RunError, match=rf"checkpoint[\s\S]*--start {cut.path}"):
        train(toy_dataset, cut.path, config, progress=False)
    run = train(toy_dataset, tmp_path / "run", toys.tiny_config(epochs=1), start=cut.path)
    assert run.config().start == load_trained(learned.path).weights
    cut.best.write_bytes(b"damaged, too")
    with pytest.raises(RunError, match="Restore the file"):
        train(toy_dataset, cut.path, config, progress=False)


@pytest.mark.parametrize("instead", ["nothing", "folder", "device"])
def test_a_run_without_its_checkpoint_does_not_begin_anew(
    toy_dataset: Path, learned: RunFolder, tmp_path: Path, instead: str
) -> None:
    cut = RunFolder(shutil.copytree(learned.path, tmp_path / "cut"))
    cut.emulators.unlink()
    entry = cut.history()[0]
    cut.write_history([entry, entry])
    cut.checkpoint.unlink(missing_ok=True)
    if instead == "folder":
        cut.checkpoint.mkdir()
    elif instead == "device":
        cut.checkpoint.symlink_to("/dev/zero")
    config = replace(cut.config().training, epochs=3)
    cut.write_config(replace(cut.config(), training=config))
    before = cut.best.read_bytes()
    with pytest.raises(RunError, match=rf"checkpoint[\s\S]*--start {cut.path}"):
        train(toy_dataset, cut.path, config, progress=False)
    assert cut.best.read_bytes() == before
    assert len(cut.history()) == 2


def test_a_second_training_in_the_folder_is_refused(toy_dataset: Path, tmp_path: Path) -> None:
    with (
        only_writer(tmp_path, LOCK, ValueError()),
        pytest.raises(RunError, match="One training at a time"),
    ):
        train(toy_dataset, tmp_path, toys.tiny_config(epochs=1), progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == [LOCK]
