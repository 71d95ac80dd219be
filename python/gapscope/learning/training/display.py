"""Progress of training: a bar over the batches on a terminal, a line per epoch everywhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import keras
from tqdm import tqdm

from gapscope.learning.network.two_heads import IRREP


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """Shows epoch, losses, accuracies, seconds per epoch and the time left."""

    def __init__(self, epochs: int, steps: int) -> None:
        super().__init__()
        self.epochs = epochs
        self.steps = steps
        self._bar: Any = None
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Start a bar; a stream that is no terminal gets none."""
        self._began = time.monotonic()
        self._bar = tqdm(
            total=self.steps,
            desc=f"epoch {epoch + 1}/{self.epochs}",
            unit="batch",
            leave=False,
            disable=None,
        )

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Advance the bar."""
        self._bar.update()
        self._bar.set_postfix(loss=f"{(logs or {}).get('loss', float('nan')):.3f}", refresh=False)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Write the epoch's line."""
        self._bar.close()
        seconds = time.monotonic() - self._began
        tqdm.write(epoch_line(epoch + 1, self.epochs, logs or {}, seconds))


def epoch_line(epoch: int, epochs: int, logs: Mapping[str, float], seconds: float) -> str:
    """One line: training and validation loss and accuracy, seconds per epoch, time left."""
    parts = [
        f"epoch {epoch:>{len(str(epochs))}}/{epochs}",
        f"loss {logs['loss']:.3f} (validation {logs['val_loss']:.3f})",
        f"accuracy {logs[f'{IRREP}_hit']:.0%} (validation {logs[f'val_{IRREP}_hit']:.0%})",
        f"{seconds:.1f} s",
    ]
    if epoch < epochs:
        minutes, rest = divmod(round((epochs - epoch) * seconds), 60)
        parts.append(f"about {minutes}:{rest:02d} left")
    return "   ".join(parts)
