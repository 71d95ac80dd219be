"""Whether a map is on the lattice that a network was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gapscope.physics.lattice import Lattice

STRAIN = 0.05
"""Difference of vectors, over the lattice constant, that a measured crystal may have from its
material: its sites are the same."""


def lattice_of(content: Mapping[Any, Any]) -> Lattice:
    """The lattice that the attributes of a map name, its constant 1 where they do not say it.

    Raises
    ------
    KeyError, SpecificationError : they name none.
    """
    return Lattice.from_dict({"lattice_constant": 1.0, **content})


def in_words(lattice: Lattice) -> str:
    """Kind and, where the kind does not determine it, shape."""
    if lattice.cell is None:
        return lattice.name
    one, two = lattice.vectors
    lengths = np.linalg.norm(one), np.linalg.norm(two)
    angle = np.degrees(np.arccos(one @ two / (lengths[0] * lengths[1])))
    return f"{lattice.name} (b/a = {lengths[1] / lengths[0]:.4g}, {angle:.4g} degrees)"
