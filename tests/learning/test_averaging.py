"""Predictions averaged over the copies of a map move with the map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import toys
from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.data.moves import C3V, TURNING, move_angles
from gapscope.learning.data.targets import circular_error
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.prediction.averaging import MOVES, average, copies
from gapscope.learning.prediction.predictor import Predictor
from gapscope.physics import LABELS
from gapscope.physics.symmetry import act_on_map

# Single precision and sums in another order; a broken rule is off by tenths.
ROUNDING = 2e-4


def toy_maps(count: int = 30) -> NDArray[np.float32]:
    """Maps (count, 1, L, L) of all classes, with noise that breaks every symmetry."""
    rng = np.random.default_rng(8)
    maps = [
        toys.toy_map(LABELS[i % 5], rng.uniform(0.3, 1.5), rng.uniform(0, np.pi), -80.0)
        for i in range(count)
    ]
    noise = 0.1 * np.std(maps) * rng.standard_normal((count, toys.WINDOW, toys.WINDOW))
    return (np.array(maps) + noise)[:, None].astype(np.float32)


def moved_apart(predictor: Predictor) -> xr.Dataset:
    """Largest differences between predictions for moved maps and moved predictions."""
    maps = toy_maps()
    plain = predictor([maps])
    assert {LABELS[i] for i in plain["label"].values} >= TURNING  # else nothing turns
    worst = dict.fromkeys(("label", "probability", "gap", "eps0", "theta"), 0.0)
    for number, move in enumerate(C3V):
        moved = predictor([act_on_map(move.operation, maps)])
        there = plain.copy()
        there["theta"] = (
            "sample",
            move_angles(plain["theta"].values, plain["label"].values, np.full(len(maps), number)),
        )
        for name in worst:
            apart = np.abs(moved[name].values - there[name].values)
            if name == "theta":
                apart = circular_error(moved[name].values, there[name].values)
            worst[name] = max(worst[name], float(apart.max()))
    return xr.Dataset(worst)


def test_the_prediction_for_a_moved_map_is_the_moved_prediction(learned: RunFolder) -> None:
    apart = moved_apart(Predictor.load(learned.path))
    for name, value in apart.items():
        assert float(value) < ROUNDING * (100 if name == "eps0" else 1), name


def test_without_averaging_a_network_breaks_the_symmetry(learned: RunFolder) -> None:
    apart = moved_apart(Predictor.load(learned.path, symmetry=False))
    assert float(apart["theta"]) > 0.01
    assert float(apart["gap"]) > 0.01


def test_copies_of_invariant_maps_coincide() -> None:
    for label in ("A1g", "A12u", "A2g"):
        image = momentum_images(toys.toy_map(label, 1.0, 0.4, 0.0)[None, None], "triangular")
        assert np.ptp(copies(image), axis=0).max() < 1e-6 * np.abs(image).max()


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("theta", [0.0, 0.02, 1.1, 3.12])
def test_answers_that_obey_the_symmetry_stay_as_they_are(label: str, theta: float) -> None:
    """Near theta = 0 = pi a mean of the angles themselves would be off by pi / 2."""
    index = np.full(MOVES, LABELS.index(label))
    angles = move_angles(np.full(MOVES, theta), index, np.arange(MOVES))
    others = np.tile([0.3, -1.2], (MOVES, 1))
    parameters = np.column_stack([np.sin(2 * angles), np.cos(2 * angles), others])
    probability, mean = average(np.eye(len(LABELS))[index], parameters)
    assert probability.tolist() == [np.eye(len(LABELS))[index[0]].tolist()]
    np.testing.assert_allclose(mean, [[np.sin(2 * theta), np.cos(2 * theta), 0.3, -1.2]], atol=1e-9)


def test_a_square_lattice_is_not_averaged_over_c3v(learned: RunFolder, tmp_path: Path) -> None:
    predictor = Predictor.load(learned.path)
    text = learned.path.joinpath("config.json").read_text()
    (tmp_path / "config.json").write_text(text.replace('"triangular"', '"square"'))
    square = RunFolder(tmp_path).config()
    maps = toy_maps(3)
    one = Predictor(square, predictor.network)([maps])
    other = Predictor(square, predictor.network, symmetry=False)([maps])
    xr.testing.assert_identical(one, other)
