"""Exact augmentation: the point-group operations of C3v act on images as gathers of pixels.

A map moved by g, f(r) -> f(g^-1 r), has the image rho(q) -> rho(g^-1 q). With q = (j1 b1 + j2 b2)/L
and r = r1 a1 + r2 a2, q.r = 2 pi j.r / L, so that the pixel j of the new image is the pixel g^T j
(mod L) of the old one: the L x L torus of momenta is mapped onto itself exactly. Re rho(q) is even
in q, which makes C6 and C3 one operation; C3v is all that is left of D6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.physics import LABELS
from gapscope.physics.lattice import window_coordinates
from gapscope.physics.symmetry import (
    C3,
    MIRROR_X,
    Operation,
    mirror_theta,
    rotate_theta_by_c3,
)

TURNING = frozenset({"Eg", "Eu"})
"""Classes whose theta moves with the map; maps of the others are invariant under C3v."""


@dataclass(frozen=True)
class Move:
    """An operation of C3v: the mirror x -> -x where asked for, then turns by 120 degrees."""

    turns: int
    mirrored: bool

    @property
    def operation(self) -> Operation:
        """Matrix acting on (r1, r2)."""
        turned = np.linalg.matrix_power(C3, self.turns)
        return turned @ MIRROR_X if self.mirrored else turned

    def theta(self, theta: float, label: str) -> float:
        """Mixing angle of the moved map, in radians; NaN stays NaN."""
        if label not in TURNING:
            return theta
        if self.mirrored:
            theta = mirror_theta(theta)
        for _ in range(self.turns):
            theta = rotate_theta_by_c3(theta)
        return theta


C3V: tuple[Move, ...] = tuple(Move(n, mirrored) for n in range(3) for mirrored in (False, True))


def pixel_gathers(size: int) -> NDArray[np.int64]:
    """For each move of C3V the flat index of the pixel that lands on each pixel, (6, size^2)."""
    j = window_coordinates(size)
    pixels = np.stack(np.meshgrid(j, j, indexing="ij")).reshape(2, -1)
    sources = [(move.operation.T @ pixels + size // 2) % size for move in C3V]
    return np.stack([s[0] * size + s[1] for s in sources])


def move_images(
    images: NDArray[np.float32], moves: NDArray[np.int64], gathers: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Each image of (samples, L, L, energies) moved by the operation C3V[moves[sample]]."""
    flat = images.reshape(len(images), -1, images.shape[-1])
    return np.take_along_axis(flat, gathers[moves][..., None], axis=1).reshape(images.shape)


def move_angles(
    theta: NDArray[np.float64], label: NDArray[np.integer], moves: NDArray[np.int64]
) -> NDArray[np.float64]:
    """theta of each moved map; ``label`` are indices into LABELS."""
    return np.array(
        [C3V[m].theta(float(t), LABELS[n]) for t, n, m in zip(theta, label, moves, strict=True)]
    )
