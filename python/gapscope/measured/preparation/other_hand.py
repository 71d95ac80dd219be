"""Oblique lattices have two mirror images: whether a map shows the other one."""

from __future__ import annotations

from itertools import product

import numpy as np
import xarray as xr

from gapscope.errors import LatticeNotFoundError, PreparationError
from gapscope.measured.preparation.bragg import find_lattice
from gapscope.measured.preparation.found import FoundLattice
from gapscope.measured.preparation.sought import Sought
from gapscope.physics.lattice import Lattice

CLOSER = 3.0
"""Times as far from 1 as that of its mirror image: from here on a lattice's anisotropy is told."""


def mirror_image(lattice: Lattice) -> Lattice:
    """The lattice seen from the other side of the crystal."""
    a, b, angle = _cell(lattice)
    return Lattice.from_cell(a, b, 180 - angle)


def told_of_hand(
    error: LatticeNotFoundError,
    image: xr.DataArray,
    wanted: Sought,
    *,
    scale: tuple[float, float],
    anisotropy: float,
    false_alarm: float,
) -> LatticeNotFoundError | None:
    """The error with the mirror image in its remedy; None where the map does not show it."""
    if wanted.lattice.name != "oblique":
        return None
    settings = {"anisotropy": anisotropy, "false_alarm": false_alarm}
    try:
        find_lattice(image, mirror_image(wanted.lattice), scale=scale, **settings)
    except (LatticeNotFoundError, PreparationError):
        return None
    return LatticeNotFoundError(
        error.rule,
        "none there, but those of its mirror image",
        f"If the crystal lies with its other side up, or the file shows it mirrored, give"
        f" {_option(wanted.lattice)}; sites and maps are then those of the mirrored crystal.",
    )


def hand_in_words(lattice: FoundLattice) -> list[str]:
    """A line where the mirror image of an oblique lattice needs much less distortion."""
    if lattice.perfect.name != "oblique":
        return []
    other = mirror_image(lattice.perfect)
    least = min(_anisotropy(lattice, other, labels) for labels in product((-1, 0, 1), repeat=4))
    found = lattice.anisotropy
    if float(found.value) - 1 < CLOSER * (least - 1) + float(found.error):
        return []
    return [
        f"                    Its mirror image needs an anisotropy of {least:.4f} alone: is it"
        f" {_option(lattice.perfect)}?"
    ]


def _anisotropy(lattice: FoundLattice, other: Lattice, labels: tuple[int, ...]) -> float:
    """Largest over smallest stretch that makes the found vectors of another lattice's."""
    rows = np.array(labels).reshape(2, 2)
    if round(float(np.linalg.det(rows))) != 1:
        return np.inf
    ideal = rows @ other.vectors
    stretches = np.linalg.svd(np.linalg.solve(ideal, lattice.vectors), compute_uv=False)
    return float(stretches[0] / stretches[1])


def _option(lattice: Lattice) -> str:
    a, b, angle = _cell(lattice)
    return f"--cell {a:.5g} {b:.5g} {180 - angle:.5g}"


def _cell(lattice: Lattice) -> tuple[float, float, float]:
    """Lengths in Angstrom and the angle in degrees."""
    one, two = lattice.constant * lattice.vectors
    a, b = float(np.linalg.norm(one)), float(np.linalg.norm(two))
    return a, b, float(np.degrees(np.arccos(one @ two / (a * b))))
