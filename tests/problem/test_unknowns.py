"""Unknowns: how they are drawn, learned and put into states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gapscope.dataset.recipe import Recipe
from gapscope.errors import RecipeError, SpecificationError
from gapscope.problem.coefficients import angles_of, coefficients
from gapscope.problem.draft import Draft
from gapscope.problem.quantities import QUANTITIES, quantity
from gapscope.problem.sampling import draw
from gapscope.problem.states import States
from gapscope.problem.unknown import Unknown
from gapscope.simulation.materials import material
from problems import CRYSTALS, TABLE, recipe


@pytest.mark.parametrize("name", [*QUANTITIES, "hopping_2", "theta_1", "phi_2"])
def test_what_is_learned_is_what_was_drawn(name: str) -> None:
    row = quantity(name)
    unknown = row.unknown(name, 0.5, 2.5)
    values = np.array([unknown.drawn(u) for u in (0.0, 0.25, 0.999)])
    assert unknown.restored(unknown.straightened(values)) == pytest.approx(values, rel=1e-12)
    assert unknown.straightened(values).shape == (3, unknown.columns)
    assert Unknown.from_dict(unknown.to_dict()) == unknown


def test_a_logarithmic_unknown_is_drawn_evenly_in_its_logarithm() -> None:
    unknown = quantity("broadening").unknown("broadening", 0.1, 10.0)
    drawn = np.log10([unknown.drawn(u) for u in np.linspace(0, 1, 5)])
    assert drawn == pytest.approx(np.linspace(-1, 1, 5))


def test_values_of_a_small_magnitude_are_not_drawn() -> None:
    own = quantity("potential").unknown("potential", -300.0, 100.0, least=10.0)
    drawn = np.array([own.drawn(u) for u in np.linspace(0, 1, 3801)])
    assert (np.abs(drawn) >= 10 - 1e-9).all()
    assert (drawn.min(), drawn.max()) == (-300.0, 100.0)
    # Both sides are drawn as densely: 290 meV of one, 90 of the other.
    assert np.mean(drawn > 0) == pytest.approx(90 / 380, abs=1e-3)
    assert Unknown.from_dict(own.to_dict()) == own
    assert "least" not in quantity("potential").unknown("potential", -1.0, 1.0).to_dict()


def test_errors_go_the_shorter_way_round_a_circle() -> None:
    theta = quantity("theta").unknown("theta", 0.0, np.pi)
    assert theta.error(np.array([0.1]), np.array([3.1])) == pytest.approx(0.1 + np.pi - 3.1)
    gap = quantity("gap").unknown("gap", 1.0, 4.0)
    assert gap.error(np.array([1.0]), np.array([4.0])) == 3
    assert gap.within(np.array([-3.0, 2.0, 90.0])).tolist() == [0.5, 2.0, 8.0]
    eps0 = quantity("eps0").unknown("eps0", -300.0, 100.0)
    assert eps0.within(np.array([-1e3, 7.0, 4e3])).tolist() == [-500.0, 7.0, 300.0]
    assert theta.within(np.array([5.0])).tolist() == [5.0]


@pytest.mark.parametrize(("functions", "partners"), [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_angles_name_a_state_up_to_its_phase(functions: int, partners: int) -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        state = rng.normal(size=(functions, partners)) + 1j * rng.normal(size=(functions, partners))
        state /= np.linalg.norm(state)
        again = coefficients(angles_of(state), functions, partners)
        assert abs(np.vdot(state, again)) == pytest.approx(1, abs=1e-12)


def drafted(name: str, value: float, **changes: Any) -> Draft:
    draft = Draft(CRYSTALS["nbse2"](), 0.1, scalar=20.0, **changes)
    return quantity(name).sets(draft, value)


def test_hoppings_scale_all_but_the_onsite_energy() -> None:
    before = CRYSTALS["rashba"]().bonds
    draft = quantity("hopping").sets(Draft(CRYSTALS["rashba"](), 0.1), 2.0)
    k = np.array([0.13, 0.31])
    onsite = -20.0 * np.eye(2)
    expected = onsite + 2 * (before.at(k) - onsite)
    assert draft.material.bonds.at(k) == pytest.approx(expected)


def test_spin_orbit_coupling_is_what_acts_on_spin() -> None:
    k = np.array([0.13, 0.31])
    before = material("nbse2").bonds.at(k)
    after = drafted("spin_orbit", 0.0).material.bonds.at(k)
    free = np.trace(before) / 2 * np.eye(2)
    assert after == pytest.approx(free)
    again = drafted("spin_orbit", 3.0).material.bonds.at(k)
    assert again == pytest.approx(free + 3 * (before - free))


def test_one_shell_of_hoppings_is_scaled() -> None:
    before, after = material("nbse2").bonds, drafted("hopping_2", 0.0).material.bonds
    lattice = material("nbse2").lattice
    lengths = np.linalg.norm(before.vectors @ lattice.vectors, axis=1)
    second = np.abs(lengths - np.sqrt(3)) < 1e-6
    assert second.sum() == 6
    assert not after.matrices[second].any()
    assert np.array_equal(after.matrices[~second], before.matrices[~second])
    with pytest.raises(SpecificationError, match="hopping_1 to hopping_7"):
        drafted("hopping_9", 1.1)


def test_a_moment_has_a_size_and_a_direction() -> None:
    draft = drafted("moment", 5.0)
    assert draft.moment == (0.0, 0.0, 5.0)
    draft = quantity("moment_polar").sets(draft, np.pi / 2)
    draft = quantity("moment_azimuth").sets(draft, np.pi / 2)
    assert draft.moment == pytest.approx((0.0, 5.0, 0.0))


def test_a_state_is_what_its_values_say() -> None:
    what = recipe(
        candidates=[{"irrep": "B1g"}, {"irrep": "Eu"}],
        unknowns={
            "gap": [20.0, 40.0],
            "theta": "any",
            "eps0": [-20.0, 20.0],
            "potential": {"range": [20.0, 200.0], "scale": "logarithmic"},
            "moment": [1.0, 9.0],
            "broadening": [2.0, 8.0],
            "temperature": [0.0, 4.0],
        },
        fixed={"phi": 0.7, "modulation": 0.3},
        broadening=0.0,
    )
    matter = CRYSTALS["bi2212"]()
    problem = what.define(matter)
    assert problem.has("theta").tolist() == [False, True]
    drawn = draw(problem, 1, 1)
    states = States(problem, what.draft(matter))
    sample = states.sample(drawn.label, drawn.values)
    values = drawn.values
    one = sample.specification
    assert one.pairing.gap == values["gap"]
    assert one.pairing.angles == {"theta": values["theta"], "phi": 0.7}
    assert one.eps0 == values["eps0"]
    moment = values["moment"]
    expected = values["potential"] * np.eye(2) + moment * np.diag([1.0, -1.0])
    assert one.impurity_matrix()[:2, :2] == pytest.approx(expected)
    found = (sample.broadening, sample.temperature, sample.modulation)
    assert found == (values["broadening"], values["temperature"], 0.3)


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "least beyond an end": (
        {"unknowns": {"gap": [1.0, 2.0], "potential": {"range": [-5.0, 50.0], "least": 10.0}}},
        "less than both ends",
    ),
    "least of one sign": (
        {"unknowns": {"gap": {"range": [1.0, 2.0], "least": 0.5}, "theta": "any"}},
        "less than both ends",
    ),
    "least is text": (
        {"unknowns": {"gap": [1.0, 2.0], "potential": {"range": [-5.0, 5.0], "least": "1"}}},
        "within a range",
    ),
    "two names of a moment": (
        {"unknowns": {"gap": [1.0, 2.0], "moment": [1.0, 2.0], "moment_z": [-1.0, 1.0]}},
        "by its size and direction, or along z",
    ),
    "no unknown": ({"unknowns": {}}, "reads at least one number"),
    "no gap": ({"unknowns": {"eps0": [0.0, 1.0]}}, "gap is unknown or fixed"),
    "no such unknown": ({"unknowns": {"gap": [1.0, 2.0], "epz0": [0.0, 1.0]}}, "may be unknown"),
    "both": ({"fixed": {"gap": 1.0}}, "unknown or fixed"),
    "no range": ({"unknowns": {"gap": 3.0}}, "within a range"),
    "text": ({"unknowns": {"gap": "any", "theta": "any"}}, "within a range"),
    "negative": ({"unknowns": {"gap": [-1.0, 2.0], "theta": "any"}}, "gap is positive"),
    "log of zero": (
        {
            "unknowns": {
                "gap": [1.0, 2.0],
                "theta": "any",
                "eps0": {"range": [0.0, 2.0], "scale": "logarithmic"},
            }
        },
        "logarithmic",
    ),
    "angle on a line": (
        {"unknowns": {"gap": [1.0, 2.0], "theta": {"range": [0.0, 1.0], "scale": "linear"}}},
        "on a circle",
    ),
    "no scatterer": ({"impurity": {"scalar": 0.0}}, "An impurity scatters"),
    "two broadenings": (
        {"unknowns": {"gap": [1.0, 2.0], "theta": "any", "broadening": [1.0, 2.0]}},
        "broadening stands at the top",
    ),
    "no broadening": ({"broadening": 0.0}, "broadening stands at the top"),
    "fixed broadening": ({"fixed": {"broadening": 1.0}}, "its own place"),
    "candidate twice": ({"candidates": [{"irrep": "B1g"}, {"irrep": "B1g"}]}, "of its own"),
    "mixed and one": (
        {"candidates": [{"irrep": "B1g", "shell": 1, "mixed": [{"shell": 1}]}]},
        "or a mixture",
    ),
    "weights of no orbital": (
        {"impurity": {"scalar": 5.0, "weights": [0.0]}},
        "one orbital at least",
    ),
    "no angle on a circle": (
        {"unknowns": {"gap": {"range": [1.0, 2.0], "scale": "circle"}, "theta": "any"}},
        "gap is no angle",
    ),
    "unknown key": ({"candidates": [{"irrep": "B1g", "shel": 1}]}, "not a key"),
}


@pytest.mark.parametrize(("change", "rule"), BROKEN.values(), ids=BROKEN)
def test_a_broken_recipe_is_refused(change: dict[str, Any], rule: str) -> None:
    with pytest.raises(RecipeError, match=rule) as caught:
        Recipe.from_dict(TABLE | change, "x.toml").define(CRYSTALS["bi2212"]())
    assert caught.value.remedy


FOREIGN: dict[str, tuple[dict[str, Any], str]] = {
    "angle that nobody has": ({"candidates": [{"irrep": "B1g"}]}, "belongs to a candidate"),
    "no angle": ({"unknowns": {"gap": [1.0, 2.0]}}, "Eu has theta"),
    "no such irrep": ({"candidates": [{"irrep": "E2g"}]}, "irreps of D4h"),
    "weights of other orbitals": (
        {"impurity": {"scalar": 5.0, "weights": [1.0, 0.5]}},
        "one weight per orbital",
    ),
    "no such shell": ({"candidates": [{"irrep": "B1g", "shell": 0}]}, "has none in shell 0"),
}


@pytest.mark.parametrize(("change", "rule"), FOREIGN.values(), ids=FOREIGN)
def test_what_the_crystal_does_not_have_is_refused(change: dict[str, Any], rule: str) -> None:
    with pytest.raises(SpecificationError, match=rule):
        recipe(**change).define(CRYSTALS["bi2212"]())


def test_options_of_a_training_decide_nothing_of_a_dataset() -> None:
    plain, other = recipe(), recipe(training={"epochs": 3})
    assert plain.deciding() == other.deciding()
    assert other.to_dict()["training"] == {"epochs": 3}


@pytest.mark.parametrize("name", ["bi2212", "nbse2-substrate"])
def test_shipped_recipes_are_of_their_crystals(name: str) -> None:
    from gapscope.dataset.recipe import load_recipe

    path = Path(__file__).parents[2] / "data" / "recipes" / f"{name}.toml"
    what = load_recipe(path)
    assert len(what.define(material(what.material)).classes) == 5


def test_an_interval_that_holds_no_drawn_value_lies_outside() -> None:
    """Beyond an end, or among the small magnitudes that are left out; on a circle at any turn."""
    low = np.array([-400.0, -301.0, -9.0, -20.0, 101.0, np.nan])
    own = quantity("potential").unknown("potential", -300.0, 100.0, least=10.0)
    outside = own.outside(low, low + 15.0)
    assert outside.tolist() == [True, False, True, False, True, False]
    assert own.outside(np.array([-9.0]), np.array([9.0])).all()
    angle = quantity("theta").unknown("theta", 0.0, 1.0)
    low = np.array([0.9, 1.1, 1.1 + np.pi, np.pi - 0.1, 3.0])
    assert angle.outside(low, low + 0.2).tolist() == [False, True, True, False, False]
