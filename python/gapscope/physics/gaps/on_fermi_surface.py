"""A gap on the Fermi surface: least and largest value, sign, nodes.

Where bands cross the Fermi level with states U(k), and V(-k) at the opposite momentum, the gap is
to first order in Delta the matrix

    U(k)^dagger Delta(k) V(-k)^*,

whose singular values are the gaps of quasiparticles. V is U's time-reversed state where He has that
symmetry; the matrix of a gap that is even under time reversal is then Hermitian, and the sign of
its eigenvalues, if they agree, is the sign of the gap. Pairs of states of which only one is at the
Fermi level open no gap to first order: so equal-spin pairs in an Ising superconductor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.bonds import Bonds
from gapscope.physics.gaps.fermi_surface import FermiSurface, steps

NODE = 5e-3
"""Part of the largest gap below which a minimum is a node."""
NOTHING = 1e-7
"""Part of the gap's largest value in the zone below which the Fermi surface is ungapped."""


@dataclass(frozen=True, eq=False)
class GapOnFermiSurface:
    """A gap at every point of the Fermi surface, in the unit of its bonds.

    Parameters
    ----------
    least : (points,) smallest gap of the states at a point.
    largest : (points,) their largest gap.
    signed : (points,) the least gap with its sign; not a number where it has none.
    nodes : (nodes, 2) reduced momenta where the gap vanishes, from -1/2 to 1/2.
    ungapped : part of the points without any gap, to first order.
    """

    least: NDArray[np.float64]
    largest: NDArray[np.float64]
    signed: NDArray[np.float64]
    nodes: NDArray[np.float64]
    ungapped: float

    @property
    def smallest(self) -> float:
        """Least gap on the Fermi surface; 0 where it has nodes."""
        if len(self.nodes) or not len(self.least):
            return 0.0
        return float(self.least.min())

    @property
    def maximum(self) -> float:
        """Largest gap on the Fermi surface."""
        return float(self.largest.max(initial=0.0))


def gap_on_fermi_surface(gap: Bonds, surface: FermiSurface) -> GapOnFermiSurface:
    """Project a gap onto the states at the Fermi level."""
    count = len(surface.momenta)
    least, largest = np.zeros(count), np.zeros(count)
    signed = np.full(count, np.nan)
    # Most gaps pair few orbitals: the others' rows and columns are left out.
    rows = np.flatnonzero(np.abs(gap.matrices).max(axis=(0, 2)))
    columns = np.flatnonzero(np.abs(gap.matrices).max(axis=(0, 1)))
    paired = gap.matrices[:, rows][:, :, columns]
    phases = np.exp(2j * np.pi * (surface.momenta @ gap.vectors.T))
    scale = float(np.abs(gap.matrices).max()) or 1.0
    for states in surface.states:
        left = states.electrons[:, rows].conj().transpose(0, 2, 1)
        matrices = np.tensordot(phases[states.points], paired, axes=1)
        part = left @ matrices @ states.partners[:, columns].conj()
        square = part.shape[-1] == part.shape[-2]
        if square and np.abs(part - part.conj().transpose(0, 2, 1)).max() < 1e-6 * scale:
            values = np.linalg.eigvalsh(-part)
            agree = (values.min(axis=1) > 0) == (values.max(axis=1) > 0)
            size = np.abs(values)
            sign = np.where(values[:, 0] > 0, 1.0, -1.0)
            signed[states.points] = np.where(agree, sign * size.min(axis=1), np.nan)
        else:
            size = np.linalg.svd(part, compute_uv=False)
        least[states.points], largest[states.points] = size.min(axis=1), size.max(axis=1)
    ungapped = float(np.mean(largest < NOTHING)) if count else 0.0
    nodes = _nodes(surface, least, largest, signed)
    return GapOnFermiSurface(least, largest, signed, nodes, ungapped)


def _nodes(
    surface: FermiSurface,
    least: NDArray[np.float64],
    largest: NDArray[np.float64],
    signed: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Where the gap changes sign along a segment, or a minimum of it reaches zero."""
    top = float(largest.max(initial=0.0))
    if top < NOTHING:
        return np.zeros((0, 2))
    k = surface.momenta
    i, j = surface.segments.T
    gapped = (least[i] > NOTHING) & (least[j] > NOTHING)
    near = np.abs(signed[i] - signed[j]) < top / 2
    change = gapped & near & (np.sign(signed[i]) * np.sign(signed[j]) < 0)
    i, j = i[change], j[change]
    weight = np.abs(signed[i]) / (np.abs(signed[i]) + np.abs(signed[j]))
    found = [k[i] + weight[:, None] * steps(k[i], k[j])]
    found.append(_minima(surface, least, top))
    places = np.concatenate(found)
    places -= np.rint(places)
    return _apart(places)


def _minima(surface: FermiSurface, least: NDArray[np.float64], top: float) -> NDArray[np.float64]:
    """Places where a parabola through the gap's square reaches zero without a change of sign."""
    k, around = surface.momenta, surface.neighbours
    points = np.flatnonzero((around >= 0).all(axis=1) & (least < top / 5))
    before, after = around[points].T
    low = (least[points] <= least[before]) & (least[points] <= least[after])
    points, before, after = (one[low] for one in (points, before, after))
    # The parabola c + b t + a t^2 through the three, with t along the surface from the middle one.
    back, ahead = steps(k[points], k[before]), steps(k[points], k[after])
    s, t = np.linalg.norm(back, axis=1), np.linalg.norm(ahead, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        c = least[points] ** 2
        left, right = (least[before] ** 2 - c) / s, (least[after] ** 2 - c) / t
        a, b = (left + right) / (s + t), (right * s - left * t) / (s + t)
        vertex = np.where(a > 0, -b / (2 * a), 0.0)
        lowest = c + b * vertex + a * vertex**2
        toward = np.where((vertex > 0)[:, None], ahead / t[:, None], back / s[:, None])
    reached = (lowest < (NODE * top) ** 2) & (np.maximum(least[before], least[after]) > NOTHING)
    return np.asarray((k[points] + np.abs(vertex)[:, None] * toward)[reached & (s > 0) & (t > 0)])


def _apart(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places without those that are the same to a five-hundredth of the zone."""
    kept = np.empty((0, 2))
    for place in places:
        away = kept - place
        if (np.abs(away - np.rint(away)).max(axis=1) > 0.002).all():
            kept = np.concatenate([kept, place[None]])
    return kept
