"""The posterior of real maps against brute force: integrals over grids of simulated maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import gapscope as gs
from gapscope.dataset.samples import simulate_samples
from gapscope.errors import MapFileError, NumericsError, SchemaVersionError
from gapscope.inference.posterior.credible import centre
from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.forward import Forward, Point
from gapscope.inference.posterior.posterior import Found, find_posterior
from gapscope.inference.posterior.result import posterior_tree
from gapscope.inference.posterior.starts import NetworkStarts, ScannedStarts
from gapscope.inference.posterior.words import posterior_text
from gapscope.inference.refine import Conditions, Guess
from gapscope.instrument.site_noise import NoiseModel
from gapscope.plots.posterior import corner_figure
from gapscope.problem.define import Named, define
from gapscope.problem.draft import Draft
from gapscope.problem.quantities import quantity
from gapscope.simulation.maps import simulate_batch
from gapscope.support.netcdf import write_netcdf

Array = NDArray[np.float64]
WINDOW = 12
RANGES = {"gap": (10.0, 50.0), "potential": (20.0, 200.0), "broadening": (2.0, 8.0)}
TRUTH = Guess("B1g", {"gap": 32.0, "potential": 90.0})


def square(*unknowns: str) -> Conditions:
    """A cuprate's problem: A1g and B1g, on a coarse grid, which is all its world."""
    draft = Draft(gs.material("bi2212"), 5.0, 100.0)
    own = [quantity(name).unknown(name, *RANGES[name]) for name in unknowns]
    problem = define(draft, [Named("A1g"), Named("B1g")], own, {})
    return Conditions(problem, draft, gs.Numerics([-5.0, 20.0], 5.0, WINDOW, gs.Grid(64)))


def maps_of(known: Conditions, states: Sequence[Guess]) -> Array:
    return np.asarray(simulate_samples([known.sample(one) for one in states], known.numerics)[0])


def measured(known: Conditions, truth: Guess, noise: float) -> tuple[Array, Array]:
    """A map with white noise, and its standard deviation: a share of the map's own."""
    clean = maps_of(known, [truth])[0]
    level = noise * clean[:, known.sites].std(axis=1)
    rng = np.random.default_rng(7)
    return clean + level[:, None, None] * rng.standard_normal(clean.shape), level


def by_force(known: Conditions, map: Array, level: Array, count: int) -> dict[str, Array]:
    """Evidence, mean and deviation of two unknowns by a sum over a grid, for each class."""
    names = known.problem.classes[0].unknowns
    sites = known.sites.copy()
    sites[WINDOW // 2, WINDOW // 2] = False
    shares = (np.arange(count) + 0.5) / count
    made: dict[str, Array] = {}
    for label in known.problem.labels:
        one, two = (
            [known.problem.unknown(name).drawn(x) for x in shares.tolist()] for name in names
        )
        states = [Guess(label, dict(zip(names, (a, b), strict=True))) for a in one for b in two]
        left = (maps_of(known, states) - map)[..., sites]
        constant = -np.log(level).sum() * left.shape[-1] - left[0].size / 2 * np.log(2 * np.pi)
        logs = constant - (left**2).sum(axis=-1) @ (1 / (2 * level**2))
        top = logs.max()
        weights = np.exp(logs - top).reshape(count, count)
        total = weights.sum()
        means = [weights.sum(axis=1) @ one / total, weights.sum(axis=0) @ two / total]
        spreads = [
            np.sqrt(weights.sum(axis=1) @ (np.array(one) - means[0]) ** 2 / total),
            np.sqrt(weights.sum(axis=0) @ (np.array(two) - means[1]) ** 2 / total),
        ]
        made[label] = np.array([top + np.log(total / count**2), *means, *spreads])
    return made


@pytest.mark.parametrize("unknowns", [("gap", "potential"), ("gap", "broadening")])
def test_evidence_and_moments_are_those_of_a_brute_force_integral(
    unknowns: tuple[str, str],
) -> None:
    """With an unknown that costs a T-matrix, and with none; of both classes."""
    known = square(*unknowns)
    truth = Guess("B1g", {"gap": 32.0, "potential": 90.0, "broadening": 5.0})
    map, level = measured(known, truth, 4.0)
    found = find_posterior(map, known, ScannedStarts(8), noise=level.tolist())
    expected = by_force(known, map, level, 24)
    for one in found.classes:
        assert one.samples is not None
        wanted = expected[one.mode.cube.label]
        assert one.log_evidence == pytest.approx(
            wanted[0], abs=max(0.05, 4 * one.samples.evidence_error)
        )
    tree = posterior_tree(found, 0)
    summary = tree.to_dataset()
    evidences = np.array([expected[label][0] for label in known.problem.labels])
    shares = np.exp(evidences - evidences.max()) / np.exp(evidences - evidences.max()).sum()
    np.testing.assert_allclose(summary["probability"], shares, atol=0.06)
    for number, name in enumerate(unknowns):
        for label in known.problem.labels:
            one = summary.sel({"class": label, "unknown": name})
            spread = expected[label][3 + number]
            effective = float(summary["effective"].sel({"class": label}))
            scatter = 5 / np.sqrt(effective)
            assert float(one["mean"]) == pytest.approx(
                expected[label][1 + number], abs=scatter * spread
            )
            assert float(one["deviation"]) == pytest.approx(spread, rel=scatter)


@cache
def narrow(noise: float | None = 0.1) -> tuple[Found, Array]:
    known = square("gap", "potential")
    map, level = measured(known, TRUTH, 0.1)
    given = None if noise is None else (level * noise / 0.1).tolist()
    return find_posterior(map, known, ScannedStarts(16), noise=given), level


def test_what_is_told_on_the_way_begins_with_laplace_and_ends_with_the_result() -> None:
    known = square("gap", "potential")
    map, level = measured(known, TRUTH, 4.0)
    heard: list[tuple[Array, list[int], list[float]]] = []

    def told(found: Found) -> None:
        drawn = [0 if one.samples is None else len(one.samples.points) for one in found.classes]
        heard.append((found.probabilities, drawn, [one.log_evidence for one in found.classes]))

    found = find_posterior(map, known, ScannedStarts(8), noise=level.tolist(), told=told)
    first, last = heard[0], heard[-1]
    assert first[1] == [0, 0]
    # The approximation is a rough one for broad posteriors, unlike the bound, the likelihood.
    np.testing.assert_allclose(first[2], last[2], atol=1.5)
    assert all(
        bound.mode.log_likelihood > evidence + 2
        for bound, evidence in zip(found.classes, first[2], strict=True)
    )
    # A round of one class at a time.
    for (_, before, _), (_, after, _) in pairwise(heard):
        assert sum(b != a for b, a in zip(before, after, strict=True)) == 1
        assert sum(after) > sum(before)
    assert len(heard) > 3
    np.testing.assert_array_equal(last[0], found.probabilities)


def test_noise_that_is_not_known_is_found() -> None:
    known, _ = narrow()
    unknown, level = narrow(noise=None)
    assert unknown.forward.noise.known is False
    tree = posterior_tree(unknown, 0).to_dataset()
    given = posterior_tree(known, 0).to_dataset()
    np.testing.assert_allclose(tree["deviation"], given["deviation"], rtol=0.35)
    left = tree["residual"].sel({"class": "B1g"}).values * unknown.forward.size
    np.testing.assert_allclose(left, level, rtol=0.2)
    assert "explains the map" in tree.attrs["verdict"]
    # The other class is too far off to be sampled, and its evidence a bound.
    assert not tree["sampled"].sel({"class": "A1g"})
    assert tree["probability"].sel({"class": "A1g"}) < 1e-13
    assert "Not sampled" in tree.attrs["verdict"]


def test_sets_and_draws_are_those_of_the_weights_and_near_the_truth() -> None:
    found, _ = narrow()
    tree = posterior_tree(found, 3)
    summary, draws = tree.to_dataset(), tree["posterior"].to_dataset()
    assert draws["gap"].dims == ("chain", "draw")
    for name, value in TRUTH.values.items():
        one = summary.sel({"class": "B1g", "unknown": name})
        low, high = one["credible"].sel(level=0.95, part=0).values
        mean, deviation = float(one["mean"]), float(one["deviation"])
        assert (low, high) == pytest.approx(
            (mean - 1.96 * deviation, mean + 1.96 * deviation), abs=0.6 * deviation
        )
        assert abs(mean - value) < 4 * deviation
        assert float(draws[name].mean()) == pytest.approx(
            float(one["mean"]), abs=0.1 * float(one["deviation"])
        )
        assert float(draws[name].std()) == pytest.approx(float(one["deviation"]), rel=0.1)
    weights = np.exp(tree["weighted"]["log_weight"])
    assert float(weights.sum()) == pytest.approx(1)
    text = posterior_text(tree)
    assert "B1g" in text
    assert "gap (meV)" in text
    corner_figure(tree)
    with pytest.raises(MapFileError, match="sampled"):
        corner_figure(tree, "A1g")


def test_more_than_the_stated_noise_is_said() -> None:
    found, _ = narrow(noise=0.02)
    words = posterior_tree(found, 0).attrs["verdict"]
    assert "times the noise that is stated" in words
    assert "explains the map:" not in words


def test_a_map_of_another_world_is_said_not_to_be_explained() -> None:
    """Two impurities in view, where the model has one."""
    known = square("gap", "potential")
    sample = known.sample(TRUTH)
    two = sample.specification.impurity + gs.Impurity.scalar(60.0, site=(3, 1))
    specification = gs.Specification(known.draft.material, sample.specification.pairing, two)
    map = simulate_batch([specification], known.numerics).ldos_change[0]
    found = find_posterior(map, known, ScannedStarts(16))
    words = posterior_tree(found, 0).attrs["verdict"]
    assert "does not explain" in words


def test_noise_that_is_not_white_is_said_not_to_be() -> None:
    known = square("gap", "potential")
    known = replace(known, numerics=replace(known.numerics, window=32))
    clean = maps_of(known, [TRUTH])[0]
    model = NoiseModel.on(known.draft.material.lattice, 32)
    pink = model.pink_field((2,), np.random.default_rng(3))
    map = clean + 0.5 * model.contrast(clean)[:, None, None] * pink
    found = find_posterior(map, known, ScannedStarts(16))
    assert "is not white noise" in posterior_tree(found, 0).attrs["verdict"]


def test_a_truth_beyond_the_range_is_said_to_be_at_its_end() -> None:
    known = square("gap", "potential")
    map, level = measured(known, Guess("B1g", {"gap": 32.0, "potential": 260.0}), 0.3)
    found = find_posterior(map, known, ScannedStarts(16), noise=level.tolist())
    words = posterior_tree(found, 0).attrs["verdict"]
    assert "potential is at the end of the range" in words


def hexagonal(phases: tuple[float, float] = (-np.pi, np.pi)) -> Conditions:
    """A state of two partners around a scalar impurity."""
    draft = Draft(gs.material("nbse2"), 20.0, 50.0)
    ranges = {"gap": (20.0, 60.0), "theta": (0.0, np.pi), "phi": phases}
    unknowns = [quantity(name).unknown(name, *ends) for name, ends in ranges.items()]
    problem = define(draft, [Named("Eu")], unknowns, {})
    return Conditions(problem, draft, gs.Numerics([10.0], 20.0, WINDOW, gs.Grid(40)))


def test_unknowns_of_the_impurity_come_last_and_points_are_values() -> None:
    known = square("potential", "broadening", "gap")
    cube = Cube(known.problem, 0)
    assert cube.names == ["broadening", "gap", "potential"]
    assert cube.outer == 2
    for shares in ([0.0, 0.2, 1.0], [0.31, 0.77, 0.5]):
        np.testing.assert_allclose(cube.point(cube.values(np.array(shares))), shares, atol=1e-12)
    there = cube.point({"broadening": 99.0, "gap": 1.0, "potential": 20.0})
    np.testing.assert_array_equal(there, [1.0, 0.0, 0.0])


def test_names_of_a_state_have_the_same_map() -> None:
    known = hexagonal()
    cube = Cube(known.problem, 0)
    point = cube.point({"gap": 40.0, "theta": 0.7, "phi": 0.4})
    twins = cube.twins(point)
    assert len(twins) == 4 if known.problem.reversible else 2
    forward = Forward(maps_of(known, [Guess("Eu", cube.values(point))])[0], known)
    maps = forward.values([(0, twin) for twin, _ in twins])
    for one in maps[1:]:
        np.testing.assert_allclose(one, maps[0], atol=1e-9 * np.abs(maps[0]).max())
    # The signs are those by which the names move.
    step = np.array([0.01, 0.02, -0.015])
    moved = [twin for twin, _ in cube.twins(point + step)]
    for twin, signs in twins:
        away = [np.abs(m - twin - signs * step) for m in moved]
        assert min(float(np.minimum(a, np.abs(1 - a)).max()) for a in away) < 1e-9


def test_a_step_over_the_end_of_a_phase_goes_on_by_the_other_name() -> None:
    known = hexagonal((-np.pi / 2, np.pi / 2))
    cube = Cube(known.problem, 0)
    point = cube.point({"gap": 40.0, "theta": 0.7, "phi": 1.55})
    there = cube.values(cube.moved(point, np.array([0.0, 0.0, 0.1 / np.pi])))
    # phi = 1.65 is pi - 1.65 at pi - theta, and around a scalar impurity its negative as well.
    assert abs(there.pop("phi")) == pytest.approx(np.pi - 1.65)
    assert there == pytest.approx({"gap": 40.0, "theta": np.pi - 0.7})
    # Without another name, as for the gap, the step ends at the face.
    assert cube.values(cube.moved(point, np.array([2.0, 0.0, 0.0])))["gap"] == 60.0
    # Seen from the other side, the first state's name lies beyond the range.
    across = cube.point({"gap": 40.0, "theta": np.pi - 0.7, "phi": np.pi - 1.65})
    beyond = [cube.values(twin) for twin, _ in cube.twins(across) if not 0 <= twin[2] <= 1]
    assert {round(abs(one["phi"]), 6) for one in beyond} == {1.65}
    assert {round(one["theta"], 6) for one in beyond} == {0.7}


@pytest.mark.parametrize(
    ("phases", "phi", "noise"),
    [((-np.pi, np.pi), 0.6, 1.0), ((-np.pi / 2, np.pi / 2), 1.5, 1.0)],
)
def test_all_names_of_a_state_count_in_an_evidence(
    phases: tuple[float, float], phi: float, noise: float
) -> None:
    """Maxima at several names, or reaching over the end of a range by another name."""
    known = hexagonal(phases)
    names = known.problem.classes[0].unknowns
    assert names == ("gap", "theta", "phi")
    truth = Guess("Eu", {"gap": 40.0, "theta": 0.7, "phi": phi})
    map, level = measured(known, truth, noise)
    found = find_posterior(map, known, ScannedStarts(32), noise=level.tolist())
    (one,) = found.classes
    assert one.samples is not None
    # Points of the cube, all alike: the mean of the likelihood is the evidence.
    forward, cube = found.forward, one.mode.cube
    points = np.random.default_rng(0).uniform(size=(3000, 3))
    states = [Guess("Eu", cube.values(point)) for point in points]
    left = (maps_of(known, states) - map)[..., forward.sites]
    logs = forward.noise.log_likelihood((left**2).sum(axis=-1))
    top = logs.max()
    weights = np.exp(logs - top)
    expected = top + np.log(weights.mean())
    error = weights.std() / weights.mean() / np.sqrt(len(weights))
    assert error < 0.2
    assert one.log_evidence == pytest.approx(
        expected, abs=4 * np.hypot(error, one.samples.evidence_error)
    )
    # Of the names of each state, the unknowns are those of one.
    columns = {name: np.array([state.values[name] for state in states]) for name in names}
    named = known.problem.named(columns, np.zeros(len(states), dtype=np.int64))
    weights /= weights.sum()
    tree = posterior_tree(found, 0).to_dataset().sel({"class": "Eu"})
    for name in names:
        period = known.problem.unknown(name).period
        mean, deviation = centre(named[name], weights, period)
        own = tree.sel(unknown=name)
        away = abs(float(own["mean"]) - mean)
        away = min(away, abs(period - away)) if period else away
        assert away < deviation
        assert float(own["deviation"]) == pytest.approx(deviation, rel=0.5)


def test_a_class_without_unknowns_is_one_state() -> None:
    """Its evidence is its likelihood; that of the class beside it a sum over a circle."""
    draft = Draft(gs.material("nbse2"), 20.0, 50.0)
    theta = quantity("theta").unknown("theta", 0.0, np.pi)
    problem = define(draft, [Named("A1u"), Named("Eu")], [theta], {"gap": 40.0, "phi": 0.0})
    known = Conditions(problem, draft, gs.Numerics([10.0], 20.0, WINDOW, gs.Grid(40)))
    map, level = measured(known, Guess("Eu", {"theta": 0.5}), 1.5)
    found = find_posterior(map, known, ScannedStarts(8), noise=level.tolist())
    states = [Guess("A1u", {}), *(Guess("Eu", {"theta": x}) for x in np.arange(64) * np.pi / 64)]
    left = (maps_of(known, states) - map)[..., found.forward.sites]
    logs = found.forward.noise.log_likelihood((left**2).sum(axis=-1))
    one, circle = found.classes
    assert one.log_evidence == pytest.approx(logs[0], abs=1e-6)
    assert circle.samples is not None
    expected = logs[1:].max() + np.log(np.exp(logs[1:] - logs[1:].max()).mean())
    error = circle.samples.evidence_error
    assert circle.log_evidence == pytest.approx(expected, abs=max(0.02, 4 * error))
    tree = posterior_tree(found, 0)
    assert "A1u" in posterior_text(tree)
    if one.samples is not None:
        with pytest.raises(MapFileError, match="unknowns"):
            corner_figure(tree, "A1u")


def test_where_only_the_impurity_is_unknown_one_greens_function_does() -> None:
    known = square("potential")
    known = replace(known, draft=replace(known.draft, gap=30.0))
    map, level = measured(known, Guess("B1g", {"potential": 90.0}), 1.0)
    found = find_posterior(map, known, ScannedStarts(8), noise=level.tolist())
    assert found.forward.computed == len(known.problem.classes)
    summary = posterior_tree(found, 0).to_dataset().sel({"class": "B1g", "unknown": "potential"})
    assert abs(float(summary["mean"]) - 90) < 4 * float(summary["deviation"])


class Nowhere:
    """A source that does not know the class of a map."""

    def points(self, cubes: Sequence[Cube]) -> list[Point]:
        return [(cube.index, np.full(cube.size, 0.5)) for cube in cubes]


def test_a_network_gives_starts_for_every_class_and_all_around_for_likely_ones() -> None:
    known = hexagonal()
    prediction = xr.Dataset(
        {
            "probability": ("class", [1.0]),
            **{n: ((), v) for n, v in {"gap": 30.0, "theta": np.nan, "phi": 0.2}.items()},
        }
    )
    cube = Cube(known.problem, 0)
    points = NetworkStarts(prediction).points([cube])
    states = [cube.values(point) for _, point in points]
    assert all(state["gap"] == pytest.approx(30.0) for state in states)
    assert {round(state["phi"], 6) for state in states} >= {0.2, -0.2}
    assert len({round(state["theta"], 3) for state in states}) > 4


def test_what_does_not_fit_is_refused_before_anything_is_computed() -> None:
    known = square("gap", "potential")
    map = np.ones((2, WINDOW, WINDOW))
    with pytest.raises(NumericsError, match="map \\(energies, L, L\\)"):
        find_posterior(map[:1], known, Nowhere())
    with pytest.raises(MapFileError, match="finite"):
        find_posterior(np.where(map > 0, np.nan, map), known, Nowhere())
    with pytest.raises(MapFileError, match="differs from zero"):
        find_posterior(0 * map, known, Nowhere())
    with pytest.raises(NumericsError, match="every energy"):
        find_posterior(map, known, Nowhere(), noise=[1.0])
    with pytest.raises(NumericsError, match="positive"):
        find_posterior(map, known, Nowhere(), noise=[1.0, 0.0])


def test_a_posterior_comes_back_from_its_file(tmp_path: Path) -> None:
    found, _ = narrow()
    tree = posterior_tree(found, 0)
    path = write_netcdf(tree, tmp_path / "posterior.nc")
    again = gs.read_posterior(path)
    for group in ("/", "/posterior", "/weighted"):
        xr.testing.assert_equal(again[group].to_dataset(), tree[group].to_dataset())
    assert again.attrs["verdict"] == tree.attrs["verdict"]
    corner_figure(again)
    newer = tree.copy()
    newer.attrs["posterior_schema"] = 99
    with pytest.raises(SchemaVersionError):
        gs.read_posterior(write_netcdf(newer, tmp_path / "newer.nc"))
    part = xr.DataTree.from_dict({"/": tree.to_dataset()})
    with pytest.raises(MapFileError, match="posterior"):
        gs.read_posterior(write_netcdf(part, tmp_path / "part.nc"))
    cut = path.read_bytes()[: path.stat().st_size // 2]
    (tmp_path / "cut.nc").write_bytes(cut)
    with pytest.raises(MapFileError):
        gs.read_posterior(tmp_path / "cut.nc")
