"""Medians of a spectrum are those over squares, though half of them alone is looked at."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from gapscope.measured.preparation import noise_floor
from lattice_maps import lattice_map


@pytest.mark.parametrize("shape", [(31, 31), (31, 45), (7, 25), (5, 5)])
@pytest.mark.parametrize("size", [(9, 9), (9, 21), (21, 11)])
def test_medians_of_half_a_spectrum_are_those_of_the_whole(
    shape: tuple[int, int], size: tuple[int, int], rng: np.random.Generator
) -> None:
    values = rng.exponential(size=shape)
    values = values + values[::-1, ::-1]
    expected = ndimage.median_filter(values, size=size[::-1], mode="nearest")
    np.testing.assert_array_equal(noise_floor.medians(values, np.array(size)), expected)


def test_noise_does_not_depend_on_where_the_spectrum_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(noise_floor, "_radial", lambda power, step: np.ones_like(power))
    image = lattice_map(noise=0.5)
    small, large = (noise_floor.spectrum(image, reach, 8.0).noise for reach in (12.0, 30.0))
    beyond = [(a - b) // 2 for a, b in zip(large.shape, small.shape, strict=True)]
    assert min(beyond) > 5
    inside = large[beyond[0] : -beyond[0], beyond[1] : -beyond[1]]
    np.testing.assert_allclose(small, inside, rtol=1e-9)
