"""What the maps of NbSe2 must obey, whatever the k-grid: no reference values in this file."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from comparison import PAULI, STATES, difference
from gapscope.physics import Bonds, Impurity, Material, Pairing, Specification
from gapscope.physics.symmetry import (
    C2,
    C3,
    C6,
    D6,
    MIRROR_X,
    act_on_map,
    mirror_theta,
    rotate_theta_by_c3,
)
from gapscope.simulation.maps import Grid, Numerics, simulate, simulate_batch

NUMERICS = Numerics((0.0, 0.7, -1.3), 0.1, 32, Grid(96))
ROUNDING = 1e-9
"""Rounding grows with 1/delta near poles of G; the rules themselves are exact on the torus."""

MapOf = Callable[..., np.ndarray]


@pytest.fixture
def map_of(nbse2: Material) -> MapOf:
    def build(
        irrep: str, gap: float = 1.0, impurity: Impurity | None = None, **angles: float
    ) -> np.ndarray:
        scatterer = impurity or Impurity.scalar(50.0)
        specification = Specification(nbse2, Pairing(irrep, gap, **angles), scatterer, 20.0)
        return simulate_batch([specification], NUMERICS).ldos_change[0]

    return build


def on_hexagon(values: np.ndarray) -> np.ndarray:
    return act_on_map(np.eye(2, dtype=np.int64), values)


@pytest.mark.parametrize("irrep", ["A1g", "A2g", "Eg", "Eu"])
def test_theta_plus_pi_changes_no_map(map_of: MapOf, irrep: str) -> None:
    assert difference(map_of(irrep, theta=0.4 + np.pi), map_of(irrep, theta=0.4)) < ROUNDING


@pytest.mark.parametrize("irrep", ["A1g", "A2g"])
def test_maps_of_a1g_and_a2g_have_all_of_c6v(map_of: MapOf, irrep: str) -> None:
    values = map_of(irrep, theta=0.9)
    for operation in D6:
        assert difference(act_on_map(operation, values), on_hexagon(values)) < ROUNDING


def test_an_a1u_map_has_c3v_but_not_c2(map_of: MapOf) -> None:
    values = map_of("A1u")
    for operation in (C3, MIRROR_X):
        assert difference(act_on_map(operation, values), on_hexagon(values)) < ROUNDING
    for operation in (C2, C6):
        assert difference(act_on_map(operation, values), on_hexagon(values)) > 1e-3


@pytest.mark.parametrize("irrep", ["Eg", "Eu"])
@pytest.mark.parametrize("theta", [0.4, 2.9])
def test_rotating_an_e_map_by_120_degrees_shifts_theta_by_60(
    map_of: MapOf, irrep: str, theta: float
) -> None:
    values = map_of(irrep, theta=theta)
    shifted = map_of(irrep, theta=rotate_theta_by_c3(theta))
    assert difference(act_on_map(C3, values), on_hexagon(shifted)) < ROUNDING
    assert difference(values, shifted) > 1e-3


@pytest.mark.parametrize("irrep", ["Eg", "Eu"])
@pytest.mark.parametrize("theta", [0.4, 2.9])
def test_mirroring_an_e_map_reverses_theta(map_of: MapOf, irrep: str, theta: float) -> None:
    values = map_of(irrep, theta=theta)
    mirrored = map_of(irrep, theta=mirror_theta(theta))
    assert difference(act_on_map(MIRROR_X, values), on_hexagon(mirrored)) < ROUNDING
    assert difference(values, mirrored) > 1e-3


@pytest.mark.parametrize("convention", ["ldos", "paper"])
def test_the_image_of_a_rotated_state_is_the_rotated_image(
    nbse2: Material, convention: str
) -> None:
    """Images obey the rule only because they are made on the hexagon: q turns with r."""
    pair = [
        simulate(
            Specification(nbse2, Pairing("Eg", 1.0, theta=theta), Impurity.scalar(50.0), 20.0),
            NUMERICS,
            convention=convention,  # type: ignore[arg-type]
        ).qpi_re.to_numpy()
        for theta in (0.4, rotate_theta_by_c3(0.4))
    ]
    # q = (j1 b1 + j2 b2)/L turns by the transposed inverse of the matrix that turns r
    turn = np.linalg.inv(C3).T.round().astype(int)
    j = np.stack(np.meshgrid(np.arange(-16, 16), np.arange(-16, 16), indexing="ij"))
    source = (np.tensordot(np.linalg.inv(turn).round().astype(int), j, axes=1) + 16) % 32
    assert difference(pair[0][:, source[0], source[1]], pair[1]) < ROUNDING


@pytest.mark.parametrize(
    "impurity",
    [
        Impurity.scalar(50.0),
        Impurity.magnetic((30.0, 0.0, 0.0)),
        Impurity.magnetic((0.0, 30.0, 0.0)),
        Impurity.magnetic((0.0, 0.0, 30.0)),
    ],
    ids=["scalar", "x", "y", "z"],
)
def test_a1u_is_a2u_with_a_gap_larger_by_the_square_root_of_three(
    map_of: MapOf, impurity: Impurity
) -> None:
    """At every energy, for scalar and for magnetic impurities: the class A12u is one state."""
    a1u = map_of("A1u", 0.8, impurity)
    assert difference(map_of("A2u", 0.8 * np.sqrt(3), impurity), a1u) < ROUNDING
    assert difference(map_of("A2u", 0.8, impurity), a1u) > 1e-3


@pytest.mark.parametrize("irrep", ["A1g", "A2g", "Eg"])
def test_the_map_of_a_g_state_does_not_tell_where_a_moment_points(
    map_of: MapOf, irrep: str
) -> None:
    """g0 is the same for all spins, and Tr_e[G(r) J.sigma G(-r)] vanishes by time reversal."""
    moments = [(30.0, 0.0, 0.0), (18.0, -24.0, 0.0), (0.0, 0.0, -30.0), (0.0, 0.0, 29.0)]
    one, *others, weaker = [
        map_of(irrep, 1.0, Impurity.magnetic(moment), theta=0.4) for moment in moments
    ]
    assert all(difference(other, one) < ROUNDING for other in others)
    assert difference(weaker, one) > 1e-3


@pytest.mark.parametrize(("irrep", "angles"), STATES)
@pytest.mark.parametrize("moment", [(0.0, 0.0, 0.0), (30.0, -10.0, 20.0)])
def test_turning_all_spins_joins_the_blocks_and_changes_no_map(
    nbse2: Material, irrep: str, angles: dict[str, float], moment: tuple[float, ...]
) -> None:
    """He -> W He W^dagger, Delta -> W Delta W^T, J -> R J: full 4x4 against 2x2 blocks."""
    w, turned_moment = spin_rotation((0.3, -0.5, 0.8), 1.1, moment)
    gap = Pairing(irrep, 1.0, **angles)
    straight = Specification(nbse2, gap, Impurity.scalar(50.0) + Impurity.magnetic(moment), 20.0)
    turned = Specification(
        Material(
            "turned",
            nbse2.lattice,
            Bonds(nbse2.bonds.vectors, w @ nbse2.bonds.matrices @ w.conj().T),
        ),
        Pairing.from_bonds(Bonds(gap.bonds().vectors, w @ gap.bonds().matrices @ w.T)),
        Impurity.scalar(50.0) + Impurity.magnetic(turned_moment),
        20.0,
    )
    coupled = (np.abs(turned.bdg().matrices).max(axis=0) > 1e-3).astype(int)
    assert np.linalg.matrix_power(coupled, 3).all()
    one, other = (simulate_batch([s], NUMERICS) for s in (straight, turned))
    assert difference(other.trace, one.trace) < ROUNDING
    assert other.dos == pytest.approx(one.dos, rel=ROUNDING)


def spin_rotation(
    axis: tuple[float, ...], angle: float, moment: tuple[float, ...]
) -> tuple[np.ndarray, tuple[float, ...]]:
    """exp(-i angle n.sigma/2), and the moment turned with it."""
    n = np.asarray(axis) / np.linalg.norm(axis)
    generator = np.tensordot(n, PAULI, axes=1)
    w = np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * generator
    turned = w @ np.tensordot(moment, PAULI, axes=1) @ w.conj().T
    return w, tuple(float(np.trace(turned @ sigma).real / 2) for sigma in PAULI)


def test_maps_at_opposite_energies_differ(map_of: MapOf) -> None:
    """The electron part has no symmetry w -> -w: a potential scatterer favours one sign."""
    values = map_of("A1g", theta=0.4)
    assert difference(values[1], -values[1]) == pytest.approx(2.0, rel=1e-12)
    assert difference(values[1], map_of("A1g", 1.0, Impurity.scalar(-50.0), theta=0.4)[1]) > 0.1
