"""Streaks of line noise go, Bragg peaks and clean maps stay."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.measured.preparation import find_lattice, remove_line_noise
from lattice_maps import NBS2, as_map, ideal_reciprocal, lattice_map


def relative(difference: np.ndarray, reference: np.ndarray) -> float:
    return float(np.linalg.norm(difference) / np.linalg.norm(reference))


@pytest.mark.parametrize("degrees", [0.0, 3.0, 7.0, 25.0])
def test_a_clean_lattice_is_unchanged(degrees: float) -> None:
    clean = lattice_map(degrees=degrees, wave=0.3)
    changed = remove_line_noise(clean)
    assert relative((changed - clean).values, clean.values) < 1e-3


@pytest.mark.parametrize("width", [0.05, 0.1, 9.0])
def test_isotropic_structure_is_unchanged(width: float, rng: np.random.Generator) -> None:
    white = rng.standard_normal((128, 128))
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(128), np.fft.fftfreq(128)))
    clean = as_map(np.fft.ifft2(np.fft.fft2(white) * np.exp(-((f / width) ** 2))).real)
    changed = remove_line_noise(clean)
    assert relative((changed - clean).values, clean.values) < 0.02


@pytest.mark.parametrize("degrees", [0.0, 2.0, 12.0])
def test_streaks_go_and_bragg_peaks_stay(degrees: float) -> None:
    options = {"pixels": 256, "degrees": degrees, "noise": 0.1, "wave": 0.3}
    clean = lattice_map(**options)
    dirty = lattice_map(**options, line_noise=1.0)
    cleaned = remove_line_noise(dirty)
    # What is left is slow along y, where noise cannot be told from structure.
    assert relative((cleaned - clean).values, (dirty - clean).values) < 0.3
    offsets = (dirty - cleaned).values
    np.testing.assert_allclose(offsets, offsets[:, :1] + np.zeros_like(offsets), atol=1e-12)
    peaks = find_lattice(cleaned, NBS2).peaks
    for peak in peaks:
        assert 2 * abs(peak.amplitude) == pytest.approx(1.0, abs=0.25)
    b1, b2 = ideal_reciprocal(degrees)
    for peak, expected in zip(peaks, (b1, b2, -b1 - b2), strict=True):
        np.testing.assert_allclose(peak.momentum, expected, atol=0.004 * np.linalg.norm(b1))


def test_once_more_changes_little() -> None:
    once = remove_line_noise(lattice_map(noise=0.3, line_noise=1.0, degrees=9.0))
    twice = remove_line_noise(once)
    assert relative((twice - once).values, once.values) < 0.05


@pytest.mark.parametrize("place", [0.5, 0.3])
@pytest.mark.parametrize("line_noise", [0.0, 0.5])
def test_interference_along_the_lines_is_no_line_noise(
    place: float, line_noise: float, rng: np.random.Generator
) -> None:
    """Waves in all directions of q_y at q_x = 0, in the sixth of the map around an impurity."""
    size = 256
    x = np.arange(size) / size
    profile = np.exp(-(((x - place) / 0.06) ** 2))
    own = rng.standard_normal(size)[:, None] * profile + 0.1 * rng.standard_normal((size, size))
    offsets = line_noise * rng.standard_normal(size)
    clean = as_map(own)
    left = (remove_line_noise(clean + offsets[:, None]) - clean).values
    left -= left.mean()
    if line_noise:
        assert relative(left, offsets[:, None] + 0 * own) < 0.6
    else:
        assert relative(left, own) < 0.02
