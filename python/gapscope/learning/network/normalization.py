"""Batch normalisation whose training step is one kernel on TensorFlow."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


class BatchNormalization(layers.BatchNormalization):  # type: ignore[misc]
    """Keras' layer over the last axis, with TensorFlow's fused kernel where TensorFlow trains.

    Keras takes moments, differences and products one after another, in float32 whatever the
    precision: a quarter of a VGG16's training step in bfloat16 on two cores
    (``benchmarks/throughput.py``). Variables, their names and the function are Keras' own.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise, and move the running statistics while training."""
        if not (training and self.trainable and keras.backend.backend() == "tensorflow"):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.cast(self.gamma, tf.float32),
            offset=tf.cast(self.beta, tf.float32),
            mean=tf.zeros([0]),
            variance=tf.zeros([0]),
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel's variance is that of a sample; Keras' moves towards that of the values.
        count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], tf.float32)
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance * (count - 1.0) / count)
        return outputs

    def _move(self, running: Any, value: Any) -> None:
        running.assign(running * self.momentum + value * (1.0 - self.momentum))
