"""gapscope's batch normalisation against Keras' own."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from gapscope.learning.network.normalization import BatchNormalization

IMAGES = np.random.default_rng(5).normal(3.0, 2.0, size=(6, 4, 4, 3)).astype(np.float32)
SHAPES = (np.array([0.5, 1.0, 2.0]), np.array([-1.0, 0.0, 1.0]))


def network(kind: type[layers.Layer], policy: str) -> keras.Model:
    image = keras.Input(IMAGES.shape[1:])
    layer = kind(momentum=0.9, dtype=policy)
    model = keras.Model(image, ops.cast(layer(image), "float32"))
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", jit_compile=False)
    return model


@pytest.mark.parametrize(("policy", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 2e-2)])
def test_a_training_step_is_that_of_keras(policy: str, tolerance: float) -> None:
    ours, theirs = network(BatchNormalization, policy), network(layers.BatchNormalization, policy)
    target = np.roll(IMAGES, 1, axis=1)
    for model in (ours, theirs):
        model.layers[1].gamma.assign(SHAPES[0])
        model.layers[1].beta.assign(SHAPES[1])
    losses = [model.train_on_batch(IMAGES, target) for model in (ours, theirs)]
    assert losses[0] == pytest.approx(losses[1], rel=tolerance)
    # Scale and shift moved by their gradients, and the running statistics.
    for mine, reference in zip(ours.weights, theirs.weights, strict=True):
        assert mine.name == reference.name
        np.testing.assert_allclose(mine.numpy(), reference.numpy(), rtol=tolerance, atol=tolerance)
    assert not np.allclose(ours.layers[1].moving_mean.numpy(), 0.0)


def test_gradients_with_respect_to_images_are_those_of_keras() -> None:
    """By the step of a convolution before it."""
    weights = []
    for kind in (BatchNormalization, layers.BatchNormalization):
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.Input(IMAGES.shape[1:]),
                layers.Conv2D(3, 3, padding="same", use_bias=False),
                kind(momentum=0.9),
            ]
        )
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", jit_compile=False)
        before = model.layers[0].kernel.numpy()
        model.train_on_batch(IMAGES, IMAGES)
        weights.append(model.layers[0].kernel.numpy() - before)
    assert np.abs(weights[0]).max() > 1e-3
    np.testing.assert_allclose(weights[0], weights[1], rtol=1e-3, atol=1e-6)


def test_a_trained_layer_predicts_as_keras_does() -> None:
    ours, theirs = (
        network(kind, "float32") for kind in (BatchNormalization, layers.BatchNormalization)
    )
    ours.train_on_batch(IMAGES, IMAGES)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours.predict_on_batch(IMAGES), theirs.predict_on_batch(IMAGES))
