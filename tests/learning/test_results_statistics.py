"""The statistics of the results page: intervals, calibration errors, smallest errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import binomtest

from gapscope.learning.evaluation.metrics import RESAMPLES

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def statistics() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        import results_statistics

        yield results_statistics


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (5, 5), (47, 50), (980, 1000)])
def test_wilson_intervals_are_those_of_scipy(statistics: ModuleType, hits: int, count: int) -> None:
    made = statistics.wilson(hits, count)
    theirs = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    assert made.value == hits / count
    assert (made.low, made.high) == pytest.approx((theirs.low, theirs.high))


def test_a_rate_of_nothing_is_refused(statistics: ModuleType) -> None:
    with pytest.raises(ValueError, match="samples"):
        statistics.wilson(0, 0)


def test_bootstrap_intervals_are_as_wide_as_the_mean_scatters(
    statistics: ModuleType, rng: np.random.Generator
) -> None:
    values = rng.normal(3.0, 2.0, 400)
    made = statistics.bootstrap(np.concatenate([values, [np.nan] * 50]))
    half = 1.96 * values.std() / np.sqrt(400)
    assert made.value == pytest.approx(values.mean())
    assert made.low == pytest.approx(values.mean() - half, abs=0.2 * half)
    assert made.high == pytest.approx(values.mean() + half, abs=0.2 * half)
    assert np.isnan(statistics.bootstrap([np.nan]).value)
    assert RESAMPLES >= 1000


def test_the_calibration_error_of_a_worked_example(statistics: ModuleType) -> None:
    probability = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.4, 0.6]])
    curve = statistics.reliability(probability, [0, 1, 1, 1], bins=10)
    # Bins (0.8, 0.9]: 0.9 against 1/2; (0.6, 0.7] and (0.5, 0.6]: 0.7 and 0.6 against 1.
    assert curve.attrs["ece"] == pytest.approx(0.5 * 0.4 + 0.25 * 0.3 + 0.25 * 0.4)
    assert curve["samples"].values.tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 2, 0]
    assert curve["accuracy"].values[8] == 0.5
    assert np.isnan(curve["confidence"].values[0])


def test_stated_probabilities_that_are_true_have_no_calibration_error(
    statistics: ModuleType, rng: np.random.Generator
) -> None:
    probability = rng.dirichlet(np.ones(5), 40_000)
    truth = (probability.cumsum(axis=1) > rng.random((40_000, 1))).argmax(axis=1)
    assert statistics.reliability(probability, truth).attrs["ece"] < 0.01
    assert statistics.reliability(probability, (truth + 1) % 5).attrs["ece"] > 0.2


def test_fits_of_noisy_maps_scatter_by_the_smallest_errors(
    statistics: ModuleType, rng: np.random.Generator
) -> None:
    slopes = rng.normal(size=(300, 3)) * [1.0, 1e-3, 50.0]
    slopes[:, 1] += 1e-3 * slopes[:, 0]  # correlated parameters cost more
    expected = statistics.standard_errors(slopes, 0.2)
    fits = [statistics.least_squares_shift(slopes, 0.2 * rng.normal(size=300)) for _ in range(2000)]
    np.testing.assert_allclose(np.std(fits, axis=0), expected, rtol=0.06)
    alone = 0.2 / np.linalg.norm(slopes, axis=0)
    assert (expected[:2] > 1.2 * alone[:2]).all()


def test_a_parameter_that_moves_nothing_is_unknown_and_spoils_no_other(
    statistics: ModuleType, rng: np.random.Generator
) -> None:
    slopes = rng.normal(size=(50, 3))
    slopes[:, 1] = 0
    made = statistics.standard_errors(slopes, 1.0)
    assert np.isinf(made[1])
    np.testing.assert_allclose(made[[0, 2]], statistics.standard_errors(slopes[:, [0, 2]], 1.0))
    shift = statistics.least_squares_shift(slopes, slopes @ [0.3, 5.0, -2.0])
    np.testing.assert_allclose(shift, [0.3, np.nan, -2.0])
