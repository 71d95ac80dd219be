"""Whether networks can run here, seen without importing what they run on."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from gapscope.errors import RunError, SettingError
from gapscope.support.resources import keras_backend

BACKENDS = ("tensorflow", "jax", "torch")  # Keras's names, and those of the packages
CONFIG = "config.json"
"""The file that every folder of a run or a model holds."""
INDEX = "weights.json"
"""The file of a model's folder that names its weights."""


def require_keras() -> None:
    """Raise SettingError unless Keras and its backend are installed; neither is imported."""
    backend = keras_backend()
    if backend not in BACKENDS:
        raise missing(ValueError(f"no backend {backend}"))
    for package in ("keras", backend):
        try:
            found = find_spec(package) is not None
        except ImportError:
            found = False
        if not found:
            raise missing(ModuleNotFoundError(f"No module named {package!r}"))


def missing(error: Exception) -> SettingError:
    """Return the error that says which package networks lack here, and how to get it."""
    backend = keras_backend()
    remedy = (
        f"Run `pip install keras {backend}`."
        if backend in BACKENDS
        else f"Set KERAS_BACKEND to one of {', '.join(BACKENDS)}."
    )
    return SettingError(f"Networks need Keras and its backend, here {backend}.", f"{error}", remedy)


def require_network(folder: str | Path) -> None:
    """Raise RunError unless a folder is that of a run or a model, whole or not."""
    if not os.path.lexists(Path(folder) / CONFIG):
        raise RunError(
            "A run folder holds config.json, as `gapscope train` writes it.",
            str(folder),
            "Name the folder of a training run, or train one.",
        )
