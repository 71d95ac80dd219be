"""The nearest training map as a reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import toys
from gapscope.dataset.load import DatasetReader
from gapscope.learning.evaluation.baseline import nearest_neighbour
from gapscope.learning.evaluation.metrics import table
from gapscope.physics import LABELS


def test_a_training_map_finds_itself(toy_dataset: Path) -> None:
    found = nearest_neighbour(toy_dataset, toys.WINDOW, "train")
    for name in ("label", "gap", "eps0"):
        assert np.array_equal(found[name], found[f"true_{name}"])
    turning = found["true_label"] != LABELS.index("A12u")
    assert np.array_equal(found["theta"][turning], found["true_theta"][turning])


def test_held_out_maps_get_the_parameters_of_a_training_map(toy_dataset: Path) -> None:
    found = nearest_neighbour(toy_dataset, toys.WINDOW)
    with DatasetReader(toy_dataset) as reader:
        ids = reader.ids("train")
        known = set(reader.parameters["gap"][ids].tolist())
        assert found["sample"].values.tolist() == reader.ids("test").tolist()
    assert set(found["gap"].values.tolist()) <= known
    assert np.isfinite(found["theta"]).all()
    hits = {row.label: row.hit.value for row in table(found)}
    assert np.mean(list(hits.values())) > 60
