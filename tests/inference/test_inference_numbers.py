"""Factors, units and components of what posteriors and designs are made of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from gapscope.inference.design import ask
from gapscope.inference.design.candidates import Candidate, usual_energies
from gapscope.inference.design.linear import Impurity
from gapscope.inference.design.measure import noise_of
from gapscope.inference.design.result import _time
from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.modes import Mode
from gapscope.inference.posterior.noise import Noise
from gapscope.inference.posterior.residual import Residual
from gapscope.problem.quantities import quantity
from test_design_parts import COVARIANCE, SITES, Linear, draws, local, normal_points


def test_laplaces_evidence_is_the_integral_of_a_normal_distribution() -> None:
    """exp(-x^2 4/2 - y^2 9/2) over the plane is 2 pi / 6."""
    unused: Any = None
    mode = Mode(unused, np.full(2, 0.5), np.zeros(1), -3.0, np.diag([4.0, 9.0]))
    assert mode.log_evidence == pytest.approx(-3.0 + np.log(2 * np.pi / 6))


def test_a_residual_is_told_over_the_map_and_over_the_noise() -> None:
    """Half of the map is left, three times the noise, the same on all sites."""
    sites = np.ones((6, 6), dtype=bool)
    observed = np.full(36, 2.0)
    forward: Any = SimpleNamespace(
        observed=observed,
        scale=np.array([0.1]),
        size=np.array([0.2]),
        sites=sites,
        noise=Noise(36, np.array([0.1 / 3]), known=True),
        values=lambda points: [0.5 * observed],
    )
    mode: Any = SimpleNamespace(
        cube=SimpleNamespace(index=0), point=np.zeros(1), squares=np.array([36 * 0.01])
    )
    left = Residual.of(forward, mode)
    assert left.deviation == pytest.approx(0.1)
    assert left.share == pytest.approx(0.5)
    assert left.times == pytest.approx(3.0)
    assert left.correlation == pytest.approx(1.0)
    assert not left.is_noise


def test_a_step_of_a_coordinate_is_that_of_its_quantity() -> None:
    """On a logarithmic scale by a factor."""
    linear = quantity("potential").unknown("potential", -100.0, 200.0)
    logarithmic = quantity("broadening").unknown("broadening", 0.1, 0.5)
    assert (linear.scale, logarithmic.scale) == ("linear", "logarithmic")
    cube: Any = SimpleNamespace(unknowns=(linear, logarithmic))
    steps = Cube.differences.func(cube)
    apart = linear.drawn(0.4 + steps[0]) - linear.drawn(0.4)
    assert apart == pytest.approx(quantity("potential").step)
    ratio = logarithmic.drawn(0.4 + steps[1]) / logarithmic.drawn(0.4)
    assert ratio == pytest.approx(np.exp(quantity("broadening").step))


def test_slopes_are_those_of_the_world() -> None:
    """By coordinates over the root of the kernel's covariance, of state and impurity."""
    rng = np.random.default_rng(0)
    world = Linear(rng.standard_normal((2, SITES)), rng.standard_normal((1, SITES)))
    found = local(draws(normal_points(40, COVARIANCE, 1), 2), world)
    jacobian = np.concatenate([world._state, world._impurity])
    exact = np.einsum("nkl,ks->nls", found.root, jacobian)
    np.testing.assert_allclose(found.slopes[0], exact, atol=1e-3 * np.abs(exact).max())


def test_another_defect_has_a_potential_and_a_moment_along_z() -> None:
    """In the columns of the impurity's strengths: potential, moments along x, y and z."""
    own = draws(normal_points(40, COVARIANCE, 1), 2)
    responses: Any = SimpleNamespace(strengths=lambda values: values)
    defect = (
        quantity("potential").unknown("potential", 10.0, 20.0),
        quantity("moment_z").unknown("moment_z", 30.0, 40.0),
    )
    strengths = np.asarray(Impurity(own, responses, defect, np.random.default_rng(1)).potentials)
    assert ((strengths[:, 0] >= 10) & (strengths[:, 0] <= 20)).all()
    assert not strengths[:, 1:3].any()
    assert ((strengths[:, 3] >= 30) & (strengths[:, 3] <= 40)).all()


def test_a_candidates_noise_is_the_maps_over_its_factor() -> None:
    level = np.array([0.3, 0.4])
    candidate = Candidate("", (0.0, 0.7, 1.0), 64, quieter=2.0)
    other = np.sqrt((0.3**2 + 0.4**2) / 2)
    found = noise_of(candidate, (0.0, 1.0), level)
    np.testing.assert_allclose(found, [0.15, other / 2, 0.2])


def test_half_the_noise_on_twice_the_sites_takes_sixteen_times_as_long() -> None:
    assert _time(Candidate("", (0.0,), 128, quieter=2.0), 1, 64) == pytest.approx(16)
    assert _time(Candidate("", (0.0,), 64), 2, 64) == pytest.approx(0.5)


def test_usual_energies_are_far_from_what_is_measured_in_units_of_the_gap() -> None:
    assert usual_energies([0.0], 1.0) == [-1.0, -0.5, 0.5, 1.0]
    assert usual_energies([2.0], 35.0) == [-35.0, -17.5, 17.5, 35.0]
    assert usual_energies([0.05], 0.2) == [-0.2, -0.1, 0.0, 0.1, 0.2]


@pytest.mark.parametrize("known", [True, False])
def test_noise_is_what_the_best_map_leaves_where_it_is_not_stated(known: bool) -> None:
    """In the map's unit: a tenth of a map of root mean square 20."""
    summary = xr.Dataset(
        {
            "noise": ("energy", [0.5]),
            "residual": (("class", "energy"), [[0.9], [0.1]]),
            "probability": ("class", [0.2, 0.8]),
        },
        attrs={"noise_known": int(known)},
    )
    image = np.full((1, 9), 20.0)
    found = ask.noise_of(xr.DataTree(summary), image)
    assert found == pytest.approx(0.5 if known else 2.0)
