"""What a measured map may be instead: turned, moved, mirrored, negative, empty, tiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import gapscope as gs
from gapscope.explore.words import verdict_html
from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.data.measured_augmentation import MeasurementAugmentation
from gapscope.learning.data.moves import move_images, pixel_gathers
from gapscope.learning.evaluation.listing import prediction_text
from gapscope.learning.prediction.predictor import Predictor
from gapscope.learning.uncertainty.alternatives import Alternatives, resampled
from gapscope.learning.uncertainty.changes import is_reversible
from gapscope.physics.lattice import Lattice, window_coordinates
from gapscope.support.resources import GRID_MODEL

Maps = NDArray[np.float32]
STATES = (("Eg", 0.3, 20.0), ("A2g", 0.6, 50.0))
TRIANGULAR = Lattice("triangular", 1.0)


@pytest.fixture(scope="module")
def predictor(shipped: Callable[[str], Predictor]) -> Predictor:
    return shipped(GRID_MODEL)


@pytest.fixture(scope="module")
def maps() -> Maps:
    """Measurements of two states, (2, 3, 64, 64), with noise and other impurities."""
    measure = MeasurementAugmentation(
        density=0.001, white=0.1, pink=0.05, lines=0.05, least_field=1.0
    )
    found = []
    for number, (irrep, theta, eps0) in enumerate(STATES):
        state = gs.Specification(
            gs.material("nbse2"),
            gs.Pairing(irrep, 1.0, theta=theta),
            gs.Impurity.scalar(50.0),
            eps0,
        )
        single = gs.simulate(state, gs.Numerics([-0.5, 0.0, 0.5], 0.1, 128))["ldos_change"].values
        found.append(measure(single, np.random.default_rng(number), lattice=TRIANGULAR))
    return np.array(found)


def turned(maps: Maps, degrees: float, stretch: float = 1.0) -> Maps:
    """Maps turned and stretched about r = 0, interpolated between the sites."""
    r = np.stack(np.meshgrid(*[window_coordinates(64)] * 2, indexing="ij"))
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    basis = TRIANGULAR.vectors.T
    places = stretch * np.linalg.solve(basis, np.array([[c, -s], [s, c]]) @ basis)
    places = np.tensordot(places, r, 1) + 32
    return np.array([[ndimage.map_coordinates(e, places, order=1) for e in m] for m in maps])


CHANGES = {
    "turned 15": lambda m: turned(m, 15),
    "turned 10": lambda m: turned(m, -10),
    "turned 30": lambda m: turned(m, 90),
    "reversed": lambda m: np.roll(m[..., ::-1, :], 1, -2),
    "negative": lambda m: -m,
    "moved (1, 0)": lambda m: np.roll(m, (1, 0), (-2, -1)),
    "moved (-1, 2)": lambda m: np.roll(m, (-1, 2), (-2, -1)),
    "stretched 0.9": lambda m: turned(m, 0, 0.9),
}


def test_noise_alone_is_unlike(predictor: Predictor) -> None:
    noise = np.random.default_rng(3).standard_normal((20, 3, 64, 64)).astype(np.float32)
    found = predictor([noise])
    assert found["unlike_training"].all()
    assert set(found["likely_change"].values) == {"empty"}
    assert "as interference around an impurity is" in prediction_text(found[{"sample": [0]}], ["n"])


def test_measurements_of_the_trained_kind_are_like(predictor: Predictor, maps: Maps) -> None:
    found = predictor([maps])
    assert not found["unlike_training"].any()
    assert set(found["likely_change"].values) == {""}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_changed_map_is_unlike_and_the_change_is_named(
    kind: str, predictor: Predictor, maps: Maps
) -> None:
    found = predictor([CHANGES[kind](maps).astype(np.float32)])
    # Hardest to tell are a site beside the impurity and a sign, which another impurity may have.
    unlike = found["unlike_training"].values
    assert unlike.any() if kind in ("moved (1, 0)", "negative") else unlike.all()
    assert kind.split()[0] in found["likely_change"].values


SMALL = ((0, 0), (0, 0), (16, 16), (16, 16))
REPEATS = {
    "padded with its edge": lambda m: np.pad(m[..., 16:48, 16:48], SMALL, mode="edge"),
    "padded on one side": lambda m: np.pad(m[..., :60], ((0, 0),) * 3 + ((0, 4),), mode="edge"),
    "mirrored": lambda m: np.pad(m[..., 16:48, 16:48], SMALL, mode="reflect"),
    "repeated": lambda m: np.pad(m[..., 16:48, 16:48], SMALL, mode="wrap"),
    "padded with a number": lambda m: np.pad(
        m[..., 16:48, 16:48], SMALL, constant_values=float(m.mean())
    ),
    "tiled": lambda m: np.tile(m[..., 16:48, 16:48], (2, 2)),
    "enlarged": lambda m: np.kron(m[..., 16:48, 16:48], np.ones((2, 2))),
}


@pytest.mark.parametrize("kind", REPEATS)
def test_a_map_that_repeats_itself_is_unlike_and_that_is_said(
    kind: str, predictor: Predictor, maps: Maps
) -> None:
    found = predictor([REPEATS[kind](maps).astype(np.float32)])
    assert found["unlike_training"].all()
    assert set(found["likely_change"].values) == {"repeated"}
    assert "repeat others to the last digit" in prediction_text(found, ["one", "other"])


def test_a_smaller_field_of_view_with_zeros_around_it_repeats_nothing(
    predictor: Predictor, maps: Maps
) -> None:
    small = np.pad(maps[..., 8:56, 8:56], ((0, 0), (0, 0), (8, 8), (8, 8)))
    assert not (predictor([small])["likely_change"] == "repeated").any()


def test_by_their_distance_alone_turned_maps_are_called_like(
    predictor: Predictor, maps: Maps
) -> None:
    calibration = predictor.calibration
    assert calibration is not None
    blind = replace(predictor, calibration=replace(calibration, discriminator=None))
    assert not blind([turned(maps, 15).astype(np.float32)])["unlike_training"].any()


def test_the_change_is_said_in_words(predictor: Predictor, maps: Maps) -> None:
    found = predictor([turned(maps[:1], 15).astype(np.float32)])
    assert "turned against the lattice" in prediction_text(found, ["scan"])
    assert "turned against the lattice" in verdict_html(found)


def test_scores_do_not_depend_on_amplitude(predictor: Predictor, maps: Maps) -> None:
    one, other = (predictor.scores.alternatives(factor * maps)[0] for factor in (1.0, 1e6))
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_a_turn_of_the_lattice_is_a_gather(predictor: Predictor, maps: Maps) -> None:
    seek = Alternatives(predictor.scores.alternatives.emulators, TRIANGULAR)
    images = momentum_images(maps, TRIANGULAR)
    move = next(
        m
        for m in predictor.problem.moves
        if np.round(np.linalg.det(m.matrix)) == 1 and not np.array_equal(m.matrix, np.eye(2))
    )
    exact = move_images(images, np.zeros(2, int), pixel_gathers([move], 64))
    np.testing.assert_allclose(resampled(images, move.matrix.T.astype(float)), exact, rtol=1e-6)
    whole = [seek._turn(degrees) for degrees in (60, 120)]
    np.testing.assert_allclose(whole, np.round(whole), atol=1e-9)


@pytest.mark.parametrize(("lattice", "half"), [("triangular", 30), ("square", 45)])
def test_turns_of_the_lattice_are_no_alternatives(
    lattice: str, half: int, predictor: Predictor
) -> None:
    seek = Alternatives(predictor.scores.alternatives.emulators, Lattice(lattice, 1.0))
    assert max(np.abs(seek._angles)) == half
    assert len(seek._angles) == 2 * half / 5 - 1
    assert is_reversible(seek.lattice) == (lattice == "square")
