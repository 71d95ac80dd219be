"""Predictions averaged over the symmetric copies of a map, so that they obey its symmetry.

A group-averaged network is (1/|G|) sum_g T_g^-1 f(g x): T_g is what the move g does to the answer,
which :mod:`gapscope.problem.moves` says of unknowns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gapscope.learning.data.moves import move_images, pixel_gathers
from gapscope.learning.data.targets import Targets
from gapscope.problem.moves import Move


def copies(images: NDArray[np.float32], moves: Sequence[Move]) -> NDArray[np.float32]:
    """All moves of images (n, L, L, energies), as (moves n, L, L, energies), move by move."""
    gathers = pixel_gathers(moves, images.shape[1])
    return np.concatenate(
        [move_images(images, np.full(len(images), m), gathers) for m in range(len(moves))]
    )


def average(
    probability: NDArray[np.floating], parameters: NDArray[np.floating], targets: Targets
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Averages of the network's answers to :func:`copies` of all moves of the targets' problem.

    Parameters
    ----------
    probability, parameters : (moves n, classes) and (moves n, columns).

    Returns
    -------
    probability and parameters, (n, classes) and (n, columns). Parameters are turned back before
    they are averaged, as those of the most probable class.
    """
    moves = len(targets.problem.moves)
    probability = probability.reshape(moves, -1, probability.shape[-1]).astype(np.float64)
    parameters = parameters.reshape(moves, -1, parameters.shape[-1]).astype(np.float64)
    mean = probability.mean(axis=0)
    label = mean.argmax(axis=1)
    back = [targets.moved_back(parameters[m], label, m) for m in range(moves)]
    return mean, np.mean(back, axis=0)
