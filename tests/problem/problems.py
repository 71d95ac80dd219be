"""Problems of several crystals, and their maps on a coarse grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.recipe import Recipe
from gapscope.physics import Bonds, Lattice, Material, Orbital
from gapscope.physics.spin import SX, SY
from gapscope.problem.problem import Problem
from gapscope.problem.states import States
from gapscope.simulation.maps import simulate_batch
from gapscope.simulation.materials import material

TABLE: dict[str, Any] = {
    "schema": 2,
    "name": "tiny",
    "seed": 3,
    "material": "bi2212",
    "energies": [6.0],
    "broadening": 4.0,
    "window": 12,
    "method": {"name": "grid", "kgrid": 48},
    "impurity": {"scalar": 80.0},
    "candidates": [{"irrep": "B1g"}, {"irrep": "Eu"}],
    "unknowns": {"gap": [20.0, 40.0], "theta": "any"},
    "splits": {"train": 10, "validation": 2, "test": 2},
    "shard_size": 7,
}


def recipe(**changes: Any) -> Recipe:
    """A small recipe of schema 2."""
    return Recipe.from_dict(TABLE | changes)


def rashba_triangle() -> Material:
    """One orbital on the triangular lattice with Rashba coupling: C6v."""
    lattice = Lattice("triangular", 3.4)
    bonds: dict[tuple[int, int], NDArray[np.complex128]] = {
        (0, 0): -20.0 * np.eye(2, dtype=complex)
    }
    for r in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)):
        x, y = np.array(r) @ lattice.vectors
        bonds[r] = 30.0 * np.eye(2) - 4.0j * (SX * y - SY * x)
    return Material("rashba", lattice, Bonds.from_dict(bonds), basis=(Orbital("s"),))


def triangle() -> Material:
    """One orbital on the triangular lattice without spin-orbit coupling: D6h."""
    lattice = Lattice("triangular", 3.4)
    neighbours = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1))
    bonds = {(0, 0): -20.0 * np.eye(2)} | dict.fromkeys(neighbours, 30.0 * np.eye(2))
    return Material("triangle", lattice, Bonds.from_dict(bonds), basis=(Orbital("s"),))


def rectangle() -> Material:
    """One orbital on a rectangular lattice: D2h."""
    lattice = Lattice.from_cell(3.0, 4.0, 90.0)
    bonds = {(0, 0): 10.0, (1, 0): -40.0, (0, 1): -25.0, (1, 1): 8.0, (1, -1): 8.0}
    whole = {r: t * np.eye(2) for r, t in bonds.items()}
    whole |= {(-a, -b): m for (a, b), m in whole.items()}
    return Material("rectangle", lattice, Bonds.from_dict(whole), basis=(Orbital("s"),))


def doped_honeycomb() -> Material:
    """One orbital on each of two sites, with a Fermi surface around Gamma: D6h."""
    between = np.array([[0.0, -300.0], [0.0, 0.0]])
    hops = {(0, 0): between + between.T + 600.0 * np.eye(2)}
    hops |= {(-1, 0): between, (0, -1): between, (1, 0): between.T, (0, 1): between.T}
    bonds = Bonds.from_dict({r: np.kron(np.eye(2), h) for r, h in hops.items()})
    basis = (Orbital("s", (1 / 3, 1 / 3)), Orbital("s", (2 / 3, 2 / 3)))
    return Material("honeycomb", Lattice("triangular", 3.4), bonds, basis=basis)


CRYSTALS = {
    "bi2212": lambda: material("bi2212"),
    "nbse2": lambda: material("nbse2"),
    "rashba": rashba_triangle,
    "rectangle": rectangle,
    "triangle": triangle,
}


def maps_of(
    what: Recipe,
    problem: Problem,
    crystal: Material,
    label: int,
    values: Sequence[Mapping[str, float]],
) -> NDArray[np.float64]:
    """drho (n, energies, L, L) of states of a class."""
    states = States(problem, what.draft(crystal))
    samples = [states.sample(label, one) for one in values]
    numerics = what.numerics()
    return np.concatenate(
        [
            simulate_batch(
                [s.specification], replace(numerics, broadening=s.broadening)
            ).ldos_change
            for s in samples
        ]
    )
