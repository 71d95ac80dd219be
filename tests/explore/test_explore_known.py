"""What a network has learned from decides where sliders stand, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import gapscope as gs
from gapscope.dataset.recipe import Recipe
from gapscope.explore.known import Known
from gapscope.explore.state import State
from gapscope.explore.symbols import symbol_html, symbol_text
from gapscope.explore.words import label_html
from gapscope.problem.classes import Member
from gapscope.problem.problem import merged

CUPRATE = {
    "schema": 2,
    "name": "cuprate",
    "seed": 1,
    "material": "bi2212",
    "energies": [10.0, 20.0],
    "broadening": 2.5,
    "window": 32,
    "impurity": {"scalar": 0.0},
    "candidates": [
        {"irrep": "B1g"},
        {"irrep": "A1g", "shell": 1},
        {"irrep": "Eu", "mixed": [{"shell": 1}, {"shell": 2}]},
    ],
    "unknowns": {
        "gap": [10.0, 50.0],
        "potential": [80.0, 200.0],
        "mix": "any",
        "theta_1": "any",
        "theta_2": "any",
    },
    "fixed": {"temperature": 4.2, "hopping": 0.9},
    "splits": {"train": 3, "validation": 0, "test": 0},
    "shard_size": 3,
}


def known(**changes: Any) -> Known:
    """As a run on such a dataset keeps it, B1g and A1g one class, A1g with twice the gap."""
    recipe = Recipe.from_dict(CUPRATE | changes)
    made = recipe.define(gs.material("bi2212"))
    names = [one.name for one in made.candidates]
    groups = [[Member(names[0]), Member(names[1], 2.0)], [Member(names[2])]]
    dataset = {
        "material": "Bi2212",
        "recipe": recipe.to_dict(),
        "problem": merged(made, groups).to_dict(),
    }
    return Known(dataset, recipe.energies, 32)


def of_irrep(state: State, irrep: str, shell: int, channel: str) -> State:
    return replace(state, irrep=f"{irrep}, {channel}, shell {shell}, copy 1")


def test_the_page_begins_on_a_map_of_the_networks_kind() -> None:
    one = known(energies=[10.0])
    first = one.first()
    assert (first.crystal, first.scale, first.energy) == ("bi2212", 30.0, 10.0)
    assert (first.gap, first.broadening, first.impurity) == (30.0, 2.5, 140.0)
    assert first.choice.irrep in ("B1g", "A1g", "Eu")
    assert one.candidate(first) is not None
    assert one.first("nbse2") == State.first("nbse2")
    assert one.first(scale=12.0).gap == 12.0


def test_what_the_page_cannot_do_and_what_it_does_otherwise_is_told() -> None:
    one = known(energies=[10.0])
    first = of_irrep(one.first(), "B1g", 1, "s")
    always = ["T = 0, trained at 4.2 K", "t/t₀ = 1, trained at 0.9"]
    assert sorted(one.departures(first)) == sorted(always)
    other = replace(first, gap=60.0, impurity=20.0, moment=-3.0, energy=9.0, broadening=3.0)
    found = set(one.departures(other)) - set(always)
    assert found == {
        "ω = 9, trained at 10 meV",
        "Δ = 60, trained at 10 to 50 meV",
        "v = 20, trained at 80 to 200 meV",
        "J = -3, trained at 0 meV",
        "δ = 3, trained at 2.5 meV",
    }
    strange = of_irrep(first, "A1u", 1, "txy")
    words = f"{strange.irrep} is none of the gaps that it has learned from"
    assert words in one.departures(strange)


def test_a_gap_counts_in_the_normalisation_of_its_class() -> None:
    one = known()
    a1g = of_irrep(replace(one.first(), gap=90.0), "A1g", 1, "s")
    assert not any("Δ" in words for words in one.departures(a1g))
    assert any("Δ = 52" in words for words in one.departures(replace(a1g, gap=104.0)))


def test_one_of_two_mixed_functions_is_a_state_of_the_mixture() -> None:
    one = known()
    for shell in (1, 2):
        state = of_irrep(one.first(), "Eu", shell, "tz")
        assert len(one.departures(state)) == 2, one.departures(state)
    off = replace(state, phi=0.7)
    assert "φ₂ = 0.7, trained at 0 rad" in one.departures(off)


def test_the_moment_counts_with_its_direction_where_that_is_unknown() -> None:
    moved = {
        "impurity": {"scalar": 50.0},
        "unknowns": {**CUPRATE["unknowns"], "moment": [2.0, 9.0], "moment_polar": [0.0, 1.5]},
    }
    moved["unknowns"].pop("potential")
    one = known(**moved)
    first = one.first()
    assert first.moment == 5.5
    assert not any("J" in words for words in one.departures(first))
    down = " ".join(one.departures(replace(first, moment=-5.0)))
    assert "J = " not in down.replace("ϑ_J = ", "")
    assert "ϑ_J = 3.14159, trained at 0 to 1.5 rad" in down


def test_several_energies_are_no_departure_and_are_told() -> None:
    one = known()
    assert not any("ω" in words for words in one.departures(replace(one.first(), energy=3.0)))
    assert one.sees() == "ω = 10, 20, δ = 2.5, v = 80 to 200 meV, 32 × 32 sites"


@pytest.mark.parametrize(
    ("tex", "text", "html"),
    [
        (r"\varepsilon_0", "ε₀", "ε<sub>0</sub>"),
        (r"\Delta", "Δ", "Δ"),
        (r"\vartheta_J", "ϑ_J", "ϑ<sub>J</sub>"),
        (r"V_\mathrm{mod}", "V_mod", "V<sub>mod</sub>"),
        (r"\lambda/\lambda_0", "λ/λ₀", "λ/λ<sub>0</sub>"),
        (r"t_{1}/t_{1,0}", "t₁/t_1,0", "t<sub>1</sub>/t<sub>1,0</sub>"),
        (r"\varphi_{2}", "φ₂", "φ<sub>2</sub>"),
    ],
)
def test_symbols_are_read_from_tex(tex: str, text: str, html: str) -> None:
    assert symbol_text(tex) == text
    assert symbol_html(tex) == html


def test_names_of_classes() -> None:
    assert label_html("A1g/B1g") == "A<sub>1g</sub>/B<sub>1g</sub>"
    assert label_html("E'") == "E'".replace("'", "&#x27;")
    assert label_html("d <wave>") == "d &lt;wave&gt;"
