"""Noise over a scan: variances, spectra, streaks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from gapscope.errors import SettingError
from gapscope.instrument.scan_noise import ScanNoise, flicker_noise, line_offsets, white_noise

Kind = Callable[[tuple[int, int], np.random.Generator], NDArray[np.float64]]
SHAPE = (96, 128)


def many(kind: Kind, shape: tuple[int, int] = SHAPE, count: int = 60) -> NDArray[np.float64]:
    return np.stack([kind(shape, np.random.default_rng(seed)) for seed in range(count)])


@pytest.mark.parametrize("kind", [white_noise, flicker_noise, line_offsets])
def test_variances_are_one(kind: Kind) -> None:
    fields = many(kind)
    assert fields.shape == (60, *SHAPE)
    assert np.square(fields).mean() == pytest.approx(1, abs=0.1)
    np.testing.assert_array_equal(fields[3], kind(SHAPE, np.random.default_rng(3)))


def test_the_power_of_flicker_noise_is_one_over_f() -> None:
    fields = many(flicker_noise, (64, 1024), 30)
    # Along a line time is uninterrupted: the power of its middle frequencies.
    window = np.hanning(1024)
    power = (np.abs(np.fft.rfft((fields - fields.mean(-1, keepdims=True)) * window)) ** 2).mean(
        axis=(0, 1)
    )
    f = np.arange(len(power))
    used = (f >= 8) & (f <= 128)
    slope = np.polyfit(np.log(f[used]), np.log(power[used]), 1)[0]
    assert slope == pytest.approx(-1, abs=0.1)


def test_streaks_run_along_the_fast_axis() -> None:
    for kind in (flicker_noise, line_offsets):
        fields = many(kind)
        rows, columns = (fields.mean(axis=axis).var() for axis in (2, 1))
        assert rows > 3 * columns
    assert (np.ptp(line_offsets(SHAPE, np.random.default_rng(0)), axis=1) == 0).all()
    jumps = np.diff(many(flicker_noise), axis=1).std(), np.diff(many(flicker_noise), axis=2).std()
    assert jumps[0] > 1.2 * jumps[1]


def test_the_way_back_takes_time() -> None:
    """From a line's end to the next one's beginning passes a line's time, not a pixel's."""
    fields = many(flicker_noise)
    across = np.square(fields[:, 1:, 0] - fields[:, :-1, -1]).mean()
    within = np.square(np.diff(fields, axis=2)).mean()
    # <(n(t) - n(0))^2> of 1/f noise grows as the logarithm of time.
    assert across > 1.5 * within


def test_strengths_multiply_fields_of_their_own() -> None:
    def noise(**strengths: float) -> NDArray[np.float64]:
        settings = {"white": 0.0, "flicker": 0.0, "lines": 0.0, **strengths}
        return ScanNoise(**settings).field(SHAPE, np.random.default_rng(5))

    parts = noise(white=0.2) + noise(flicker=0.3) + noise(lines=0.4)
    np.testing.assert_allclose(noise(white=0.2, flicker=0.3, lines=0.4), parts)
    np.testing.assert_allclose(2 * noise(white=0.2), noise(white=0.4))
    assert noise(white=0.2).std() == pytest.approx(0.2, rel=0.05)
    assert not noise().any()
    with pytest.raises(SettingError):
        ScanNoise(white=-0.1)
    with pytest.raises(SettingError):
        ScanNoise(lines=np.nan)
