"""Density waves: found where they are, with errors, and not found where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.measured.preparation import PreparationError, find_density_wave, find_lattice
from gapscope.measured.preparation.waves import star
from lattice_maps import NBS2, lattice_map


def test_stars() -> None:
    np.testing.assert_allclose(star((1 / 3, 0)), [[1 / 3, 0], [1 / 3, 1 / 3], [0, 1 / 3]])
    assert len(star((1 / 2, 0))) == len(star((1 / 3, 2 / 3))) == 3
    # All of one length: |m1 b1 + m2 b2|^2 ~ m1^2 + m2^2 - m1 m2.
    for m1, m2 in star((0.4, 0.1)):
        assert m1**2 + m2**2 - m1 * m2 == pytest.approx(0.13)


def test_positions_have_the_errors_they_claim() -> None:
    pulls = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        drift = np.eye(2) + rng.uniform(-0.04, 0.04, (2, 2))
        image = lattice_map(
            distortion=drift, degrees=rng.uniform(-25, 25), wave=0.5, noise=1.5, seed=seed
        )
        wave = find_density_wave(image, find_lattice(image, NBS2))
        assert wave.found
        assert wave.commensurate
        pulls += [(p.position.value - p.expected) / p.position.noise for p in wave.peaks]
    pulls = np.array(pulls)
    assert 0.7 < pulls.std() < 1.3
    assert abs(pulls.mean()) < 0.25


def test_an_incommensurate_wave_is_found_where_it_is() -> None:
    image = lattice_map(wave=0.4, wavevector=(0.32, 0.0), noise=0.2, pixels=256)
    wave = find_density_wave(image, find_lattice(image, NBS2))
    for peak in wave.peaks:
        np.testing.assert_allclose(peak.position.value, 0.96 * peak.expected, atol=2e-3)
        assert 2 * abs(peak.peak.amplitude) == pytest.approx(0.4, abs=0.05)
    assert wave.momenta.shape == (3, 2)


@pytest.mark.parametrize(("fraction", "commensurate"), [(0.33, True), (0.30, False)])
def test_a_wave_beside_its_place_is_not_commensurate(fraction: float, commensurate: bool) -> None:
    image = lattice_map(wave=0.4, wavevector=(fraction, 0.0), noise=0.2, pixels=256)
    wave = find_density_wave(image, find_lattice(image, NBS2))
    assert wave.found
    assert wave.commensurate is commensurate
    for peak in wave.peaks:
        assert float(peak.distance.value) == pytest.approx(1 / 3 - fraction, abs=2e-3)


def test_no_wave_no_peak() -> None:
    image = lattice_map(noise=0.5)
    wave = find_density_wave(image, find_lattice(image, NBS2))
    assert not wave.found
    assert wave.momenta.shape == (0, 2)
    assert np.isnan(wave.peaks[0].position.value).all()
    assert not wave.peaks[0].commensurate
    assert all(peak.false_alarm > 1e-3 for peak in wave.peaks)


def test_other_stars() -> None:
    image = lattice_map(wave=0.4, wavevector=(0.5, 0.0), noise=0.3)
    lattice = find_lattice(image, NBS2)
    assert find_density_wave(image, lattice, (0.5, 0.0)).found
    assert not find_density_wave(image, lattice).found


def test_a_wave_next_to_zero_is_refused() -> None:
    image = lattice_map()
    with pytest.raises(PreparationError, match="q = 0"):
        find_density_wave(image, find_lattice(image, NBS2), (0.01, 0.0))


@pytest.mark.parametrize("wavevector", [(3.0, 3.0), (1.0, 0.0)])
def test_the_lattice_is_no_wave_of_itself(wavevector: tuple[float, float]) -> None:
    image = lattice_map()
    with pytest.raises(PreparationError, match=r"0\.3333 0 for the 3 x 3"):
        find_density_wave(image, find_lattice(image, NBS2), wavevector)
