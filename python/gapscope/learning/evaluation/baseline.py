"""The plainest reader of maps: the parameters of the most similar training map.

A network that reads no better than this has learned nothing that a search would not find.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.dataset.load import DatasetReader
from gapscope.learning.data.inputs import InputScaling
from gapscope.learning.data.samples import Samples


def nearest_neighbour(dataset: str | Path, size: int, split: str = "test") -> xr.Dataset:
    """Label and unknowns of the nearest training map for each map of a split.

    Distance is Euclidean between network inputs, asinh(rho(q)) of the size x size window,
    standardised; an unknown comes from the nearest map that has it. Variables as those of an
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
    values: dict[str, NDArray[Any]] = {
        "label": training.label[nearest].astype(np.int8),
        "true_label": asked.label.astype(np.int8),
    }
    for name, known_values in training.parameters.items():
        having = np.where(np.isnan(known_values), np.inf, distances).argmin(axis=1)
        values |= {name: known_values[having], f"true_{name}": asked.parameters[name]}
    attributes = {"problem": json.dumps(asked.problem.to_dict())}
    variables = {name: ("sample", column) for name, column in values.items()}
    return xr.Dataset(variables, {"sample": asked.ids}, attributes)


def _inputs(samples: Samples, scaling: InputScaling) -> NDArray[np.float32]:
    parts = [scaling.apply(samples.images(rows)) for rows in samples.chunks()]
    return np.concatenate(parts).reshape(len(samples), -1)
