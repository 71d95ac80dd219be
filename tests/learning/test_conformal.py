"""Intervals, sets and p-values are right as often as they say, and not by much more."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.errors import CalibrationError
from gapscope.learning.uncertainty.changes import turn
from gapscope.learning.uncertainty.conformal import Scores, bound, p_values, require_level
from gapscope.learning.uncertainty.intervals import around, distance
from gapscope.physics.lattice import Lattice
from gapscope.problem.quantities import quantity


def test_the_bound_is_the_score_of_rank_ceil_n_plus_one_times_level() -> None:
    scores = np.arange(1.0, 10.0)
    assert bound(scores, 0.9) == 9.0  # ceil(10 * 0.9) = 9 of 9
    assert bound(scores, 0.5) == 5.0
    assert bound(scores, 0.51) == 6.0
    assert bound(scores, 0.91) is None
    # 100 * 0.55 is 55.00000000000001 in floating point.
    assert bound(np.arange(1.0, 100.0), 0.55) == 55.0


@pytest.mark.parametrize(("count", "level"), [(4, 0.5), (9, 0.9), (30, 0.8), (200, 0.95)])
def test_exchangeable_scores_are_covered_as_often_as_theory_says(count: int, level: float) -> None:
    """Coverage is ceil((n + 1) level) / (n + 1) for continuous scores; binomial scatter allowed."""
    trials = 4000
    draws = np.random.default_rng(count).exponential(size=(trials, count + 1))
    bounds = np.array([bound(np.sort(one), level) for one in draws[:, :-1]], dtype=float)
    covered = (draws[:, -1] <= bounds).mean()
    expected = np.ceil((count + 1) * level) / (count + 1)
    assert expected >= level
    assert covered == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / trials))


def test_coverage_holds_in_every_group_whatever_their_scales() -> None:
    rng = np.random.default_rng(4)
    scale = np.array([1.0, 10.0, 0.1])
    group = rng.integers(3, size=6000)
    scores = scale[group] * np.abs(rng.standard_normal(6000))
    bounds = Scores.of(scores[:3000], group[:3000], 3).bounds(0.9)
    for index in range(3):
        inside = scores[3000:][group[3000:] == index] <= bounds[index]
        # Scatter of the calibration set and of the new one, about 1000 samples each.
        assert inside.mean() == pytest.approx(0.9, abs=4 * np.sqrt(2 * 0.09 / 1000))
    pooled = Scores.of(scores[:3000], np.zeros(3000, int), 1).bounds(0.9)[0]
    assert (scores[3000:][group[3000:] == 1] <= pooled).mean() < 0.75  # what groups are for


def test_a_group_with_too_few_scores_takes_those_of_all() -> None:
    values = np.arange(1.0, 101.0)
    group = np.zeros(100, int)
    group[:5] = 1
    found = Scores.of(values, group, 3)
    assert found.bounds(0.9).tolist() == [bound(values[5:], 0.9), *[bound(values, 0.9)] * 2]
    assert found.bounds(0.5)[1] == 3.0  # five are enough for one half


def test_samples_without_a_score_do_not_count() -> None:
    values = np.array([1.0, np.nan, 2.0, np.nan, 3.0])
    found = Scores.of(values, np.array([0, 0, 1, 1, 0]), 2)
    assert found.pooled.tolist() == [1.0, 2.0, 3.0]
    assert [scores.tolist() for scores in found.groups] == [[1.0, 3.0], [2.0]]


def test_a_level_beyond_the_calibration_set_says_how_many_maps_it_needs() -> None:
    scores = Scores.of(np.arange(50.0), np.zeros(50, int), 1)
    with pytest.raises(CalibrationError, match="needs 99 calibration maps") as caught:
        scores.bounds(0.99)
    assert "50 maps" in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, float("nan")])
def test_a_level_lies_between_zero_and_one(level: float) -> None:
    with pytest.raises(CalibrationError, match="between 0 and 1"):
        require_level(level)


def test_p_values_count_scores_at_least_as_large_and_the_new_one() -> None:
    scores = np.array([1.0, 2.0, 2.0, 3.0])
    assert p_values(scores, np.array([0.0, 2.0, 2.5, 4.0])).tolist() == [1.0, 0.8, 0.4, 0.2]


def test_p_values_of_like_samples_are_small_no_more_often_than_they_say() -> None:
    rng = np.random.default_rng(7)
    p = np.concatenate(
        [p_values(np.sort(rng.standard_normal(99)), rng.standard_normal(1)) for _ in range(5000)]
    )
    for level in (0.01, 0.1, 0.5):
        assert (p <= level).mean() == pytest.approx(level, abs=4 * np.sqrt(level / 5000))


def test_intervals_are_arcs_factors_or_differences_by_the_unknown() -> None:
    values, width = np.array([0.2, 0.05]), np.full(2, 0.1)
    logarithmic = quantity("broadening").unknown("broadening", 0.05, 0.5)
    low, high = around(logarithmic, values, width)
    np.testing.assert_allclose(low, values * np.exp(-0.1))
    np.testing.assert_allclose(high, values * np.exp(0.1))
    found = distance(logarithmic, values, values * np.exp([0.1, -0.1]))
    np.testing.assert_allclose(found, 0.1)
    low, high = around(quantity("gap").unknown("gap", 0.1, 1.0), values, width)
    np.testing.assert_allclose(low, [0.1, 0.0])
    np.testing.assert_allclose(high, [0.3, 0.15])


def test_a_turn_is_counterclockwise_on_any_lattice() -> None:
    oblique = Lattice.from_cell(3.0, 4.0, 97.0)
    vectors = oblique.vectors
    turned = vectors.T @ turn(vectors, 30.0) @ np.linalg.inv(vectors.T)
    np.testing.assert_allclose(turned @ [1.0, 0.0], [np.sqrt(3) / 2, 0.5])
