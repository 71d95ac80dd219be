"""Maps that no training map resembles have large scores; others do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import toys
from gapscope.dataset.load import DatasetReader
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.inputs import InputScaling, even_half, momentum_images
from gapscope.learning.data.samples import Samples
from gapscope.learning.uncertainty.novelty import Detector

Maps = NDArray[np.float32]


class World:
    """Training images, and a detector of maps."""

    def __init__(self, folder: Path) -> None:
        with DatasetReader(folder) as reader:
            training = Samples.of(reader, "train", toys.WINDOW)
            self.scaling = InputScaling.of(training)
            self.detector = Detector.fit(self.inputs(training.maps(r)) for r in training.chunks())

    def inputs(self, maps: Maps) -> Maps:
        return self.scaling.apply(momentum_images(maps, "triangular"))

    def scores(self, maps: Maps) -> NDArray[np.float64]:
        return self.detector.score(self.inputs(maps))


@pytest.fixture(scope="module")
def world(toy_dataset: Path) -> World:
    return World(toy_dataset)


@pytest.fixture(scope="module")
def fresh(fresh_dataset: Path) -> Maps:
    with DatasetReader(fresh_dataset) as reader:
        return Samples.of(reader, "test", toys.WINDOW).maps(np.arange(200))


def auroc(like: NDArray[np.float64], unlike: NDArray[np.float64]) -> float:
    return float((unlike[:, None] > like[None, :]).mean())


@pytest.mark.parametrize("noise", ["gaussian", "pink"])
def test_noise_of_a_third_of_the_contrast_is_seen(noise: str, world: World, fresh: Maps) -> None:
    model = NoiseModel.on("triangular", toys.WINDOW)
    noisy = model.add(fresh, np.random.default_rng(1), **{noise: 1 / 3})
    assert auroc(world.scores(fresh), world.scores(noisy)) > 0.95


def test_maps_of_another_world_are_seen(world: World, fresh: Maps) -> None:
    stripes = fresh * np.cos(2.5 * np.arange(toys.WINDOW))
    assert auroc(world.scores(fresh), world.scores(stripes.astype(np.float32))) > 0.95


def test_maps_of_the_same_world_are_like_the_ones_it_learned_from(
    world: World, fresh: Maps, calibration_dataset: Path
) -> None:
    with DatasetReader(calibration_dataset) as reader:
        others = Samples.of(reader, "test", toys.WINDOW).maps(np.arange(200))
    # Standard deviation of the area for 200 and 200 maps of one kind: 0.03.
    assert auroc(world.scores(others), world.scores(fresh)) == pytest.approx(0.5, abs=0.1)


def plane_of_images() -> Maps:
    """300 images in a plane of six dimensions, each half as wide as the one before."""
    rng = np.random.default_rng(9)
    basis = even(rng.standard_normal((6, 8, 8, 1)).astype(np.float32))
    weights = rng.standard_normal((300, 6)) * 2.0 ** -np.arange(6)
    return np.einsum("nk,kxyw->nxyw", weights, basis).astype(np.float32)


def even(images: Maps) -> Maps:
    """Symmetric under q -> -q on the torus of pixels."""
    turned = np.roll(images[:, ::-1, ::-1], 1, axis=(1, 2))
    return ((images + turned) / 2).astype(np.float32)


def test_strong_and_weak_structures_of_one_kind_have_one_score() -> None:
    """Both distances grow with the structure: their ratio stays."""
    images = plane_of_images()
    detector = Detector.fit([images])
    foreign = even(np.random.default_rng(5).standard_normal((1, 8, 8, 1)).astype(np.float32))
    near, far = (detector.score(images.mean(axis=0) + factor * foreign) for factor in (2.0, 8.0))
    assert near == pytest.approx(far, abs=0.05)
    assert near > np.median(detector.score(images)) + 1


def test_the_half_of_an_image_keeps_distances() -> None:
    images = even(np.random.default_rng(2).standard_normal((5, 8, 8, 2)).astype(np.float32))
    halves = even_half(images)
    assert halves.shape == (5, 2 * (64 + 4) // 2)  # four pixels are their own twins
    np.testing.assert_allclose(
        np.square(halves[0] - halves[1]).sum(), np.square(images[0] - images[1]).sum(), rtol=1e-5
    )


def test_a_detector_survives_its_arrays(world: World, fresh: Maps) -> None:
    arrays = world.detector.arrays()
    again = Detector.from_arrays(lambda name: arrays[name])
    np.testing.assert_array_equal(again.score(world.inputs(fresh)), world.scores(fresh))


@pytest.mark.parametrize(
    "change",
    [
        {"mean": np.zeros(3)},
        {"basis": np.zeros((5, 2, 2))},
        {"points": np.zeros((0, 4))},
        {"coarse": np.array(0)},
        {"coarse": np.array(10_000)},
        {"variance": np.array(-1.0)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, Any], world: World) -> None:
    arrays = world.detector.arrays() | change
    with pytest.raises((ValueError, IndexError)):
        Detector.from_arrays(lambda name: arrays[name])


def test_numbers_that_are_not_finite_are_refused(world: World) -> None:
    arrays = world.detector.arrays()
    arrays["points"] = arrays["points"] * np.nan
    with pytest.raises(ValueError, match="finite"):
        Detector.from_arrays(lambda name: arrays[name])


def test_components_are_the_principal_ones() -> None:
    detector = Detector.fit([plane_of_images()])
    overlap = detector.basis.T @ detector.basis
    np.testing.assert_allclose(overlap, np.eye(len(overlap)), atol=2e-3)  # half precision
    spread = detector.points.var(axis=0)
    assert (np.diff(spread) < 0).all()
    assert spread.sum() > 0.998 * detector.variance
