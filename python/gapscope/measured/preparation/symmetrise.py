"""Averages of a lattice map or its image over the point group: C3v (1H layers) or C6v."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import PreparationError
from gapscope.physics.lattice import check_window, symmetric_window, window_coordinates
from gapscope.physics.symmetry import C3, C6, MIRROR_X, Operation, act_on_map

GROUPS = ("C3v", "C6v")


def operations(group: str) -> tuple[Operation, ...]:
    """The operations of a group on (r1, r2); the mirrors of C3v contain x -> -x.

    Raises
    ------
    PreparationError : an unknown group.
    """
    if group not in GROUPS:
        raise PreparationError(
            f"A point group is one of {', '.join(GROUPS)}.", group, "Choose one of them."
        )
    turn, order = (C3, 3) if group == "C3v" else (C6, 6)
    mirrors = (np.eye(2, dtype=np.int64), MIRROR_X)
    return tuple(np.linalg.matrix_power(turn, n) @ m for n in range(order) for m in mirrors)


def symmetrise_sites(values: NDArray[np.float64], group: str) -> NDArray[np.float64]:
    """Average over a group of drho(r), (L, L), r = 0 at L/2, on the open hexagon; else NaN.

    Raises
    ------
    PreparationError : an unknown group.
    SpecificationError : not a square window of even size.
    """
    moved = np.stack([act_on_map(g, values) for g in operations(group)])
    inside = symmetric_window("triangular", values.shape[-1])
    return np.where(inside, _mean(moved), np.nan)


def symmetrise_image(image: NDArray[np.complex128], group: str) -> NDArray[np.complex128]:
    """Average over a group of rho(q), (L, L) on the torus q = (j1 b1 + j2 b2)/L, q = 0 at L/2.

    rho(q) -> rho(g^-1 q) takes the pixel g^T j (mod L) to j, exactly. Under C6v the image of a real
    map becomes real.

    Raises
    ------
    PreparationError : an unknown group.
    NumericsError : not a square window of even size.
    """
    size = image.shape[-1]
    check_window(size)
    j = window_coordinates(size)
    pixels = np.stack(np.meshgrid(j, j, indexing="ij")).reshape(2, -1)
    moved = []
    for g in operations(group):
        source = (g.T @ pixels + size // 2) % size
        moved.append(image[source[0], source[1]].reshape(size, size))
    stack = np.stack(moved)
    return np.asarray(_mean(stack.real) + 1j * _mean(stack.imag))


def _mean(moved: NDArray[np.float64]) -> NDArray[np.float64]:
    # Sorted, so that the sum is the same to the last bit wherever the operations come in turn.
    return np.asarray(np.sort(moved, axis=0).mean(axis=0))
