"""From maps to irreps and parameters: network, training, evaluation, prediction (Keras 3).

Keras chooses its backend by KERAS_BACKEND; TensorFlow where that is not set.
"""

from __future__ import annotations

import os

# TensorFlow prints its build notes unless this is set before it is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
