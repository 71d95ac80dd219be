"""Noise, credible sets and residual sums of squares, each against what it must be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from gapscope.errors import NumericsError
from gapscope.inference.posterior.credible import centre, credible_set, holds
from gapscope.inference.posterior.noise import Noise
from gapscope.inference.posterior.response import Response
from gapscope.inference.posterior.words import cells_of
from gapscope.physics.impurity import Impurity
from gapscope.physics.scattering import scattered_trace
from gapscope.physics.specification import Scatterers
from gapscope.problem.quantities import quantity


@pytest.mark.parametrize("share", [0.1, 0.8, 0.95, 1.2, 30.0])
@pytest.mark.parametrize("sites", [7, 60])
def test_noise_that_is_not_known_is_integrated_out(share: float, sites: int) -> None:
    """Where the residual lies below the floor, near it, and far above."""
    floor = 0.3
    squares = share * sites * floor**2
    found = Noise(sites, np.array([floor]), known=False).log_likelihood(np.array([squares]))

    def log_integrand(log_sigma: float) -> float:
        return -sites * log_sigma - squares / (2 * np.exp(2 * log_sigma))

    start = np.log(floor)
    top = max(log_integrand(x) for x in np.linspace(start, start + 6, 601))
    integral = quad(
        lambda x: np.exp(log_integrand(x) - top), start, start + 6, limit=500, epsabs=0
    )[0]
    # d sigma / sigma is d log sigma; (2 pi)^(-n/2) stands before all.
    expected = np.log(integral) + top - sites / 2 * np.log(2 * np.pi)
    assert found == pytest.approx(expected, abs=1e-6)


def test_noise_that_is_known_is_a_normal_density_at_every_energy() -> None:
    rng = np.random.default_rng(0)
    level = np.array([0.2, 1.5])
    left = rng.standard_normal((2, 50)) * level[:, None]
    found = Noise(50, level, known=True).log_likelihood((left**2).sum(axis=1))
    assert found == pytest.approx(norm(0, level[:, None]).logpdf(left).sum())


def test_likelihoods_of_thousands_of_sites_are_finite() -> None:
    noise = Noise(9000, np.full(3, 1e-9), known=False)
    squares = 9000 * np.array([1e-30, 0.5e-18, 0.9e-18, 1e-18, 1e-12])[:, None] * np.ones(3)
    found = noise.log_likelihood(squares)
    assert np.isfinite(found).all()
    assert (np.diff(found) < 0).all()


@pytest.mark.parametrize("level", [0.0, -1.0, np.nan, np.inf])
def test_noise_is_positive_and_finite(level: float) -> None:
    with pytest.raises(NumericsError, match="positive and finite"):
        Noise(10, np.array([1.0, level]), known=True)


def test_a_credible_set_of_a_normal_distribution() -> None:
    rng = np.random.default_rng(1)
    values = 3 + 0.01 * rng.standard_normal(20000)
    weights = np.full(20000, 1 / 20000)
    for level in (0.5, 0.9):
        ((low, high),) = credible_set(values, weights, level)
        half = 0.01 * norm.ppf(0.5 + level / 2)
        assert low == pytest.approx(3 - half, abs=0.1 * half)
        assert high == pytest.approx(3 + half, abs=0.1 * half)


def test_weights_count() -> None:
    """Points drawn evenly, weighted by a normal density."""
    values = np.linspace(-6, 6, 5001)
    weights = norm.pdf(values)
    weights /= weights.sum()
    ((low, high),) = credible_set(values, weights, 0.9)
    assert (low, high) == pytest.approx((-1.645, 1.645), abs=0.1)


def test_a_credible_set_has_as_many_parts_as_maxima() -> None:
    rng = np.random.default_rng(2)
    values = np.concatenate(
        [0.5 + 0.01 * rng.standard_normal(3000), -0.4 + 0.01 * rng.standard_normal(3000)]
    )
    parts = credible_set(values, np.full(6000, 1 / 6000), 0.9)
    assert len(parts) == 2
    assert holds(parts, -0.4)
    assert holds(parts, 0.5)
    assert not holds(parts, 0.05)


def test_a_credible_set_on_a_circle_leads_over_its_end() -> None:
    rng = np.random.default_rng(3)
    values = (0.1 * rng.standard_normal(8000)) % np.pi
    weights = np.full(8000, 1 / 8000)
    ((low, high),) = credible_set(values, weights, 0.9, np.pi)
    assert high - low == pytest.approx(2 * 0.1645, rel=0.1)
    assert holds([(low, high)], 0.05, np.pi)
    assert holds([(low, high)], np.pi - 0.05, np.pi)
    assert not holds([(low, high)], 1.0, np.pi)
    mean, deviation = centre(values, weights, np.pi)
    assert abs(mean) < 0.01
    assert deviation == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize("spread", [0.0, 0.4, 1.0])
def test_sets_of_few_groups_hold_what_they_say(spread: float) -> None:
    """Groups as many as a posterior has, whose points share all, much or nothing."""
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(120), 12)
    held = np.zeros((60, 3))
    for one in held:
        shared = np.sqrt(1 - spread**2) * rng.standard_normal(120)
        values = shared[groups] + spread * rng.standard_normal(groups.size)
        weights = rng.gamma(2, size=120)[groups]
        weights /= weights.sum()
        for number, level in enumerate((0.5, 0.9, 0.95)):
            parts = credible_set(values, weights, level, groups=groups)
            one[number] = sum(norm.cdf(high) - norm.cdf(low) for low, high in parts)
    np.testing.assert_allclose(held.mean(axis=0), (0.5, 0.9, 0.95), atol=0.02)


def test_a_set_ends_where_the_values_end() -> None:
    values = np.random.default_rng(6).uniform(size=4000)
    parts = credible_set(values, np.full(4000, 1 / 4000), 0.95)
    assert parts[0][0] >= values.min()
    assert parts[-1][1] <= values.max()
    assert sum(high - low for low, high in parts) == pytest.approx(0.95, abs=0.01)


def test_a_set_of_one_point_is_that_point() -> None:
    assert credible_set(np.array([2.0, 5.0]), np.array([0.0, 1.0]), 0.9) == [(5.0, 5.0)]


def test_maps_and_squares_of_a_response_are_those_of_the_t_matrix() -> None:
    """Any Green's functions, potentials with moments, two nodes of an energy resolution."""
    rng = np.random.default_rng(4)
    window, nodes = 6, np.array([0.7, 0.3])
    green = rng.standard_normal((2, 2, 7, 7, 4, 4)) + 1j * rng.standard_normal((2, 2, 7, 7, 4, 4))
    sites = rng.uniform(size=(6, 6)) < 0.7
    target = rng.standard_normal((2, int(sites.sum())))
    response = Response.of(green, nodes, np.arange(4), sites, target)
    impurities = [
        Impurity.scalar(0.3) + Impurity.magnetic(moment)
        for moment in ((0.0, 0.0, 0.2), (0.1, -0.2, 0.3), (0.0, 0.0, 0.0))
    ]
    potentials = np.stack([one.nambu_matrix(1) for one in impurities])
    found, squares = response.maps(potentials), response.squares(potentials)
    for row, potential in enumerate(potentials):
        scatterers = Scatterers(
            np.zeros((1, 2), np.int64), potential[None], np.zeros((1, 2), np.int64)
        )
        for energy in range(2):
            parts = [
                scattered_trace(green[energy, node], scatterers, window).sum(axis=0)
                for node in range(2)
            ]
            whole = -np.tensordot(nodes, np.array(parts), 1).imag / np.pi
            np.testing.assert_allclose(found[row, energy], whole[sites], rtol=1e-10, atol=1e-10)
            left = ((whole[sites] - target[energy]) ** 2).sum()
            assert squares[row, energy] == pytest.approx(left, rel=1e-9)


@pytest.mark.parametrize(
    ("mean", "ends"), [(0.01, (6.27, 6.31)), (0.01, (-0.01, 0.03)), (6.25, (-0.05, -0.02))]
)
def test_a_set_on_a_circle_is_told_beside_its_mean(mean: float, ends: tuple[float, float]) -> None:
    phi = quantity("phi").unknown("phi", 0.0, 2 * np.pi)
    parts = np.array([ends, (np.nan, np.nan)])
    shown, _, words = cells_of(phi, mean, 0.01, parts)
    low, high = (float(end) for end in words.strip("[]").split(","))
    assert abs((low + high) / 2 - float(shown)) < 0.1
    assert high - low == pytest.approx(ends[1] - ends[0], abs=2e-3)
