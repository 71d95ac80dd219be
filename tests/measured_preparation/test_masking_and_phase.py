"""Local amplitudes, notches, and the correction of slow distortions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gapscope.measured.default import USUAL, prepare_for_network
from gapscope.measured.preparation import (
    LatticeNotFoundError,
    PreparationError,
    Steps,
    correct_phase,
    displacement,
    find_density_wave,
    find_lattice,
    local_amplitude,
    mask_peaks,
    prepare,
)
from gapscope.measured.preparation.grid import grid_of
from gapscope.measured.preparation.phase import Shift
from lattice_maps import NBS2, as_map, ideal_reciprocal, lattice_map

PIXELS, STEP = 160, 0.06


def bent_map(size: float, winding: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Values of a lattice displaced by a slow u(r), and u; or with a dislocation."""
    along = STEP * np.arange(PIXELS)
    r = np.stack(np.meshgrid(along, along), axis=-1)
    field = STEP * PIXELS
    u = size * np.stack(
        [np.sin(2 * np.pi * r[..., 1] / field), np.cos(np.pi * r[..., 0] / field)], axis=-1
    )
    b1, b2 = ideal_reciprocal(7.0)
    around = winding * np.arctan2(r[..., 1] - field / 2, r[..., 0] - field / 2)
    values = sum(np.cos((r - u) @ b + k * around) for b, k in ((b1, 1), (b2, 0), (b1 + b2, 1)))
    return values, u - u.mean(axis=(0, 1))


def test_the_local_amplitude_of_a_wave_is_its_amplitude() -> None:
    b1, _ = ideal_reciprocal(3.0)
    image = as_map(np.zeros((96, 96)))
    wave = 0.7 * np.cos(b1[0] * image.x + b1[1] * image.y + 0.5).transpose("y", "x")
    found = local_amplitude(wave, b1, 0.6)
    np.testing.assert_allclose(found[20:-20, 20:-20], 0.35 * np.exp(0.5j), atol=2e-3)
    np.testing.assert_allclose(found, 0.35 * np.exp(0.5j), atol=0.03)


def test_masked_peaks_are_gone_and_the_rest_stays() -> None:
    image = lattice_map(wave=0.5, pixels=192, degrees=5.0)
    lattice = find_lattice(image, NBS2)
    only_wave = mask_peaks(image, [peak.momentum for peak in lattice.peaks], 0.9)
    expected = image - lattice_map(pixels=192, degrees=5.0)
    inner = slice(30, -30)
    np.testing.assert_allclose(only_wave[inner, inner], expected[inner, inner], atol=0.02)
    wave = find_density_wave(image, lattice)
    nothing = mask_peaks(only_wave, wave.momenta, 0.9)
    assert float(np.abs(nothing[inner, inner]).max()) < 0.02
    # The lattice's harmonics and noise elsewhere are not touched.
    noise = lattice_map(noise=1.0, pixels=192, degrees=5.0) - lattice_map(pixels=192, degrees=5.0)
    kept = mask_peaks(noise, wave.momenta, 0.9)
    assert float((kept - noise).std()) < 0.15 * float(noise.std())


def test_the_notch_is_a_gaussian() -> None:
    image = as_map(np.zeros((128, 128)))
    b1, _ = ideal_reciprocal()
    for off in (0.5, 1.0, 2.0):
        wave = np.cos((b1[0] + off) * image.x + b1[1] * image.y).transpose("y", "x")
        kept = mask_peaks(wave, [b1], 1.0)
        ratio = kept[50:78, 50:78].std() / wave[50:78, 50:78].std()
        assert float(ratio) == pytest.approx(1 - np.exp(-(off**2) / 2), abs=0.05)


def test_a_slow_displacement_is_found_and_undone() -> None:
    values, u = bent_map(0.05)
    image = as_map(values, STEP)
    length = 0.5
    lattice = find_lattice(image, NBS2)
    found = displacement(image, lattice, length)
    # The best plane of u is part of the found lattice.
    y, x = np.meshgrid(image.y, image.x, indexing="ij")
    plane = np.stack([np.ones(x.size), x.ravel(), y.ravel()], axis=1)
    difference = (found - u).reshape(-1, 2)
    difference -= plane @ np.linalg.lstsq(plane, difference, rcond=None)[0]
    assert np.abs(difference).max() < 0.025
    assert difference.std() < 0.004
    corrected = correct_phase(image, lattice, length)
    again = displacement(corrected, find_lattice(corrected, NBS2), length)
    assert again.std() < 0.25 * found.std()


def test_a_perfect_lattice_is_not_displaced() -> None:
    image = lattice_map(degrees=12.0)
    lattice = find_lattice(image, NBS2)
    assert np.abs(displacement(image, lattice, 0.6)).max() < 3e-3
    same = correct_phase(image, lattice, 0.6)
    cut = (image.shape[0] - same.shape[0]) // 2
    assert cut <= 1
    expected = image.values[cut : cut + same.shape[0], cut : cut + same.shape[1]]
    np.testing.assert_allclose(same.values, expected, atol=0.15)


@pytest.mark.parametrize("spot", [(4.8, 2.4), (2.4, 6.9), (7.2, 7.2)])
def test_places_follow_the_corrected_map(spot: tuple[float, float]) -> None:
    """A bright spot is seen in the corrected map where its place is said to be."""
    _, u = bent_map(0.4)
    along = STEP * np.arange(PIXELS)
    away = (along[None] - spot[0]) ** 2 + (along[:, None] - spot[1]) ** 2
    image = as_map(np.exp(-away / (2 * 0.15**2)), STEP)
    shift = Shift(grid_of(image), u)
    corrected = shift.map(image)
    total = float(corrected.sum())
    seen = [float((corrected * corrected[axis]).sum()) / total for axis in ("x", "y")]
    np.testing.assert_allclose(shift.target(spot), seen, atol=0.01)
    assert np.hypot(*(shift.target(spot) - spot + shift.rim * STEP)) > 0.1
    np.testing.assert_allclose(shift.source(shift.target(spot)), spot, atol=1e-6)


def test_a_preparation_knows_where_places_went() -> None:
    values, _ = bent_map(0.12)
    prepared = prepare(as_map(values, STEP), NBS2, Steps(phase=3.0))
    assert prepared.shift is not None
    affine = prepare(as_map(values, STEP), NBS2)
    for place in ((4.8, 2.4), (7.0, 3.0)):
        there = prepared.corrected(place)
        np.testing.assert_allclose(there, prepared.shift.target(affine.corrected(place)))
        np.testing.assert_allclose(prepared.recorded(there), place, atol=1e-6)


def test_slow_distortions_are_corrected_where_the_lattice_shows_them() -> None:
    values, _ = bent_map(0.06)
    done, reason = prepare_for_network(as_map(values, STEP), NBS2)
    assert not reason
    assert "phase" in done.images
    assert "masked" in done.images
    bent, _ = bent_map(0.0, winding=1.0)
    topograph = as_map(values, STEP)
    noise = as_map(np.random.default_rng(1).standard_normal(values.shape), STEP)
    for image, steps, lent, words in (
        (as_map(bent, STEP), USUAL, None, "winds"),
        (noise, USUAL, topograph, "topograph"),
        (topograph, replace(USUAL, drift=False, scale=(0.8, 1.2)), None, "affine"),
    ):
        done, reason = prepare_for_network(image, NBS2, steps, topograph=lent)
        assert words in reason
        assert "phase" not in done.images
    with pytest.raises(LatticeNotFoundError):
        prepare_for_network(noise, NBS2)


def test_a_dislocation_is_refused() -> None:
    values, _ = bent_map(0.0, winding=1.0)
    image = as_map(values, STEP)
    with pytest.raises(PreparationError, match="winds"):
        displacement(image, find_lattice(lattice_map(degrees=7.0, pixels=PIXELS), NBS2), 0.5)


def test_settings_without_meaning_are_refused() -> None:
    image = lattice_map(pixels=64)
    with pytest.raises(PreparationError, match="length"):
        local_amplitude(image, [20.0, 0.0], 0.01)
    with pytest.raises(PreparationError, match="width"):
        mask_peaks(image, [[20.0, 0.0]], -1.0)
    with pytest.raises(PreparationError, match="rows"):
        mask_peaks(image, [20.0, 0.0, 1.0], 1.0)
