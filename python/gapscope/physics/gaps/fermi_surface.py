"""The Fermi surface of a normal state: points on it, in segments that follow each other.

The zone is cut into triangles of a grid. Where a band changes sign along an edge, the place is
found by bisection; the two edges of a triangle that it crosses are joined by a segment, which is
divided further along the surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gapscope.physics.bonds import Bonds
from gapscope.physics.gaps.magnitude import AT_ONCE
from gapscope.physics.group.crystal_group import time_reversal_violation
from gapscope.physics.spin import D0

GRID = 96
HALVINGS = 40
PARTS = 4
"""Parts into which each segment is divided."""
SHORT = 0.1
"""Length, in steps of the grid, below which a segment's ends are one point: where edges are crossed
near a corner, points lie arbitrarily close, and a gap that vanishes between them looks flat."""
DEGENERATE = 1e-6
"""Part of the bands' width: states this close to the Fermi level are at it."""
KEPT = 1e-6
"""Part of the bands' width by which a Hamiltonian may break time reversal and still have it."""
BESIDE = np.array([6e-5, 8e-5])


@dataclass(frozen=True, eq=False)
class States:
    """States of one band, or of several that are degenerate everywhere, at the Fermi level.

    Parameters
    ----------
    points : (p,) numbers of the points.
    electrons : (p, 2n, s) eigenvectors at k.
    partners : (p, 2n, s') those at -k that they pair with: their time-reversed states where the
        Hamiltonian has that symmetry, else all at the Fermi level, others zero.
    """

    points: NDArray[np.int64]
    electrons: NDArray[np.complex128]
    partners: NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class FermiSurface:
    """Points where a band crosses zero energy.

    Parameters
    ----------
    momenta : (points, 2) reduced.
    segments : (segments, 2) numbers of the points that each segment joins.
    states : what can pair there, by band.
    """

    momenta: NDArray[np.float64]
    segments: NDArray[np.int64]
    states: tuple[States, ...]

    @cached_property
    def neighbours(self) -> NDArray[np.int64]:
        """(points, 2) the two points that each is joined with; -1 where there are not two."""
        ends = np.concatenate([self.segments, self.segments[:, ::-1]])
        ends = ends[np.argsort(ends[:, 0], kind="stable")]
        count = np.bincount(ends[:, 0], minlength=len(self.momenta))
        out = np.full((len(self.momenta), 2), -1)
        first = np.cumsum(count) - count
        two = np.flatnonzero(count == 2)
        out[two] = np.stack([ends[first[two], 1], ends[first[two] + 1, 1]], axis=-1)
        return out


def steps(start: NDArray[np.float64], stop: NDArray[np.float64]) -> NDArray[np.float64]:
    """From reduced momenta to the nearest copies of others."""
    apart = stop - start
    return np.asarray(apart - np.rint(apart))


def fermi_surface(electrons: Bonds, grid: int = GRID) -> FermiSurface:
    """The Fermi surface of He(k), whose zero of energy is the Fermi level.

    Where no band crosses zero there are no points. Bands that are degenerate count once.
    """
    # Off the points of symmetry, where bands touch or vanish by symmetry.
    m = (np.arange(grid) + 0.382) / grid
    corners = np.stack(np.meshgrid(m, m, indexing="ij"), axis=-1)
    energies = np.stack([_bands(electrons, row) for row in corners])
    scale = float(np.ptp(energies)) or 1.0
    reversible = time_reversal_violation(electrons) < KEPT * scale
    momenta, segments = [np.zeros((0, 2))], [np.zeros((0, 2), dtype=np.int64)]
    states: list[States] = []
    count, band = 0, 0
    while band < energies.shape[-1]:
        same = np.abs(energies - energies[..., band : band + 1]).max(axis=(0, 1))
        several = int(np.count_nonzero(same < DEGENERATE * scale))
        points, joined = _crossings(electrons, corners, energies[..., band], band)
        if len(points):
            points, joined = _divided(electrons, points, joined, band)
            momenta.append(points)
            segments.append(joined + count)
            number = count + np.arange(len(points))
            own = _own_states(electrons, points, slice(band, band + several), scale)
            others = _reversed(own) if reversible else _at_level(electrons, -points, scale)
            states.append(States(number, own, others))
            count += len(points)
        band += several
    return FermiSurface(np.concatenate(momenta), np.concatenate(segments), tuple(states))


def _bands(electrons: Bonds, momenta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Energies (points, 2n) at reduced momenta (points, 2), in pieces that fit into memory."""
    size = max(1, AT_ONCE // (len(electrons.vectors) + electrons.dimension**2))
    pieces = [
        np.linalg.eigvalsh(electrons.at(momenta[i : i + size]))
        for i in range(0, len(momenta), size)
    ]
    return np.concatenate([np.zeros((0, electrons.dimension)), *pieces])


def _crossings(
    electrons: Bonds, corners: NDArray[np.float64], energies: NDArray[np.float64], band: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    size = len(energies)
    a = np.arange(size * size).reshape(size, size)  # around the torus
    b, c, d = (np.roll(a, shift, axis=(0, 1)) for shift in ((-1, 0), (-1, -1), (0, -1)))
    triangles = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3)
    positive = energies.ravel() > 0
    edges = np.sort(np.stack([triangles, np.roll(triangles, -1, axis=1)], -1), axis=-1)
    crossed = positive[edges[..., 0]] != positive[edges[..., 1]]
    used, where = np.unique(edges[crossed], axis=0, return_inverse=True)
    flat = corners.reshape(-1, 2)
    # A triangle that is crossed at all is crossed on two of its edges.
    joined = where.reshape(-1, 2).astype(np.int64)
    low = flat[used[:, 0]]
    points = _bisected(electrons, band, low, low + steps(low, flat[used[:, 1]]))
    return _without_short(points, joined, SHORT / size)


def _without_short(
    points: NDArray[np.float64], segments: NDArray[np.int64], length: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The points and segments with the ends of every segment that is shorter made one point."""
    start, stop = segments.T
    short = np.linalg.norm(steps(points[start], points[stop]), axis=1) < length
    ends = (start[short], stop[short])
    graph = coo_array((np.ones(len(ends[0])), ends), shape=(len(points),) * 2)
    _, number = connected_components(graph, directed=False)
    _, first = np.unique(number, return_index=True)
    joined = number[segments[~short]]
    return points[first], joined[joined[:, 0] != joined[:, 1]].astype(np.int64)


def _bisected(
    electrons: Bonds, band: int, low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Zeros of a band on the lines from ``low`` to ``high``, at whose ends its signs differ."""
    rising = _bands(electrons, high)[:, band] > 0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = _bands(electrons, middle)[:, band] > 0
        upper = (above == rising)[:, None]
        low, high = np.where(upper, low, middle), np.where(upper, middle, high)
    return (low + high) / 2


def _divided(
    electrons: Bonds, points: NDArray[np.float64], segments: NDArray[np.int64], band: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Each segment in PARTS, with points on the Fermi surface between its ends."""
    start = points[segments[:, 0]]
    along = steps(start, points[segments[:, 1]])
    across = along[:, ::-1] * (1, -1) / 2
    chain = [segments[:, 0]]
    for part in range(1, PARTS):
        middle = start + along * part / PARTS
        low, high = middle - across, middle + across
        ends = [_bands(electrons, k)[:, band] > 0 for k in (low, high)]
        # Where the two sides do not part (a sharp corner), the segment's own start stands in.
        parted = ends[0] != ends[1]
        number = segments[:, 0].copy()
        number[parted] = len(points) + np.arange(np.count_nonzero(parted))
        points = np.concatenate([points, _bisected(electrons, band, low[parted], high[parted])])
        chain.append(number)
    chain.append(segments[:, 1])
    pairs = np.concatenate([np.stack(two, axis=-1) for two in pairwise(chain)])
    return points, pairs[pairs[:, 0] != pairs[:, 1]]


def _own_states(
    electrons: Bonds, momenta: NDArray[np.float64], bands: slice, scale: float
) -> NDArray[np.complex128]:
    """Eigenvectors of bands; where another band touches them, those of a place beside it."""
    energies, vectors = np.linalg.eigh(electrons.at(momenta))
    others = np.delete(energies, np.r_[bands], axis=1)
    if others.shape[1]:
        apart = np.abs(others - energies[:, bands.start, None]).min(axis=1)
        touched = apart < DEGENERATE * scale
        if touched.any():
            vectors[touched] = np.linalg.eigh(electrons.at(momenta[touched] + BESIDE))[1]
    return np.asarray(vectors[:, :, bands])


def _reversed(states: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """i s_y K of each state."""
    n = states.shape[1] // 2
    return np.asarray(np.kron(D0, np.eye(n)) @ states.conj())


def _at_level(
    electrons: Bonds, momenta: NDArray[np.float64], scale: float
) -> NDArray[np.complex128]:
    """All eigenvectors, zero where they are not at the Fermi level."""
    energies, vectors = np.linalg.eigh(electrons.at(momenta))
    return np.asarray(vectors * (np.abs(energies) < DEGENERATE * scale)[:, None, :])
