"""Every error of the specification says its rule, what was received, and a remedy."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest

from gapscope import errors
from gapscope.errors import (
    GapscopeError,
    NumericsError,
    SpecificationError,
)
from gapscope.physics import Bonds, Impurity, Lattice, Material, Pairing, Specification, label_of
from gapscope.simulation.maps import Grid, Numerics, simulate, simulate_batch
from gapscope.simulation.spectrum import density_of_states, spectral_function

NAN = float("nan")
ONE = np.eye(1)
FOUR = {"theta_s": 0.1, "phi_s": 0.2, "theta_t": 0.3, "phi_t": 0.4}

PAIRINGS: dict[str, tuple[Callable[[], object], str]] = {
    "unknown irrep": (lambda: Pairing("B1g", 1.0), "irrep of D3h is one of"),
    "class for an irrep": (lambda: Pairing("A12u", 1.0), "irrep of D3h is one of"),
    "label of no irrep": (lambda: label_of("s"), "irrep of D3h is one of"),
    "NaN gap": (lambda: Pairing("A1u", NAN), "positive number in meV"),
    "infinite gap": (lambda: Pairing("A1u", float("inf")), "positive number in meV"),
    "zero gap": (lambda: Pairing("A1u", 0.0), "positive number in meV"),
    "negative gap": (lambda: Pairing("A1u", -1.0), "positive number in meV"),
    "theta for A1u": (lambda: Pairing("A1u", 1.0, theta=0.1), "angles of A1u are: none"),
    "phi for A1g": (lambda: Pairing("A1g", 1.0, theta=0.1, phi=0.2), "angles of A1g are: theta"),
    "theta_s for Eu": (lambda: Pairing("Eu", 1.0, theta=0.1, theta_s=0.2), "angles of Eu are"),
    "no theta": (lambda: Pairing("A2g", 1.0), "A2g needs theta"),
    "no theta, E": (lambda: Pairing("Eu", 1.0, phi=0.3), "Eu needs theta"),
    "NaN theta": (lambda: Pairing("Eg", 1.0, theta=NAN), "finite numbers in radians"),
    "half of Eg": (
        lambda: Pairing("Eg", 1.0, theta=0.1, theta_s=0.2, phi_s=0.3),
        "Eg needs theta_t, phi_t",
    ),
    "phi and theta_s": (
        lambda: Pairing("Eg", 1.0, theta=0.1, phi=0.2, **FOUR),
        "either phi .* or theta_s, phi_s, theta_t, phi_t",
    ),
    "even triplet": (
        lambda: Pairing.from_bonds({(1, 0): np.eye(2), (-1, 0): np.eye(2)}),
        "Pauli principle",
    ),
    "gap of one spin": (lambda: Pairing.from_bonds({(1, 0): ONE, (-1, 0): -ONE}), "act on spin"),
    "gap of zeros": (lambda: Pairing.from_bonds({(0, 0): np.zeros((2, 2))}), "nonzero bond"),
}


@pytest.mark.parametrize("case", PAIRINGS)
def test_an_undefined_gap_is_refused(case: str) -> None:
    build, rule = PAIRINGS[case]
    with pytest.raises(SpecificationError, match=rule) as caught:
        build()
    assert caught.value.received is not None
    assert caught.value.remedy


BONDS: dict[str, tuple[Callable[[], object], str]] = {
    "half a vector": (lambda: Bonds.from_dict({(0.5, 0): ONE}), "integer multiples"),
    "NaN vector": (lambda: Bonds.from_dict({(NAN, 0): ONE}), "integer multiples"),
    "infinite vector": (lambda: Bonds.from_dict({(float("inf"), 0): ONE}), "integer multiples"),
    "four components": (
        lambda: Bonds(np.zeros((2, 4), dtype=int), np.zeros((2, 1, 1))),
        "integer multiples",
    ),
    "NaN amplitude": (lambda: Bonds.from_dict({(0, 0): NAN}), "finite numbers"),
    "not square": (lambda: Bonds.from_dict({(0, 0): np.zeros((1, 2))}), "square"),
    "two shapes": (lambda: Bonds.from_dict({(0, 0): ONE, (1, 0): np.eye(2)}), "same shape"),
    "none at all": (lambda: Bonds.from_dict({}), "same shape"),
    "twice": (lambda: Bonds(np.array([[1, 0], [1, 0]]), np.ones((2, 1, 1))), "stands once"),
    "too few matrices": (
        lambda: Bonds(np.array([[1, 0], [0, 0]]), np.ones((1, 1, 1))),
        "one square matrix per",
    ),
    "not Hermitian": (
        lambda: Material("X", Lattice("square", 1.0), Bonds.from_dict({(1, 0): np.eye(2)})),
        "Hermitian",
    ),
    "NaN scalar": (lambda: Impurity.scalar(NAN), "finite numbers"),
    "infinite moment": (lambda: Impurity.magnetic((0, 0, float("inf"))), "finite numbers"),
    "NaN weight": (lambda: Impurity.scalar(1.0, orbitals=(1.0, NAN)), "finite numbers"),
    "two components": (lambda: Impurity.magnetic((1.0, 2.0)), "three components"),
    "no impurity": (lambda: Impurity(()), "at least one term"),
    "no lattice": (lambda: Lattice("cubic", 3.4), "one of triangular, square"),
    "no size": (lambda: Lattice("square", 0.0), "positive length"),
}


@pytest.mark.parametrize("case", BONDS)
def test_undefined_bonds_lattices_and_impurities_are_refused(case: str) -> None:
    build, rule = BONDS[case]
    with pytest.raises(SpecificationError, match=rule) as caught:
        build()
    assert caught.value.remedy


def square_material() -> Material:
    return Material("X", Lattice("square", 1.0), Bonds.from_dict({(0, 0): np.eye(4)}))


def test_the_parts_of_a_specification_must_fit(nbse2: Material) -> None:
    gap, impurity = Pairing("A1u", 1.0), Impurity.scalar(1.0)
    with pytest.raises(SpecificationError, match="eps0 is a finite number"):
        Specification(nbse2, gap, impurity, NAN)
    with pytest.raises(SpecificationError, match="knows the triangular lattice alone"):
        Specification(square_material(), gap, impurity)
    with pytest.raises(SpecificationError, match="one weight per orbital"):
        Specification(nbse2, gap, Impurity.scalar(1.0, orbitals=(1.0, 0.0)))
    wide = Pairing.from_bonds(gap.bonds(orbitals=3))
    with pytest.raises(SpecificationError, match="2n x 2n for a material with n orbitals"):
        Specification(square_material(), wide, impurity)


def numerics(**change: object) -> Numerics:
    values: dict[str, object] = {"energies": [0.0], "broadening": 0.1, "window": 16}
    return Numerics(**(values | {"method": Grid(32)} | change))  # type: ignore[arg-type]


NUMERICS: dict[str, tuple[Callable[[], object], str]] = {
    "negative broadening": (lambda: numerics(broadening=-0.1), "broadening is a positive"),
    "no broadening": (lambda: numerics(broadening=0.0), "broadening is a positive"),
    "NaN broadening": (lambda: numerics(broadening=NAN), "broadening is a positive"),
    "odd window": (lambda: numerics(window=15), "even number of sites"),
    "no window": (lambda: numerics(window=0), "even number of sites"),
    "window beyond the torus": (lambda: numerics(window=34), "window <= kgrid"),
    "NaN energy": (lambda: numerics(energies=[0.0, NAN]), "finite numbers in meV"),
    "no energy": (lambda: numerics(energies=[]), "finite numbers in meV"),
    "no k-points": (lambda: Grid(0), "positive whole number of points"),
    "half a k-point": (lambda: Grid(16.5), "positive whole number of points"),  # type: ignore[arg-type]
    "an empty batch": (lambda: simulate_batch([], numerics()), "at least one specification"),
}


@pytest.mark.parametrize("case", NUMERICS)
def test_numerics_that_cannot_be_computed_are_refused(case: str) -> None:
    build, rule = NUMERICS[case]
    with pytest.raises(NumericsError, match=rule) as caught:
        build()
    assert caught.value.received is not None
    assert caught.value.remedy


def test_a_question_without_an_answer_never_reaches_the_kernel(nbse2: Material) -> None:
    """A convention or momenta that do not exist are refused before Julia is started."""
    specification = Specification(nbse2, Pairing("A1u", 1.0), Impurity.scalar(1.0))
    with pytest.raises(NumericsError, match="convention is one of ldos, paper"):
        simulate(specification, numerics(), convention="born")  # type: ignore[arg-type]
    for momenta in ([0.0, 0.0], [[0.0, NAN]], [[0.0, 0.0, 0.0]]):
        with pytest.raises(NumericsError, match="finite reduced coordinates"):
            spectral_function(specification, momenta, [0.0], 0.1)
    with pytest.raises(NumericsError, match="positive whole number of points"):
        density_of_states(specification, [0.0], 0.1, 0)


def test_the_message_has_rule_value_and_remedy_on_lines_of_their_own() -> None:
    error = SpecificationError("Rules hold.", 3.5, "Keep them.")
    assert str(error).splitlines() == ["Rules hold.", "Received: 3.5", "Remedy: Keep them."]
    assert str(SpecificationError("Rules hold.")) == "Rules hold."


def every_error() -> list[type[GapscopeError]]:
    return [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, GapscopeError)
    ]


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_every_error_travels_between_processes_whole(kind: type[GapscopeError]) -> None:
    """Pickles carry exceptions between Dask processes; values become their text."""
    error = kind("Rules hold.", [1, 2], "Keep them.")
    received = pickle.loads(pickle.dumps(error))  # noqa: S301 (made one line above)
    assert type(received) is kind
    assert str(received) == str(error)
    assert (received.rule, received.received, received.remedy) == (
        "Rules hold.",
        "[1, 2]",
        "Keep them.",
    )


def test_errors_are_caught_as_the_usual_python_ones() -> None:
    assert issubclass(SpecificationError, ValueError)
    assert issubclass(errors.KernelError, RuntimeError)
    assert all(issubclass(kind, GapscopeError) for kind in every_error())
