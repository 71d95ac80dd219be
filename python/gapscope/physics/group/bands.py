"""What bands alone tell of a crystal's symmetry, where its orbitals are not known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.group.lattice_operations import isometry
from gapscope.physics.group.planar import PlanarOperation
from gapscope.physics.material import Material

SAMPLES = np.random.default_rng(0).random((32, 2))


def band_operations(
    material: Material,
) -> list[tuple[PlanarOperation, NDArray[np.int64], float]]:
    """Operations of the lattice in the plane, with the largest |E_n(g^-1 k) - E_n(k)| in meV.

    z -> -z leaves k alone, so that bands say nothing of it.
    """
    lattice = material.lattice
    energies = np.linalg.eigvalsh(material.bonds.at(SAMPLES))
    found = []
    for w in lattice.operations:
        # m.R is the same for m and R moved together: the momentum goes with (W^-1)^T.
        moved = np.linalg.eigvalsh(material.bonds.at(SAMPLES @ w))
        violation = float(np.abs(moved - energies).max())
        found.append((PlanarOperation(isometry(w, lattice.vectors), 1), w, violation))
    return found
