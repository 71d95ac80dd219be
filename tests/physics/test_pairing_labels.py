"""Labels of the classes and the one normalisation of the gap in A12u."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.errors import SpecificationError
from gapscope.physics import IRREPS, LABELS, Pairing, label_of, labelled_gap, printed_gap


def test_six_irreps_make_five_classes() -> None:
    assert {label_of(irrep) for irrep in IRREPS} == set(LABELS)
    assert label_of("A1u") == label_of("A2u") == "A12u"
    assert label_of("A1g") != label_of("A2g")


def test_printed_and_labelled_gaps_are_inverse() -> None:
    for irrep in IRREPS:
        assert printed_gap(irrep, labelled_gap(irrep, 0.7)) == pytest.approx(0.7, rel=1e-15)


def test_equal_labels_of_a12u_are_equal_gaps_up_to_a_spin_rotation(
    rng: np.random.Generator,
) -> None:
    """Rotating spins about z by pi/2 turns one state into the other: sz is conserved."""
    label = 0.9
    a1u = Pairing("A1u", printed_gap("A1u", label)).bonds()
    a2u = Pairing("A2u", printed_gap("A2u", label)).bonds()
    quarter = np.diag(np.exp([-0.25j * np.pi, 0.25j * np.pi]))
    m = rng.uniform(-1, 1, (20, 2))
    rotated = quarter @ a1u.at(m) @ quarter.T
    assert min(np.abs(rotated - sign * a2u.at(m)).max() for sign in (1, -1)) < 1e-13


def test_only_a2u_changes_its_normalisation() -> None:
    assert labelled_gap("A2u", np.sqrt(3)) == pytest.approx(1.0, rel=1e-15)
    assert all(labelled_gap(irrep, 0.7) == 0.7 for irrep in IRREPS if irrep != "A2u")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("eg", "Eg"),
        ("E_g", "Eg"),
        ("E1g", "Eg"),
        (" Eu ", "Eu"),
        ("$E_{u}$", "Eu"),
        ("a1g", "A1g"),
        ("A1G", "A1g"),
        ("A_{2u}", "A2u"),
        ("A2", "A2g or A2u"),
        ("A1'", "A1g or A1u"),
        ("e", "Eg or Eu"),
    ],
)
def test_a_misspelt_irrep_is_answered_with_the_nearest(name: str, meant: str) -> None:
    for refused in (lambda: Pairing(name, 1.0, theta=0.1), lambda: label_of(name)):
        with pytest.raises(SpecificationError) as caught:
            refused()
        assert caught.value.received == name
        assert caught.value.remedy == f"Did you mean {meant}?"


@pytest.mark.parametrize("name", ["A12u", "a12u", "A_12u", "$A_{12u}$"])
def test_the_class_of_a1u_and_a2u_is_told_from_its_irreps(name: str) -> None:
    with pytest.raises(SpecificationError) as caught:
        Pairing(name, 1.0)
    for part in ("A12u is the class", "choose A1u with that gap", "A2u with sqrt(3) times it"):
        assert part in caught.value.remedy


@pytest.mark.parametrize("name", ["B1g", "s", "", "_", None, 7, "p + ip"])
def test_what_resembles_no_irrep_is_not_guessed(name: object) -> None:
    with pytest.raises(SpecificationError) as caught:
        label_of(name)  # type: ignore[arg-type]
    assert "Did you mean" not in caught.value.remedy
    assert "Choose one of them" in caught.value.remedy
