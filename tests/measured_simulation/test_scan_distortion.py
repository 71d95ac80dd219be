"""Calibration, shear, drift and creep: exact points, and preparation that finds them again."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.errors import SettingError
from gapscope.instrument.distortion import Distortion
from gapscope.instrument.image import Field, render
from gapscope.measured.preparation import find_lattice

FIELD = Field(14.0, 12.0, 180, 150, angle=5.0)
CORNERS = np.array([[0.0, 0.0], [14.0, 0.0], [0.0, 12.0], [14.0, 12.0], [6.0, 5.0]])
LAST = CORNERS - [0, 12.0 / 150]  # t = 1 at the end of the last line


def test_without_distortion_points_stay() -> None:
    np.testing.assert_allclose(Distortion().on_sample(CORNERS, FIELD), CORNERS, atol=1e-12)


def test_affine_parts_are_the_matrix() -> None:
    moved = Distortion(scale=(1.02, 0.97), shear=0.03).on_sample(CORNERS, FIELD)
    expected = (CORNERS - FIELD.middle) @ np.array([[1.02, 0.0], [0.03, 0.97]]) + FIELD.middle
    np.testing.assert_allclose(moved, expected)


def test_drift_and_creep_at_the_beginning_and_the_end() -> None:
    first, last = np.array([0.0, 0.0]), np.array([14.0, 12.0 * 149 / 150])
    drift = Distortion(drift=(0.4, -0.6))
    np.testing.assert_allclose(drift.on_sample(first, FIELD) - first, [-0.2, 0.3])
    np.testing.assert_allclose(drift.on_sample(last, FIELD) - last, [0.2, -0.3])
    creep = Distortion(creep=(0.3, 0.1))
    np.testing.assert_allclose(creep.on_sample(first, FIELD) - first, [-0.3, -0.1])
    np.testing.assert_allclose(creep.on_sample(last, FIELD), last, atol=1e-9)
    # Half of a logarithm is over where 1 + t/tau is the root of what it is at the end.
    time = 0.02 * (np.sqrt(1 + 1 / 0.02) - 1)
    there = np.array([0.0, 12.0 * time])
    np.testing.assert_allclose(creep.on_sample(there, FIELD) - there, [-0.15, -0.05])


def test_recorded_positions_are_the_inverse() -> None:
    strong = Distortion((1.03, 0.96), 0.05, (0.5, -0.7), (0.4, 0.3), 0.02)
    there = strong.on_sample(CORNERS, FIELD)
    np.testing.assert_allclose(strong.recorded(there, FIELD), CORNERS, atol=1e-7)


def image_under(distortion: Distortion) -> np.ndarray:
    points = distortion.on_sample(FIELD.points, FIELD) - FIELD.centre
    return render(np.ones((96, 96)), points, FIELD.vectors(3.44), 0.3)


def test_preparation_measures_the_affine_part() -> None:
    """A constant drift is a shear and a stretch: the found lattice is M^-1 times the true one."""
    distortion = Distortion((1.02, 0.98), 0.01, drift=(0.3, -0.24))
    image = FIELD.image(image_under(distortion), "g", "1", "g")
    found = find_lattice(image, 3.44)
    time = np.array([1 / (14.0 * 150), 1 / 12.0])
    matrix = np.array([[1.02, 0.01], [0.0, 0.98]]) + np.outer([0.3, -0.24], time)
    expected = FIELD.vectors(3.44) @ np.linalg.inv(matrix).T
    np.testing.assert_allclose(found.vectors, expected, atol=2e-5)


def test_atoms_stand_where_the_inverse_says() -> None:
    distortion = Distortion((1.02, 0.98), 0.01, (0.3, -0.2), (0.3, 0.2))
    image = image_under(distortion)
    atom = distortion.recorded(FIELD.centre + np.array([3, -2]) @ FIELD.vectors(3.44), FIELD)
    column, row = np.rint(atom / FIELD.step).astype(int)
    around = image[row - 2 : row + 3, column - 2 : column + 3]
    assert around[2, 2] > 0.97
    assert max(around[0].max(), around[-1].max(), around[:, 0].max()) < around[2, 2]


def test_a_beginning_with_creep_is_bent() -> None:
    straight, bent = (image_under(Distortion(creep=(0.0, c))) for c in (0.0, 0.3))
    change = np.abs(bent - straight).mean(axis=1)
    assert change[:10].mean() > 5 * change[-20:].mean()


def test_impossible_distortions_are_refused() -> None:
    for wrong in ({"scale": (0.0, 1.0)}, {"shear": np.inf}, {"creep_time": 0.0}):
        with pytest.raises(SettingError):
            Distortion(**wrong)  # type: ignore[arg-type]
    folding = Distortion(drift=(0.0, -30.0))
    with pytest.raises(SettingError, match="folding"):
        folding.recorded(CORNERS, FIELD)
