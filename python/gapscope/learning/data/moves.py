"""Exact augmentation: operations of the crystal's point group act on images as gathers of pixels.

A map moved by g, f(r) -> f(g^-1 r), has the image rho(q) -> rho(g^-1 q). With q = (j1 b1 + j2 b2)/L
and r = r1 a1 + r2 a2, q.r = 2 pi j.r / L, so that the pixel j of the new image is the pixel W^T j
(mod L) of the old one, W being g on (r1, r2): the L x L torus of momenta is mapped onto itself
exactly. What a move does to unknowns is told by :mod:`gapscope.problem.moves`. Re rho(q) is even
in q, which makes W and -W one move.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.lattice import window_coordinates
from gapscope.problem.moves import Move

NUMBERS = ("one", "two", "three", "four", "five", "six")


def pixel_gathers(moves: Sequence[Move], size: int) -> NDArray[np.int64]:
    """For each move the flat index of the pixel that lands on each pixel, (moves, size^2)."""
    j = window_coordinates(size)
    pixels = np.stack(np.meshgrid(j, j, indexing="ij")).reshape(2, -1)
    sources = [(move.matrix.T @ pixels + size // 2) % size for move in moves]
    return np.stack([s[0] * size + s[1] for s in sources])


def move_images(
    images: NDArray[np.float32], moves: NDArray[np.int64], gathers: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Each image of (samples, L, L, energies) moved by the operation of number moves[sample]."""
    flat = images.reshape(len(images), -1, images.shape[-1])
    return np.take_along_axis(flat, gathers[moves][..., None], axis=1).reshape(images.shape)


def moves_group(moves: Sequence[Move]) -> str:
    """Symbol of the group that moves form on Re rho(q): Cn, or Cnv with mirrors.

    W and -W count as one, and whichever of them closes the group is meant.
    """
    matrices = [move.matrix for move in moves]
    known = {m.tobytes() for m in matrices}
    closed = all((a @ b).tobytes() in known for a in matrices for b in matrices)
    turns = sum(round(np.linalg.det(m)) > 0 for m in matrices)
    mirrors = len(matrices) - turns
    order = turns if closed else 2 * turns
    if not mirrors:
        return f"C{order}"
    return f"C{order}v" if order > 1 else "Cs"
