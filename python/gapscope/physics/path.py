"""Paths through the Brillouin zone between points of symmetry."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import SpecificationError

POINTS: dict[str, dict[str, tuple[float, float]]] = {
    "triangular": {
        "Gamma": (0.0, 0.0),
        "M": (0.5, 0.0),
        "K": (2 / 3, 1 / 3),
        "K'": (1 / 3, 2 / 3),
    },
    "square": {"Gamma": (0.0, 0.0), "X": (0.5, 0.0), "M": (0.5, 0.5)},
}


def path(lattice: str, corners: Sequence[str], points: int) -> NDArray[np.float64]:
    """Reduced momenta (n, 2) along straight lines between named points, corners included once.

    Parameters
    ----------
    lattice : name of the lattice.
    corners : names of at least two points of symmetry.
    points : number of steps on each line.

    Raises
    ------
    SpecificationError : an unknown lattice or point, fewer than two points, less than one step.
    """
    if lattice not in POINTS or points < 1:
        raise SpecificationError(
            f"A path lies on one of {', '.join(POINTS)} and has at least one step on each line.",
            f"{points} steps on {lattice}",
            "Change the lattice or the number of steps.",
        )
    known = POINTS[lattice]
    if len(corners) < 2 or not set(corners) <= set(known):
        raise SpecificationError(
            f"A path joins two or more of {', '.join(known)}.", list(corners), "Choose from them."
        )
    ends = np.array([known[name] for name in corners])
    steps = np.linspace(0, 1, points, endpoint=False)[:, None]
    lines = [start + steps * (stop - start) for start, stop in pairwise(ends)]
    return np.concatenate([*lines, ends[-1:]])
