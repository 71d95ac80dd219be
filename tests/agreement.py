"""Kernel against oracle: complex maps, local Green's functions, densities of states."""

from __future__ import annotations

import numpy as np
import pytest

from comparison import TAU3, difference, magnetic
from gapscope.physics import Impurity, Specification
from gapscope.simulation.maps import Grid, Numerics, simulate_batch
from oracle import Hamiltonian, Oracle

AGREEMENT = 1e-9
ENERGIES = (0.0, 0.7, -1.3)
IMPURITIES = {
    "scalar": (Impurity.scalar(50.0), 50.0 * TAU3),
    "attractive": (Impurity.scalar(-80.0), -80.0 * TAU3),
    "along z": (Impurity.magnetic((0.0, 0.0, 40.0)), magnetic(0.0, 0.0, 40.0)),
    "in plane": (Impurity.magnetic((30.0, -20.0, 0.0)), magnetic(30.0, -20.0, 0.0)),
    "sum": (
        Impurity.scalar(25.0) + Impurity.magnetic((0.0, 15.0, -35.0)),
        25.0 * TAU3 + magnetic(0.0, 15.0, -35.0),
    ),
}


def numerics(kgrid: int, window: int, broadening: float = 0.1) -> Numerics:
    return Numerics(ENERGIES, broadening, window, Grid(kgrid))


def assert_kernel_is_oracle(
    specification: Specification,
    hamiltonian: Hamiltonian,
    impurity: np.ndarray,
    settings: Numerics,
) -> None:
    """Complex traces, local Green's functions and densities of states at every energy."""
    maps = simulate_batch([specification], settings)
    for e, omega in enumerate(settings.energies):
        oracle = Oracle(hamiltonian, impurity, settings.method.kgrid, omega, settings.broadening)
        assert difference(maps.trace[0, e], oracle.trace(settings.window)) < AGREEMENT
        assert difference(maps.local_green[0, e], oracle.local) < AGREEMENT
        assert maps.dos[0, e] == pytest.approx(oracle.dos, rel=AGREEMENT)
