"""Gaps by irrep, shell and channel against published tables and against what they must obey.

Sources: M. Sigrist and K. Ueda, Rev. Mod. Phys. 63, 239 (1991), tables of basis functions of even
and odd gaps with strong spin-orbit coupling for D4h, D6h and D3d, and of D2h in J. F. Annett, Adv.
Phys. 39, 83 (1990); J. Hanis, M. Milivojevic and M. Gmitra, Phys. Rev. B 110, 104502 (2024) for
NbSe2 on a substrate (C3v). States with k_z have no place in one layer. That t2g orbitals on a site
make 4 A1g + A2g + 2 B1g + 2 B2g + 3 Eg is the product of their irreps, antisymmetrised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from crystals import (
    SQUARE,
    SX,
    SY,
    SZ,
    diagonal_hoppings,
    fese,
    honeycomb,
    of_symmetry,
    rashba_on,
    rashba_square,
    rectangular_hoppings,
    square,
    t2g,
    turning_square,
    without_spin_orbit,
)
from gapscope.errors import SpecificationError
from gapscope.physics import Bonds, Material
from gapscope.physics.gaps.basis_function import BasisFunction
from gapscope.physics.gaps.classify import classify_gaps
from gapscope.physics.group.found import find_group
from gapscope.physics.group.lookup import find_irrep
from gapscope.physics.orbitals import Orbital

ROUNDING = 1e-10
I_SY = np.array([[0, 1], [-1, 0]])
SPINS = {"s": np.eye(2), "x": SX, "y": SY, "z": SZ}

CRYSTALS: dict[str, tuple[Callable[[Material], Material], int]] = {
    "NbSe2": (lambda m: m, 5),
    "NbSe2 without spin-orbit coupling": (without_spin_orbit, 4),
    "NbSe2 on a substrate": (rashba_on, 3),
    "square": (lambda m: square(), 4),
    "square with Rashba coupling": (lambda m: rashba_square(), 3),
    "D2h": (lambda m: rectangular_hoppings(), 3),
    "D2h at 45 degrees": (lambda m: diagonal_hoppings(), 3),
    "C4h": (lambda m: turning_square(), 4),
    "t2g": (lambda m: t2g(), 1),
    "p orbitals": (lambda m: of_symmetry([Orbital(c) for c in ("s", "px", "py")], m.lattice), 1),
    "graphene": (lambda m: honeycomb(), 4),
    "boron nitride": (lambda m: honeycomb(mass=500.0), 3),
    "silicene": (lambda m: honeycomb(buckled=0.5), 3),
    "FeSe": (lambda m: fese(), 1),
}


@pytest.fixture(scope="module")
def classified() -> dict[str, list[BasisFunction]]:
    return {}


@pytest.fixture(params=CRYSTALS)
def crystal(
    request: pytest.FixtureRequest, nbse2: Material, classified: dict[str, list[BasisFunction]]
) -> tuple[Material, list[BasisFunction], int]:
    make, shells = CRYSTALS[request.param]
    material = make(nbse2)
    if request.param not in classified:
        classified[request.param] = classify_gaps(material, shells)
    return material, classified[request.param], shells


def flat(bonds: Bonds, vectors: Sequence[tuple[int, int]]) -> np.ndarray:
    """All amplitudes as one vector, in the order of some lattice vectors."""
    given = dict(zip(map(tuple, bonds.vectors.tolist()), bonds.matrices, strict=True))
    assert set(given) <= set(vectors)
    zero = np.zeros((bonds.dimension, bonds.dimension))
    return np.concatenate([given.get(r, zero).ravel() for r in vectors])


def span(functions: Sequence[BasisFunction], more: Sequence[Bonds] = ()) -> tuple[np.ndarray, list]:
    partners = [p for one in functions for p in one.partners]
    vectors = sorted({tuple(r) for p in [*partners, *more] for r in p.vectors.tolist()})
    return np.array([flat(p, vectors) for p in partners]).T, vectors


def by_brute_force(material: Material, shells: int) -> list[tuple[float, int]]:
    """Length of every shell, and the dimension of the gaps that Pauli's principle allows on it.

    (4 N - F) / 2: N pairs of orbitals (R, i, j) with four spin states each, of which F are their
    own partner (-R, j, i) with the same spins.
    """
    assert material.basis is not None
    a = material.lattice
    places = [
        np.array([*(np.array(o.position) @ a.vectors), o.height / a.constant])
        for o in material.basis
    ]
    counts: Counter[float] = Counter()
    own: Counter[float] = Counter()
    for r in np.ndindex(19, 19):
        step = np.array([*((np.array(r) - 9) @ a.vectors), 0.0])
        for i, one in enumerate(places):
            for j, two in enumerate(places):
                length = round(float(np.linalg.norm(step + two - one)), 6)
                counts[length] += 1
                own[length] += 2 * (r == (9, 9) and i == j)
    lengths = sorted(counts)[: shells + 1]
    return [(length, (4 * counts[length] - own[length]) // 2) for length in lengths]


def test_every_shell_holds_as_many_states_as_pauli_allows(
    crystal: tuple[Material, list[BasisFunction], int],
) -> None:
    material, functions, shells = crystal
    for number, (length, dimension) in enumerate(by_brute_force(material, shells)):
        own = [one for one in functions if one.shell == number]
        assert {round(one.length, 6) for one in own} == {length}
        assert sum(one.irrep.dimension for one in own) == dimension
        amplitudes, _ = span(own)
        assert np.linalg.matrix_rank(amplitudes) == dimension


def test_partners_transform_by_the_standard_matrices(
    crystal: tuple[Material, list[BasisFunction], int],
) -> None:
    """U Delta_n U^T on g R = sum_m D_mn(g) Delta_m."""
    material, functions, _ = crystal
    kinds = set()
    for number, operation in enumerate(find_group(material).operations):
        # Of many orbitals, one operation of each kind: together they generate the group.
        kind = (operation.planar.kind, abs(round(operation.planar.angle)) % 180 == 0)
        if material.orbitals > 2 and kind in kinds:
            continue
        kinds.add(kind)
        for one in functions:
            for n, partner in enumerate(one.partners):
                expected = Bonds.sum(
                    p.scaled(d)
                    for p, d in zip(one.partners, one.irrep.matrices[number, :, n], strict=True)
                )
                difference = Bonds.sum([operation.on_gap(partner), expected.scaled(-1)])
                assert np.abs(difference.matrices).max() < ROUNDING, one.title


def test_gaps_obey_pauli_and_are_even_under_time_reversal(
    crystal: tuple[Material, list[BasisFunction], int],
) -> None:
    material, functions, _ = crystal
    turn = np.kron(I_SY, np.eye(material.orbitals))
    for one in functions:
        for p in one.partners:
            assert p.distance(p.reversed().transpose().scaled(-1)) < ROUNDING
            reversed_in_time = Bonds(p.vectors, turn @ p.matrices.conj() @ turn.T)
            assert reversed_in_time.distance(p) < ROUNDING


def test_all_functions_are_orthogonal(crystal: tuple[Material, list[BasisFunction], int]) -> None:
    amplitudes, _ = span(crystal[1])
    overlaps = amplitudes.conj().T @ amplitudes
    assert np.abs(overlaps - np.diag(np.diag(overlaps))).max() < ROUNDING


def test_the_largest_singular_value_in_the_zone_is_one(
    crystal: tuple[Material, list[BasisFunction], int], rng: np.random.Generator
) -> None:
    """By plain search: a grid with the points of symmetry, and random momenta."""
    m = np.arange(12) / 12
    grid = np.stack(np.meshgrid(m, m), axis=-1).reshape(-1, 2)
    k = np.concatenate([grid, rng.random((200, 2))])
    for one in crystal[1]:
        largest = max(np.linalg.svd(p.at(k), compute_uv=False).max() for p in one.partners)
        assert 0.9 < largest < 1 + 1e-9, one.title


def test_channels_are_what_they_are_called(
    crystal: tuple[Material, list[BasisFunction], int],
) -> None:
    """(psi + d.sigma) i sigma_y: the parts other than the channel's vanish."""
    material, functions, _ = crystal
    n = material.orbitals
    parts = {"s": "s", "tz": "z", "txy": "xy"}
    for one in functions:
        for p in one.partners:
            blocks = p.matrices.reshape(-1, 2, n, 2, n)
            for name, sigma in SPINS.items():
                d = np.einsum("raibj,bc->raicj", blocks, I_SY.T)
                d = np.einsum("ca,raicj->rij", sigma, d) / 2
                if name not in parts[one.channel]:
                    assert np.abs(d).max() < ROUNDING


def multiplicities(
    functions: Sequence[BasisFunction], shell: int, channels: str = "s tz txy"
) -> dict[str, int]:
    return dict(
        Counter(
            one.irrep.name
            for one in functions
            if one.shell == shell and one.channel in channels.split()
        )
    )


def test_d3h_nearest_neighbours(nbse2: Material) -> None:
    found = classify_gaps(nbse2, 1)
    expected = {"A1g": 2, "A1u": 1, "A2u": 1, "Eg": 2, "Eu": 2}
    assert multiplicities(found, 1) == expected
    assert multiplicities(found, 0) == {"A1g": 1}


def test_c3v_nearest_neighbours_are_those_of_nbse2_on_a_substrate(nbse2: Material) -> None:
    """Without z -> -z: 3 A1 + A2 + 4 E (Hanis, Milivojevic, Gmitra 2024)."""
    found = classify_gaps(rashba_on(nbse2), 1)
    assert multiplicities(found, 1) == {"A1": 3, "A2": 1, "E": 4}


def test_c4v_nearest_neighbours() -> None:
    """D4h's A1g, B1g; Eu; A1u, A2u, B1u, B2u without z -> -z (A1u: A2, A2u: A1, B1u: B2 ...)."""
    found = classify_gaps(rashba_square(), 1)
    assert multiplicities(found, 1, "s") == {"A1": 1, "B1": 1}
    assert multiplicities(found, 1, "tz") == {"E": 1}
    assert multiplicities(found, 1, "txy") == {"A1": 1, "A2": 1, "B1": 1, "B2": 1}


def test_t2g_with_spin_orbit_coupling() -> None:
    found = classify_gaps(t2g(), 1)
    assert multiplicities(found, 0) == {"A1g": 4, "A2g": 1, "B1g": 2, "B2g": 2, "Eg": 3}
    states = [sum(f.irrep.dimension for f in found if f.shell == n) for n in (0, 1)]
    assert states == [15, 72]


# d vectors (with "s" for a singlet) as functions on bonds: (channel component, vector, even/odd).
Terms = Mapping[str, Mapping[tuple[int, int], float]]
X, Y = (1, 0), (0, 1)


def gap(terms: Terms) -> Bonds:
    """sum_R c_R cos k.R for "s", sum_R c_R sin k.R times d_x, d_y, d_z for "x", "y", "z"."""
    parts = []
    for name, coefficients in terms.items():
        spin = SPINS[name] @ I_SY
        for (r1, r2), c in coefficients.items():
            amplitude = c / 2 if name == "s" else c / 2j
            back = amplitude if name == "s" else -amplitude
            parts.append(Bonds.from_dict({(r1, r2): amplitude * spin, (-r1, -r2): back * spin}))
    return Bonds.sum(parts)


def irreps_of(terms: Terms, functions: Sequence[BasisFunction]) -> set[tuple[str, str]]:
    """Irreps and channels that a gap has a part in."""
    one = gap(terms)
    amplitudes, vectors = span(functions, [one])
    weights = np.linalg.lstsq(amplitudes, flat(one, vectors))[0]
    assert np.abs(amplitudes @ weights - flat(one, vectors)).max() < ROUNDING
    labels = [(f.irrep.name, f.channel) for f in functions for _ in f.partners]
    return {label for label, weight in zip(labels, weights, strict=True) if abs(weight) > 1e-9}


def momentum(material: Material, power: str) -> dict[tuple[int, int], float]:
    """Coefficients of sum_R c_R sin k.R ~ kx or ky for small k, on nearest neighbours."""
    neighbours = [(1, 0), (0, 1)]
    if material.lattice.name == "triangular":
        neighbours.append((-1, 1))
    axis = "xy".index(power)
    return {r: float((np.array(r) @ material.lattice.vectors)[axis]) for r in neighbours}


def odd_table(material: Material) -> dict[str, Terms]:
    """The d vectors of Sigrist and Ueda that are linear in kx, ky."""
    kx, ky = momentum(material, "x"), momentum(material, "y")

    def minus(one: Mapping[tuple[int, int], float]) -> dict[tuple[int, int], float]:
        return {r: -c for r, c in one.items()}

    return {
        "x kx + y ky": {"x": kx, "y": ky},
        "x ky - y kx": {"x": ky, "y": minus(kx)},
        "x kx - y ky": {"x": kx, "y": minus(ky)},
        "x ky + y kx": {"x": ky, "y": kx},
        "x kx": {"x": kx},
        "y kx": {"y": kx},
        "z kx": {"z": kx},
        "z ky": {"z": ky},
    }


ODD: dict[str, tuple[Callable[[Material], Material], dict[str, str]]] = {
    "D4h": (
        lambda m: square(),
        {
            "x kx + y ky": "A1u",
            "x ky - y kx": "A2u",
            "x kx - y ky": "B1u",
            "x ky + y kx": "B2u",
            "z kx": "Eu",
            "z ky": "Eu",
        },
    ),
    "D6h": (
        without_spin_orbit,
        {
            "x kx + y ky": "A1u",
            "x ky - y kx": "A2u",
            "x kx - y ky": "E2u",
            "x ky + y kx": "E2u",
            "z kx": "E1u",
            "z ky": "E1u",
        },
    ),
    "D3d": (
        lambda m: trigonal(),
        {
            "x kx + y ky": "A1u",
            "x ky - y kx": "A2u",
            "x kx - y ky": "Eu",
            "x ky + y kx": "Eu",
            "z kx": "Eu",
            "z ky": "Eu",
        },
    ),
    "D2h": (
        lambda m: rectangular_hoppings(),
        {"x kx": "Au", "y kx": "B1u", "z kx": "B2u", "z ky": "B3u"},
    ),
}


def trigonal() -> Material:
    """One s orbital above and one below the plane of each site, staggered: D3d."""
    return honeycomb(buckled=0.5)


@pytest.mark.parametrize("name", ODD)
def test_odd_gaps_belong_to_the_irreps_of_the_tables(name: str, nbse2: Material) -> None:
    make, table = ODD[name]
    material = make(nbse2)
    group = find_group(material)
    assert group.schoenflies == name
    if material.orbitals == 1:
        functions = classify_gaps(material, 2)
        for text, irrep in table.items():
            channel = "tz" if text.startswith("z") else "txy"
            terms = odd_table(material)[text]
            assert irreps_of(terms, functions) == {(irrep, channel)}, text
        return
    # Of two orbitals, the gap between equal ones: projected by the characters themselves.
    for text, irrep in table.items():
        bonds = gap(odd_table(material)[text]).kron(right=np.eye(2))
        chosen = find_irrep(group, irrep)
        images = [one.on_gap(bonds) for one in group.operations]
        weight = chosen.dimension / len(images)
        projected = Bonds.sum(
            image.scaled(weight * c) for image, c in zip(images, chosen.characters, strict=True)
        )
        assert projected.distance(bonds) < ROUNDING, text


EVEN = {
    "D4h": {
        "A1g": {X: 1.0, Y: 1.0},
        "B1g": {X: 1.0, Y: -1.0},
        "B2g": {(1, 1): 1.0, (1, -1): -1.0},
        "A2g": {(2, 1): 1.0, (1, 2): -1.0, (2, -1): -1.0, (1, -2): 1.0},
    },
    "D6h": {
        "A1g": {X: 1.0, Y: 1.0, (-1, 1): 1.0},
        "E2g": {X: 1.0, Y: -0.5, (-1, 1): -0.5},
        "A2g": {
            (2, 1): 1.0,
            (1, 2): -1.0,
            (-1, 3): 1.0,
            (-2, 3): -1.0,
            (-3, 2): 1.0,
            (-3, 1): -1.0,
        },
    },
    "D2h": {"Ag": {X: 1.0}, "B1g": {(1, 1): 1.0, (1, -1): -1.0}},
}


@pytest.mark.parametrize(("name", "irrep"), [(n, i) for n, table in EVEN.items() for i in table])
def test_even_gaps_belong_to_the_irreps_of_the_tables(
    name: str, irrep: str, nbse2: Material
) -> None:
    """s, dx2-y2, dxy and the g wave kx ky (kx2 - ky2); the i wave of D6h's A2g."""
    material = ODD[name][0](nbse2)
    functions = classify_gaps(material, 4, ["s"])
    assert irreps_of({"s": EVEN[name][irrep]}, functions) == {(irrep, "s")}


def test_f_waves_along_the_bonds_and_between_them_are_told_apart(nbse2: Material) -> None:
    """d_z kx (kx2 - 3 ky2) is odd under C2' along x (d_z is axial): B2u; its partner is B1u."""
    functions = classify_gaps(without_spin_orbit(nbse2), 2, ["tz"])
    along = {"z": {(1, 0): 1.0, (0, 1): -1.0, (-1, 1): 1.0}}
    between = {"z": {(1, 1): 1.0, (-1, 2): -1.0, (-2, 1): 1.0}}
    assert irreps_of(along, functions) == {("B2u", "tz")}
    assert irreps_of(between, functions) == {("B1u", "tz")}


def test_the_rashba_state_is_fully_gapped() -> None:
    """sin ky d_x - sin kx d_y follows the spins of both bands: A1, no node (study of signs)."""
    found = classify_gaps(rashba_square(), 1, ["txy"])
    terms = odd_table(square())["x ky - y kx"]
    assert irreps_of(terms, found) == {("A1", "txy")}


@pytest.mark.parametrize("shells", [-1, 13, 1.5, True, "2"])
def test_shells_are_a_small_whole_number(shells: object) -> None:
    with pytest.raises(SpecificationError, match="Shells of neighbours"):
        classify_gaps(square(), shells)  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [[], ["t"], ["s", "p"]])
def test_channels_are_named(channels: list[str]) -> None:
    with pytest.raises(SpecificationError, match="A channel is s"):
        classify_gaps(square(), 1, channels)


def test_a_cell_that_is_too_large_is_refused_with_the_vector() -> None:
    hop = np.array([[0.0, -50.0], [0.0, 0.0]])
    terms = {(0, 0): hop + hop.T, (-1, 0): hop, (1, 0): hop.T}
    basis = (Orbital("s"), Orbital("s", (0.5, 0.0)))
    material = Material("chain", SQUARE, Bonds.from_dict(terms).kron(left=np.eye(2)), basis=basis)
    with pytest.raises(SpecificationError, match=r"0\.5 a1"):
        classify_gaps(material, 1)
