"""A trained network with its scalings: maps in, probabilities and parameters out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import keras
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import RunError
from gapscope.learning.inputs import momentum_images
from gapscope.learning.network import IRREP, PARAMETERS
from gapscope.learning.run import RunConfig, RunFolder
from gapscope.physics import LABELS

BATCH = 32
UNITS = {"theta": "rad", "eps0": "meV", "gap": "meV"}


@dataclass(frozen=True)
class Predictor:
    """Inference in float32, so that a prediction does not depend on the machine it is made on."""

    config: RunConfig
    network: keras.Model

    @classmethod
    def load(cls, run: str | Path) -> Self:
        """The best network of a run.

        Raises
        ------
        RunError : no run, no trained weights, a damaged file, or other classes.
        SchemaVersionError : the run was written by a newer gapscope.
        """
        folder = RunFolder(run)
        config = folder.config()
        if config.labels != LABELS:
            raise RunError(
                f"A run's classes are {', '.join(LABELS)}.",
                ", ".join(config.labels),
                "Train again with this version of gapscope.",
            )
        return cls(config, folder.trained_network())

    @property
    def size(self) -> int:
        """Sites per side of the window that the network looks at."""
        return self.config.training.network.input_size

    def __call__(self, batches: Iterable[NDArray[np.float32]]) -> xr.Dataset:
        """Predictions for maps that come in batches (n, energies, size, size), in 1/meV.

        Variables over ``sample``: probability (sample, class), label (index into the attribute
        labels), theta in [0, pi) whatever the class, eps0 and gap in meV.
        """
        outputs = [self._infer(maps) for maps in batches]
        probability = np.concatenate([output[IRREP] for output in outputs])
        raw = np.concatenate([output[PARAMETERS] for output in outputs])
        decoded = self.config.targets.decode(raw)
        parameters = {
            name: ("sample", values, {"units": UNITS[name]}) for name, values in decoded.items()
        }
        return xr.Dataset(
            {
                "probability": (("sample", "class"), probability),
                "label": ("sample", probability.argmax(axis=1).astype(np.int8)),
                **parameters,
            },
            coords={"class": list(LABELS)},
            attrs={"labels": list(LABELS), "backbone": self.config.training.network.backbone},
        )

    def _infer(self, maps: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        images = momentum_images(maps, self.config.lattice)
        outputs: dict[str, NDArray[np.float32]] = self.network.predict_on_batch(
            self.config.inputs.apply(images)
        )
        return outputs
