"""Predictions averaged over the copies of a map move with the map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import toys
from gapscope.errors import RunError
from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.data.targets import Targets, TargetScaling
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.prediction.averaging import average, copies
from gapscope.learning.prediction.predictor import Predictor
from gapscope.physics import LABELS
from gapscope.physics.symmetry import act_on_map

# Single precision and sums in another order; a broken rule is off by tenths.
ROUNDING = 2e-4
MOVES = toys.PROBLEM.moves
TURNING = {"Eg", "Eu"}
THETA = toys.PROBLEM.unknown("theta")
SCALES = ({"eps0": -20.0, "gap": 0.9}, {"eps0": 110.0, "gap": 0.3})


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
    for number, move in enumerate(MOVES):
        moved = predictor([act_on_map(move.matrix, maps)])
        there = plain.copy()
        values, label = {"theta": plain["theta"].values}, plain["label"].values
        turned = toys.PROBLEM.moved(values, label, [number] * len(maps))
        there["theta"] = ("sample", turned["theta"])
        for name in worst:
            apart = np.abs(moved[name].values - there[name].values)
            if name == "theta":
                apart = THETA.error(moved[name].values, there[name].values)
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
        assert np.ptp(copies(image, MOVES), axis=0).max() < 1e-6 * np.abs(image).max()


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("theta", [0.0, 0.02, 1.1, 3.12])
def test_answers_that_obey_the_symmetry_stay_as_they_are(label: str, theta: float) -> None:
    """Near theta = 0 = pi a mean of the angles themselves would be off by pi / 2."""
    count, targets = len(MOVES), Targets(toys.PROBLEM, TargetScaling(SCALES[0], SCALES[1]))
    index, values = np.full(count, LABELS.index(label)), {"theta": np.full(count, theta)}
    angles = toys.PROBLEM.moved(values, index, range(count))["theta"]
    others = np.tile([0.3, -1.2], (count, 1))
    parameters = np.column_stack([np.sin(2 * angles), np.cos(2 * angles), others])
    probability, mean = average(np.eye(len(LABELS))[index], parameters, targets)
    assert probability.tolist() == [np.eye(len(LABELS))[index[0]].tolist()]
    np.testing.assert_allclose(mean, [[np.sin(2 * theta), np.cos(2 * theta), 0.3, -1.2]], atol=1e-9)


@pytest.mark.parametrize("label", LABELS)
def test_an_average_is_that_of_the_orthogonal_matrices_of_the_moves(label: str) -> None:
    """Whatever the lengths of sine and cosine, theta -> +-theta + constant is a matrix on them."""
    targets = Targets(toys.PROBLEM, TargetScaling(SCALES[0], SCALES[1]))
    rng, index = np.random.default_rng(4), LABELS.index(label)
    parameters = rng.standard_normal((len(MOVES), 7, 4))
    expected = parameters.mean(axis=0)
    if label in TURNING:
        turned = np.zeros((7, 2))
        for move, answers in zip(MOVES, parameters, strict=True):
            partners = np.array(move.partners[label])
            angle = 2 * np.arctan2(partners[1, 0], partners[0, 0])
            # exp(2i theta) -> exp(i angle) exp(+-2i theta), and back.
            back = np.exp(-1j * angle) * (answers[:, 1] + 1j * answers[:, 0])
            back = back if np.linalg.det(partners) > 0 else back.conj()
            turned += np.stack([back.imag, back.real], axis=1)
        expected[:, :2] = turned / len(MOVES)
    _, mean = average(np.eye(5)[np.full(7 * len(MOVES), index)], parameters.reshape(-1, 4), targets)
    np.testing.assert_allclose(mean, expected, atol=1e-12)


def test_a_lattice_without_the_problem_s_moves_is_refused(
    learned: RunFolder, tmp_path: Path
) -> None:
    text = learned.path.joinpath("config.json").read_text()
    (tmp_path / "config.json").write_text(text.replace('"triangular"', '"square"'))
    with pytest.raises(RunError, match="moves that a square lattice does not have"):
        RunFolder(tmp_path).config()
