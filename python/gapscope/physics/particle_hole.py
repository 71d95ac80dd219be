"""Green's functions at opposite energies, of which one follows from the other.

Electrons and holes are the same particles: of every Bogoliubov-de Gennes Hamiltonian, with tau_x,
which exchanges the halves of the Nambu basis, tau_x H(-k)^* tau_x = -H(k), so that

    G(r; -w) = -tau_x G(r; w)^* tau_x.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def at_opposite_energy(green: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
    """G(r; -w) of G(r; w), (..., d, d), electrons before holes."""
    return np.asarray(-np.roll(green.conj(), green.shape[-1] // 2, axis=(-2, -1)))


def pairs_of(energies: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Magnitudes (m,) that all energies (...) have, and the number of each one's (...)."""
    magnitudes, where = np.unique(np.abs(energies), return_inverse=True)
    return magnitudes, np.reshape(where, np.shape(energies))
