"""Importance sampling where evidence and posterior are known: linear functions, normal noise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import f as f_distribution
from scipy.stats import kstest, multivariate_normal

from gapscope.inference.posterior.importance import sample
from gapscope.inference.posterior.mixture import FREEDOM, Component, Mixture

Array = NDArray[np.float64]


class Linear:
    """y = A z + noise of variance one, z in a cube of which normal densities see nothing."""

    def __init__(self, mean: Array, covariance: Array, outer: int) -> None:
        self.mean, self.covariance, self.outer = mean, covariance, outer
        self.size = len(mean)
        self.asked = 0

    def inside(self, points: Array) -> NDArray[np.bool_]:
        return np.asarray(((points >= 0) & (points <= 1)).all(axis=-1))

    def log_likelihood(self, outer: Array, inner: Array) -> Array:
        self.asked += len(outer)
        repeated = np.broadcast_to(outer[:, None], (*inner.shape[:2], outer.shape[1]))
        points = np.concatenate([repeated, inner], axis=2)
        # As a likelihood of y would be: a normal density of z, times a number.
        density = multivariate_normal(self.mean, self.covariance).logpdf(points)
        return np.reshape(density, inner.shape[:2]) + LOG_EVIDENCE


LOG_EVIDENCE = 12345.6
LINES = np.zeros(3, dtype=bool)
SPREAD = np.array([0.02, 0.05, 0.01])
CORRELATED = np.array([[1.0, 0.9, 0.3], [0.9, 1.0, 0.2], [0.3, 0.2, 1.0]])


def linear(outer: int) -> Linear:
    return Linear(np.array([0.5, 0.4, 0.6]), CORRELATED * np.outer(SPREAD, SPREAD), outer)


@pytest.mark.parametrize("outer", [3, 2, 1])
def test_evidence_and_posterior_of_a_linear_model_are_exact(outer: int) -> None:
    """From a proposal that is a standard deviation off and without the correlations."""
    target = linear(outer)
    start = Mixture((Component(target.mean + 0.7 * SPREAD, np.diag(SPREAD**2)),), LINES)
    found = sample(target, start, np.random.default_rng(1), (200, 200, 400), inner=16)
    assert found.log_evidence == pytest.approx(LOG_EVIDENCE, abs=4 * found.evidence_error)
    assert found.evidence_error < 0.06
    assert found.efficiency > 0.4
    weights = np.exp(found.log_weights - found.log_weights.max()).ravel()
    weights /= weights.sum()
    points = found.points.reshape(-1, 3)
    mean = weights @ points
    spread = np.sqrt(weights @ (points - mean) ** 2)
    scatter = 4 / np.sqrt(found.effective)
    np.testing.assert_allclose((mean - target.mean) / SPREAD, 0, atol=scatter)
    np.testing.assert_allclose(spread / SPREAD, 1, atol=scatter)
    away = (points - mean) / spread
    correlation = (weights[:, None] * away).T @ away
    np.testing.assert_allclose(correlation, CORRELATED, atol=scatter)


def test_the_error_of_an_evidence_is_its_scatter() -> None:
    """Whole groups scatter, not single points: with many cheap ones, too."""
    target = linear(2)
    start = Mixture((Component(target.mean, 2 * target.covariance),), LINES)
    runs = [
        sample(target, start, np.random.default_rng(seed), (40,), inner=30) for seed in range(150)
    ]
    evidences = np.array([one.log_evidence for one in runs])
    errors = np.array([one.evidence_error for one in runs])
    assert evidences.std() == pytest.approx(np.sqrt((errors**2).mean()), rel=0.25)


def test_what_lies_outside_of_the_cube_has_no_weight_and_costs_nothing() -> None:
    """Maxima in a corner: an eighth of a normal distribution without correlations is inside."""
    target = Linear(np.zeros(3), np.diag(SPREAD**2), 2)
    start = Mixture((Component(target.mean, target.covariance),), LINES)
    found = sample(target, start, np.random.default_rng(2), (300, 300), inner=8)
    assert found.log_evidence - LOG_EVIDENCE == pytest.approx(np.log(1 / 8), abs=0.15)
    assert target.asked <= len(found.points) < 750
    # Of the expensive coordinates, a quarter; then the proposal moves inside.
    assert found.counts[0] == pytest.approx(1200, rel=0.2)
    assert 300 < found.counts[1] < 900
    outside = ~target.inside(found.points)
    assert outside.any()
    assert np.isneginf(found.log_weights[outside]).all()


def test_a_proposal_finds_its_way_from_far_off() -> None:
    target = linear(3)
    start = Mixture((Component(target.mean + 4 * SPREAD, np.diag(SPREAD**2)),), LINES)
    found = sample(target, start, np.random.default_rng(3), (60,) * 10, inner=1)
    assert found.log_evidence == pytest.approx(LOG_EVIDENCE, abs=4 * found.evidence_error)
    assert found.evidence_error < 0.2


def test_sampling_ends_when_there_is_enough() -> None:
    target = linear(3)
    start = Mixture((Component(target.mean, target.covariance),), LINES)
    found = sample(target, start, np.random.default_rng(4), (64, 64, 64), inner=1, enough=20)
    assert len(found.counts) == 1
    assert target.asked == len(found.points)


CIRCLE = Mixture(
    (
        Component(np.array([0.95, 0.3]), np.array([[0.04, 0.01], [0.01, 0.02]]), 3.0),
        Component(np.array([0.2, 0.6]), np.array([[0.001, 0.0], [0.0, 0.01]]), 1.0),
    ),
    np.array([True, False]),
)


def test_densities_on_circles_add_up_to_one() -> None:
    x = (np.arange(200) + 0.5) / 200
    y = np.sinh(np.linspace(-9, 9, 1200)) / 100 + 0.4  # t distributions have long tails
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    density = np.exp(CIRCLE.log_density(grid)).reshape(200, 1200)
    assert np.trapezoid(density.mean(axis=0), y) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("outer", [2, 1])
def test_points_are_drawn_by_the_density(outer: int) -> None:
    """Also where one coordinate is drawn given the other."""
    rng = np.random.default_rng(5)
    first, second = CIRCLE.draw(6000, 1 if outer == 2 else 3, outer, rng)
    if outer == 2:
        points = first[:, None]
    else:
        points = np.concatenate([np.broadcast_to(first[:, None], second.shape), second], axis=-1)
    assert ((points[..., 0] >= 0) & (points[..., 0] < 1)).all()
    # Cells of the plane, counted and integrated.
    x_edges, y_edges = np.array([0, 0.15, 0.25, 0.6, 1.0]), np.array([0.0, 0.25, 0.45, 0.7])
    for x0, x1 in pairwise(x_edges):
        for y0, y1 in pairwise(y_edges):
            x, y = (np.linspace(a, b, 61) for a, b in ((x0, x1), (y0, y1)))
            grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
            density = np.exp(CIRCLE.log_density(grid)).reshape(61, 61)
            expected = np.trapezoid(np.trapezoid(density, y), x)
            within = (
                (points[..., 0] >= x0)
                & (points[..., 0] < x1)
                & (points[..., 1] >= y0)
                & (points[..., 1] < y1)
            )
            assert within.mean() == pytest.approx(expected, abs=5 * np.sqrt(expected / 6000))


@pytest.mark.parametrize("outer", [1, 2, 3, 4])
def test_the_tails_of_draws_are_those_of_a_t_distribution(outer: int) -> None:
    """Squared distances from the mean over k follow F(k, degrees of freedom)."""
    spread = np.array([0.02, 0.05, 0.01, 0.03])
    scale = (0.6 + 0.4 * np.eye(4)) * np.outer(spread, spread)
    one = Mixture((Component(np.full(4, 0.5), scale),), np.zeros(4, dtype=bool))
    first, second = one.draw(40000, 1, outer, np.random.default_rng(8))
    away = np.concatenate([first, second[:, 0]], axis=1) - 0.5
    distance = np.einsum("ni,ij,nj->n", away, np.linalg.inv(scale), away)
    assert kstest(distance / 4, f_distribution(4, FREEDOM).cdf).pvalue > 1e-3
    inner = away[:, outer:]
    if outer < 4:  # the inner coordinates by themselves, too
        distance = np.einsum("ni,ij,nj->n", inner, np.linalg.inv(scale[outer:, outer:]), inner)
        f = f_distribution(4 - outer, FREEDOM)
        assert kstest(distance / (4 - outer), f.cdf).pvalue > 1e-3


class Turned:
    """exp(k cos) around two opposite places of a circle."""

    size, outer = 1, 1

    def inside(self, points: Array) -> NDArray[np.bool_]:
        return np.asarray(((points >= 0) & (points <= 1)).all(axis=-1))

    def log_likelihood(self, outer: Array, inner: Array) -> Array:
        return np.broadcast_to(20 * np.cos(4 * np.pi * (outer - 0.02)), inner.shape[:2])


def test_two_maxima_on_a_circle_are_both_found_and_counted() -> None:
    components = tuple(Component(np.array([x]), np.array([[1e-3]])) for x in (0.0, 0.5))
    start = Mixture(components, np.array([True]))
    found = sample(Turned(), start, np.random.default_rng(6), (150, 150, 300), inner=1)
    expected = quad(lambda x: np.exp(20 * np.cos(4 * np.pi * x)), 0, 1, limit=200)[0]
    assert found.log_evidence == pytest.approx(np.log(expected), abs=4 * found.evidence_error)
    weights = np.exp(found.log_weights - found.log_weights.max()).ravel()
    near = np.abs(found.points.ravel() - 0.52) < 0.25
    assert weights[near].sum() / weights.sum() == pytest.approx(0.5, abs=0.12)
