"""Predictions averaged over the symmetric copies of a map, so that they obey its symmetry.

A group-averaged network is (1/|G|) sum_g T_g^-1 f(g x): T_g is what the move g does to the answer.
On C3v it turns or mirrors (sin 2theta, cos 2theta) of Eg and Eu and leaves all else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.learning.data.moves import C3V, TURNING, Move, move_images, pixel_gathers
from gapscope.physics import LABELS

MOVES = len(C3V)
ANGLE = slice(0, 2)
"""Columns of sin 2theta and cos 2theta among TARGETS."""
_TURNING = np.array([label in TURNING for label in LABELS])


def copies(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """All moves of C3V of images (n, L, L, energies), as (6 n, L, L, energies), move by move."""
    gathers = pixel_gathers(images.shape[1])
    return np.concatenate(
        [move_images(images, np.full(len(images), m), gathers) for m in range(MOVES)]
    )


def average(
    probability: NDArray[np.floating], parameters: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Averages of the network's answers to :func:`copies`.

    Parameters
    ----------
    probability, parameters : (6 n, classes) and (6 n, TARGETS).

    Returns
    -------
    probability and parameters, (n, classes) and (n, TARGETS). The angle's two columns are turned
    back before they are averaged where the most probable class is Eg or Eu.
    """
    probability = probability.reshape(MOVES, -1, probability.shape[-1]).astype(np.float64)
    parameters = parameters.reshape(MOVES, -1, parameters.shape[-1]).astype(np.float64)
    mean_probability, mean = probability.mean(axis=0), parameters.mean(axis=0)
    turned = np.einsum("mij,mni->nj", _MATRICES, parameters[..., ANGLE]) / MOVES
    turning = _TURNING[mean_probability.argmax(axis=1)]
    mean[turning, ANGLE] = turned[turning]
    return mean_probability, mean


def _matrix(move: Move) -> NDArray[np.float64]:
    """Orthogonal matrix on (sin 2theta, cos 2theta) of a move's theta -> +-theta + constant."""

    def direction(theta: float) -> tuple[float, float]:
        moved = 2 * move.theta(theta, "Eg")
        return np.sin(moved), np.cos(moved)

    return np.array([direction(np.pi / 4), direction(0.0)]).T


_MATRICES = np.stack([_matrix(move) for move in C3V])
