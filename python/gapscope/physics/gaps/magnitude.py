"""The largest singular value of Delta(k) over the Brillouin zone: what a gap's size means."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gapscope.physics.bonds import Bonds

STEPS = 8
"""Grid points for each oscillation of the fastest wave of the series."""
STARTS = 6
ROUNDS = 16
AT_ONCE = 4_000_000
"""Complex numbers that are held at once."""
Momenta = NDArray[np.float64]


def largest_singular_value(bonds: Bonds) -> float:
    """max_k sigma_max(Delta(k)) in the unit of the bonds.

    The maximum of a grid that holds all points of symmetry is followed from its highest local
    maxima on grids that are three times finer each time, to a momentum of 1e-8 of the zone.
    """
    parts = list(_blocks(bonds))
    reach = int(np.abs(bonds.vectors).max(initial=0))
    size = 24 * -(-max(24, STEPS * 2 * reach) // 24)
    m = np.arange(size) / size
    grid = np.stack(np.meshgrid(m, m, indexing="ij"), axis=-1)
    return max(_largest(part, grid) for part in parts)


def _blocks(bonds: Bonds) -> Iterator[Bonds]:
    """The bonds split into rectangles of rows and columns that no element joins, made square."""
    pattern = np.abs(bonds.matrices).max(axis=0) > 0
    size = len(pattern)
    rows, columns = np.nonzero(pattern)
    graph = coo_array((np.ones(len(rows)), (rows, columns + size)), (2 * size, 2 * size))
    _, label = connected_components(graph, directed=False)
    for one in np.unique(label[rows]):
        own_rows = np.flatnonzero(label[:size] == one)
        own_columns = np.flatnonzero(label[size:] == one)
        side = max(len(own_rows), len(own_columns))
        part = np.zeros((len(bonds.vectors), side, side), dtype=np.complex128)
        part[:, : len(own_rows), : len(own_columns)] = bonds.matrices[:, own_rows][
            :, :, own_columns
        ]
        yield Bonds(bonds.vectors, part)


def singular_values(matrices: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Largest singular value of each matrix (..., d, d)."""
    if matrices.shape[-1] == 1:
        return np.abs(matrices[..., 0, 0])
    if matrices.shape[-1] == 2:
        square = (np.abs(matrices) ** 2).sum(axis=(-2, -1))
        determinant = (
            matrices[..., 0, 0] * matrices[..., 1, 1] - matrices[..., 0, 1] * matrices[..., 1, 0]
        )
        root = np.sqrt(np.maximum(square**2 - 4 * np.abs(determinant) ** 2, 0))
        return np.asarray(np.sqrt((square + root) / 2))
    return np.asarray(np.linalg.svd(matrices, compute_uv=False)[..., 0])


def _largest(part: Bonds, grid: Momenta) -> float:
    piece = max(1, AT_ONCE // (len(grid) * (len(part.vectors) + part.dimension**2)))
    values = np.concatenate(
        [singular_values(part.at(grid[i : i + piece])) for i in range(0, len(grid), piece)]
    )
    steps = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    around = [np.roll(values, step, axis=(0, 1)) for step in steps]
    tops = np.flatnonzero((values >= np.max(around, axis=0)).ravel())
    tops = tops[np.argsort(-values.ravel()[tops], kind="stable")][:STARTS]
    centres, best = grid.reshape(-1, 2)[tops], values.ravel()[tops]
    step = 1 / len(grid)
    offsets = np.stack(np.meshgrid(*2 * [np.arange(-3, 4)], indexing="ij"), axis=-1).reshape(-1, 2)
    for _ in range(ROUNDS):
        step /= 3
        points = centres[:, None, :] + step * offsets
        found = singular_values(part.at(points))
        chosen = found.argmax(axis=1)
        rows = np.arange(len(centres))
        centres, best = points[rows, chosen], found[rows, chosen]
    return float(best.max())
