"""The optimiser by itself: functions of plain numbers, counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from gapscope.inference.least_squares import Fit, follow

Vector = NDArray[np.float64]
X = np.linspace(0.0, 3.0, 40)


class Decays:
    """a exp(-b x), points (a, b); b is kept above zero. Remembers how it was asked."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def values(self, points: Sequence[Vector]) -> Vector:
        self.batches.append(len(points))
        return np.stack([a * np.exp(-b * X) for a, b, *_ in points])

    def differences(self, point: Vector) -> Vector:
        return np.full(len(point), 1e-5)

    def moved(self, point: Vector, step: Vector) -> Vector:
        found = point + step
        found[1] = max(found[1], 0.01)
        return found


def decay(a: float, b: float) -> Vector:
    return a * np.exp(-b * X)


def test_several_problems_come_to_their_minima_in_common_batches() -> None:
    truths = [(2.0, 0.5), (-1.0, 1.3), (0.2, 0.9)]
    fits = [Fit(decay(*truth), np.array([1.5 * truth[0], 0.7])) for truth in truths]
    functions = Decays()
    follow(fits, functions, rounds=8)
    for fit, truth in zip(fits, truths, strict=True):
        np.testing.assert_allclose(fit.point, truth, rtol=1e-6)
        assert fit.distance < 1e-6
    assert functions.batches[:3] == [3, 6, 3]


class Bent(Decays):
    """(arctan p, 1): from far out, an undamped step towards p = 0 leads beyond it and away."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[float] = []

    def values(self, points: Sequence[Vector]) -> Vector:
        return np.stack([[np.arctan(p[0]), 1.0] for p in points])

    def moved(self, point: Vector, step: Vector) -> Vector:
        if abs(step[0]) > 1e-4:
            self.steps.append(float(step[0]))
        return point + step


def test_a_step_that_leads_away_is_not_taken_and_the_next_is_shorter() -> None:
    functions = Bent()
    (fit,) = fits = [Fit(np.array([0.0, 1.0]), np.array([3.0]))]
    follow(fits, functions, rounds=3)
    first, second, third = functions.steps
    assert first == pytest.approx(-10 * np.arctan(3.0) / 1.0002, rel=1e-4)
    assert second == pytest.approx(-10 * np.arctan(3.0) / 1.005, rel=1e-4)
    assert abs(third) < abs(second)
    assert fit.point == 3.0
    follow(fits, functions, rounds=8)
    assert abs(fit.point) < 1e-3


class Boxed(Decays):
    """a x + b (x + 1) with a no larger than one: two slopes that are nearly alike."""

    def values(self, points: Sequence[Vector]) -> Vector:
        return np.stack([a * X + b * (X + 1) for a, b in points])

    def differences(self, point: Vector) -> Vector:
        return np.array([-1e-5, 1e-5])  # into the range

    def moved(self, point: Vector, step: Vector) -> Vector:
        return np.array([min(point[0] + step[0], 1.0), point[1] + step[1]])


def test_at_the_end_of_a_range_the_others_find_their_best() -> None:
    """In two steps; without a word about the end the first ones lead astray."""
    functions, target = Boxed(), 3.0 * X - 1.0 * (X + 1)
    best = (X + 1) @ (target - X) / ((X + 1) @ (X + 1))
    (fit,) = fits = [Fit(target, np.array([1.0, 0.5]))]
    follow(fits, functions, 2, lambda point, step: np.array([step[0] > 0, False]))
    np.testing.assert_allclose(fit.point, (1.0, best), rtol=1e-4)
    (astray,) = fits = [Fit(target, np.array([1.0, 0.5]))]
    follow(fits, functions, 2)
    assert abs(astray.point[1] - best) > 0.02


def test_a_parameter_that_changes_nothing_stays() -> None:
    (fit,) = fits = [Fit(decay(2.0, 0.5), np.array([1.0, 0.6, 7.0]))]
    follow(fits, Decays(), rounds=8)
    np.testing.assert_allclose(fit.point, (2.0, 0.5, 7.0), rtol=1e-6)


def test_slopes_are_found_anew_only_where_a_step_was_taken() -> None:
    functions = Decays()
    (fit,) = fits = [Fit(decay(2.0, 0.5), np.array([2.0, 0.5]))]
    follow(fits, functions, rounds=3)  # nothing is nearer than the truth
    assert functions.batches == [1, 2, 1, 1, 1]
    assert fit.distance == pytest.approx(0.0, abs=1e-15)


def test_derivatives_are_brought_up_to_date_where_a_function_bends_little() -> None:
    """As near, with fewer points; a step along which it bends much has them found anew."""
    counts, found = {}, {}
    for start in ((2.1, 0.55), (6.0, 3.0)):
        for apart in (None, lambda one, other: other - one):
            functions = Decays()
            (fit,) = fits = [Fit(decay(2.0, 0.5), np.array(start))]
            follow(fits, functions, 12, apart=apart)
            np.testing.assert_allclose(fit.point, (2.0, 0.5), rtol=1e-6)
            counts[start, apart is None] = sum(functions.batches)
            found[start, apart is None] = functions.batches
    near, far = (2.1, 0.55), (6.0, 3.0)
    assert found[near, False][:4] == [1, 2, 1, 1]
    assert found[near, True][:4] == [1, 2, 1, 2]
    assert found[far, False][:4] == [1, 2, 1, 2]
    assert counts[far, False] < counts[far, True]


def test_an_update_foretells_the_step_that_it_was_made_from() -> None:
    """Broyden's condition, J s = f(p + s) - f(p), with the least change of the scaled J."""
    fit = Fit(decay(2.0, 0.5), np.array([1.9, 0.55]))
    fit.offer(fit.point, decay(*fit.point))
    before = fit.slopes = np.stack([np.exp(-0.55 * X), -1.9 * X * np.exp(-0.55 * X)])
    value, step = fit.value, np.array([0.06, -0.03])
    assert value is not None
    assert fit.offer(fit.point + step, decay(1.96, 0.52), step)
    assert fit.updated
    assert fit.slopes is not None
    np.testing.assert_allclose(step @ fit.slopes, decay(1.96, 0.52) - value, atol=1e-12)
    scale = np.linalg.norm(before, axis=1)
    turned = np.array([step[1] * scale[1] ** 2, -step[0] * scale[0] ** 2])
    np.testing.assert_allclose(turned @ fit.slopes, turned @ before, atol=1e-12)


def test_what_a_minimum_leaves_is_foretold_whatever_the_damping() -> None:
    """Of functions that do not bend it is what the projection on their derivatives leaves."""
    rng = np.random.default_rng(0)
    slopes, target = rng.standard_normal((3, 40)), rng.standard_normal(40)
    slopes[2] = 0.0  # changes nothing
    fit = Fit(target, np.zeros(3), np.zeros(40), 1.0, damping=1e4, slopes=slopes)
    left = target - slopes[:2].T @ np.linalg.lstsq(slopes[:2].T, target, rcond=None)[0]
    expected = np.linalg.norm(left) / np.linalg.norm(target)
    assert fit.foretold() == pytest.approx(expected, rel=1e-5)
    alone = target - slopes[1] * (slopes[1] @ target) / (slopes[1] @ slopes[1])
    expected = np.linalg.norm(alone) / np.linalg.norm(target)
    first = np.array([True, False, False])
    assert fit.foretold(lambda _, step: first & (step != 0)) == pytest.approx(expected, rel=1e-5)
