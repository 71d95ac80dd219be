"""Measured maps of monolayer NbS2 (Knispel et al., arXiv:2307.13791); skipped where absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gapscope import measured as readers
from gapscope.measured.preparation import (
    LatticeNotFoundError,
    Prepared,
    Steps,
    prepare,
    remove_line_noise,
)
from lattice_maps import NBS2

Array = np.ndarray

USUAL, SMALL = (0.87, 1.15), (0.5, 0.65)
"""figure_2f and figure_2g state lengths at which the lattice constant would be 1.9 Angstrom."""


def prepared(folder: Path, name: str, scale: tuple[float, float] = USUAL) -> Prepared:
    path = folder / "nbs2" / f"figure_{name}.txt"
    if not path.exists():
        pytest.skip(f"{path.name} of the measured files is not there (GAPSCOPE_MEASURED)")
    return prepare(readers.open(path)["image"], NBS2, Steps(scale=scale))


@pytest.mark.parametrize(
    ("name", "scale", "constant"),
    [
        ("2a", USUAL, 3.139),
        ("2b", USUAL, 3.137),
        ("2f", SMALL, 1.948),
        ("2g", SMALL, 1.865),
        ("3a", USUAL, 3.39),
    ],
)
def test_the_lattice(
    measured: Path, name: str, scale: tuple[float, float], constant: float
) -> None:
    result = prepared(measured, name, scale)
    assert result.lattice.constant.value == pytest.approx(constant, rel=0.005)
    assert result.lattice.false_alarm < 1e-20
    assert result.final_lattice.constant.value == pytest.approx(NBS2, rel=0.002)
    assert result.final_lattice.anisotropy.value == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("name", ["2a", "3a"])
def test_the_density_wave_is_3_by_3(measured: Path, name: str) -> None:
    wave = prepared(measured, name).wave
    assert wave is not None
    assert wave.found
    for peak in wave.peaks:
        np.testing.assert_allclose(peak.position.value, peak.expected, atol=0.01)


def test_the_wave_of_2f(measured: Path) -> None:
    wave = prepared(measured, "2f", SMALL).wave
    assert wave is not None
    assert wave.found


def test_2g_shows_one_wave_at_most(measured: Path) -> None:
    wave = prepared(measured, "2g", SMALL).wave
    assert wave is not None
    assert not wave.found


@pytest.mark.parametrize(("name", "scale"), [("2f", "0.53 0.64"), ("2g", "0.50 0.62")])
def test_stated_scales_are_refused_with_the_one_that_is_seen(
    measured: Path, name: str, scale: str
) -> None:
    with pytest.raises(LatticeNotFoundError, match=f"--scale {scale}"):
        prepared(measured, name)


def test_the_streak_of_2a_is_interference(measured: Path) -> None:
    """Offsets of scan lines are the same in both halves of a map; what lies at q_x = 0 of 2a is
    not, and stays. Offsets that are planted go."""
    path = measured / "nbs2" / "figure_2a.txt"
    if not path.exists():
        pytest.skip(f"{path.name} of the measured files is not there (GAPSCOPE_MEASURED)")
    own = readers.open(path)["image"]
    offsets = np.random.default_rng(0).standard_normal(len(own)) * 0.2 * float(own.std())
    noisy = own + offsets[:, None]
    assert alike(own.values) < 0.2
    assert alike(noisy.values) > 0.7
    np.testing.assert_array_equal(remove_line_noise(own), own)
    left = (remove_line_noise(noisy) - own).values[:, 0]
    assert np.std(left - left.mean()) < 0.5 * np.std(offsets)


def alike(image: Array) -> float:
    """Coherence of the mean scan lines of a map's halves, at the rows of 2a's streak."""
    rows, columns = image.shape
    half = columns // 2
    means = [image[:, part] @ np.hanning(half) for part in (slice(half), slice(half, 2 * half))]
    one, two = (np.fft.rfft((m - m.mean()) * np.hanning(rows))[30:90] for m in means)
    return float((one.conj() @ two).real / np.linalg.norm(one) / np.linalg.norm(two))
