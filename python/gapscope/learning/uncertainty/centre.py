"""The site that a map is most nearly even about: where its impurity lies.

A map around one impurity at s is nearly even about it, f(s + r) ~ f(s - r): its odd part, which
chirality and moments leave, is small. How even it is,

    c(s) = sum_r f(r) f(2s - r) / sum_r f(r)^2,  averaged over energies,

is 1 for an even map and -1 for an odd one, whatever its amplitude and sign; noise only lowers it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REACH = 6
"""Sites along each lattice vector by which an impurity may lie off r = 0."""


def centres(maps: NDArray[np.floating]) -> NDArray[np.int64]:
    """Sites (n, 2) within REACH about which maps (n, energies, L, L) are most nearly even, with
    r = 0 at index L/2, around which the window goes on from its other side."""
    size = maps.shape[-1]
    reach = min(REACH, size // 4 - 1)
    steps = np.arange(-reach, reach + 1)
    found = []
    for one in maps.astype(np.float64):
        spectrum = np.fft.fft2(np.fft.ifftshift(one, axes=(-2, -1)))
        norm = np.square(one).sum(axis=(-2, -1), keepdims=True)
        folded = np.fft.ifft2(spectrum**2).real / np.where(norm > 0, norm, 1.0)
        even = folded.mean(axis=0)[np.ix_(2 * steps % size, 2 * steps % size)]
        found.append(steps[list(np.unravel_index(even.argmax(), even.shape))])
    return np.array(found, dtype=np.int64).reshape(-1, 2)
