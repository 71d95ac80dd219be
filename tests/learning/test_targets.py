"""What the parameter head learns, and back."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.learning.data.targets import TARGETS, TargetScaling, circular_error

THETA = np.array([0.0, 0.4, 1.6, 3.1, np.nan])
EPS0 = np.array([-300.0, -20.0, 100.0, 5.0, 60.0])
GAP = np.array([0.3, 1.5, 0.9, 0.7, 1.1])


def test_parameters_survive_the_way_to_targets_and_back() -> None:
    scaling = TargetScaling.of(EPS0, GAP)
    decoded = scaling.decode(scaling.encode(THETA, EPS0, GAP))
    # Targets are float32.
    np.testing.assert_allclose(decoded["theta"], THETA, atol=1e-6)
    np.testing.assert_allclose(decoded["eps0"], EPS0, rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(decoded["gap"], GAP, rtol=1e-6)


def test_eps0_and_gap_have_mean_zero_and_variance_one_over_the_training_split() -> None:
    encoded = TargetScaling.of(EPS0, GAP).encode(THETA, EPS0, GAP)
    columns = encoded[:, [TARGETS.index("eps0"), TARGETS.index("gap")]]
    np.testing.assert_allclose(columns.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(columns.std(axis=0), 1, rtol=1e-6)


def test_a_parameter_that_never_varies_keeps_its_unit() -> None:
    scaling = TargetScaling.of(np.full(3, 20.0), GAP[:3])
    assert scaling.eps0_deviation == 1
    assert scaling.decode(np.array([[0, 1, 0.5, 0]]))["eps0"] == pytest.approx(20.5)


def test_theta_and_theta_plus_pi_are_one_target() -> None:
    scaling = TargetScaling.of(EPS0, GAP)
    np.testing.assert_allclose(
        scaling.encode(THETA + np.pi, EPS0, GAP), scaling.encode(THETA, EPS0, GAP), atol=1e-6
    )


@pytest.mark.parametrize(
    ("theta", "truth", "error"),
    [
        (0.1, 0.3, 0.2),
        (0.05, np.pi - 0.05, 0.1),
        (0.0, np.pi, 0.0),
        (0.0, np.pi / 2, np.pi / 2),
        (7 * np.pi + 0.2, 0.1, 0.1),
    ],
)
def test_errors_of_theta_are_measured_on_the_circle(
    theta: float, truth: float, error: float
) -> None:
    for first, second in ((theta, truth), (truth, theta)):
        assert circular_error(np.array(first), np.array(second)) == pytest.approx(error, abs=1e-12)
