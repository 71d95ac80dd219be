"""Real harmonics under operations: how s, p and d orbitals turn into each other.

(g Y)(r) = Y(g^-1 r) = sum_i Y_i(r) D_i(g), with Y homogeneous polynomials of equal norm on the
sphere for each l.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.group.planar import PlanarOperation

Array = NDArray[np.float64]

POLYNOMIALS: tuple[dict[str, Callable[[Array, Array, Array], Array]], ...] = (
    {"s": lambda x, y, z: np.ones_like(x)},
    {"px": lambda x, y, z: x, "py": lambda x, y, z: y, "pz": lambda x, y, z: z},
    {
        "dz2": lambda x, y, z: (2 * z**2 - x**2 - y**2) / np.sqrt(12),
        "dxz": lambda x, y, z: x * z,
        "dyz": lambda x, y, z: y * z,
        "dx2-y2": lambda x, y, z: (x**2 - y**2) / 2,
        "dxy": lambda x, y, z: x * y,
    },
)
"""By l: the name of each real harmonic and its polynomial."""

NAMES: tuple[str, ...] = tuple(name for table in POLYNOMIALS for name in table)
_POINTS = np.random.default_rng(3).normal(size=(12, 3))


def harmonic_matrix(operation: PlanarOperation) -> Array:
    """D(g) among all harmonics in the order of NAMES: column j holds the image of harmonic j."""
    whole = np.zeros((len(NAMES), len(NAMES)))
    start = 0
    for table in POLYNOMIALS:
        before = np.stack([y(*_POINTS.T) for y in table.values()], axis=1)
        # r -> g^-1 r is p @ O for rows p, since O is orthogonal.
        moved = (_POINTS @ operation.cartesian).T
        after = np.stack([y(*moved) for y in table.values()], axis=1)
        stop = start + len(table)
        whole[start:stop, start:stop] = np.linalg.lstsq(before, after)[0]
        start = stop
    whole[np.abs(whole) < 1e-14] = 0.0
    return whole


def orbital_matrix(
    operation: PlanarOperation, images: Sequence[str], orbitals: Sequence[str]
) -> Array:
    """How orbitals of one site turn into those of its image: (images, orbitals).

    Several orbitals of one character on a site are told apart by their order.
    """
    whole = harmonic_matrix(operation)
    rows, columns = ([NAMES.index(name) for name in names] for names in (images, orbitals))
    same = np.equal.outer(_occurrences(images), _occurrences(orbitals))
    return np.asarray(whole[np.ix_(rows, columns)] * same)


def _occurrences(names: Sequence[str]) -> NDArray[np.int64]:
    return np.array([names[:i].count(name) for i, name in enumerate(names)])
