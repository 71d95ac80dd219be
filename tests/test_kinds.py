"""What is of another kind than a function takes is refused with the rule, before any computing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

import gapscope as gs
from gapscope.errors import GapscopeError
from gapscope.kernel import calls
from gapscope.physics.kinds import is_number

NUMBER, NUMBERS, TEXT, NONE = 3.5, np.ones(2), "nothere", None
OTHERS = ([[1], "x"], {}, object(), b"x", 1 + 2j, float("nan"), xr.Dataset())
NBSE2 = gs.material("nbse2")
IMPURITY = gs.Impurity.scalar(50.0)
STATE = gs.Specification(NBSE2, gs.Pairing("A1u", gap=1.0), IMPURITY)
NUMERICS = gs.Numerics([0.0], broadening=1.0, window=8, method=gs.Grid(16))
SIMULATED = {"specification": STATE, "numerics": NUMERICS}
LISTED = {"specification": STATE, "energies": [0.0], "broadening": 1.0}
# Function, arguments that it takes, and values that are right for some of them in any case.
CASES: list[tuple[Any, dict[str, Any], dict[str, list[Any]]]] = [
    (
        gs.Specification,
        {"material": NBSE2, "pairing": STATE.pairing, "impurity": IMPURITY, "eps0": 0.0},
        {"eps0": [NUMBER]},
    ),
    (gs.Pairing, {"irrep": "Eg", "gap": 1.0, "theta": 0.3, "phi": 0.0}, {
        "gap": [NUMBER], "theta": [NUMBER], "phi": [NUMBER, NONE]
    }),
    (gs.Pairing.from_bonds, {"bonds": {}}, {}),
    (gs.Bonds.from_dict, {"bonds": {}}, {}),
    (gs.Impurity.scalar, {"strength": 5.0, "orbitals": None, "site": (0, 0)}, {
        "strength": [NUMBER], "orbitals": [NONE, NUMBERS]
    }),
    (gs.Impurity.magnetic, {"moment": (0, 0, 1)}, {}),
    (gs.Lattice, {"name": "square", "constant": 3.0}, {"constant": [NUMBER]}),
    (gs.Lattice.from_cell, {"a": 3.0, "b": 4.0, "angle": 90.0}, {
        "a": [NUMBER], "b": [NUMBER], "angle": [NUMBER]
    }),
    (gs.Material, {"name": "x", "lattice": NBSE2.lattice, "bonds": NBSE2.bonds, "basis": None}, {
        "name": [TEXT, NUMBER, NUMBERS, NONE, *OTHERS], "basis": [NONE]
    }),
    (gs.material, {"name": "nbse2", "folder": None}, {"folder": [NONE, TEXT]}),
    (gs.Numerics, {"energies": [0.0], "broadening": 1.0, "window": 8, "method": None}, {
        "energies": [NUMBER, NUMBERS], "broadening": [NUMBER], "method": [NONE]
    }),
    (gs.Tip, {"height": 4.0, "orbital": "s", "vacuum": None, "decay": 1.0, "cut": 1e-5}, {
        "height": [NUMBER], "vacuum": [NUMBER, NONE], "decay": [NUMBER]
    }),
    (gs.WannierFunctions.slater, {"material": NBSE2, "decay": 1.0}, {"decay": [NUMBER]}),
    (gs.simulate, {**SIMULATED, "convention": "ldos"}, {}),
    (gs.simulate_batch, {"specifications": [STATE], "numerics": NUMERICS}, {}),
    (gs.green_function, {**SIMULATED, "reach": None}, {"reach": [NONE]}),
    (gs.density_of_states, LISTED, {"energies": [NUMBER, NUMBERS], "broadening": [NUMBER]}),
    (gs.spectral_function, {**LISTED, "momenta": [[0, 0]]}, {
        "energies": [NUMBER, NUMBERS], "broadening": [NUMBER]
    }),
    (
        gs.continuum,
        {
            "source": STATE, "numerics": NUMERICS, "tip": gs.Tip(4.0), "functions": None,
            "impurity": None, "window": None, "pixels": 8,
        },
        {"functions": [NONE], "impurity": [NONE], "window": [NONE]},
    ),
]  # fmt: skip
ARGUMENTS = [
    pytest.param(function, good, name, right.get(name, []), id=f"{function.__qualname__} {name}")
    for function, good, right in CASES
    for name in good
]


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)


@pytest.mark.parametrize(("function", "good", "name", "right"), ARGUMENTS)
def test_another_kind_is_refused(
    function: Any,
    good: dict[str, Any],
    name: str,
    right: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for call in ("grid_maps", "converged_maps", "grid_states", "spectral_function"):
        if hasattr(calls, call):
            monkeypatch.setattr(calls, call, lambda *_, **__: pytest.fail("computed"))
    for wrong in (NUMBER, NUMBERS, TEXT, NONE, *OTHERS):
        if not any(_same(wrong, one) for one in right):
            with pytest.raises(GapscopeError):
                function(**good | {name: wrong})


@pytest.mark.parametrize("impurity", [NUMBER, TEXT, NONE, *OTHERS])
def test_no_impurity_in_a_green_function(impurity: Any) -> None:
    """Every way to another impurity goes through the specification."""
    with pytest.raises(GapscopeError, match="An impurity is a gapscope"):
        gs.Specification(NBSE2, STATE.pairing, impurity)


def test_a_number_is_a_number_of_any_library() -> None:
    array = np.array(2.0)
    for good in (1, 1.5, np.float32(1), np.int64(1), array, xr.DataArray(array)):
        assert is_number(good)
    for bad in (True, np.True_, "1", None, float("inf"), 1j, np.ones(1), np.array(1j)):
        assert not is_number(bad)
