"""Whether the peaks of a superlattice are as bright as their mirror images.

The reciprocal lattice of a superlattice has mirrors; those of a superlattice that is turned by less
than 30 degrees, such as sqrt7 x sqrt7, are no mirrors of the lattice, and then peaks and their
images need not be alike. With l = ln(A / A') of a star of peaks and its image's, each pair adds
ln p(l | mirrors) - ln p(l | none), two normal distributions of widths LIKE and UNLIKE.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.measured.preparation.grid import Real

LIKE, UNLIKE = 0.3, 1.2
"""sigma of ln(A / A')."""
MOST = 4.0
"""Bound of the sum, either way: a wave without mirrors on a lattice is possible, too."""
NEAR = 1.0
"""Pixels within which a peak belongs to a point of the superlattice's reciprocal lattice."""


def handedness(
    reciprocal: Real, superlattice: tuple[int, int], places: Real, amplitudes: Real
) -> float:
    """Half of the sum for a superlattice that has the lattice's mirrors, minus half for others.

    Parameters
    ----------
    reciprocal, places : rows b1, b2, and peaks (p, 2), in pixels.
    amplitudes : (p,), |rho|.
    """
    m, n = superlattice
    if not len(places) or (m, n) == (1, 0):
        return 0.0
    matrix = np.array([[m, n], [-n, m + n]])
    t = places @ np.linalg.inv(reciprocal) @ matrix.T
    points = np.rint(t).astype(np.int64)
    off = (t - points) @ np.linalg.inv(matrix).T @ reciprocal
    near = np.hypot(*off.T) < NEAR
    points, logarithms = points[near], np.log(amplitudes[near])
    stars, images = _star(points), _star(points[:, ::-1])
    means = {int(star): float(logarithms[stars == star].mean()) for star in np.unique(stars)}
    total = 0.0
    for star, image in set(zip(stars.tolist(), images.tolist(), strict=True)):
        # A pair of which both are seen stands twice, the other way round.
        if star > image or (star < image and image not in means):
            ratio = means[star] - means.get(image, float(logarithms.min()))
            total += np.log(UNLIKE / LIKE) - 0.5 * ratio**2 * (LIKE**-2 - UNLIKE**-2)
    half = float(np.clip(total, -MOST, MOST)) / 2
    return -half if n > 0 and m != n else half


def _star(points: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for each of the points (p, 2) and its turns by 60 degrees."""
    turns = [points]
    for _ in range(5):
        t1, t2 = turns[-1].T
        turns.append(np.stack([t1 - t2, t1], axis=-1))
    return np.asarray(np.max([t1 * 10000 + t2 for t1, t2 in (one.T for one in turns)], axis=0))
