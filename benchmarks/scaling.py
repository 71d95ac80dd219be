"""How the time of a converged map grows: threads, window, energies, broadening, orbitals.

    python benchmarks/scaling.py

Means over the five states of benchmarks/maps.py at a request of 0.5 %, with the rows of k points
that they took (all energies).
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

import gapscope as gs
from gapscope.kernel.client import configure, default_threads
from gapscope.simulation.maps import simulate_batch
from maps import STATES, specification

ACCURACY = 0.005


def measure(states: Sequence[gs.Specification], numerics: gs.Numerics, what: str) -> None:
    simulate_batch(states, numerics)  # compiles
    start = time.perf_counter()
    maps = simulate_batch(states, numerics)
    seconds = (time.perf_counter() - start) / len(states)
    assert maps.convergence is not None
    rows = maps.convergence.rows.sum(axis=1).mean()
    reached = maps.convergence.reached.mean()
    print(f"{what:<24}{seconds * 1e3:>10.1f}{rows:>10.0f}{reached:>9.0%}")


def three_orbitals() -> gs.Specification:
    """A three-orbital triangular model with s-wave pairing: blocks of six."""
    rng = np.random.Generator(np.random.Philox(key=[1, 2]))
    bonds = {(0, 0): np.diag([-300.0, 100.0, 400.0]).astype(np.complex128)}
    for r1, r2 in ((1, 0), (0, 1), (1, -1)):
        hop = 80.0 * (np.eye(3) + 0.5 * rng.standard_normal((3, 3)))
        bonds[r1, r2], bonds[-r1, -r2] = hop, hop.conj().T
    electrons = gs.Bonds.from_dict({r: np.kron(np.eye(2), h) for r, h in bonds.items()})
    material = gs.Material("three orbitals", gs.Lattice("triangular", 3.3), electrons)
    pairing = gs.Pairing.from_bonds({(0, 0): np.array([[0, 1], [-1, 0]])})
    return gs.Specification(material, pairing, gs.Impurity.scalar(50.0))


def main() -> None:
    states = [specification(pairing) for pairing in STATES.values()]
    method = gs.Converged(ACCURACY)
    print(f"{'':<24}{'ms/map':>10}{'rows':>10}{'reached':>9}")
    for threads in range(1, default_threads() + 1):
        configure(threads=threads)
        measure(states, gs.Numerics([0.0], 0.1, 128, method), f"{threads} threads")
    for window in (32, 64, 128, 256):
        measure(states, gs.Numerics([0.0], 0.1, window, method), f"window {window}")
    for broadening in (1.0, 0.3, 0.1, 0.03):
        numerics = gs.Numerics([0.0], broadening, 128, method)
        measure(states, numerics, f"broadening {broadening} meV")
    for energies in ([0.0], [0.0, 0.5], [-2.0, -1.0, 0.0, 1.0, 2.0]):
        numerics = gs.Numerics(energies, 0.1, 128, method)
        measure(states, numerics, f"{len(energies)} energies")
    for broadening in (10.0, 3.0):
        numerics = gs.Numerics([0.0], broadening, 32, method)
        measure(states, numerics, f"1 orbital, {broadening:g} meV, L=32")
        measure([three_orbitals()], numerics, f"3 orbitals, {broadening:g} meV, L=32")


if __name__ == "__main__":
    main()
