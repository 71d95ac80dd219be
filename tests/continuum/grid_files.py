"""Files of functions on grids, written as Wannier90 and Gaussian write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BOHR = 0.529177210903
Real = NDArray[np.float64]


def grid_points(origin: Real, vectors: Real, sizes: tuple[int, int, int]) -> Real:
    """Points (n1, n2, n3, 3): the first at the origin, the last at the vectors' ends."""
    fractions = [np.arange(n) / (n - 1) for n in sizes]
    mesh = np.stack(np.meshgrid(*fractions, indexing="ij"), axis=-1)
    return origin + mesh @ vectors


def write_xsf(path: Path, cell: Real, origin: Real, vectors: Real, values: Real) -> Path:
    """As plot.F90 of Wannier90 lays it out: the first index runs fastest."""

    def rows(table: Real) -> str:
        return "\n".join(" ".join(f"{x:12.7f}" for x in row) for row in np.atleast_2d(table))

    numbers = [f"{x:13.5e}" for x in values.ravel(order="F")]
    lines = [" ".join(numbers[n : n + 6]) for n in range(0, len(numbers), 6)]
    head = f" # a comment\nCRYSTAL\nPRIMVEC\n{rows(cell)}\nCONVVEC\n{rows(cell)}\nPRIMCOORD\n1 1\n"
    head += "Nb 0.0 0.0 0.0\n\n\nBEGIN_BLOCK_DATAGRID_3D\n3D_field\nBEGIN_DATAGRID_3D_UNKNOWN\n"
    sizes = " ".join(str(n) for n in values.shape)
    body = f"{sizes}\n{rows(origin)}\n{rows(vectors)}\n" + "\n".join(lines)
    path.write_text(f"{head}{body}\nEND_DATAGRID_3D\nEND_BLOCK_DATAGRID_3D\n")
    return path


def write_cube(path: Path, origin: Real, vectors: Real, values: Real, angstrom: bool) -> Path:
    """Lengths in Bohr, or in Angstrom with negative numbers of points; the last runs fastest."""
    unit, sign = (1.0, -1) if angstrom else (BOHR, 1)
    steps = vectors / (np.array(values.shape) - 1)[:, None] / unit
    lines = ["a title", "another", "1 " + " ".join(f"{x:.9f}" for x in origin / unit)]
    for n, row in zip(values.shape, steps, strict=True):
        lines.append(f"{sign * n} " + " ".join(f"{x:.9f}" for x in row))
    lines.append("41 41.0 0.0 0.0 0.0")
    lines += [" ".join(f"{x:.6e}" for x in row) for row in values.reshape(-1, values.shape[2])]
    path.write_text("\n".join(lines) + "\n")
    return path
