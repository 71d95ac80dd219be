"""The number of threads changes the time, never a bit of the result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from comparison import STATES
from gapscope.kernel.client import configure, default_threads, get_host
from gapscope.physics import Bonds, Impurity, Lattice, Material, Pairing, Specification
from gapscope.simulation.maps import Grid, Maps, Numerics, simulate_batch
from gapscope.simulation.spectrum import density_of_states


@dataclass(frozen=True)
class Results:
    """What one host with a number of threads has computed."""

    batch: Maps
    alone: Maps
    converged: Maps
    orbitals: Maps
    surface: Maps
    dos: np.ndarray


@pytest.fixture(scope="module")
def one_and_two(nbse2: Material) -> tuple[Results, Results]:
    impurities = (Impurity.scalar(50.0), Impurity.magnetic((30.0, 10.0, 0.0)))
    specifications = [
        Specification(nbse2, Pairing(irrep, 1.0, **angles), impurities[i % 2], 20.0)
        for i, (irrep, angles) in enumerate(STATES)
    ]
    a1u = Specification(nbse2, Pairing("A1u", 1.0), Impurity.scalar(50.0), eps0=20.0)
    numerics = Numerics((0.0, 0.7, -1.3), 0.1, 32, Grid(96))
    hop = [[40.0, 12.0 + 3.0j], [5.0, -30.0]]
    mixed = dict.fromkeys(((1, 0), (0, 1)), hop) | {(0, 0): [[20.0, 5.0], [5.0, -10.0]]}
    for r in ((1, 0), (0, 1)):
        mixed[-r[0], -r[1]] = np.conj(hop).T.tolist()
    spins = Bonds.from_dict(mixed).kron(left=np.eye(2))
    on_site = Pairing.from_bonds({(0, 0): [[0, 1], [-1, 0]]})
    orbitals = Specification(
        Material("two", Lattice("square", 3.0), spins), on_site, Impurity.scalar(50.0)
    )

    out_of_plane = {(0, 0, 1): [[30.0, 9.0], [0.0, 20.0]], (0, 0, -1): [[30.0, 0.0], [9.0, 20.0]]}
    layers = Bonds.sum([spins, Bonds.from_dict(out_of_plane).kron(left=np.eye(2))])
    stacked = Material("stacked", Lattice("square", 3.0), layers, surface="top")
    surface = Specification(stacked, on_site, Impurity.scalar(50.0))

    def compute(threads: int) -> Results:
        configure(threads=threads)
        assert get_host().info().threads == threads
        return Results(
            simulate_batch(specifications, numerics),
            simulate_batch(specifications[:1], numerics),
            simulate_batch([a1u], Numerics([0.0], 0.5, 32)),
            simulate_batch([orbitals], Numerics([1.4, -1.4], 0.2, 32)),
            simulate_batch([surface], Numerics([1.4, -1.4], 2.0, 8, Grid(34))),
            density_of_states(specifications[0], [0.0, 0.7], 0.1, 96).to_numpy(),
        )

    try:
        return compute(1), compute(2)
    finally:
        configure(threads=default_threads())


def test_one_thread_and_two_give_the_same_bits(one_and_two: tuple[Results, Results]) -> None:
    one, two = one_and_two
    for left, right in ((one.batch, two.batch), (one.alone, two.alone)):
        assert np.array_equal(left.trace, right.trace)
        assert np.array_equal(left.local_green, right.local_green)
        assert np.array_equal(left.dos, right.dos)
    assert np.array_equal(one.surface.trace, two.surface.trace)
    assert np.array_equal(one.dos, two.dos)


def test_the_same_holds_for_the_method_converged(one_and_two: tuple[Results, Results]) -> None:
    one, two = one_and_two
    for left, right in ((one.converged, two.converged), (one.orbitals, two.orbitals)):
        np.testing.assert_array_equal(left.trace, right.trace)
        np.testing.assert_array_equal(left.local_green, right.local_green)
        assert left.convergence is not None
        assert right.convergence is not None
        np.testing.assert_array_equal(left.convergence.error, right.convergence.error)
        np.testing.assert_array_equal(left.convergence.rows, right.convergence.rows)
