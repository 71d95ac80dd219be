"""A synthetic measured map, and the SPIP ASCII text of one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.lattice import Lattice

CONSTANT = 0.344
"""nm."""


def atoms(pixels: int, width: float = 4.0, wave: float = 0.0) -> NDArray[np.float64]:
    """A triangular lattice of atoms with a little noise, (pixels, pixels), ``width`` nm wide.

    A 3 x 3 density wave of the amplitude ``wave`` lies on it.
    """
    x = width * np.arange(pixels) / pixels
    points = np.stack(np.meshgrid(x, x), axis=-1)
    b1, b2 = Lattice("triangular", 1.0).reciprocal / CONSTANT
    angle = 0.2
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    bragg = [turn @ b for b in (b1, b2, b1 + b2)]
    waves = [np.cos(points @ b) + wave * np.cos(points @ b / 3) for b in bragg]
    noise = np.random.default_rng(7).standard_normal((pixels, pixels))
    return np.asarray(sum(waves) + 0.3 * noise)


def spip(values: NDArray[np.float64], width: float) -> str:
    """The text of a square map of so many nm, first row at the top."""
    head = {
        "File Format": "ASCII",
        "x-pixels": values.shape[1],
        "y-pixels": values.shape[0],
        "x-length": width,
        "y-length": width,
        "z-unit": "nA",
    }
    lines = [f"# {name} = {value}" for name, value in head.items()]
    lines += ["", "# Start of Data:"]
    lines += ["\t".join(f"{value:.5f}" for value in row) for row in values[::-1]]
    return "\n".join(lines) + "\n"
