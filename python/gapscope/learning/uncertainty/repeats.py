"""Maps that repeat themselves: padded, tiled or enlarged ones, which hold less than they show.

No row of a measured or simulated map equals another, to the last digit, unless a mirror of the
lattice or of the state, r1 -> -r1 or r2 -> -r2, takes one to the other. Rows that do were copied
from each other. Where a map of a smaller field of view is laid into the window with zeros around
it, these are gaps, and no copies.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FEWEST = 8
"""Sites that two rows share, zeros left out, from which on they are compared."""


def repeats(maps: NDArray[np.floating], *, gaps: bool) -> NDArray[np.bool_]:
    """Whether rows or columns of maps (n, energies, L, L) repeat others, (n,).

    Parameters
    ----------
    gaps : whether zeros are gaps; else rows of zeros repeat each other.
    """
    return np.array(
        [_copied(one, gaps) or _copied(one.swapaxes(-2, -1), gaps) for one in maps], dtype=bool
    )


def _copied(one: NDArray[np.floating], gaps: bool) -> bool:
    """Whether a row of (energies, L, L) equals a later one that is not its mirror image."""
    size = one.shape[-2]
    known = np.asarray(one.any(axis=0)) if gaps else np.ones(one.shape[1:], dtype=bool)
    for step in range(1, size):
        # Rows i and j are mirror images where r1 = i - L/2 is -(j - L/2): i + j = L.
        apart = 2 * np.arange(size - step) + step != size
        both = known[:-step] & known[step:]
        same = (one[:, :-step] == one[:, step:]).all(axis=0) | ~both
        if (same.all(axis=-1) & (both.sum(axis=-1) >= FEWEST) & apart).any():
            return True
    return False
