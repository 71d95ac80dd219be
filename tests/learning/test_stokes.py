"""States of two components as points on a sphere: one target for all names of a map, no seam."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gapscope.dataset.recipe import Recipe
from gapscope.errors import TrainingError
from gapscope.learning.data.targets import Targets, TargetScaling
from gapscope.learning.network.config import STOKES, NetworkConfig
from gapscope.learning.network.two_heads import PARAMETERS, build_network
from gapscope.learning.prediction.averaging import average
from gapscope.problem.problem import Problem
from gapscope.simulation.materials import material

PI = np.pi
UNKNOWNS: dict[str, Any] = {
    "gap": [0.3, 1.5],
    "theta": "any",
    "phi": "any",
    "potential": {"range": [-300.0, 300.0], "least": 10.0},
    "moment_z": [-50.0, 50.0],
}
RECIPE: dict[str, Any] = {
    "schema": 2,
    "name": "states",
    "seed": 5,
    "material": "nbse2",
    "energies": [0.0],
    "broadening": 0.1,
    "window": 16,
    "method": {"name": "grid", "kgrid": 64},
    "candidates": [{"irrep": "A1g"}, {"irrep": "A1u"}, {"irrep": "Eg"}, {"irrep": "Eu"}],
    "splits": {"train": 1, "validation": 1, "test": 1},
    "shard_size": 1,
}
COUNT = 300
Values = dict[str, Any]


def problem_of(unknowns: dict[str, Any] = UNKNOWNS, **changes: Any) -> Problem:
    recipe = Recipe.from_dict({**RECIPE, "unknowns": unknowns, **changes})
    return recipe.define(material("nbse2"))


def drawn(problem: Problem, seed: int = 0) -> tuple[Values, Any]:
    rng = np.random.default_rng(seed)
    label = rng.integers(len(problem.classes), size=COUNT)
    values = {one.name: rng.uniform(one.low, one.high, COUNT) for one in problem.unknowns}
    for name in values:
        values[name][~problem.has(name)[label]] = np.nan
    return values, label


def made(problem: Problem) -> Targets:
    return Targets(problem, TargetScaling.of(problem, drawn(problem)[0]), stokes=True)


def check_same(
    found: dict[str, Any], expected: dict[str, Any], problem: Problem, label: Any
) -> None:
    for one in problem.unknowns:
        own = problem.has(one.name)[label]
        assert one.error(found[one.name][own], expected[one.name][own]).max() < 1e-4, one.name


def test_all_names_of_a_map_are_one_target() -> None:
    problem = problem_of()
    values, label = drawn(problem)
    targets, (a, p, j) = made(problem), (values[name] for name in ("theta", "phi", "moment_z"))
    pairs = problem.has("phi")[label]
    expected = targets.encode(values, label)
    for same in (
        {"theta": np.where(pairs, PI - a, a), "phi": p + PI},
        {"phi": -p, "moment_z": np.where(pairs, -j, j)},
        {"theta": np.where(pairs, PI - a, a), "phi": PI - p, "moment_z": np.where(pairs, -j, j)},
        problem.named(values, label)
        | {"moment_z": np.where(pairs, problem.named(values, label)["moment_z"], j)},
    ):
        np.testing.assert_allclose(targets.encode({**values, **same}, label), expected, atol=1e-5)


def test_what_is_read_goes_by_the_name_of_its_map() -> None:
    problem = problem_of()
    values, label = drawn(problem)
    named, targets = problem.named(values, label), made(problem)
    check_same(targets.decode(targets.encode(named, label), label), named, problem, label)


@pytest.mark.parametrize("phi", ["any", [0.0, 3.1], [1.6, 3.1], [-1.5, 1.5]])
def test_other_ranges_keep_their_names(phi: Any) -> None:
    problem = problem_of({**UNKNOWNS, "phi": phi})
    values, label = drawn(problem)
    named, targets = problem.named(values, label), made(problem)
    check_same(targets.decode(targets.encode(named, label), label), named, problem, label)


def test_a_fixed_moment_keeps_the_sign_of_the_phase() -> None:
    """Around it c^* is another map than c."""
    unknowns = {name: UNKNOWNS[name] for name in ("gap", "theta", "phi")}
    impurity = {"scalar": 50.0, "moment": [0.0, 0.0, 60.0]}
    candidates = [{"irrep": "E", "shell": 1, "channel": "tz"}]
    recipe = {**RECIPE, "material": "nbse2-substrate", "candidates": candidates}
    whole = Recipe.from_dict({**recipe, "unknowns": unknowns, "impurity": impurity})
    problem = whole.define(material("nbse2-substrate"))
    assert not problem.reversible
    values, label = drawn(problem)
    targets = made(problem)
    named = problem.named(values, label)
    check_same(targets.decode(targets.encode(named, label), label), named, problem, label)
    other = targets.encode({**values, "phi": -values["phi"]}, label)
    assert (np.abs(other - targets.encode(values, label)).max(axis=1) > 1e-3).mean() > 0.9


def test_targets_have_no_seam() -> None:
    """All around in phi; the sign of J follows that of s3, which is 0 where J changes it."""
    problem = problem_of()
    phi = np.linspace(0, 2 * PI, 721)
    label = np.full(721, problem.labels.index("Eg"))
    values = {name: np.full(721, value) for name, value in (("gap", 1.0), ("potential", 90.0))}
    values |= {"theta": np.full(721, 0.6), "phi": phi, "moment_z": np.full(721, 30.0)}
    angles = [one.name for one in problem.learned].index("theta")
    steps = np.abs(np.diff(made(problem).encode(values, label), axis=0))
    assert steps[:, : angles + 3].max() < 0.02
    jumps = np.flatnonzero(steps.max(axis=1) > 0.1)
    np.testing.assert_allclose(phi[jumps] % PI, 0, atol=0.01)
    named = Targets(problem, made(problem).scaling).encode(problem.named(values, label), label)
    assert (np.abs(np.diff(named, axis=0)).max(axis=1) > 0.1).sum() > len(jumps)


def test_answers_for_moved_maps_are_turned_back() -> None:
    problem = problem_of()
    values, label = drawn(problem)
    targets, count = made(problem), len(problem.moves)
    moved = [problem.moved(values, label, [m] * COUNT) for m in range(count)]
    outputs = np.concatenate([targets.encode(one, label) for one in moved]).astype(np.float64)
    three = [one.name in ("theta", "phi") for one in problem.learned]
    scale = np.ones(outputs.shape[1])
    scale[: sum(three) + 1] = 0.7
    known = np.where(np.isnan(outputs), 0.0, outputs) * scale
    probability = np.tile(np.eye(len(problem.classes))[label], (count, 1))
    _, mean = average(probability, known, targets)
    check_same(targets.decode(mean, label), problem.named(values, label), problem, label)
    pairs = problem.has("phi")[label]
    named = targets.encode(problem.named(values, label), label) * scale
    np.testing.assert_allclose(mean[pairs], named[pairs], atol=1e-5)


def test_a_network_has_a_column_less() -> None:
    problem = problem_of()
    network = build_network(
        NetworkConfig(backbone="vgg16-half", width=8, targets=STOKES), 1, problem
    )
    assert network.get_layer(PARAMETERS).units == made(problem).columns == 6


def test_a_phase_whose_angle_is_known_is_refused() -> None:
    unknowns = {name: one for name, one in UNKNOWNS.items() if name != "theta"}
    problem = problem_of(unknowns, fixed={"theta": 0.4})
    with pytest.raises(TrainingError, match='targets = "angles"'):
        build_network(NetworkConfig(targets=STOKES), 1, problem)
