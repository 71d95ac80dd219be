"""The plainest reader of maps: the parameters of the most similar training map.

A network that reads no better than this has learned nothing that a search would not find.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.dataset.load import DatasetReader
from gapscope.learning.data.inputs import InputScaling
from gapscope.learning.data.samples import Samples
from gapscope.learning.prediction.predictor import UNITS


def nearest_neighbour(dataset: str | Path, size: int, split: str = "test") -> xr.Dataset:
    """Label, theta, eps0 and gap of the nearest training map for each map of a split.

    Distance is Euclidean between network inputs, asinh(rho(q)) of the size x size window,
    standardised; theta comes from the nearest map that has one. Variables as those of an
    evaluation's predictions, truth included.

    Raises
    ------
    DatasetError, TrainingError : see :class:`gapscope.learning.data.samples.Samples`.
    """
    with DatasetReader(dataset) as reader:
        training, asked = Samples.of(reader, "train", size), Samples.of(reader, split, size)
        scaling = InputScaling.of(training)
        known, found = _inputs(training, scaling), _inputs(asked, scaling)
    squares = np.sum(known**2, axis=1)
    distances = np.stack([squares - 2 * known @ one for one in found])
    nearest = distances.argmin(axis=1)
    turning = np.where(np.isnan(training.theta), np.inf, distances).argmin(axis=1)
    answers = {"label": training.label[nearest].astype(np.int8), "theta": training.theta[turning]}
    truth = {"true_label": asked.label.astype(np.int8)}
    for name in UNITS:
        answers.setdefault(name, getattr(training, name)[nearest])
        truth[f"true_{name}"] = getattr(asked, name)
    variables = {name: ("sample", values) for name, values in {**answers, **truth}.items()}
    return xr.Dataset(variables, coords={"sample": asked.ids})


def _inputs(samples: Samples, scaling: InputScaling) -> NDArray[np.float32]:
    parts = [scaling.apply(samples.images(rows)) for rows in samples.chunks()]
    return np.concatenate(parts).reshape(len(samples), -1)
