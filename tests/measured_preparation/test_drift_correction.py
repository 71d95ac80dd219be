"""Affine correction: the found distortion is undone, an ideal map stays as it is."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.measured.preparation import (
    PreparationError,
    apply_affine,
    correct_drift,
    find_lattice,
)
from lattice_maps import NBS2, as_map, lattice_map, rotation


def test_a_distorted_map_becomes_the_undistorted_one() -> None:
    stretch = np.array([[1.03, 0.02], [0.02, 0.97]])
    distorted = lattice_map(distortion=stretch, degrees=8.0, wave=0.5, pixels=160)
    corrected = apply_affine(distorted, np.linalg.inv(stretch))
    ny, nx = corrected.shape
    ideal = lattice_map(degrees=8.0, wave=0.5, pixels=400)
    # Both are centred on the same point of the lattice, the ideal map on a finer common grid.
    x = (np.arange(nx) - (nx - 1) / 2) * 0.06 + float(ideal.x.mean())
    y = (np.arange(ny) - (ny - 1) / 2) * 0.06 + float(ideal.y.mean())
    expected = ideal.interp(x=x, y=y, method="cubic")
    inner = slice(4, -4)
    np.testing.assert_allclose(corrected[inner, inner], expected[inner, inner], atol=0.03)
    # Next to the edges, splines know less.
    np.testing.assert_allclose(corrected.values, expected.values, atol=0.6)
    assert corrected.attrs == distorted.attrs
    assert float(corrected.x[0]) == float(corrected.y[0]) == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_the_corrected_lattice_is_the_material_s(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drift = np.eye(2) + rng.uniform(-0.05, 0.05, (2, 2))
    image = lattice_map(distortion=drift, degrees=11.0, noise=0.3, seed=seed, pixels=192)
    found = find_lattice(image, NBS2)
    again = find_lattice(correct_drift(image, found), NBS2)
    np.testing.assert_allclose(again.correction.value, np.eye(2), atol=1e-3)
    assert again.orientation.value == pytest.approx(float(found.orientation.value), abs=0.05)
    np.testing.assert_allclose(again.vectors, found.ideal, rtol=2e-3)


def test_a_general_drift_is_undone_up_to_a_rotation() -> None:
    drift = np.array([[1.02, 0.06], [0.0, 0.97]])
    found = find_lattice(lattice_map(distortion=drift, degrees=4.0, pixels=192), NBS2)
    undone = found.correction.value @ drift
    np.testing.assert_allclose(undone @ undone.T, np.eye(2), atol=2e-3)


def test_the_unit_matrix_changes_nothing(rng: np.random.Generator) -> None:
    image = as_map(rng.standard_normal((33, 48)))
    same = apply_affine(image, np.eye(2))
    np.testing.assert_allclose(same, image, atol=1e-12)
    np.testing.assert_allclose(same.x, image.x)


def test_nothing_is_extrapolated() -> None:
    image = as_map(np.ones((64, 64)))
    for matrix in (rotation(20.0), [[1.1, 0.05], [0.05, 0.9]], [[0.8, 0], [0, 0.8]]):
        moved = apply_affine(image, matrix)
        np.testing.assert_allclose(moved, 1.0, atol=1e-12)
    assert apply_affine(image, 2 * np.eye(2)).shape == (127, 127)


def test_impossible_matrices_are_refused() -> None:
    image = lattice_map(pixels=32)
    for matrix in (np.zeros((2, 2)), np.eye(3), [[-1, 0], [0, 1]], [[0.3, 0], [0, 0.3]]):
        with pytest.raises(PreparationError):
            apply_affine(image, matrix)
