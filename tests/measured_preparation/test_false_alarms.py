"""Noise gives no lattice and no wave more often than stated."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.measured.preparation import LatticeNotFoundError, find_density_wave, find_lattice
from lattice_maps import NBS2, as_map, lattice_map

KINDS = ("white", "amplitude q^-1", "amplitude q^-2", "lines")
IMAGES = 50


def noise(kind: str, seed: int, pixels: int = 64) -> np.ndarray:
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((pixels, pixels))
    if kind == "lines":
        return white + 2 * rng.standard_normal((pixels, 1))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(pixels), np.fft.fftfreq(pixels)))
    frequency[0, 0] = 1 / pixels
    power = {"white": 0, "amplitude q^-1": 1, "amplitude q^-2": 2}[kind]
    return np.asarray(np.fft.ifft2(np.fft.fft2(white) / frequency**power).real)


def alarms(kind: str, rate: float) -> int:
    count = 0
    for seed in range(IMAGES):
        try:
            find_lattice(as_map(noise(kind, seed), 0.08), NBS2, false_alarm=rate)
            count += 1
        except LatticeNotFoundError:
            pass
    return count


def test_two_hundred_images_of_noise_give_no_lattice() -> None:
    assert sum(alarms(kind, 1e-3) for kind in KINDS) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_rate_of_a_tenth_is_a_bound(kind: str) -> None:
    assert alarms(kind, 0.1) <= 10


def test_a_far_too_generous_rate_does_raise_alarms() -> None:
    assert alarms("white", 0.9999999) > 0 or alarms("lines", 0.9999999) > 0


def test_waves_in_noise_are_as_rare_as_stated() -> None:
    count = 0
    for seed in range(40):
        image = lattice_map(noise=1.0, seed=seed, pixels=96)
        wave = find_density_wave(image, find_lattice(image, NBS2), false_alarm=0.05)
        count += sum(peak.found for peak in wave.peaks)
    # 120 trials of at most 5 %: more than 14 would be 3.3 standard deviations.
    assert count <= 14
