"""The windowed transform: units, phases, reduced coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.measured.preparation import PreparationError, find_lattice, fourier_transform
from lattice_maps import NBS2, as_map, ideal_reciprocal, lattice_map


@pytest.mark.parametrize("window", ["hann", "none"])
@pytest.mark.parametrize("shape", [(20, 24), (21, 17)])
def test_it_is_the_sum_that_is_written_down(
    window: str, shape: tuple[int, int], rng: np.random.Generator
) -> None:
    image = as_map(rng.standard_normal(shape), step=0.3)
    centre = (1.7, 2.9)
    transform = fourier_transform(image, window=window, centre=centre)
    wy, wx = (
        np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 if window == "hann" else np.ones(n)
        for n in shape
    )
    weights = np.outer(wy, wx)
    for j, i in ((0, 0), (3, 11), (shape[0] // 2, shape[1] // 2), (shape[0] - 1, 5)):
        qx, qy = float(transform.qx[i]), float(transform.qy[j])
        x, y = np.meshgrid(image.x - centre[0], image.y - centre[1])
        expected = (weights * image.values * np.exp(-1j * (qx * x + qy * y))).sum()
        assert complex(transform[j, i]) == pytest.approx(expected / weights.sum(), abs=1e-12)
    assert float(transform.qx[shape[1] // 2]) == 0.0


def test_a_wave_has_half_its_amplitude_and_its_phase() -> None:
    image = as_map(np.zeros((64, 64)), step=0.1)
    q = 2 * np.pi * np.array([9, -14]) / 6.4
    middle = float(image.x.mean())
    values = 0.6 * np.cos(q[0] * (image.x - middle) + q[1] * (image.y - middle) + 0.4)
    transform = fourier_transform(image + values.transpose("y", "x"))
    peak = transform.sel(qx=q[0], qy=q[1], method="nearest")
    assert complex(peak) == pytest.approx(0.3 * np.exp(0.4j), abs=1e-3)
    assert transform.qx.attrs["units"] == "1/nm"


def test_reduced_coordinates() -> None:
    image = lattice_map(degrees=10.0)
    transform = fourier_transform(image, lattice=find_lattice(image, NBS2))
    b1, b2 = ideal_reciprocal(10.0)
    q = transform.m1.values[..., None] * b1 + transform.m2.values[..., None] * b2
    qx, qy = np.meshgrid(transform.qx, transform.qy)
    np.testing.assert_allclose(q, np.stack([qx, qy], axis=-1), atol=0.1)


def test_an_unknown_window_is_refused() -> None:
    with pytest.raises(PreparationError, match="window"):
        fourier_transform(lattice_map(pixels=32), window="boxcar")
