"""What the parameter head learns, and back."""

from __future__ import annotations

import numpy as np
import pytest

import toys
from gapscope.learning.data.targets import Targets, TargetScaling, Values
from gapscope.physics import LABELS
from gapscope.problem.candidate import Candidate
from gapscope.problem.classes import Class, Member
from gapscope.problem.problem import Problem
from gapscope.problem.quantities import quantity

LABEL = np.array([LABELS.index(label) for label in ("A1g", "Eg", "A2g", "Eu", "A12u")])
VALUES: Values = {
    "theta": np.array([0.0, 0.4, 1.6, 3.1, np.nan]),
    "eps0": np.array([-300.0, -20.0, 100.0, 5.0, 60.0]),
    "gap": np.array([0.3, 1.5, 0.9, 0.7, 1.1]),
}


def targets(values: Values = VALUES) -> Targets:
    return Targets(toys.PROBLEM, TargetScaling.of(toys.PROBLEM, values))


def test_parameters_survive_the_way_to_targets_and_back() -> None:
    decoded = targets().decode(targets().encode(VALUES, LABEL), LABEL)
    # Targets are float32.
    np.testing.assert_allclose(decoded["theta"], VALUES["theta"], atol=1e-6)
    np.testing.assert_allclose(decoded["eps0"], VALUES["eps0"], rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(decoded["gap"], VALUES["gap"], rtol=1e-6)


def test_the_columns_are_those_of_the_shipped_networks() -> None:
    encoded = targets().encode(VALUES, LABEL)
    theta, eps0, gap = (VALUES[name] for name in ("theta", "eps0", "gap"))
    standardised = [(x - x.mean()) / x.std() for x in (eps0, gap)]
    expected = np.stack([np.sin(2 * theta), np.cos(2 * theta), *standardised], axis=1)
    np.testing.assert_allclose(encoded, expected, atol=1e-6)


def test_numbers_have_mean_zero_and_variance_one_over_the_training_split() -> None:
    columns = targets().encode(VALUES, LABEL)[:, 2:]
    np.testing.assert_allclose(columns.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(columns.std(axis=0), 1, rtol=1e-6)


def test_a_parameter_that_never_varies_keeps_its_unit() -> None:
    """0.1 is no binary number: the spread of its copies is rounding, not zero."""
    for constant in (20.0, 0.1):
        made = targets({**VALUES, "eps0": np.full(7, constant)})
        assert made.scaling.deviation["eps0"] == 1
        decoded = made.decode(np.array([[0, 1, 0.5, 0]]), LABEL[:1])
        assert decoded["eps0"] == pytest.approx(constant + 0.5)


def test_theta_and_theta_plus_pi_are_one_target() -> None:
    turned = {**VALUES, "theta": VALUES["theta"] + np.pi}
    np.testing.assert_allclose(
        targets().encode(turned, LABEL), targets().encode(VALUES, LABEL), atol=1e-6
    )


def test_a_class_without_an_unknown_has_no_target_whatever_stands_there() -> None:
    filled = {**VALUES, "theta": np.full(5, 0.3)}
    encoded = targets().encode(filled, LABEL)
    np.testing.assert_array_equal(np.isnan(encoded).any(axis=1), LABELS.index("A12u") == LABEL)


def test_what_counts_on_a_logarithmic_scale_is_learned_so() -> None:
    strength = quantity("broadening").unknown("broadening", 0.01, 1.0)
    problem = Problem(
        (Candidate("s", "A1g"),), (Class("s", (Member("s"),), ("broadening",)),), (strength,)
    )
    values = {"broadening": np.array([0.01, 0.1, 1.0])}
    made = Targets(problem, TargetScaling.of(problem, values))
    encoded = made.encode(values, np.zeros(3, int))
    np.testing.assert_allclose(np.diff(encoded[:, 0]), np.sqrt(1.5), rtol=1e-6)
    np.testing.assert_allclose(
        made.decode(encoded, np.zeros(3, int))["broadening"], values["broadening"], rtol=1e-6
    )
