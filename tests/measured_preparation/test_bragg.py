"""Bragg peaks: the distortion comes back within its errors, and what is no lattice is refused."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from gapscope.measured.preparation import (
    LatticeNotFoundError,
    PreparationError,
    find_lattice,
)
from gapscope.measured.preparation.found import propagate
from lattice_maps import NBS2, as_map, creeping_map, ideal_reciprocal, lattice_map, rotation


def random_stretch(rng: np.random.Generator) -> np.ndarray:
    """A symmetric distortion: scale and two shears of a few per cent."""
    scale, one, two = rng.uniform(-0.05, 0.05, 3)
    return np.array([[1 + scale + one, two], [two, 1 + scale - one]])


def test_the_pulls_have_unit_width() -> None:
    pulls = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        degrees, stretch = rng.uniform(-29, 29), random_stretch(rng)
        image = lattice_map(
            degrees=degrees, distortion=stretch, noise=2.0, wave=0.5, pixels=112, seed=seed
        )
        found = find_lattice(image, NBS2)
        truth = ideal_reciprocal(degrees) @ np.linalg.inv(stretch)
        constant = NBS2 * np.sqrt(np.linalg.det(stretch))
        correction = found.correction
        pulls.append(
            [
                *((found.reciprocal - truth).ravel() / np.sqrt(np.diag(found.covariance))),
                *(((correction.value - np.linalg.inv(stretch)) / correction.noise).ravel()[:2]),
                (found.constant.value - constant) / found.constant.noise,
                (found.orientation.value - degrees) / found.orientation.noise,
                found.closure / 2,
            ]
        )
    *columns, closure = np.array(pulls, dtype=float).T
    together = np.concatenate(columns)
    assert 0.75 < together.std() < 1.25
    assert abs(together.mean()) < 0.2
    for column in columns:
        assert 0.65 < column.std() < 1.35
    assert 0.5 < closure.mean() < 1.5


@pytest.mark.parametrize("degrees", [-29.0, 0.0, 14.0, 30.0])
def test_a_perfect_lattice_needs_no_correction(degrees: float) -> None:
    found = find_lattice(lattice_map(degrees=degrees), NBS2)
    np.testing.assert_allclose(found.correction.value, np.eye(2), atol=3e-4)
    np.testing.assert_allclose(found.lengths.value, NBS2, rtol=3e-4)
    assert found.opening.value == pytest.approx(60, abs=0.05)
    assert found.anisotropy.value == pytest.approx(1, abs=1e-3)
    turned = rotation(float(found.orientation.value)).T @ found.ideal.T
    a1, a2 = turned.T / (0.1 * NBS2)
    np.testing.assert_allclose([a1, a2], [[1, 0], [0.5, np.sqrt(3) / 2]], atol=1e-9)
    assert (found.orientation.value - degrees + 30) % 60 == pytest.approx(30, abs=0.05)
    assert -30 - 0.05 < found.orientation.value < 30 + 0.05


def test_quantities_of_a_sheared_lattice() -> None:
    stretch = np.array([[1.04, 0.03], [0.03, 0.95]])
    found = find_lattice(lattice_map(distortion=stretch, degrees=8.0, pixels=192), NBS2)
    a1, a2 = (stretch @ rotation(8.0) @ (0.1 * NBS2 * np.array([[1, 0.5], [0, 0.75**0.5]]))).T
    np.testing.assert_allclose(found.vectors, [a1, a2], rtol=1e-3)
    lengths = [np.linalg.norm(v) * 10 for v in (a1, a2, a2 - a1)]
    np.testing.assert_allclose(found.lengths.value, lengths, rtol=1e-3)
    cosine = a1 @ a2 / np.linalg.norm(a1) / np.linalg.norm(a2)
    assert found.opening.value == pytest.approx(np.degrees(np.arccos(cosine)), abs=0.05)
    stretches = np.linalg.eigvalsh(stretch)
    assert found.anisotropy.value == pytest.approx(stretches[1] / stretches[0], rel=1e-3)
    np.testing.assert_allclose(found.reduced(found.momentum([0.2, -0.7])), [0.2, -0.7])


def test_a_brighter_density_wave_is_not_taken_for_the_lattice() -> None:
    image = lattice_map(wave=2.0, noise=0.3, degrees=5.0)
    assert find_lattice(image, NBS2).constant.value == pytest.approx(NBS2, rel=2e-3)


def test_a_wrong_calibration_is_found_within_its_bounds() -> None:
    image = lattice_map(constant=0.57 * NBS2, step=0.04, noise=0.3)
    with pytest.raises(LatticeNotFoundError, match="scale"):
        find_lattice(image, NBS2)
    found = find_lattice(image, NBS2, scale=(0.5, 0.65))
    assert found.constant.value == pytest.approx(0.57 * NBS2, rel=2e-3)


def test_stripes_are_no_lattice() -> None:
    image = lattice_map(pixels=96)
    b1, b2 = ideal_reciprocal(11.0)
    rng = np.random.default_rng(4)
    stripes = sum(np.cos(b[0] * image.x + b[1] * image.y) for b in (b1, 0.3 * b2))
    with pytest.raises(LatticeNotFoundError):
        find_lattice(stripes.transpose("y", "x") + 0.3 * rng.standard_normal((96, 96)), NBS2)


def test_two_bragg_peaks_without_the_third_are_no_lattice() -> None:
    image = lattice_map(pixels=96)
    crossed = sum(np.cos(b[0] * image.x + b[1] * image.y) for b in ideal_reciprocal(11.0))
    taken = []
    for seed in range(20):
        noise = 0.3 * np.random.default_rng(seed).standard_normal((96, 96))
        with contextlib.suppress(LatticeNotFoundError):
            taken.append(find_lattice(crossed.transpose("y", "x") + noise, NBS2))
    # Noise makes a third peak now and then, but never one that is taken without a word.
    assert len(taken) <= 1
    assert all(lattice.rivals for lattice in taken)


def test_units_mixed_up_are_refused() -> None:
    with pytest.raises(PreparationError, match="Angstrom"):
        find_lattice(lattice_map(), 0.333)
    with pytest.raises(PreparationError, match="scale"):
        find_lattice(lattice_map(), NBS2, scale=(1.2, 0.8))


def test_errors_grow_with_the_noise() -> None:
    errors = [
        float(find_lattice(lattice_map(noise=noise, seed=3), NBS2).constant.noise)
        for noise in (0.5, 1.0, 2.0)
    ]
    assert errors[1] / errors[0] == pytest.approx(2, rel=0.15)
    assert errors[2] / errors[1] == pytest.approx(2, rel=0.15)


def test_propagated_errors() -> None:
    covariance = np.array([[0.04, 0.01], [0.01, 0.09]])
    product = propagate(lambda p: np.array([p[0] * p[1], p[0]]), np.array([2.0, 3.0]), covariance)
    np.testing.assert_allclose(product.value, [6, 2])
    np.testing.assert_allclose(product.noise**2, [9 * 0.04 + 4 * 0.09 + 12 * 0.01, 0.04])
    assert f"{product:.1f}" == "6.0 ± 0.9"


@pytest.mark.parametrize("value", [0.0, 2.5, 1e-12, -3e150])
def test_a_constant_map_has_no_lattice(value: float) -> None:
    with pytest.raises(LatticeNotFoundError, match=r"contrast[\s\S]*on all pixels"):
        find_lattice(as_map(np.full((64, 64), value)), NBS2)


def test_the_errors_know_of_creep() -> None:
    pulls = []
    for seed in range(12):
        opening = find_lattice(creeping_map(0.3, 0.5, seed), NBS2).opening
        assert abs(opening.value - 60) > 10 * opening.noise
        pulls.append((opening.value - 60) / opening.error)
    assert np.sqrt(np.mean(np.square(pulls))) < 3


def test_without_creep_the_errors_are_those_of_the_noise() -> None:
    ratios = []
    for seed in range(12):
        found = find_lattice(lattice_map(noise=1.0, degrees=7.0, seed=seed), NBS2)
        assert len(found.quarters) == 4
        ratios.append(float(found.constant.error / found.constant.noise))
    assert 1 <= np.median(ratios) < 3


def test_a_map_of_few_periods_has_no_quarters() -> None:
    assert find_lattice(lattice_map(pixels=80), NBS2).quarters == ()
