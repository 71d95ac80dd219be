"""The network sees Re rho(q) on the symmetric window, with its amplitude."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

import toys
from gapscope.errors import TrainingError
from gapscope.learning.data.inputs import InputScaling, cut, momentum_images
from gapscope.physics.fourier import qpi_image
from gapscope.physics.lattice import symmetric_window


@dataclass(frozen=True)
class Stack:
    """Images in memory, handed out two at a time."""

    values: NDArray[np.float32]

    def chunks(self) -> Iterator[NDArray[np.int64]]:
        for first in range(0, len(self.values), 2):
            yield np.arange(first, min(first + 2, len(self.values)))

    def images(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self.values[rows]


def maps(energies: int = 1, window: int = 16) -> NDArray[np.float32]:
    one = [
        [
            (1 + e) * toys.toy_map("Eu", 0.4 + n / 5, 0.3 + n, -50.0 * n, window)
            for e in range(energies)
        ]
        for n in range(5)
    ]
    return np.array(one, dtype=np.float32)


def test_the_image_is_the_real_part_of_rho_of_q_with_energies_as_channels() -> None:
    drho = maps(energies=2)
    images = momentum_images(drho, "triangular")
    assert images.shape == (5, 16, 16, 2)
    expected = qpi_image(drho[3, 1].astype(np.float64), "triangular").real
    np.testing.assert_allclose(images[3, :, :, 1], expected, rtol=1e-5, atol=1e-10)


def test_sites_outside_the_hexagon_are_not_looked_at() -> None:
    drho = maps()
    changed = np.where(symmetric_window("triangular", 16), drho, drho + 1)
    np.testing.assert_array_equal(
        momentum_images(changed, "triangular"), momentum_images(drho, "triangular")
    )


def test_energies_of_a_map_without_a_scale_keep_their_ratios() -> None:
    drho = maps(energies=2)
    drho[1, 1] *= 3  # of this map alone, the second energy is strong
    images = momentum_images(drho, "triangular")
    one = InputScaling.of(Stack(images[..., :1]), relative=True)
    both = InputScaling.of(Stack(images), relative=True)
    assert (one.together, both.together) == (False, True)

    def restored(scaling: InputScaling, given: NDArray[np.float32]) -> NDArray[np.float64]:
        inputs = scaling.apply(given).astype(np.float64)
        return np.sinh(inputs * scaling.deviation + scaling.mean) * scaling.unit

    left = restored(both, images)
    factor = images.astype(np.float64) / left
    np.testing.assert_allclose(
        factor.std(axis=(1, 2, 3)) / factor.mean(axis=(1, 2, 3)), 0, atol=1e-3
    )
    np.testing.assert_allclose(both.apply(7e3 * images), both.apply(images), atol=1e-5)
    # <|rho|> itself is the unit of one energy, as it always was.
    alone = images[..., :1]
    own = np.abs(alone).mean(axis=(1, 2), keepdims=True)
    expected = (np.arcsinh(alone / own) - one.mean) / one.deviation
    np.testing.assert_allclose(one.apply(alone), expected, rtol=1e-5, atol=1e-6)


def test_a_smaller_window_is_cut_around_the_impurity() -> None:
    large, small = maps(window=16), maps(window=12)
    np.testing.assert_array_equal(cut(large, 12), small)


def test_inputs_have_mean_zero_and_variance_one_over_the_training_split_for_each_energy() -> None:
    images = momentum_images(maps(energies=2), "triangular")
    inputs = InputScaling.of(Stack(images)).apply(images)
    np.testing.assert_allclose(inputs.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(inputs.std(axis=(0, 1, 2)), 1, rtol=1e-5)


def test_an_image_can_be_had_back_from_its_input() -> None:
    images = momentum_images(maps(), "triangular")
    scaling = InputScaling.of(Stack(images))
    unit, mean, deviation = scaling.unit[0], scaling.mean[0], scaling.deviation[0]
    back = unit * np.sinh(scaling.apply(images).astype(np.float64) * deviation + mean)
    np.testing.assert_allclose(back, images, rtol=1e-4, atol=1e-5 * unit)


def test_two_maps_that_differ_in_strength_alone_differ_in_input() -> None:
    images = momentum_images(maps(), "triangular")
    scaling = InputScaling.of(Stack(images))
    difference = scaling.apply(1.1 * images[:1]) - scaling.apply(images[:1])
    assert np.abs(difference).max() > 0.02


def test_images_without_structure_are_refused() -> None:
    for value in (0.0, np.nan):
        with pytest.raises(TrainingError, match="finite and not all the same"):
            InputScaling.of(Stack(np.full((3, 16, 16, 1), value, dtype=np.float32)))
