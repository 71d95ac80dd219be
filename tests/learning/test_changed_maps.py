"""Maps that were turned, mirrored, stretched, ... are told from maps as they are, through noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import toys
from gapscope.errors import CalibrationError
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.data.noise import SiteNoise
from gapscope.learning.training import fit_discriminator
from gapscope.learning.training.fit_discriminator import (
    learn_discriminator,
    learn_from_features,
    noisy_looks,
)
from gapscope.learning.uncertainty.changes import (
    KINDS,
    REACH,
    changed,
    is_reversible,
    kinds_of,
    turn,
    turn_period,
)
from gapscope.learning.uncertainty.discriminator import Discriminator
from gapscope.physics.lattice import Lattice, named, window_coordinates
from toys import PROBLEM

SIZE = toys.WINDOW
NOISE = SiteNoise(0.2, 0.2)
TRIANGULAR, SQUARE = named("triangular"), named("square")
SURE = 0.5
Maps = NDArray[np.float32]


def toy_maps(count: int, seed: int) -> Maps:
    """Waves along three lattice vectors, (n, 1, L, L), of random length and strength."""
    rng = np.random.default_rng(seed)
    x, y = positions()
    angles = np.radians([0, 60, 120])[:, None, None]
    along = np.cos(angles) * x + np.sin(angles) * y
    decay = np.exp(-np.hypot(x, y) / 4)
    waves = rng.uniform(1.18, 1.2, count)
    strengths = rng.uniform(0.5, 1.5, (count, 3, 1, 1))
    maps = [
        1e-4 * decay * (strength * np.cos(wave * along)).sum(axis=0)
        for wave, strength in zip(waves, strengths, strict=True)
    ]
    return np.array(maps, dtype=np.float32)[:, None]


def positions() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y of sites, (L, L) each."""
    r = window_coordinates(SIZE)
    sites = np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1)
    x, y = np.moveaxis(sites @ TRIANGULAR.vectors, -1, 0)
    return x, y


def scores(found: Discriminator, maps: Maps) -> NDArray[np.float64]:
    return found(momentum_images(maps, TRIANGULAR, odd=True), 1)


@pytest.fixture(scope="module")
def discriminator() -> Discriminator:
    moves = PROBLEM.moves
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit_discriminator, "PASSES", 3)
        patch.setattr(fit_discriminator, "HIDDEN", 32)
        found = learn_discriminator(noisy_looks(toy_maps(500, 0), TRIANGULAR, NOISE), moves)
    return replace(found, scores=scores(found, toy_maps(40, 1)).astype(np.float32))


@pytest.mark.parametrize(
    ("lattice", "period", "reversible"),
    [
        (TRIANGULAR, 60, False),
        (SQUARE, 90, True),
        (Lattice.from_vectors([[1.0, 0.0], [0.0, 1.4]]), 180, True),
        (Lattice.from_vectors([[1.0, 0.0], [0.3, 1.2]]), 180, False),
    ],
)
def test_what_a_lattice_makes_no_change_is_none(
    lattice: Lattice, period: float, reversible: bool
) -> None:
    assert turn_period(lattice) == period
    whole = turn(lattice.vectors, period)
    np.testing.assert_allclose(whole, whole.round(), atol=1e-12)
    assert is_reversible(lattice) == reversible
    assert ("reversed" in kinds_of(lattice)) != reversible


def test_a_turned_pattern_has_turned() -> None:
    """A wave along x lies along the turned axis afterwards."""
    x, y = positions()
    near = np.hypot(x, y) < 5
    one = np.cos(1.2 * x)[None].astype(np.float32)
    found = {kind: _often(one, kind) for kind in KINDS}
    likeness = {}
    for degrees in (0, 30, -30):
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        wave = np.cos(1.2 * (cos * x - sin * y))
        every = [np.corrcoef(wave[near], each[0][near])[0, 1] for each in found["turned"]]
        likeness[degrees] = max(every)
    assert likeness[30] > max(0.97, likeness[0])
    assert likeness[-30] < 0.5
    assert all(np.corrcoef(each.ravel(), one.ravel())[0, 1] < -0.6 for each in found["negative"])
    factors = [np.abs(each).max() / np.abs(one).max() for each in found["scaled"]]
    assert min(factors) < 1e-3
    assert max(factors) > 1e3
    assert not any(0.8 < factor < 1.2 for factor in factors)


def _often(one: Maps, kind: str) -> list[Maps]:
    rng = np.random.default_rng(3)
    return [changed(one, kind, TRIANGULAR, rng) for _ in range(100)]


def test_an_impurity_is_moved_by_no_more_than_its_reach() -> None:
    one = np.zeros((1, SIZE, SIZE), np.float32)
    one[0, SIZE // 2, SIZE // 2] = 1
    for each in _often(one, "moved"):
        weight = np.abs(each[0])
        place = np.array(np.unravel_index(weight.argmax(), weight.shape)) - SIZE // 2
        assert 0.4 < np.linalg.norm(place @ TRIANGULAR.vectors) < REACH + 0.7


def test_changed_maps_are_told(discriminator: Discriminator) -> None:
    rng, model = np.random.default_rng(5), NoiseModel.on(TRIANGULAR, SIZE)
    maps = toy_maps(200, 2)
    weak = SiteNoise(0.05, 0.0, drawn=False)
    like = scores(discriminator, weak.added(model, maps, rng)).max(axis=1)
    confidence = []
    for column, kind in enumerate(discriminator.kinds):
        other = np.stack([changed(one, kind, TRIANGULAR, rng) for one in maps])
        found = scores(discriminator, weak.added(model, other, rng))
        apart = found[:, column].reshape(-1, 1) - like
        assert (apart > 0).mean() > 0.9, kind
        assert (found.argmax(axis=1) == column).mean() > 0.8, kind
        confidence.append(np.median(found[:, column]))
    # It is as sure as its training made it.
    assert min(confidence) > SURE
    assert np.median(like) < -SURE


def test_features_that_are_silent_in_training_say_nothing_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fit_discriminator, "PASSES", 1)
    looks = noisy_looks(toy_maps(200, 0), TRIANGULAR, NOISE)

    def features(images: Maps) -> Maps:
        heard = images.reshape(len(images), -1)[:, :20] / np.abs(images).max()
        rare = np.zeros((len(images), 1), np.float32)
        rare[0] = 1e-3
        return np.concatenate([heard, rare, np.zeros_like(rare)], axis=1)

    found = learn_from_features(looks, PROBLEM.moves, features)
    weight = np.abs(found.filters).max(axis=1)
    assert weight[-1] == 0
    assert 0 < weight[-2] < 100 * np.median(weight)
    foreign = np.zeros((2, 22), np.float32)
    foreign[1, -1] = 1.0
    one, other = found.score(foreign, np.empty((2, 0)), 1)
    np.testing.assert_array_equal(one, other)


def test_a_file_gives_the_same_scores(discriminator: Discriminator, tmp_path: Path) -> None:
    path = tmp_path / "discriminator.npz"
    discriminator.write(path, "of these weights")
    found = Discriminator.read(path, "of these weights", 40, SIZE, 1, 9)
    maps = toy_maps(20, 4)
    np.testing.assert_array_equal(scores(found, maps), scores(discriminator, maps))
    assert found.kinds == discriminator.kinds
    for weights, count, size in (("others", 40, SIZE), ("of these weights", 39, SIZE)):
        with pytest.raises(CalibrationError):
            Discriminator.read(path, weights, count, size, 1, 9)
    with pytest.raises(CalibrationError, match="shapes"):
        Discriminator.read(path, "of these weights", 40, 2 * SIZE, 1, 9)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CalibrationError, match="wrote"):
        Discriminator.read(path, "of these weights", 40, SIZE, 1, 9)
