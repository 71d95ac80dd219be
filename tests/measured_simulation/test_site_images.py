"""Images of values on sites: limits, sum rules, Bragg peaks."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.errors import SettingError
from gapscope.instrument.image import Field, orbital_sum, render
from gapscope.measured.preparation import find_lattice, fourier_transform
from gapscope.physics.lattice import window_coordinates

CONSTANT = 3.44
FIELD = Field(12.0, 10.0, 160, 130, angle=11.0)
SIZE = 64


def sites_of(vectors: np.ndarray, reach: int) -> np.ndarray:
    r = np.arange(-reach, reach + 1)
    return np.stack(np.meshgrid(r, r, indexing="ij"), axis=-1) @ vectors


def test_equal_values_are_recovered_on_sites_and_corrugated_between() -> None:
    vectors = FIELD.vectors(CONSTANT)
    values = np.full((SIZE, SIZE), 2.5)
    np.testing.assert_allclose(render(values, sites_of(vectors, 5), vectors, 0.3), 2.5, rtol=1e-6)
    hollow = sites_of(vectors, 3) + vectors.sum(axis=0) / 3
    low = render(values, hollow, vectors, 0.3)
    np.testing.assert_allclose(low, low[0, 0], rtol=1e-6)
    assert low[0, 0] < 0.7 * 2.5


def test_narrow_orbitals_recover_every_site(rng: np.random.Generator) -> None:
    vectors = FIELD.vectors(CONSTANT)
    values = rng.standard_normal((SIZE, SIZE))
    inner = values[SIZE // 2 - 6 : SIZE // 2 + 7, SIZE // 2 - 6 : SIZE // 2 + 7]
    for width, tolerance in ((0.15, 1e-8), (0.25, 0.01)):
        found = render(values, sites_of(vectors, 6), vectors, width)
        np.testing.assert_allclose(found, inner, atol=tolerance)


def test_an_orbital_is_a_gaussian_of_its_width_and_volume() -> None:
    vectors = FIELD.vectors(CONSTANT)
    values = np.zeros((SIZE, SIZE))
    values[SIZE // 2, SIZE // 2] = 1.0
    along = np.linspace(-1.2, 1.2, 241)
    points = np.stack(np.meshgrid(along, along), axis=-1)
    image = render(values, points, vectors, 0.35)
    cell = (0.1 * CONSTANT) ** 2 * np.sqrt(3) / 2
    area = (along[1] - along[0]) ** 2
    sigma = 0.35 * 0.1 * CONSTANT
    assert image.sum() * area == pytest.approx(2 * np.pi * sigma**2 / orbital_sum(0.35), rel=1e-4)
    second = (image * points[..., 0] ** 2).sum() / image.sum()
    assert second == pytest.approx(sigma**2, rel=1e-4)
    # Wide orbitals: Z tends to the orbital's area over the cell's (Poisson's sum).
    assert orbital_sum(1.0) == pytest.approx(2 * np.pi * (0.1 * CONSTANT) ** 2 / cell, rel=1e-6)


def test_bragg_peaks_are_those_of_poisson_s_sum() -> None:
    vectors = FIELD.vectors(CONSTANT)
    image = FIELD.image(
        render(np.ones((SIZE, SIZE)), FIELD.points - FIELD.centre, vectors, 0.3), "g", "1", "g"
    )
    found = find_lattice(image, CONSTANT)
    assert float(found.constant.value) == pytest.approx(CONSTANT, rel=1e-4)
    assert float(found.orientation.value) == pytest.approx(11.0, abs=0.01)
    mean = float(np.abs(fourier_transform(image)).max())
    b = 2 * np.pi * 2 / np.sqrt(3)
    for peak in found.peaks:
        expected = np.exp(-(b**2) * 0.3**2 / 2)
        assert abs(peak.amplitude) / mean == pytest.approx(expected, rel=0.01)


def test_waves_over_sites_come_back_at_their_momentum() -> None:
    r = window_coordinates(SIZE)
    values = np.cos(2 * np.pi * (0.21 * r[:, None] - 0.13 * r[None, :]))
    vectors = FIELD.vectors(CONSTANT)
    image = render(values, FIELD.points - FIELD.centre, vectors, 0.3)
    transform = np.abs(fourier_transform(FIELD.image(image, "g", "1", "g")))
    q = np.array([0.21, -0.13]) @ (2 * np.pi * np.linalg.inv(vectors).T)
    place = transform.argmax(dim=("qy", "qx"))  # type: ignore[arg-type]
    found = np.array([float(transform.qx[place["qx"]]), float(transform.qy[place["qy"]])])
    step = 2 * np.pi / np.array([FIELD.width, FIELD.height])
    assert (np.minimum(abs(found - q), abs(found + q)) <= step / 2 + 1e-9).all()


def test_an_image_looks_like_an_opened_one() -> None:
    image = FIELD.image(np.zeros((130, 160)), "conductance", "1", "about it")
    assert image.dims == ("y", "x")
    assert image.x.attrs == {"units": "nm"}
    assert float(image.x[-1]) == pytest.approx(12.0 * 159 / 160)
    assert (float(image.x[0]), float(image.y[0])) == (0.0, 0.0)


def test_the_origin_may_lie_anywhere() -> None:
    field = Field(6.0, 6.0, 60, 60, origin=(1.0, 2.0))
    values = np.zeros((64, 64))
    values[32, 32] = 1.0
    image = render(values, field.points - field.centre, field.vectors(CONSTANT), 0.3)
    assert np.unravel_index(image.argmax(), image.shape) == (20, 10)


def test_what_cannot_be_drawn_is_refused() -> None:
    vectors = FIELD.vectors(CONSTANT)
    with pytest.raises(SettingError, match="sites per side"):
        render(np.ones((32, 32)), FIELD.points - FIELD.centre, vectors, 0.3)
    with pytest.raises(SettingError, match="width"):
        render(np.ones((SIZE, SIZE)), FIELD.points - FIELD.centre, vectors, 0.0)
    for wrong in ({"width": -1.0}, {"columns": 1}, {"angle": np.nan}):
        with pytest.raises(SettingError):
            Field(**wrong)  # type: ignore[arg-type]
