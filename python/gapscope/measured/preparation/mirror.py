"""Whether the peaks of a superlattice are as bright as their mirror images.

The reciprocal lattice of a superlattice A1, A2 = A1 turned as a1 to a2 has mirrors; those of one
that is turned, but not onto a mirror of the lattice, such as sqrt7 x sqrt7 on the triangular one,
are no mirrors of the lattice, and then peaks and their images need not be alike. With l = ln(A/A')
of a star of peaks and its image's, each pair adds ln p(l | mirrors) - ln p(l | none), two
normal distributions of widths LIKE and UNLIKE.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.measured.preparation.bravais import Bravais
from gapscope.measured.preparation.grid import Real

LIKE, UNLIKE = 0.3, 1.2
"""sigma of ln(A / A')."""
MOST = 4.0
"""Bound of the sum, either way: a wave without mirrors on a lattice is possible, too."""
NEAR = 1.0
"""Pixels within which a peak belongs to a point of the superlattice's reciprocal lattice."""


def handedness(reciprocal: Real, number: int, places: Real, amplitudes: Real, of: Bravais) -> float:
    """Half of the sum for a superlattice that has the lattice's mirrors, minus half for others.

    Parameters
    ----------
    reciprocal, places : rows b1, b2, and peaks (p, 2), in pixels.
    number : of the superlattice, among those of the lattice.
    amplitudes : (p,), |rho|.
    of : the kind of lattice; without rotations by less than 180 degrees, the value is 0.
    """
    if not len(places) or of.cells[number] == 1 or of.order == 2:
        return 0.0
    matrix = of.superlattices[number]
    t = places @ np.linalg.inv(reciprocal) @ matrix.T
    points = np.rint(t).astype(np.int64)
    off = (t - points) @ np.linalg.inv(matrix).T @ reciprocal
    near = np.hypot(*off.T) < NEAR
    points, logarithms = points[near], np.log(amplitudes[near])
    stars, images = _star(points, of), _star(points[:, ::-1], of)
    seen, number_of, count = np.unique(stars, return_inverse=True, return_counts=True)
    sums = np.bincount(number_of, logarithms, len(seen))
    means = dict(zip(seen.tolist(), (sums / count).tolist(), strict=True))
    total = 0.0
    for star, image in set(zip(stars.tolist(), images.tolist(), strict=True)):
        # A pair of which both are seen stands twice, the other way round.
        if star > image or (star < image and image not in means):
            ratio = means[star] - means.get(image, float(logarithms.min()))
            total += np.log(UNLIKE / LIKE) - 0.5 * ratio**2 * (LIKE**-2 - UNLIKE**-2)
    half = float(np.clip(total, -MOST, MOST)) / 2
    return -half if of.two_hands[number] else half


def _star(points: NDArray[np.int64], of: Bravais) -> NDArray[np.int64]:
    """A number for each of the points (p, 2) and its turns, in the superlattice's own vectors."""
    turns = [points]
    for _ in range(of.order - 1):
        turns.append(turns[-1] @ of.turned_momenta)
    return np.asarray(np.max([t1 * 10000 + t2 for t1, t2 in (one.T for one in turns)], axis=0))
