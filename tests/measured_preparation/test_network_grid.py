"""From a map to lattice sites and the network's momenta."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.errors import NumericsError
from gapscope.measured.preparation import (
    PreparationError,
    find_lattice,
    largest_window,
    nearest_site,
    network_input,
)
from gapscope.physics.lattice import symmetric_window, window_coordinates
from lattice_maps import NBS2, as_map, ideal_reciprocal, lattice_map, rotation

DEGREES = 6.0
LATTICE = find_lattice(lattice_map(degrees=DEGREES, pixels=192), NBS2)
CENTRE = (5.1, 6.3)


def with_wave(m: tuple[float, float], turns: int = 0) -> np.ndarray:
    """Values of cos(q.(r - centre)), q = m1 b1 + m2 b2 of the lattice turned by 60 degrees."""
    q = np.asarray(m) @ ideal_reciprocal(DEGREES + 60 * turns)
    x, y = np.meshgrid(0.06 * np.arange(192), 0.06 * np.arange(192))
    return np.cos(q[0] * (x - CENTRE[0]) + q[1] * (y - CENTRE[1]))


@pytest.mark.parametrize("turns", [0, 1, 5])
def test_a_wave_lands_on_its_momentum(turns: int) -> None:
    size, m = 24, (5 / 24, -3 / 24)
    image = as_map(with_wave(m, turns), 0.06)
    out = network_input(image, LATTICE, size, CENTRE, turns=turns)
    r = window_coordinates(size)
    expected = np.cos(2 * np.pi * (m[0] * r[:, None] + m[1] * r[None, :]))
    inside = symmetric_window("triangular", size)
    expected -= expected[inside].mean()
    np.testing.assert_allclose(out.ldos_change.values[inside], expected[inside], atol=0.03)
    at = out.qpi_re.sel(q1=m[0], q2=m[1], method="nearest")
    assert float(at) == pytest.approx(float(out.qpi_re.max()))
    assert float(out.ldos_change.values[size // 2, size // 2]) == pytest.approx(
        float(np.nanmax(out.ldos_change)), rel=1e-4
    )
    assert np.abs(out.qpi_im.values).max() < 0.05 * float(out.qpi_re.max())


def test_sizes_are_checked_against_the_map() -> None:
    image = as_map(with_wave((0.1, 0.2)), 0.06)
    fits = largest_window(image, LATTICE, CENTRE)
    out = network_input(image, LATTICE, fits, CENTRE)
    assert np.isfinite(out.ldos_change.values[symmetric_window("triangular", fits)]).all()
    assert np.isfinite(out.qpi_re).all()
    with pytest.raises(PreparationError, match=f"{fits} fit"):
        network_input(image, LATTICE, fits + 2, CENTRE)
    with pytest.raises(NumericsError):
        network_input(image, LATTICE, 9, CENTRE)
    assert largest_window(image, LATTICE, (-1.0, 3.0)) == 0
    with pytest.raises(PreparationError):
        network_input(image, LATTICE, 8, (-1.0, 3.0))


def test_the_hexagon_fits_just_so() -> None:
    # L = 4: the outermost sites are one lattice vector away.
    corners = 0.1 * NBS2 * np.array([[1, 0.5, 0.5], [0, 0.75**0.5, -(0.75**0.5)]])
    room = np.abs(rotation(DEGREES) @ corners).max()
    for n, fits in ((int(np.ceil(room / 0.02)), 4), (int(np.floor(room / 0.02)), 2)):
        image = as_map(np.zeros((2 * n + 1, 2 * n + 1)), 0.02)
        assert largest_window(image, LATTICE, (0.02 * n, 0.02 * n)) == fits


def test_symmetrised_input_is_symmetric(rng: np.random.Generator) -> None:
    image = as_map(rng.standard_normal((192, 192)), 0.06)
    out = network_input(image, LATTICE, 16, CENTRE, symmetry="C6v")
    assert np.abs(out.qpi_im.values).max() < 1e-12
    assert out.attrs["symmetry"] == "C6v"
    assert network_input(image, LATTICE, 16, CENTRE).attrs["symmetry"] == "none"


@pytest.mark.parametrize("bright", [True, False])
def test_the_nearest_site_is_an_atom(bright: bool) -> None:
    b1, b2 = ideal_reciprocal(DEGREES)
    a = 2 * np.pi * np.linalg.inv(np.stack([b1, b2])).T
    origin = np.array([5.0, 5.0])
    x, y = np.meshgrid(0.06 * np.arange(192), 0.06 * np.arange(192))
    values = sum(np.cos(q[0] * (x - origin[0]) + q[1] * (y - origin[1])) for q in (b1, b2, b1 + b2))
    image = as_map(values if bright else -values, 0.06)
    found = find_lattice(image, NBS2)
    for site in (origin, origin + 2 * a[0] - a[1]):
        point = (site + np.array([0.07, -0.05])).tolist()
        at = nearest_site(image, found, point, bright=bright)
        np.testing.assert_allclose(at, site, atol=0.01)
