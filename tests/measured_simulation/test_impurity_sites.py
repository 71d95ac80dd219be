"""Random impurities, and sums of single maps against the exact T-matrix."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

import gapscope as gs
from gapscope.errors import NumericsError, SettingError
from gapscope.instrument.sites import random_sites, superpose
from gapscope.physics.lattice import VECTORS
from gapscope.simulation.maps import simulate_batch

SIZE = 24
R = np.arange(-20, 20)
REGION = np.stack(np.meshgrid(R, R, indexing="ij"), axis=-1).reshape(-1, 2)


@cache
def maps(*sites: tuple[int, int], window: int = 96) -> NDArray[np.float64]:
    """Exact drho(r) at a broadening for which a coarse grid is converged."""
    impurity = gs.Impurity.scalar(400.0, site=sites[0])
    for site in sites[1:]:
        impurity += gs.Impurity.scalar(400.0, site=site)
    spec = gs.Specification(gs.material("nbse2"), gs.Pairing("A1u", 1.0), impurity, eps0=20.0)
    numerics = gs.Numerics([0.5], 8.0, window, gs.Grid(256))
    return simulate_batch([spec], numerics).ldos_change[0, 0]


def middle(values: NDArray[np.float64], size: int = SIZE) -> NDArray[np.float64]:
    inside = slice((len(values) - size) // 2, (len(values) + size) // 2)
    return values[inside, inside]


def test_the_sum_of_one_is_the_one() -> None:
    np.testing.assert_array_equal(superpose(maps((0, 0)), [(0, 0)], SIZE), middle(maps((0, 0))))


def test_one_impurity_elsewhere_is_the_kernel_s() -> None:
    moved = superpose(maps((0, 0)), [(5, -3)], SIZE)
    np.testing.assert_allclose(moved, middle(maps((5, -3))), rtol=1e-9, atol=1e-12)


def error_of_sum(distance: int) -> float:
    """Relative distance of the sum from the exact map."""
    exact = maps((0, 0), (distance, 0))
    added = superpose(maps((0, 0)), [(0, 0), (distance, 0)], 32)
    both = middle(exact, 32)
    return float(np.linalg.norm(added - both) / np.linalg.norm(both))


def test_distant_impurities_add_up_and_near_ones_do_not() -> None:
    near, further, far, farthest = [error_of_sum(distance) for distance in (3, 8, 15, 25)]
    assert near > 0.2
    assert near > 2 * further > 4 * far > 6 * farthest
    # From impurity to impurity and back goes G(R)^2, beside the map's own G(R).
    assert farthest < 0.03


def test_sums_are_linear_and_keep_leading_axes() -> None:
    single = np.stack([maps((0, 0)), 2 * maps((0, 0))])
    sites = [(0, 0), (4, 4), (-6, 1)]
    both = superpose(single, sites, SIZE)
    np.testing.assert_allclose(both[1], 2 * both[0])
    np.testing.assert_allclose(both[0], sum(superpose(single[0], [s], SIZE) for s in sites))


def test_nothing_wraps_around() -> None:
    assert superpose(maps((0, 0)), [(36, 0)], SIZE).shape == (SIZE, SIZE)
    with pytest.raises(NumericsError, match="98 are needed"):
        superpose(maps((0, 0)), [(37, 0)], SIZE)


def test_sites_keep_their_distance_and_follow_the_seed() -> None:
    sites = random_sites(REGION, np.random.default_rng(3), number=25, least_distance=4.0)
    assert sites.shape == (25, 2)
    assert (sites[0] == 0).all()
    apart = np.linalg.norm((sites[:, None] - sites) @ VECTORS["triangular"], axis=-1)
    assert apart[~np.eye(25, dtype=bool)].min() >= 4.0 - 1e-9
    again = random_sites(REGION, np.random.default_rng(3), number=25, least_distance=4.0)
    np.testing.assert_array_equal(sites, again)
    other = random_sites(REGION, np.random.default_rng(4), number=25, least_distance=4.0)
    assert not np.array_equal(sites, other)


def test_no_two_impurities_share_a_site() -> None:
    sites = random_sites(REGION, np.random.default_rng(3), number=len(REGION))
    assert len(np.unique(sites, axis=0)) == len(REGION)


def test_densities_are_kept_on_average() -> None:
    counts = [
        len(random_sites(REGION, np.random.default_rng(seed), density=0.01)) - 1
        for seed in range(200)
    ]
    expected = 0.01 * len(REGION)
    assert np.mean(counts) == pytest.approx(expected, abs=4 * np.sqrt(expected / 200))
    assert np.var(counts) == pytest.approx(expected, rel=0.4)


def test_sites_are_spread_evenly() -> None:
    thrown = [random_sites(REGION, np.random.default_rng(s), number=2)[1] for s in range(400)]
    shares = np.mean(np.array(thrown) >= 0, axis=0)
    np.testing.assert_allclose(shares, 0.5, atol=4 * 0.5 / np.sqrt(400))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"density": 0.1, "number": 3},
        {"density": -0.1},
        {"number": 0},
        {"number": 3, "least_distance": -1.0},
        {"number": 30, "least_distance": 20.0},
    ],
)
def test_impossible_impurities_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(SettingError):
        random_sites(REGION, np.random.default_rng(0), **settings)  # type: ignore[arg-type]
