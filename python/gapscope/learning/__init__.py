"""From maps to irreps and parameters: network, training, evaluation, prediction (Keras 3).

Keras chooses its backend by KERAS_BACKEND; TensorFlow where that is not set.
"""

from gapscope.learning import quiet as _quiet  # noqa: F401  before all that imports Keras
