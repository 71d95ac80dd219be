"""Where maps are most nearly even, whatever their amplitude, sign and noise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gapscope.learning.uncertainty.centre import REACH, centres
from gapscope.learning.uncertainty.hidden import is_hidden
from gapscope.physics.lattice import window_coordinates

SIZE = 32


def ripples(odd: float = 0.0, site: tuple[int, int] = (0, 0)) -> NDArray[np.float64]:
    """Friedel oscillations around a site at two energies, with an odd part of some share."""
    r1, r2 = np.meshgrid(window_coordinates(SIZE), window_coordinates(SIZE), indexing="ij")
    r = np.hypot(r1 + r2 / 2, np.sqrt(3) / 2 * r2)
    maps = []
    for k in (1.7, 2.1):
        even = np.cos(2 * k * r) / (1 + r)
        other = np.sin(k * (r1 - 0.3 * r2)) / (1 + r)
        other *= odd * np.linalg.norm(even) / np.linalg.norm(other)
        maps.append(np.roll(even + other, site, axis=(0, 1)))
    return np.array(maps)[None]


@pytest.mark.parametrize("odd", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("site", [(0, 0), (1, 0), (-1, 1), (0, -3), (REACH, 2)])
def test_the_site_is_found(odd: float, site: tuple[int, int]) -> None:
    maps = ripples(odd, site)
    assert centres(maps) == centres(-1e-5 * maps) == [site]


def test_noise_as_strong_as_the_map_hides_no_site() -> None:
    rng = np.random.default_rng(0)
    for site in ((0, 0), (2, -1)):
        map = ripples(0.2, site)
        noise = rng.standard_normal((20, *map.shape[1:])) * map.std()
        assert centres(map + noise) == [site] * 20


def test_energies_count_alike() -> None:
    """A strong map at one energy does not hide what the other ones show."""
    maps = np.concatenate([ripples(0.0, (1, 1))[:, :1], 1e-4 * ripples(0.0)[:, [1, 1]]], axis=1)
    assert centres(maps) == [(0, 0)]


def test_what_is_zero_at_an_energy_counts_for_nothing() -> None:
    maps = ripples(0.0, (2, 0))
    maps[:, 1] = 0
    assert centres(maps) == [(2, 0)]


@pytest.mark.parametrize("energies", [1, 3])
def test_noise_is_even_about_no_site(energies: int) -> None:
    noise = np.random.default_rng(3).standard_normal((40, energies, 32, 32))
    assert centres(noise) == [None] * 40


@pytest.mark.parametrize("noise", [0.0, 0.5])
@pytest.mark.parametrize("fill", ["zero", "mean", "median of neighbours", "a neighbour", "another"])
def test_a_map_masked_at_its_impurity_is_told(fill: str, noise: float) -> None:
    """Whatever the site was filled with; at one energy a neighbour's value may be the map's own."""
    m = SIZE // 2
    (one,) = ripples(0.2)
    one[:, m, m] = 80 * one.std(axis=(-2, -1))
    one += noise * one.std() * np.random.default_rng(1).standard_normal(one.shape)
    assert not is_hidden(one)
    beside = one[:, [m, m + 1, m, m - 1], [m + 1, m, m - 1, m]]
    one[:, m, m] = {
        "zero": np.zeros(2),
        "mean": one.mean(axis=(-2, -1)),
        "median of neighbours": np.median(beside, axis=1),
        "a neighbour": beside[:, 0],
        "another": 3 * np.abs(beside).max(axis=1),
    }[fill]
    assert is_hidden(one) == (fill != "another")
    assert is_hidden(one[:1]) == (fill in ("zero", "mean") or is_small(one[:1]))
    one[1, m, m] = 1e3
    assert not is_hidden(one)


def is_small(one: NDArray[np.float64]) -> bool:
    others = np.delete(one.ravel(), SIZE // 2 * (SIZE + 1))
    return bool(abs(one[0, SIZE // 2, SIZE // 2]) <= 0.5 * np.sqrt(np.mean(others**2)))
