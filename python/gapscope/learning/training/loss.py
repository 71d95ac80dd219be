"""The objective of the paper's eq. 16, as Keras losses by output.

Its squared errors weigh all parameters alike, so that the errors of those which no map tells drown
the ones that maps tell well. The sum of the parameters' root mean squared errors weighs each by the
inverse of its own; a likelihood of normal errors would weigh by the inverse of the variance
(Kendall, Gal and Cipolla, arXiv:1705.07115, eq. 7), which leaves what is learned slowly behind.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from gapscope.learning.network.config import RMS, SQUARED
from gapscope.learning.network.two_heads import IRREP, PARAMETERS

FLOOR = 1e-4
"""Mean squared error, in units of a parameter's own variance, below which errors count less."""
TINY = 1e-9


@keras.saving.register_keras_serializable(package="gapscope")
class KnownSquaredError(keras.losses.Loss):  # type: ignore[misc]
    """|r - y|^2 summed over the parameters that have a meaning, those whose target is not NaN."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Squared distances, (batch,), of targets and outputs, both (batch, parameters)."""
        difference = ops.where(ops.isnan(y_true), 0.0, y_pred - y_true)
        return ops.sum(ops.square(difference), axis=-1)


@keras.saving.register_keras_serializable(package="gapscope")
class KnownRootMeanSquares(keras.losses.Loss):  # type: ignore[misc]
    """Sum over the parameters of n/N sqrt(v + FLOOR), with the mean squared error v of the n of a
    batch's N samples that have a meaning, those whose target is not NaN."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The batch's value for each of its samples, (batch,), of targets and outputs, both (batch,
        parameters)."""
        known = ops.logical_not(ops.isnan(y_true))
        squares = ops.square(ops.where(known, y_pred - y_true, 0.0))
        share = ops.mean(ops.cast(known, squares.dtype), axis=0)
        mean = ops.mean(squares, axis=0) / ops.maximum(share, TINY)
        value = ops.sum(share * ops.sqrt(mean + FLOOR))
        return ops.broadcast_to(value, ops.shape(squares)[:1])


def losses(objective: str = SQUARED) -> dict[str, keras.losses.Loss]:
    """Categorical cross-entropy (eq. 17, from class indices), and the parameters' objective."""
    kind = KnownRootMeanSquares if objective == RMS else KnownSquaredError
    return {IRREP: keras.losses.SparseCategoricalCrossentropy(), PARAMETERS: kind()}


def loss_weights(irrep: float, parameters: float) -> dict[str, float]:
    """w_IR and w_param of eq. 16."""
    return {IRREP: irrep, PARAMETERS: parameters}
