"""The epochs of a training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from gapscope.learning.data.fresh_maps import FreshMaps
from gapscope.learning.data.moves import pixel_gathers
from gapscope.learning.data.samples import Samples
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.model_folder.trained import Trained
from gapscope.learning.network.config import TrainingConfig
from gapscope.learning.network.fresh_images import IMAGES, FreshImages, fresh_inputs
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.network.two_heads import IRREP
from gapscope.learning.training.batches import Batches, TrainingBatches
from gapscope.learning.training.display import Progress
from gapscope.learning.training.fresh_batches import FreshBatches
from gapscope.learning.training.loss import loss_weights, losses
from gapscope.learning.training.optimizer import adamw
from gapscope.learning.training.run_checkpoint import RunCheckpoint


def fit(
    folder: RunFolder,
    training: Samples | FreshMaps,
    validation: Samples | FreshMaps,
    origin: Trained | None,
    progress: bool,
) -> None:
    """Train the epochs that a run still lacks."""
    stored = folder.config()
    config = stored.training
    keras.utils.set_random_seed(config.seed)
    network = stored.network(stored.precision)
    if origin is not None:
        network.set_weights(origin.network.get_weights())
    images = None
    batches: TrainingBatches | FreshBatches
    unseen: Batches | FreshBatches
    if isinstance(training, FreshMaps):
        assert isinstance(validation, FreshMaps)
        batches = FreshBatches(training, stored.targets, config)
        unseen = FreshBatches(validation, stored.targets, config, validation=True)
        images = fresh_images(stored)
    else:
        assert isinstance(validation, Samples)
        batches = TrainingBatches(training, stored.inputs, stored.targets, config)
        unseen = Batches(validation, stored.inputs, stored.targets, config.batch_size)
    trainer = compiled(network, config, len(batches), images, batches[0][0])
    _build(trainer, *batches[0])
    checkpoint = RunCheckpoint(folder, network, batches)
    callbacks: list[keras.callbacks.Callback] = [checkpoint]
    if images is not None:
        begin = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: images.begin(epoch))
        callbacks.append(begin)
    if config.ema_momentum is not None:
        callbacks.append(keras.callbacks.SwapEMAWeights())
    if progress:
        callbacks.append(Progress(config.epochs, len(batches)))
    trainer.fit(
        batches,
        validation_data=unseen,
        initial_epoch=checkpoint.resume(trainer),
        epochs=config.epochs,
        callbacks=callbacks,
        shuffle=False,  # the batches come in their own, reproducible order
        verbose=0,
    )
    folder.finish()


def fresh_images(stored: RunConfig) -> FreshImages:
    """The layer that makes the images of a run on Green's functions."""
    config, size = stored.training, stored.training.network.input_size
    moves = stored.problem.moves
    return FreshImages(
        stored.crystal_lattice,
        size,
        stored.inputs,
        config.network.odd,
        pixel_gathers(moves, size),
        config.seed,
    )


def compiled(
    network: keras.Model,
    config: TrainingConfig,
    steps_per_epoch: int,
    images: FreshImages | None = None,
    first: Any = None,
) -> keras.Model:
    """A model that shares the network's layers and trains them on the paper's eq. 16.

    The network itself stays without an optimizer, so that saving it saves weights only.

    Parameters
    ----------
    images : what makes the network's images of inputs such as ``first``; None: they are given.
    """
    if images is None:
        trainer = keras.Model(network.inputs, network.output)
    else:
        given = fresh_inputs(*first[IMAGES].shape[1:4])
        trainer = keras.Model(given, network(images(given)))
    trainer.compile(
        optimizer=adamw(config, steps_per_epoch),
        loss=losses(config.objective),
        loss_weights=loss_weights(config.irrep_weight, config.parameter_weight),
        metrics={IRREP: keras.metrics.SparseCategoricalAccuracy(name="hit")},
        # XLA trains convolutions half as fast as TensorFlow's own kernels on a CPU.
        jit_compile=keras.backend.backend() == "jax",
    )
    return trainer


def _build(trainer: keras.Model, inputs: Any, targets: Any) -> None:
    """Make all variables that Keras would make in the first step.

    TensorFlow traces a step that makes variables twice, which takes longer than a short epoch.
    """
    trainer.optimizer.build(trainer.trainable_variables)
    few = inputs[:1] if isinstance(inputs, np.ndarray) else {k: v[:1] for k, v in inputs.items()}
    answers = trainer([few] if isinstance(inputs, np.ndarray) else few)
    one = {name: values[:1] for name, values in targets.items()}
    trainer.compute_loss(y=one, y_pred=answers)
    trainer.compute_metrics(None, one, answers)
    trainer.reset_metrics()
