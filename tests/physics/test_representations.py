"""repr of a state is short, says what the state is, and is Python where it can be."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.physics import Bonds, Impurity, Material, Pairing, Specification
from gapscope.simulation.numerics import Converged, Numerics

STATES = [
    Pairing("A1u", 0.7),
    Pairing("Eg", 1.25, theta=0.3, phi=-0.4),
    Pairing("Eg", 1.0, theta=0.1, theta_s=0.2, phi_s=0.3, theta_t=0.4, phi_t=0.5),
]
IMPURITIES = [
    Impurity.scalar(50.0),
    Impurity.scalar(0.0),
    Impurity.magnetic((0, 5, -1), site=(7, -2)),
    Impurity.scalar(-30, (1, 0.5), site=(2, 1)) + Impurity.magnetic((1, 0, 0)),
]


def python(text: str) -> object:
    return eval(text, {"Pairing": Pairing, "Impurity": Impurity})


@pytest.mark.parametrize("pairing", STATES, ids=repr)
def test_a_gap_of_an_irrep_is_written_as_python(pairing: Pairing) -> None:
    again = python(repr(pairing))
    assert isinstance(again, Pairing)
    assert again.to_dict() == pairing.to_dict()


@pytest.mark.parametrize("impurity", IMPURITIES, ids=repr)
def test_an_impurity_is_written_as_python(impurity: Impurity) -> None:
    assert python(repr(impurity)) == impurity


def test_a_term_with_both_parts_acts_as_it_is_written() -> None:
    both = Impurity.scalar(2.0, site=(1, 0)).terms[0]
    both = type(both)(2.0, (0.0, 0.0, 3.0), None, (1, 0))
    again = python(repr(both))
    assert isinstance(again, Impurity)
    np.testing.assert_array_equal(again.electron_matrix(1, (1, 0)), both.matrix(1))


def test_a_specification_takes_a_few_lines_and_names_every_part(nbse2: Material) -> None:
    state = Specification(nbse2, STATES[1], IMPURITIES[2], eps0=20)
    shown = repr(state)
    assert len(shown.splitlines()) <= 6
    assert max(map(len, shown.splitlines())) <= 140
    for part in ("NbSe2", "triangular", "3.44", "orbitals=1", repr(STATES[1]), repr(IMPURITIES[2])):
        assert part in shown
    assert "eps0=20.0" in shown


def test_bonds_are_counted_not_listed() -> None:
    onsite = Bonds.from_dict({(0, 0): 0.8 * np.array([[0, 1], [-1, 0]])})
    assert repr(onsite) == "<1 bond, 2 x 2, amplitudes up to 0.8>"
    assert repr(Pairing.from_bonds(onsite)) == f"Pairing.from_bonds({onsite!r})"
    three = Bonds.from_dict({(r, 0): r * np.eye(4) for r in range(3)})
    assert repr(three) == "<3 bonds, 4 x 4, amplitudes up to 2>"


def test_numerics_are_one_line_of_python() -> None:
    numerics = Numerics([0.0, 0.5], accuracy=0.01, window=64)
    shown = repr(numerics)
    assert "\n" not in shown
    assert eval(shown, {"Numerics": Numerics, "Converged": Converged}) == numerics
