"""Regression on shapes against itself with one map left out."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.learning.emulator.regression import NEIGHBOURS, Array, Regression


@pytest.fixture(scope="module")
def points() -> Array:
    return np.random.default_rng(0).normal(size=(60, 3))


def values_at(points: Array) -> Array:
    return np.stack([np.sin(points[:, 0]), points[:, 1] * points[:, 2]], axis=1)


def test_its_errors_are_those_with_one_map_left_out(points: Array) -> None:
    values = values_at(points)
    whole, errors = Regression.fit(points, values)
    for i in (0, 7, 59):
        rest = np.arange(len(points)) != i
        kernel = _kernel(points, points)
        kernel[np.diag_indices_from(kernel)] += 1e-7
        weights = np.linalg.solve(kernel[np.ix_(rest, rest)], values[rest] - whole.offset)
        missed = values[i] - whole.offset - kernel[i, rest] @ weights
        assert errors[i] == pytest.approx(np.linalg.norm(missed), rel=1e-6)


def test_it_goes_through_the_maps_that_it_knows(points: Array) -> None:
    values = values_at(points)
    regression, errors = Regression.fit(points, values)
    found, scale = regression(points, points)
    np.testing.assert_allclose(found, values, atol=1e-3)
    assert np.all(scale < errors.max())


def test_far_from_all_maps_no_error_is_excused(points: Array) -> None:
    regression, errors = Regression.fit(points, values_at(points))
    assert len(points) > NEIGHBOURS
    _, scale = regression(points, 100 + points)
    np.testing.assert_allclose(scale, errors.max())


def _kernel(a: Array, b: Array) -> Array:
    squared = np.square(a[:, None] - b).sum(axis=-1)
    return 1 / (1 + squared / (2 * 4 * np.square(b).sum(axis=1).mean()))
