"""Measured maps of monolayer NbS2 (Knispel et al., arXiv:2307.13791); skipped where absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gapscope import measured as readers
from gapscope.measured.preparation import LatticeNotFoundError, Prepared, Steps, prepare
from lattice_maps import NBS2

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
