"""Expected information where it is known in closed form: linear maps, normal posteriors."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import norm

from gapscope.errors import SettingError
from gapscope.inference.design.candidates import candidates, usual_energies
from gapscope.inference.design.components import components, unwound
from gapscope.inference.design.gain import Expected, Simulations, entropy, expected
from gapscope.inference.design.linear import Impurity, Local, linearised
from gapscope.inference.design.states import Draws
from gapscope.problem.quantities import quantity

Array = NDArray[np.float64]
SITES, POINTS, SIMULATED = 40, 150, 1500


def normal_points(count: int, covariance: Array, seed: int) -> Array:
    """Points with exactly this covariance and the mean 1/2."""
    drawn = np.random.default_rng(seed).standard_normal((count, len(covariance)))
    drawn -= drawn.mean(axis=0)
    drawn = drawn @ np.linalg.inv(np.linalg.cholesky(drawn.T @ drawn / count)).T
    return np.asarray(0.5 + drawn @ np.linalg.cholesky(covariance).T)


class Linear:
    """A world of linear maps: A times the superconductor's coordinates, B times the impurity's."""

    def __init__(self, of_state: Array, of_impurity: Array, offset: float = 0.0) -> None:
        self._state, self._impurity, self._offset = of_state, of_impurity, offset
        self.sites = np.ones(SITES, dtype=bool)
        self.conditions = SimpleNamespace(numerics=SimpleNamespace(energies=[0.0]))

    def of(self, cube: Any, place: Array) -> Any:
        base = self._offset + place @ self._state
        made = SimpleNamespace(maps=lambda inner: (base + inner @ self._impurity)[:, None])
        made.at = lambda energies: made
        return made

    def potentials(self, cube: Any, inner: Array) -> Array:
        return inner

    def strengths(self, values: Array) -> Array:
        return values[:, [0, 3]]


def draws(points: Array, outer: int, probability: float = 1.0, index: int = 0) -> Draws:
    circles = np.zeros(points.shape[1], dtype=bool)
    cube: Any = SimpleNamespace(outer=outer, index=index, circles=circles)
    single = np.zeros(len(points), dtype=np.int64)
    groups = np.arange(len(points))
    return Draws(cube, probability, points, single, groups, points[:, :outer])


def local(own: Draws, world: Linear, defect: Any = None) -> Local:
    responses: Any = world
    rng = np.random.default_rng(5)
    steps = linearised(own, responses, [Impurity(own, responses, defect, rng)], [[0]])
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return next(iter(end.value))


def told(classes: Sequence[Local], noise: float) -> Expected:
    return expected(classes, np.array([noise]), Simulations(classes, SIMULATED, 3))


@pytest.fixture(scope="module")
def world() -> Linear:
    rng = np.random.default_rng(0)
    return Linear(rng.standard_normal((2, SITES)), rng.standard_normal((1, SITES)))


COVARIANCE = np.array([[4e-4, 1e-4, -2e-4], [1e-4, 1e-4, 0.0], [-2e-4, 0.0, 9e-4]])


@pytest.mark.parametrize("noise", [1.0, 0.1, 0.01, 1e-4])
def test_the_gain_of_a_linear_map_is_half_a_log_determinant(world: Linear, noise: float) -> None:
    """Far beyond the log of the number of draws, too, where plain nested Monte Carlo ends; the
    impurity, whose numbers are uncertain as well, is integrated out."""
    found = told([local(draws(normal_points(POINTS, COVARIANCE, 1), 2), world)], noise)
    jacobian = np.concatenate([world._state, world._impurity])
    whole = noise**2 * np.eye(SITES) + jacobian.T @ COVARIANCE @ jacobian
    # y given the two coordinates: what is left of the impurity's, and noise.
    slope = np.linalg.solve(COVARIANCE[:2, :2], COVARIANCE[:2, 2:])
    left = COVARIANCE[2:, 2:] - COVARIANCE[2:, :2] @ slope
    given = noise**2 * np.eye(SITES) + jacobian[2:].T @ left @ jacobian[2:]
    exact = (np.linalg.slogdet(whole)[1] - np.linalg.slogdet(given)[1]) / 2
    assert found.gain[0] == pytest.approx(exact, abs=0.1 + 4 * found.gain[1])
    # Deviations afterwards: the posterior's of a linear model.
    cross = COVARIANCE[:2] @ jacobian
    after = COVARIANCE[:2, :2] - cross @ np.linalg.solve(whole, cross.T)
    np.testing.assert_allclose(
        found.places[0].std(axis=1).mean(axis=0), np.sqrt(np.diag(after)), rtol=0.1
    )


def test_a_defect_that_nobody_knows_hides_what_its_own_map_looks_like() -> None:
    """Its potential moves the map along a direction that says nothing of the state any more."""
    rng = np.random.default_rng(1)
    along = rng.standard_normal(SITES)
    state = np.stack([along, rng.standard_normal(SITES)])
    covariance = np.diag([1e-4, 1e-4])
    own = draws(normal_points(POINTS, covariance, 1), 2)
    defect = (
        quantity("potential").unknown("potential", 0.0, 2000.0),
        quantity("moment_z").unknown("moment_z", 0.0, 0.0),
    )
    noise = 0.02
    hidden = told([local(own, Linear(state, np.stack([along, 0 * along])), defect)], noise)
    free = state - np.outer(state @ along, along) / (along @ along)
    exact = np.linalg.slogdet(np.eye(2) + covariance @ free @ free.T / noise**2)[1] / 2
    shown = np.linalg.slogdet(np.eye(2) + covariance @ state @ state.T / noise**2)[1] / 2
    assert shown > exact + 1
    assert hidden.gain[0] == pytest.approx(exact, abs=0.15 + 4 * hidden.gain[1])


def test_more_noise_never_tells_more_and_a_map_that_does_not_change_tells_nothing(
    world: Linear,
) -> None:
    own = draws(normal_points(POINTS, COVARIANCE, 1), 2)
    seen = local(own, world)
    gains = [told([seen], noise).gain[0] for noise in (0.03, 0.1, 0.3, 1.0, 3.0)]
    assert all(np.diff(gains) < 0)
    nothing = Linear(0 * world._state, 0 * world._impurity)
    found = told([local(own, nothing)], 0.03)
    assert found.gain[0] == pytest.approx(0, abs=1e-9)
    # Nothing is to be halved where there is one class.
    assert np.isnan(found.halving[0])


@pytest.mark.parametrize("apart", [1.0, 3.0, 6.0])
def test_the_entropy_of_two_classes_is_that_of_two_normal_distributions(apart: float) -> None:
    """Their maps are d sigma apart: an integral in one dimension."""
    direction = np.full(SITES, 1 / np.sqrt(SITES))
    shares = (0.7, 0.3)
    point = np.full((32, 1), 0.5)
    worlds = [Linear(np.zeros((1, SITES)), np.zeros((0, SITES)), 0.0) for _ in shares]
    worlds[1]._offset = apart * direction  # type: ignore[assignment]
    classes = [
        local(draws(point + 1e-6 * np.arange(32)[:, None], 1, share, i), one)
        for i, (share, one) in enumerate(zip(shares, worlds, strict=True))
    ]
    found = told(classes, 1.0)

    def weighed(x: float) -> float:
        parts = np.array([shares[0] * norm.pdf(x), shares[1] * norm.pdf(x - apart)])
        return float(entropy(parts / parts.sum()) * parts.sum())

    exact = quad(weighed, -9, 9 + apart, limit=200)[0]
    assert found.entropy[0] == pytest.approx(exact, abs=4 * found.entropy[1] + 1e-3)
    # Nothing but the class is told.
    now = float(entropy(np.array(shares)))
    assert found.gain[0] == pytest.approx(now - exact, abs=4 * found.gain[1] + 0.02)
    assert 0 <= found.halving[0] <= 1


def test_a_class_whose_maps_vary_pays_for_it() -> None:
    """Normal distributions of two widths, with Occam's factor: an integral in one dimension."""
    spread, noise = 4.0, 1.0
    direction = np.full((1, SITES), 1 / np.sqrt(SITES))
    point = normal_points(POINTS, np.array([[1e-4]]), 1)
    varying = Linear(spread / 1e-2 * direction, np.zeros((0, SITES)))
    varying._offset = -0.5 * spread / 1e-2 * direction[0]  # type: ignore[assignment]
    fixed = Linear(0 * direction, np.zeros((0, SITES)))
    found = told(
        [local(draws(point, 1, 0.5), varying), local(draws(point, 1, 0.5, 1), fixed)], noise
    )

    def weighed(x: float) -> float:
        parts = 0.5 * norm.pdf(x, scale=np.array([np.hypot(spread, noise), noise]))
        return float(entropy(parts / parts.sum()) * parts.sum())

    exact = quad(weighed, -30, 30, limit=200, points=[-3, 0, 3])[0]
    assert found.entropy[0] == pytest.approx(exact, abs=4 * found.entropy[1] + 0.01)


def test_points_around_two_maxima_are_two_components_and_around_one_are_one() -> None:
    rng = np.random.default_rng(2)
    one = 0.5 + 0.02 * rng.standard_normal((120, 4))
    groups = np.arange(120)
    assert not components(one, groups).any()
    two = one.copy()
    two[60:, 2] += 0.3
    found = components(two, groups)
    assert len(set(found[:60])) == len(set(found[60:])) == 1
    assert found[0] != found[-1]
    # Few Green's functions, each with many impurities, do not say as much as many.
    assert not components(two, groups // 30).any()


def test_angles_around_the_end_of_a_circle_lie_together() -> None:
    points = np.array([[0.98, 0.1], [0.01, 0.2], [0.03, 0.9]])
    found = unwound(points, np.array([True, False]))
    assert np.ptp(found[:, 0]) == pytest.approx(0.05)
    np.testing.assert_array_equal(found[:, 1], points[:, 1])


PROBLEM: Any = SimpleNamespace(unknowns=(quantity("potential").unknown("potential", 1.0, 2.0),))
GOOD: dict[str, Any] = {
    "energies": (1.0,),
    "larger": 128,
    "quieter": 2.0,
    "potential": None,
    "moment": (5.0, 50.0),
}


def test_candidates_are_energies_defects_a_larger_map_and_less_noise() -> None:
    found = candidates(PROBLEM, [0.0], 64, **{**GOOD, "energies": (1.0, 0.0)})
    assert [one.name for one in found] == [
        "1 meV",
        "0 meV again",
        "another scalar defect",
        "a magnetic defect",
        "128 x 128 sites",
        "noise / 2",
    ]
    assert found[2].defect is not None
    assert (found[2].defect[0].low, found[2].defect[1].high) == (1.0, 0.0)
    assert usual_energies([0.0], 1.0) == [-1.0, -0.5, 0.5, 1.0]


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"energies": (float("nan"),)}, "finite"),
        ({"larger": 64}, "Give 128"),
        ({"larger": 127}, "even"),
        ({"quieter": 1.0}, "above 1"),
        ({"moment": (5.0, 1.0)}, "rising order"),
        ({"potential": (float("-inf"), 1.0)}, "finite"),
    ],
)
def test_candidates_that_mean_nothing_are_refused(given: dict[str, Any], match: str) -> None:
    with pytest.raises(SettingError, match=match):
        candidates(PROBLEM, [0.0], 64, **{**GOOD, **given})
