"""The objective of the paper's eq. 16, as Keras losses by output."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from gapscope.learning.network.two_heads import IRREP, PARAMETERS


@keras.saving.register_keras_serializable(package="gapscope")
class KnownSquaredError(keras.losses.Loss):  # type: ignore[misc]
    """|r - y|^2 summed over the parameters that have a meaning, those whose target is not NaN."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Squared distances, (batch,), of targets and outputs, both (batch, parameters)."""
        difference = ops.where(ops.isnan(y_true), 0.0, y_pred - y_true)
        return ops.sum(ops.square(difference), axis=-1)


def losses() -> dict[str, keras.losses.Loss]:
    """Categorical cross-entropy (eq. 17, from class indices) and the squared error."""
    return {
        IRREP: keras.losses.SparseCategoricalCrossentropy(),
        PARAMETERS: KnownSquaredError(),
    }


def loss_weights(irrep: float, parameters: float) -> dict[str, float]:
    """w_IR and w_param of eq. 16."""
    return {IRREP: irrep, PARAMETERS: parameters}
