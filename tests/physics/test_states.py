"""A state of any crystal: an irrep, a basis function, a magnitude, angles."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from crystals import SQUARE, honeycomb, rashba_on, square, t2g, without_spin_orbit
from gapscope.errors import SpecificationError
from gapscope.physics import Bonds, Impurity, Lattice, Material, Pairing, Specification
from gapscope.physics.gaps.classify import ShellGaps, classify_gaps
from gapscope.physics.gaps.magnitude import largest_singular_value
from gapscope.physics.gaps.mixture import FunctionTerm
from gapscope.physics.gaps.pair_space import CHANNELS
from gapscope.physics.group.found import find_group

I_SY = np.array([[0, 1], [-1, 0]])


def test_a_d_wave_is_an_irrep_and_a_magnitude(rng: np.random.Generator) -> None:
    """Delta = 35/2 (cos kx - cos ky) i sigma_y, 35 meV at the zone's edge."""
    pairing = Pairing.of(square(), "B1g", 35.0)
    m = rng.random((50, 2))
    form = 17.5 * (np.cos(2 * np.pi * m[:, 0]) - np.cos(2 * np.pi * m[:, 1]))
    assert np.abs(pairing.bonds().at(m) - form[:, None, None] * I_SY).max() < 1e-12
    assert pairing.gap == 35.0
    assert pairing.names == {"group": "D4h", "channel": "s", "shell": 1, "copy": 1}


def test_a_gap_given_by_bonds_is_called_what_it_is_in_the_zone() -> None:
    d = 8.75 * I_SY
    given = Pairing.from_bonds({(1, 0): d, (-1, 0): d, (0, 1): -d, (0, -1): -d})
    assert given.gap == pytest.approx(35.0, rel=1e-12)
    assert given.bonds().distance(Pairing.of(square(), "B1g", 35.0).bonds()) < 1e-12
    onsite = Pairing.from_bonds({(0, 0): 0.8 * I_SY})
    assert onsite.gap == pytest.approx(0.8, rel=1e-12)


def test_the_largest_value_is_found_where_no_grid_has_it() -> None:
    """|cos k + c cos 2k| by calculus: a maximum at cos k = -1/(4c), of c + 1/(8c)."""
    c = 0.61
    coefficients = {(1, 0): 0.5, (-1, 0): 0.5, (2, 0): c / 2, (-2, 0): c / 2}
    bonds = Bonds.from_dict({r: -value * I_SY for r, value in coefficients.items()})
    inner = c + 1 / (8 * c)
    assert largest_singular_value(bonds) == pytest.approx(max(1 + c, inner), rel=1e-12)
    minus = Bonds.from_dict(
        {(1, 0): 0.5 * I_SY, (-1, 0): 0.5 * I_SY, (2, 0): 2 * I_SY, (0, 0): -3.9 * I_SY,
         (-2, 0): 2 * I_SY}
    )  # fmt: skip
    # f = cos k + 4 cos 2k - 3.9 is lowest at cos k = -1/16.
    k = np.arccos(-1 / 16)
    assert largest_singular_value(minus) == pytest.approx(
        abs(np.cos(k) + 4 * np.cos(2 * k) - 3.9), rel=1e-10
    )


@pytest.mark.parametrize("theta", [0.0, 0.4, 2.0])
@pytest.mark.parametrize("phi", [None, 0.0, np.pi / 2])
def test_theta_and_phi_mix_the_partners(theta: float, phi: float | None) -> None:
    (function,) = classify_gaps(square(), 1, ["tz"])
    assert function.irrep.name == "Eu"
    pairing = Pairing.of(square(), "Eu", 2.0, theta=theta, phi=phi)
    first, second = function.partners
    phase = np.exp(1j * (phi or 0.0))
    expected = Bonds.sum(
        [first.scaled(2 * np.cos(theta)), second.scaled(2 * phase * np.sin(theta))]
    )
    difference = Bonds.sum([pairing.bonds(), expected.scaled(-1)])
    assert np.abs(difference.matrices).max() < 1e-14
    assert pairing.angles == {"theta": theta} | ({} if phi is None else {"phi": phi})


def test_turning_the_crystal_turns_the_coefficients() -> None:
    """g maps the state with coefficients c onto the one with D(g) c."""
    material = square()
    group = find_group(material)
    irrep = next(one for one in group.irreps if one.name == "Eu")
    theta = 0.4
    gap = Pairing.of(material, "Eu", 1.0, theta=theta).bonds()
    for operation, matrix in zip(group.operations, irrep.matrices, strict=True):
        x, y = matrix @ (np.cos(theta), np.sin(theta))
        moved = Pairing.of(material, "Eu", 1.0, theta=float(np.arctan2(y, x))).bonds()
        assert operation.on_gap(gap).distance(moved) < 1e-12


def test_named_states_of_nbse2_keep_the_papers_matrices(nbse2: Material) -> None:
    for irrep, angles in (
        ("A1g", {"theta": 0.3}),
        ("A1u", {}),
        ("A2g", {"theta": 1.0}),
        ("A2u", {}),
        ("Eg", {"theta": 0.3, "phi": 0.2}),
        ("Eu", {"theta": 0.3}),
    ):
        paper = Pairing(irrep, 1.2, **angles)
        assert Pairing.of(nbse2, irrep, 1.2, **angles).to_dict() == paper.to_dict()
    assert Pairing.of(nbse2, "A2''", 1.0).to_dict() == Pairing("A1u", 1.0).to_dict()


def test_several_known_orbitals_of_d3h_are_classified() -> None:
    """Boron nitride: the s wave on site is its own A1g, not the paper's."""
    pairing = Pairing.of(honeycomb(mass=500.0), "A1g", 1.0, copy=1)
    assert pairing.names == {"group": "D3h", "channel": "s", "shell": 0, "copy": 1}


def test_a_shell_or_channel_chooses_a_basis_function_of_nbse2(nbse2: Material) -> None:
    onsite = Pairing.of(nbse2, "A1g", 1.0, shell=0)
    assert onsite.bonds().distance(Bonds.from_dict({(0, 0): I_SY})) < 1e-12
    triplet = Pairing.of(nbse2, "A1g", 1.0, channel="tz")
    assert triplet.names["shell"] == 1
    second = Pairing.of(nbse2, "Eu", 1.0, shell=1, channel="txy", copy=2, theta=0.0)
    assert second.names["copy"] == 2


def test_unknown_orbitals_on_a_triangular_lattice_have_the_papers_states_alone() -> None:
    bonds = Bonds.from_dict({(0, 0): np.diag([1.0, 2.0, 1.0, 2.0])})
    unknown = Material("w90", Lattice("triangular", 3.0), bonds)
    assert Pairing.of(unknown, "A1u", 1.0).to_dict() == Pairing("A1u", 1.0).to_dict()
    with pytest.raises(SpecificationError, match="unknown character"):
        Pairing.of(unknown, "A1u", 1.0, shell=1)
    with pytest.raises(SpecificationError, match="unknown character"):
        Pairing.of(Material("w90", SQUARE, bonds), "B1g", 1.0)


def test_crystals_of_several_orbitals_pair_in_their_own_basis() -> None:
    pairing = Pairing.of(t2g(), "B1g", 3.0, shell=0, channel="s")
    matrix = pairing.bonds(3).matrices[0]
    expected = np.kron(I_SY, np.diag([3.0, -3.0, 0.0]))  # dxz dxz - dyz dyz
    assert np.abs(matrix - expected).max() < 1e-12
    graphene = Pairing.of(honeycomb(), "A1g", 1.0, shell=1, channel="s")
    assert graphene.bonds(2).dimension == 4


def test_mixtures_are_made_of_basis_functions(nbse2: Material) -> None:
    """On a substrate singlet and triplet mix in A1: 2 f_s + 1 f_txy, together of size gap."""
    material = rashba_on(nbse2)
    functions = [one for one in classify_gaps(material, 1) if one.irrep.name == "A1"]
    s = next(one for one in functions if one.channel == "s" and one.shell == 0)
    t = next(one for one in functions if one.channel == "txy")
    mixed = Pairing.from_functions(1.5, [(s, [2.0]), (t, [1.0])])
    root = np.sqrt(5)
    expected = Bonds.sum([s.partners[0].scaled(1.5 * 2 / root), t.partners[0].scaled(1.5 / root)])
    assert mixed.bonds().distance(expected) < 1e-12
    assert (mixed.irrep, mixed.gap, len(mixed.terms)) == ("A1", 1.5, 2)


def mixture(material: Material, irrep: str, *functions: str, **angles: float) -> Pairing:
    terms = [FunctionTerm.parse(text) for text in functions]
    return Pairing.mixture(material, irrep, 1.5, terms, **angles)


def test_a_mixture_is_named_by_channel_shell_copy_and_coefficients() -> None:
    found = classify_gaps(t2g(), 0, ["s", "tz"])
    first, second, third = (one for one in found if one.irrep.name == "A1g")
    mixed = mixture(t2g(), "A1g", "s:0:2=0.5", "s:0:1 = -1", "tz:0=0.25+0.5j")
    expected = Bonds.sum(
        one.partners[0].scaled(1.5 * c / np.sqrt(1 + 0.25 + 0.3125))
        for one, c in ((first, -1.0), (second, 0.5), (third, 0.25 + 0.5j))
    )
    assert mixed.bonds(3).distance(expected) < 1e-12
    assert mixed.gap == 1.5
    assert [(one.channel, one.copy) for one in mixed.terms] == [("s", 2), ("s", 1), ("tz", 1)]


def test_partners_are_given_each_a_coefficient_or_all_one_direction() -> None:
    (one,) = classify_gaps(square(), 1, ["tz"])
    further = next(f for f in classify_gaps(square(), 2, ["tz"]) if f.shell == 2)
    chiral = mixture(square(), "Eu", "tz:1=1,1j")
    terms = zip(one.partners, (1, 1j), strict=True)
    expected = Bonds.sum(f.scaled(1.5 * c / np.sqrt(2)) for f, c in terms)
    assert chiral.bonds().distance(expected) < 1e-12
    turned = mixture(square(), "Eu", "tz:1=0.6", "tz:2=-0.8j", theta=0.4, phi=0.3)
    shares = (np.cos(0.4), np.exp(0.3j) * np.sin(0.4))
    expected = Bonds.sum(
        f.scaled(1.5 * c * share)
        for function, c in ((one, 0.6), (further, -0.8j))
        for f, share in zip(function.partners, shares, strict=True)
    )
    assert turned.bonds().distance(expected) < 1e-12
    assert turned.angles == {"theta": 0.4, "phi": 0.3}
    assert Pairing.from_dict(turned.to_dict()).bonds().distance(expected) < 1e-12


@pytest.mark.parametrize("text", ["s", "s:", "s:x", "1:s", "s:1=", "s:1=a", "s:1=1,", "s:-1"])
def test_a_function_that_is_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(SpecificationError, match="CHANNEL:SHELL"):
        FunctionTerm.parse(text)


@pytest.mark.parametrize("material", [square(), t2g(), honeycomb()])
def test_functions_are_counted_as_they_are_made(material: Material) -> None:
    group = find_group(material)
    crystal = ShellGaps(material, group, 1)
    for shell in (0, 1):
        made = Counter(
            (one.irrep.name, one.channel) for one in crystal.of(shell, CHANNELS, group.irreps)
        )
        assert crystal.count(shell, CHANNELS, group.irreps) == made


def test_a_state_is_written_with_all_that_it_is() -> None:
    pairing = Pairing.of(square(), "Eu", 2.0, theta=0.4, phi=0.1)
    content = json.loads(json.dumps(pairing.to_dict()))
    assert content["irrep"] == "Eu"
    assert content["gap"] == 2.0
    assert (content["theta"], content["phi"]) == (0.4, 0.1)
    (term,) = content["terms"]
    assert {k: term[k] for k in ("group", "channel", "shell", "copy")} == pairing.names
    again = Pairing.from_dict(content)
    assert again.to_dict() == pairing.to_dict()
    assert again.bonds().distance(pairing.bonds()) == 0.0
    assert repr(pairing) == (
        "<Pairing Eu of D4h, tz shell 1 copy 1, gap 2 meV, theta 0.4, phi 0.1>"
    )
    Specification(square(), pairing, Impurity.scalar(1.0)).bdg()


def test_gaps_that_earlier_versions_wrote_are_read() -> None:
    """A gap by bonds was called by its largest amplitude, 8.75; its bonds are what they were."""
    bonds = {"vectors": [[-1, 0], [0, -1], [0, 1], [1, 0]]}
    real = [[[0, s * 8.75], [-s * 8.75, 0]] for s in (1, -1, -1, 1)]
    zero = np.zeros((4, 2, 2)).tolist()
    old = {"irrep": "custom", "gap": 8.75, "bonds": {**bonds, "real": real, "imag": zero}}
    read = Pairing.from_dict(old)
    assert read.bonds().distance(Pairing.of(square(), "B1g", 35.0).bonds()) < 1e-12
    assert read.gap == pytest.approx(35.0)
    named = {"irrep": "Eg", "gap": 1.25, "theta": 0.3, "phi": -0.4}
    assert Pairing.from_dict(named).to_dict() == named


REFUSALS = {
    "no such irrep": (
        lambda: Pairing.of(square(), "Eg1", 1.0),
        "irreps of D4h",
        "Did you mean Eg?",
    ),
    "not in D6h": (
        lambda: Pairing.of(without_spin_orbit(nbse2_like()), "Eg", 1.0),
        "irreps of D6h",
        "E1g or E2g",
    ),
    "not in this shell": (
        lambda: Pairing.of(square(), "B2g", 1.0, shell=1),
        "none in shell 1",
        "A1g, A1u, A2u, B1g",
    ),
    "not in this channel": (
        lambda: Pairing.of(square(), "B2g", 1.0, channel="tz"),
        "none in shells 0 to 6",
        "shell 2 (s)",
    ),
    "several channels": (
        lambda: Pairing.of(t2g(), "A1g", 1.0, shell=0),
        "A1g has 4 in shell 0: s copy 1, s copy 2, tz copy 1, txy copy 1",
        "Choose channel and copy",
    ),
    "several copies": (
        lambda: Pairing.of(t2g(), "A1g", 1.0, shell=0, channel="s"),
        "A1g has 2 in shell 0: s copy 1, s copy 2",
        "Choose channel and copy",
    ),
    "no such copy": (
        lambda: Pairing.of(square(), "B1g", 1.0, copy=2),
        "B1g has 1 in shell 1: s copy 1",
        "Choose channel and copy",
    ),
    "a theta too much": (
        lambda: Pairing.of(square(), "B1g", 1.0, theta=0.1),
        "angles of B1g s, shell 1 are: none",
        "Leave theta out",
    ),
    "a theta missing": (lambda: Pairing.of(square(), "Eu", 1.0), "two partners", "Give theta"),
    "an angle of the paper": (
        lambda: Pairing.of(square(), "Eu", 1.0, theta=0.1, theta_s=0.1),
        "angles of Eu",
        "Leave theta_s out",
    ),
    "theta not finite": (
        lambda: Pairing.of(square(), "Eu", 1.0, theta=float("nan")),
        "two partners",
        "Give theta",
    ),
    "no gap": (lambda: Pairing.of(square(), "B1g", 0.0), "positive number", "positive gap"),
    "a shell that is none": (
        lambda: Pairing.of(square(), "B1g", 1.0, shell=-1),
        "A shell of neighbours",
        "nearest neighbours",
    ),
    "a channel that is none": (
        lambda: Pairing.of(square(), "B1g", 1.0, channel="singlet"),
        "A channel is s",
        "Give some of s, tz, txy",
    ),
    "a shell without the irrep": (
        lambda: Pairing.of(square(), "B1g", 1.0, shell=2),
        "has none in shell 2",
        "in shell 1 (s), shell 3 (s), shell 4 (s), shell 6 (s). Shell 2 has A1g, A1u, A2u, B1u,"
        " B2g, B2u, Eu.",
    ),
    "a channel without the irrep": (
        lambda: Pairing.of(square(), "B1g", 1.0, shell=1, channel="tz"),
        "has none in shell 1 of the channel tz.",
        "in shell 1 (s), shell 3 (s)",
    ),
    "a function twice": (
        lambda: mixture(square(), "A1g", "s:1", "s:1:1=2"),
        "stands once",
        "Add its coefficients",
    ),
    "coefficients of no partner": (
        lambda: mixture(square(), "A1g", "s:1=1,2"),
        "A1g s, shell 1 has 1 partner.",
        "Give 1.",
    ),
    "coefficients of three partners": (
        lambda: mixture(square(), "Eu", "tz:1=1,2,3"),
        "has 2 partners",
        "Give 2, or one, and theta.",
    ),
    "partners without an angle": (lambda: mixture(square(), "Eu", "tz:1"), "two", "Give theta"),
    "an angle for nothing": (
        lambda: mixture(square(), "Eu", "tz:1=1,1j", theta=0.4),
        "given one coefficient",
        "Leave theta out",
    ),
    "a function of another irrep": (
        lambda: mixture(square(), "B1g", "s:1", "s:2"),
        "B1g of D4h has none in shell 2",
        "shell 1 (s)",
    ),
    "a function of several copies": (
        lambda: mixture(t2g(), "A1g", "s:0"),
        "A1g has 2 in shell 0",
        "--function",
    ),
    "coefficients that vanish": (
        lambda: mixture(square(), "A1g", "s:0=0", "s:1=0"),
        "not all zero",
        "Take functions",
    ),
    "no functions": (lambda: Pairing.from_functions(1.0, []), "one irrep", "Take functions"),
    "unlike irreps": (
        lambda: Pairing.from_functions(
            1.0, [(one, [1.0]) for one in classify_gaps(square(), 1, ["s"])]
        ),
        "one irrep",
        "Take functions",
    ),
    "too many coefficients": (
        lambda: Pairing.from_functions(1.0, [(classify_gaps(square(), 0)[0], [1.0, 2.0])]),
        "one for each partner",
        "as many numbers",
    ),
}


def nbse2_like() -> Material:
    """Nearest-neighbour hoppings on a triangular lattice."""
    hop = -50.0 * np.eye(2)
    return Material(
        "toy",
        Lattice("triangular", 3.4),
        Bonds.from_dict(dict.fromkeys(((1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1)), hop)),
    )


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_no_state_is_refused_with_what_would_be(name: str) -> None:
    make, rule, remedy = REFUSALS[name]
    with pytest.raises(SpecificationError) as caught:
        make()
    assert rule in caught.value.rule
    assert remedy in caught.value.remedy
