"""Numerics: the short ways of naming a method, and what is refused."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

import gapscope as gs
from gapscope.cli.main import main
from gapscope.errors import NumericsError


def test_an_accuracy_is_the_method_converged_with_it() -> None:
    assert gs.Numerics(accuracy=0.01).method == gs.Converged(0.01)
    assert gs.Numerics([0.5], 0.2, 64, accuracy=0.01) == gs.Numerics(
        [0.5], 0.2, 64, gs.Converged(0.01)
    )


def test_a_kgrid_is_the_method_grid_with_it() -> None:
    assert gs.Numerics([0.5], 0.2, 64, kgrid=512) == gs.Numerics([0.5], 0.2, 64, gs.Grid(512))


def test_what_is_left_out_is_what_the_command_line_takes() -> None:
    options = {o.name: o for o in main.commands["simulate"].params}
    default = {name: option.default for name, option in options.items()}
    numerics = gs.Numerics()
    assert (numerics.broadening, numerics.window) == (default["broadening"], default["window"])
    assert default["method"] == "converged"
    assert numerics.method == gs.Converged(float(options["accuracy"].show_default))
    assert numerics.energies == (0.0,)


def test_numerics_are_copied_and_changed_as_before() -> None:
    numerics = gs.Numerics([0.0, 0.5], 0.1, 64, gs.Grid(128))
    assert replace(numerics, window=32) == gs.Numerics([0.0, 0.5], 0.1, 32, gs.Grid(128))
    assert copy.deepcopy(numerics) == numerics
    assert hash(numerics) == hash(replace(numerics))


@pytest.mark.parametrize(
    "two",
    [
        {"accuracy": 0.01, "kgrid": 512},
        {"accuracy": 0.01, "method": gs.Grid(512)},
        {"kgrid": 512, "method": gs.Grid(512)},
    ],
)
def test_two_methods_at_once_are_refused(two: dict[str, object]) -> None:
    with pytest.raises(NumericsError, match="one method") as caught:
        gs.Numerics(**two)  # type: ignore[arg-type]
    assert all(name in str(caught.value.received) for name in two)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"method": "converged"}, r"Converged\(accuracy\) or Grid\(kgrid\)"),
        ({"method": 512}, r"Converged\(accuracy\) or Grid\(kgrid\)"),
        ({"accuracy": 2.0}, "between 1e-5 and 0.5"),
        ({"accuracy": "0.01"}, "between 1e-5 and 0.5"),
        ({"energies": "0,0.5"}, "finite numbers in meV"),
        ({"energies": [[0.0], [0.5]]}, "finite numbers in meV"),
        ({"energies": None}, "finite numbers in meV"),
        ({"broadening": "0.1"}, "positive energy in meV"),
        ({"broadening": None}, "positive energy in meV"),
        ({"window": 64.0}, "even number of sites"),
        ({"kgrid": 100}, "window <= kgrid"),
    ],
)
def test_what_is_no_setting_is_refused_by_its_rule(wrong: dict[str, object], rule: str) -> None:
    with pytest.raises(NumericsError, match=rule):
        gs.Numerics(**wrong)  # type: ignore[arg-type]
