"""Shells of neighbours: all bonds between sites that are equally long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.group.crystal_group import CrystalGroup

EQUAL = 1e-4
"""Lattice constants: two bonds of these lengths are equally long."""
SiteBond = tuple[int, int, int, int]
"""From site a in cell 0 to site b in cell R: (a, b, R1, R2)."""


@dataclass(frozen=True)
class Shell:
    """Bonds of one length, both directions of each.

    Parameters
    ----------
    number : 0 is on site.
    length : |R + tau_b - tau_a| in lattice constants.
    bonds : from site a to site b in cell R.
    """

    number: int
    length: float
    bonds: tuple[SiteBond, ...]


def shells_of(
    group: CrystalGroup, places: NDArray[np.float64], vectors: NDArray[np.float64], last: int
) -> list[Shell]:
    """Shells 0 to ``last``.

    Bonds that the group maps onto each other have one length, their mean, however much rounding the
    positions carry.

    Parameters
    ----------
    places : (sites, 3), reduced coordinates and height.
    vectors : rows a1, a2 in lattice constants.
    """
    images = _images(group)
    reach = 1
    while True:
        orbits, complete = _orbits(images, places, vectors, reach)
        lengths = sorted(orbits)
        groups: list[list[tuple[float, list[SiteBond]]]] = []
        for length, bonds in lengths:
            if groups and length - groups[-1][-1][0] < EQUAL:
                groups[-1].append((length, bonds))
            else:
                groups.append([(length, bonds)])
        if len(groups) > last and groups[last][-1][0] + EQUAL < complete:
            return [
                Shell(number, one[0][0], tuple(bond for _, bonds in one for bond in bonds))
                for number, one in enumerate(groups[: last + 1])
            ]
        reach += 1


def _images(
    group: CrystalGroup,
) -> list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """By operation: W, and image and shift of each site."""
    out = []
    for operation in group.operations:
        first = [
            int(np.flatnonzero(operation.sites == s)[0]) for s in range(operation.sites.max() + 1)
        ]
        out.append((operation.lattice, operation.image[first], operation.shift[first]))
    return out


def _orbits(
    images: Sequence[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]],
    places: NDArray[np.float64],
    vectors: NDArray[np.float64],
    reach: int,
) -> tuple[list[tuple[float, list[SiteBond]]], float]:
    """Orbits of bonds with |R1|, |R2| <= reach, and the length up to which there are all."""
    spread = np.ptp(places[:, :2], axis=0).max() if len(places) > 1 else 0.0
    # The distance between opposite sides of the parallelogram of these cells.
    heights = abs(np.linalg.det(vectors)) / np.linalg.norm(vectors, axis=1)
    complete = float((reach + 1 - spread) * heights.min())
    seen: set[SiteBond] = set()
    orbits: list[tuple[float, list[SiteBond]]] = []
    for a, b in np.ndindex(len(places), len(places)):
        for r1, r2 in np.ndindex(2 * reach + 1, 2 * reach + 1):
            bond = (a, b, r1 - reach, r2 - reach)
            if bond in seen:
                continue
            orbit = set()
            for w, image, shift in images:
                r = w @ bond[2:] + shift[b] - shift[a]
                moved = (int(image[a]), int(image[b]), int(r[0]), int(r[1]))
                orbit |= {moved, (moved[1], moved[0], -moved[2], -moved[3])}
            seen |= orbit
            orbits.append((_length(orbit, places, vectors), sorted(orbit)))
    return orbits, complete


def _length(
    orbit: set[SiteBond], places: NDArray[np.float64], vectors: NDArray[np.float64]
) -> float:
    bonds = np.array(sorted(orbit))
    step = places[bonds[:, 1]] - places[bonds[:, 0]]
    plane = (step[:, :2] + bonds[:, 2:]) @ vectors
    return float(np.mean(np.hypot(np.linalg.norm(plane, axis=1), step[:, 2])))
