"""Temperature scaling finds the temperature that made the probabilities wrong."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gapscope.learning.uncertainty.temperature import COLDEST, HOTTEST, fit_temperature, tempered


def miscalibrated(
    temperature: float, samples: int = 20_000
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities that are right at a temperature, and true classes drawn from those."""
    rng = np.random.default_rng(3)
    right = rng.dirichlet(0.4 * np.ones(5), samples)
    truth = (rng.random(samples)[:, None] > right.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return tempered(right, 1 / temperature), truth


def loss(probability: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    return float(-np.log(probability[np.arange(len(truth)), truth]).mean())


@pytest.mark.parametrize("temperature", [1.2, 2.5])
def test_a_known_miscalibration_is_undone(temperature: float) -> None:
    probability, truth = miscalibrated(temperature)
    fitted = fit_temperature(probability, truth)
    assert fitted == pytest.approx(temperature, rel=0.03)  # 20000 samples
    best = loss(tempered(probability, fitted), truth)
    for other in (0.97, 1.03):
        assert loss(tempered(probability, fitted * other), truth) > best


def test_confidence_is_the_accuracy_afterwards() -> None:
    probability, truth = miscalibrated(2.5)
    hit = (probability.argmax(axis=1) == truth).mean()
    assert probability.max(axis=1).mean() > hit + 0.1
    after = tempered(probability, fit_temperature(probability, truth))
    assert after.max(axis=1).mean() == pytest.approx(hit, abs=0.01)


def test_a_temperature_changes_no_order_and_keeps_the_sum() -> None:
    probability, _ = miscalibrated(1.0, 50)
    for temperature in (0.1, 1.0, 10.0):
        after = tempered(probability, temperature)
        np.testing.assert_allclose(after.sum(axis=1), 1)
        np.testing.assert_array_equal(after.argmax(axis=1), probability.argmax(axis=1))
    np.testing.assert_allclose(tempered(probability, 1.0), probability, atol=1e-12)


def test_probabilities_that_were_rounded_to_zero_stay_finite() -> None:
    probability = np.eye(5, dtype=np.float32)
    assert np.isfinite(tempered(probability, 0.3)).all()
    wrong = np.roll(np.arange(5), 1)
    assert fit_temperature(probability, wrong) == pytest.approx(HOTTEST)


def test_a_cautious_network_is_not_made_sure() -> None:
    probability, truth = miscalibrated(0.5)
    assert fit_temperature(probability, truth) == pytest.approx(COLDEST)
