"""G at opposite energies, against the oracle's sums over k."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from closed_forms import nbse2
from gapscope.physics.particle_hole import at_opposite_energy, pairs_of
from oracle import Oracle

STATES: dict[str, dict[str, Any]] = {
    "A2g": {"theta": 0.7},
    "Eg": {"theta": 0.6, "phi": 0.9},
    "Eu": {"theta": 0.8, "phi": -0.4},
}


@pytest.mark.parametrize("irrep", STATES)
def test_green_functions_at_opposite_energies_are_pairs(irrep: str) -> None:
    hamiltonian = nbse2(irrep, 1.0, 20.0, **STATES[irrep])
    above, below = (
        Oracle(hamiltonian, np.zeros((4, 4)), 24, omega).propagator for omega in (0.7, -0.7)
    )
    scale = np.abs(below).max()
    np.testing.assert_allclose(at_opposite_energy(above), below, atol=1e-12 * scale)
    assert np.abs(above - below).max() > 0.01 * scale


def test_energies_have_the_numbers_of_their_magnitudes() -> None:
    energies = np.array([[-0.5, 0.0], [0.5, 1.5]])
    magnitudes, where = pairs_of(energies)
    np.testing.assert_array_equal(magnitudes, [0.0, 0.5, 1.5])
    np.testing.assert_array_equal(magnitudes[where], np.abs(energies))
