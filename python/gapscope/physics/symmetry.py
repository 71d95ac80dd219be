"""Point-group operations on lattice sites, bonds and maps of the triangular lattice.

An operation is a 2 x 2 integer matrix acting on (r1, r2) with a1 = (1, 0), a2 = (1/2, sqrt3/2).
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import SpecificationError
from gapscope.physics.bonds import Bonds
from gapscope.physics.lattice import Lattice, symmetric_window

Operation = NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)

C6: Operation = np.array([[0, -1], [1, 1]])
"""Counterclockwise rotation by 60 degrees, a1 -> a2."""
C3: Operation = C6 @ C6
C2: Operation = -np.eye(2, dtype=np.int64)
MIRROR_X: Operation = np.array([[-1, -1], [0, 1]])
"""x -> -x, that is kx -> -kx: a vertical mirror plane of D3h."""
MIRROR_Y: Operation = C2 @ MIRROR_X

D6: tuple[Operation, ...] = tuple(
    np.linalg.matrix_power(C6, n) @ m
    for n in range(6)
    for m in (np.eye(2, dtype=np.int64), MIRROR_Y)
)
D6_ISING: tuple[int, ...] = tuple((-1) ** n for n in range(6) for _ in range(2))
"""Sign of the Ising term i sin(k.R) sigma_z's orbital part under each operation of D6."""


def act_on_site(operation: Operation, site: tuple[int, int]) -> tuple[int, int]:
    """Image of a lattice vector."""
    r1, r2 = (operation @ np.asarray(site)).tolist()
    return r1, r2


def act_on_bonds(operation: Operation, bonds: Bonds) -> Bonds:
    """Bonds of H(g^-1 k): the matrix on R moves to g R."""
    moved = bonds.vectors[:, :2] @ operation.T
    return Bonds(np.column_stack([moved, bonds.vectors[:, 2:]]), bonds.matrices)


def band_asymmetry(bonds: Bonds) -> float:
    """How far E(k) is from the symmetry of D3h, 0 where it has it: a part of all bands' width.

    The largest |E_n(g^-1 k) - E_n(k)| over the operations g of D6 (a vertical mirror and C3 of D3h,
    and time reversal, which takes k to -k) at 16 momenta, over max E - min E. What orbitals do
    under g need not be known for it.
    """
    k = np.random.default_rng(0).random((16, 2))
    energies = [np.linalg.eigvalsh(act_on_bonds(g, bonds).at(k)) for g in D6]
    width = float(np.ptp(energies[0]))
    return float(np.abs(np.array(energies) - energies[0]).max()) / width if width else 0.0


def act_on_map(
    operation: Operation, values: NDArray[Scalar], lattice: Lattice | str = "triangular"
) -> NDArray[Scalar]:
    """Map (..., L, L) over r moved by an operation, f(r) -> f(g^-1 r), on the symmetric window of
    the lattice, else zero.

    The rhombic window is not mapped onto itself by C6 or mirrors; the hexagon
    |r1|, |r2|, |r1 + r2| < L/2 is, exactly.

    Raises
    ------
    SpecificationError : the last two axes are not a square window of even size.
    """
    size = values.shape[-1]
    if values.ndim < 2 or values.shape[-2] != size or size % 2:
        raise SpecificationError(
            "Symmetry acts on maps over an L x L window with even L.",
            values.shape,
            "Give the map with r1, r2 as its last axes.",
        )
    inside = np.nonzero(symmetric_window(lattice, size))
    sites = np.stack(inside) - size // 2
    image = operation @ sites + size // 2
    moved = np.zeros_like(values)
    moved[..., image[0], image[1]] = values[..., inside[0], inside[1]]
    return moved


def rotate_theta_by_c3(theta: float) -> float:
    """Angle of an Eg or Eu state whose map was rotated by :data:`C3`: theta - pi/3 (mod pi)."""
    return (theta - np.pi / 3) % np.pi


def mirror_theta(theta: float) -> float:
    """Angle of an Eg or Eu state after its map was mirrored, x -> -x: -theta (mod pi)."""
    return -theta % np.pi
