"""AdamW, and its learning rate over a run."""

from __future__ import annotations

import math

import keras

from gapscope.learning.network.config import TrainingConfig

LOWEST = 0.05
"""Learning rate at the first and at the last step, as a fraction of the highest."""


def adamw(config: TrainingConfig, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """AdamW on a linear rise and a cosine fall; biases and normalisations do not decay."""
    steps = config.epochs * steps_per_epoch
    warmup = min(max(math.ceil(config.warmup_epochs * steps_per_epoch), 1), steps - 1)
    rate = keras.optimizers.schedules.CosineDecay(
        LOWEST * config.learning_rate,
        decay_steps=steps - warmup,
        alpha=LOWEST,
        warmup_target=config.learning_rate,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm,
        use_ema=config.ema_momentum is not None,
        ema_momentum=config.ema_momentum or 0.99,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
