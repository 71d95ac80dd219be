"""Impurities on several sites: against the oracle, a torus inverted whole, and in limits."""

from __future__ import annotations

import numpy as np
import pytest

import gapscope as gs
from comparison import TAU3, difference
from gapscope.errors import NumericsError, SpecificationError
from gapscope.simulation.maps import simulate_batch
from oracle import Oracle, inverted_torus

SITES = [(0, 0), (3, -1), (-2, 4)]
STATES = [gs.Pairing("A1g", 1.0, theta=0.4), gs.Pairing("A1u", 1.0), gs.Pairing("Eu", 1.0, 0.4)]


def state(pairing: gs.Pairing, impurity: gs.Impurity) -> gs.Specification:
    return gs.Specification(gs.material("nbse2"), pairing, impurity, eps0=20.0)


def three_impurities() -> gs.Impurity:
    """A scalar one, a magnetic one in the plane, and one with both."""
    return (
        gs.Impurity.scalar(50.0)
        + gs.Impurity.magnetic((30.0, 10.0, 0.0), site=SITES[1])
        + gs.Impurity.scalar(-80.0, site=SITES[2])
        + gs.Impurity.magnetic((0.0, 0.0, 20.0), site=SITES[2])
    )


@pytest.mark.parametrize("pairing", STATES, ids=lambda p: p.irrep)
def test_the_grid_is_the_oracle(pairing: gs.Pairing) -> None:
    spec = state(pairing, three_impurities())
    potentials = [spec.impurity_matrix(site) for site in SITES]
    energies = (0.0, 0.7, -0.7, 2.0)
    maps = simulate_batch([spec], gs.Numerics(energies, 2.0, 16, gs.Grid(48)))
    for e, omega in enumerate(energies):
        oracle = Oracle(spec.bdg().at, np.zeros((4, 4)), 48, omega, 2.0)
        assert difference(maps.trace[0, e], oracle.scattered(SITES, potentials, 16)) < 1e-9


@pytest.mark.parametrize("pairing", STATES, ids=lambda p: p.irrep)
def test_the_torus_inverted_whole_needs_no_t_matrix(pairing: gs.Pairing) -> None:
    sites = ((0, 0), (1, 2))
    spec = state(pairing, gs.Impurity.scalar(50.0) + gs.Impurity.scalar(50.0, site=sites[1]))
    maps = simulate_batch([spec], gs.Numerics([0.5], 1.0, 8, gs.Grid(8)))
    whole = inverted_torus(spec.bdg().at, 50.0 * TAU3, 8, 0.5, 1.0, sites)
    r = np.arange(-4, 4)
    assert difference(maps.ldos_change[0, 0], whole[np.ix_(r % 8, r % 8)]) < 1e-9


def test_an_impurity_elsewhere_moves_the_map() -> None:
    numerics = gs.Numerics([0.3], 2.0, 16, gs.Converged(0.001))
    here, there = (
        simulate_batch([state(STATES[1], gs.Impurity.scalar(50.0, site=site))], numerics)
        for site in [(0, 0), (2, -3)]
    )
    moved = np.roll(here.ldos_change[0, 0], (2, -3), axis=(0, 1))[3:, :-3]
    assert difference(there.ldos_change[0, 0][3:, :-3], moved) < 2e-3


@pytest.mark.parametrize("pairing", STATES, ids=lambda p: p.irrep)
def test_method_converged_is_a_fine_grid(pairing: gs.Pairing) -> None:
    spec = state(pairing, three_impurities())
    numerics = gs.Numerics([0.0, 1.5, -1.5], 2.0, 16, gs.Converged(0.002))
    fine = simulate_batch([spec], gs.Numerics([0.0, 1.5, -1.5], 2.0, 16, gs.Grid(2048)))
    maps = simulate_batch([spec], numerics)
    assert maps.convergence is not None
    assert maps.convergence.reached.all()
    error = np.linalg.norm(maps.ldos_change - fine.ldos_change, axis=(-2, -1))
    relative = error / np.linalg.norm(fine.ldos_change, axis=(-2, -1))
    assert (relative < 0.002).all()
    assert (relative < maps.convergence.error + 1e-5).all()


def test_far_and_weak_impurities_only_add_up() -> None:
    """Born limit: without scattering from site to site the maps are a sum."""
    numerics = gs.Numerics([0.5], 5.0, 16, gs.Grid(64))
    one, two = gs.Impurity.scalar(1e-3), gs.Impurity.scalar(1e-3, site=(5, 0))
    maps = [simulate_batch([state(STATES[0], v)], numerics).ldos_change for v in (one, two)]
    both = simulate_batch([state(STATES[0], one + two)], numerics).ldos_change
    assert difference(both, maps[0] + maps[1]) < 1e-4
    strong = gs.Impurity.scalar(1e3) + gs.Impurity.scalar(1e3, site=(1, 0))
    alone = [
        simulate_batch([state(STATES[0], gs.Impurity.scalar(1e3, site=s))], numerics).ldos_change
        for s in [(0, 0), (1, 0)]
    ]
    together = simulate_batch([state(STATES[0], strong)], numerics).ldos_change
    assert difference(together, alone[0] + alone[1]) > 0.05


def test_sets_with_different_numbers_of_impurities_share_a_batch() -> None:
    numerics = gs.Numerics([0.0], 2.0, 10, gs.Grid(32))
    specs = [
        state(STATES[0], three_impurities()),
        state(STATES[0], gs.Impurity.scalar(50.0)),
        state(STATES[2], gs.Impurity.scalar(50.0) + gs.Impurity.scalar(9.0, site=(1, 1))),
    ]
    batch = simulate_batch(specs, numerics).ldos_change
    for number, spec in enumerate(specs):
        assert np.array_equal(batch[number], simulate_batch([spec], numerics).ldos_change[0])


def test_an_impurity_outside_the_window_is_refused() -> None:
    spec = state(STATES[0], gs.Impurity.scalar(50.0, site=(4, 0)))
    with pytest.raises(NumericsError, match=r"\(4, 0\)"):
        simulate_batch([spec], gs.Numerics([0.0], 2.0, 8, gs.Grid(16)))


@pytest.mark.parametrize("site", [(0.5, 0), (1, 2, 3), ("a", 0)])
def test_a_site_is_two_whole_numbers(site: tuple[object, ...]) -> None:
    with pytest.raises(SpecificationError, match="lattice site"):
        gs.Impurity.scalar(50.0, site=site)  # type: ignore[arg-type]
