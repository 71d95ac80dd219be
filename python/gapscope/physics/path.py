"""Paths through the Brillouin zone between points of symmetry."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import SpecificationError
from gapscope.physics.lattice import Lattice, named

Points = dict[str, tuple[float, float]]
POINTS: dict[str, Points] = {
    "triangular": {
        "Gamma": (0.0, 0.0),
        "M": (0.5, 0.0),
        "K": (2 / 3, 1 / 3),
        "K'": (1 / 3, 2 / 3),
    },
    "square": {"Gamma": (0.0, 0.0), "X": (0.5, 0.0), "M": (0.5, 0.5)},
    "rectangular": {"Gamma": (0.0, 0.0), "X": (0.5, 0.0), "Y": (0.0, 0.5), "S": (0.5, 0.5)},
    "centred": {"Gamma": (0.0, 0.0), "S": (0.5, 0.0), "S'": (0.0, 0.5)},
    "oblique": {"Gamma": (0.0, 0.0), "X": (0.5, 0.0), "Y": (0.0, 0.5)},
}
"""Reduced coordinates in the standard settings; :func:`points` adds what varies with the cell."""


def points(lattice: Lattice | str) -> Points:
    """Named points of a lattice's Brillouin zone, reduced coordinates (m1, m2).

    The centred zone has, half-way along the shorter of b1 + b2 (along x) and b1 - b2 (along y), X
    or Y, which are the same point; the oblique one M half-way along the shorter of the two.
    """
    lattice = named(lattice)
    found = POINTS[lattice.name]
    if lattice.name not in ("centred", "oblique"):
        return found
    plus, minus = np.linalg.norm(lattice.momentum([[1.0, 1.0], [1.0, -1.0]]), axis=1)
    upper = bool(plus <= minus)
    name = "M" if lattice.name == "oblique" else "X" if upper else "Y"
    return found | {name: (0.5, 0.5 if upper else -0.5)}


def usual_path(lattice: Lattice | str) -> list[str]:
    """Corners of the path that bands on a lattice are usually shown along."""
    lattice = named(lattice)
    if lattice.name == "centred":
        edge = next(name for name in points(lattice) if name in "XY")
        return ["Gamma", edge, "S", "Gamma"]
    usual = {
        "triangular": "Gamma M K Gamma",
        "square": "Gamma X M Gamma",
        "rectangular": "Gamma X S Y Gamma",
        "oblique": "Gamma X M Y Gamma",
    }
    return usual[lattice.name].split()


def path(lattice: Lattice | str, corners: Sequence[str], steps: int) -> NDArray[np.float64]:
    """Reduced momenta (n, 2) along straight lines between named points, corners included once.

    Parameters
    ----------
    lattice : the lattice, or the name of one that its name determines.
    corners : names of at least two points of symmetry.
    steps : number of steps on each line.

    Raises
    ------
    SpecificationError : an unknown point, fewer than two points, less than one step.
    """
    known = points(lattice)
    if steps < 1:
        raise SpecificationError(
            "A path has at least one step on each line.", steps, "Raise the number of steps."
        )
    if len(corners) < 2 or not set(corners) <= set(known):
        raise SpecificationError(
            f"A path joins two or more of {', '.join(known)}.", list(corners), "Choose from them."
        )
    ends = np.array([known[name] for name in corners])
    fractions = np.linspace(0, 1, steps, endpoint=False)[:, None]
    lines = [start + fractions * (stop - start) for start, stop in pairwise(ends)]
    return np.concatenate([*lines, ends[-1:]])
