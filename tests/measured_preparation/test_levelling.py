"""Plane and line levelling."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.measured.preparation import (
    PreparationError,
    level_lines,
    level_plane,
)
from lattice_maps import as_map, lattice_map


def test_a_plane_goes_and_the_rest_stays(rng: np.random.Generator) -> None:
    clean = level_plane(as_map(rng.standard_normal((40, 56))))
    tilted = clean + 3.0 + 0.7 * clean.x - 1.3 * clean.y
    np.testing.assert_allclose(level_plane(tilted), clean, atol=1e-12)
    np.testing.assert_allclose(level_plane(clean), clean, atol=1e-12)


def test_the_plane_is_that_of_least_squares(rng: np.random.Generator) -> None:
    image = as_map(rng.standard_normal((20, 30)))
    x, y = np.meshgrid(image.x, image.y)
    design = np.stack([np.ones(x.size), x.ravel(), y.ravel()], axis=1)
    fit, *_ = np.linalg.lstsq(design, image.values.ravel(), rcond=None)
    expected = image.values - (design @ fit).reshape(image.shape)
    np.testing.assert_allclose(level_plane(image), expected, atol=1e-12)


@pytest.mark.parametrize("degree", [None, 0, 1, 2])
def test_lines_lose_their_offset_and_nothing_else(
    degree: int | None, rng: np.random.Generator
) -> None:
    clean = level_lines(as_map(rng.standard_normal((40, 57))), degree)
    offsets = rng.standard_normal((40, 1))
    np.testing.assert_allclose(level_lines(clean + offsets, degree), clean, atol=1e-12)


def test_lines_lose_a_parabola(rng: np.random.Generator) -> None:
    clean = level_lines(as_map(rng.standard_normal((40, 56))), 2)
    bent = clean + rng.standard_normal((40, 1)) * (clean.x**2 - 2 * clean.x).values
    np.testing.assert_allclose(level_lines(bent, 2), clean, atol=1e-10)


def test_the_median_ignores_a_bright_defect() -> None:
    image = as_map(np.zeros((20, 20)))
    image[5, 3:7] = 100.0
    np.testing.assert_array_equal(level_lines(image), image)
    assert float(np.abs(level_lines(image, 0)).min()) == 0.0
    assert float(level_lines(image, 0)[5, 15]) == pytest.approx(-20.0)


def test_attributes_stay_and_the_input_is_untouched() -> None:
    image = lattice_map(noise=0.1) + 5.0
    image.attrs = {"units": "nA"}
    before = image.copy(deep=True)
    assert level_plane(image).attrs == image.attrs
    assert image.identical(before)


def test_wrong_maps_are_refused() -> None:
    image = lattice_map(pixels=32)
    uneven = image.assign_coords(x=image.x**2)
    hole = image.copy()
    hole[3, 4] = np.nan
    falling = image.assign_coords(y=image.y[::-1].values)
    small, transposed = image[:8], image.T
    complex_map = image * 1j
    for wrong in (uneven, hole, falling, small, transposed, image.drop_vars("x"), complex_map):
        with pytest.raises(PreparationError):
            level_plane(wrong)
    with pytest.raises(PreparationError, match="degree"):
        level_lines(image, 9)
