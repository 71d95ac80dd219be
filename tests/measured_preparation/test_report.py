"""What people are told of a preparation: where errors come from, and what was not corrected."""

from __future__ import annotations

import pytest

from gapscope.measured.preparation import Steps, prepare
from gapscope.measured.preparation.found import plus_minus
from gapscope.measured.preparation.report import report
from lattice_maps import NBS2, creeping_map, lattice_map


def test_a_clean_map_is_told_without_warnings() -> None:
    said = report(prepare(lattice_map(noise=0.3, wave=0.4), NBS2))
    assert said.count("density wave        (") == 3
    assert "beside" not in said
    assert "distorted" not in said
    assert "in its quarters     3.3" in said


def test_a_small_map_says_whose_errors_it_tells() -> None:
    assert "errors are those of the noise" in report(prepare(lattice_map(pixels=80), NBS2))


def test_a_wave_beside_its_place_is_told() -> None:
    image = lattice_map(wave=0.4, wavevector=(0.30, 0.0), noise=0.2, pixels=256)
    assert report(prepare(image, NBS2)).count("0.033 ± 0.000 |b1| beside it") == 3


def test_creep_that_is_left_is_told_and_phase_mends_it() -> None:
    image = creeping_map(1.0, 0.2, 0, pixels=256)
    assert "--phase" in report(prepare(image, NBS2))
    assert "still distorted" not in report(prepare(image, NBS2, Steps(phase=5.0)))


@pytest.mark.parametrize("drift", [True, False])
def test_without_the_correction_nothing_is_called_left(drift: bool) -> None:
    said = report(prepare(creeping_map(1.0, 0.2, 0, pixels=256), NBS2, Steps(drift=drift)))
    assert ("still distorted" in said) is drift


@pytest.mark.parametrize(
    ("error", "said"),
    [(0.0182, "3.1391 ± 0.0182"), (2.6e-5, "3.13907 ± 0.00003"), (0.0, "3.1391 ± 0.0000")],
)
def test_an_error_is_never_rounded_to_nothing(error: float, said: str) -> None:
    assert plus_minus(3.13907, error, 4) == said
