"""Keeps a run folder up to date while Keras trains, so that it can go on from any moment."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping

import keras
from keras import ops

from gapscope.errors import RunError, TrainingError
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.training.batches import TrainingBatches
from gapscope.learning.training.fresh_batches import FreshBatches


class RunCheckpoint(keras.callbacks.Callback):  # type: ignore[misc]
    """Writes best weights, history and checkpoint, in this order, after every epoch.

    An interruption between two of them repeats the epoch, with the same result. It also tells
    the batches which epoch begins. It must stand before SwapEMAWeights, which ends the validation
    by putting the averages away.
    """

    def __init__(
        self, folder: RunFolder, network: keras.Model, batches: TrainingBatches | FreshBatches
    ) -> None:
        super().__init__()
        self.folder = folder
        self.network = network
        self.batches = batches
        self.entries: list[dict[str, float]] = []
        self._began = 0.0

    def resume(self, trainer: keras.Model) -> int:
        """Load the checkpoint if there is one; the number of finished epochs.

        Raises
        ------
        RunError : the checkpoint is damaged or gone; says where the best weights are, if they are
            whole.
        """
        there = os.path.lexists(self.folder.checkpoint)
        if not there and len(self.folder.history()) < 2:
            return 0  # the first one is written after the history
        trainer.optimizer.build(trainer.trainable_variables)
        try:
            if not there:
                raise self._gone()
            self.folder.load(trainer, self.folder.checkpoint)
        except RunError as error:
            self._offer_best(error)
            raise
        done = int(ops.convert_to_numpy(trainer.optimizer.iterations)) // len(self.batches)
        self.entries = self.folder.history()[:done]
        return done

    def _gone(self) -> RunError:
        epochs = len(self.folder.history())
        return RunError(
            "A training goes on from the checkpoint of its last epoch.",
            f"{self.folder.path}: {epochs} epochs, and no {self.folder.checkpoint.name}",
            "Restore the file, or train anew with resume=False (--restart).",
        )

    def _offer_best(self, error: RunError) -> None:
        """Raise the error with another remedy, where the best weights so far can be loaded."""
        try:
            self.folder.load(self.network, self.folder.best)
        except RunError:
            return
        raise RunError(
            error.rule,
            error.received,
            "The best weights so far are whole: train into another folder with --start"
            f" {self.folder.path}; or restore the file.",
        ) from error

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Tell the batches the epoch."""
        self.batches.epoch = epoch
        self._began = time.monotonic()

    def on_test_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Keep the weights with the smallest validation loss."""
        best = min((entry["val_loss"] for entry in self.entries), default=math.inf)
        if (logs or {})["loss"] < best:
            self.folder.save(self.network, self.folder.best)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Write history, then the checkpoint."""
        entry = {
            "epoch": epoch + 1,
            "seconds": round(time.monotonic() - self._began, 3),
            **{name: float(value) for name, value in (logs or {}).items()},
        }
        if not all(map(math.isfinite, entry.values())):
            raise TrainingError(
                "Losses stay finite.", entry, "Train again with a smaller learning_rate."
            )
        self.entries.append(entry)
        self.folder.write_history(self.entries)
        self.folder.save(self.model, self.folder.checkpoint)
