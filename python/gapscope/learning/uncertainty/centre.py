"""The site that a map is most nearly even about: where its impurity lies.

A map around one impurity at s is nearly even about it, f(s + r) ~ f(s - r): its odd part, which
chirality and moments leave, is small. How even it is,

    c(s) = sum_r f(r) f(2s - r) / sum_r f(r)^2,  averaged over energies,

is 1 for an even map and -1 for an odd one, whatever its amplitude and sign; noise only lowers it.
White noise alone has a deviation of sqrt(2) / L about every site, over the root of the number of
energies, and is nowhere even.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REACH = 6
"""Sites along each lattice vector by which an impurity may lie off r = 0."""
EVEN = 6.0
"""How even a map is that is even about a site, in deviations of white noise."""


def centres(maps: NDArray[np.floating]) -> list[tuple[int, int] | None]:
    """The site within REACH about which each map of (n, energies, L, L) is most nearly even, None
    where it is even about none; r = 0 is at index L/2, and the window goes on from its other side.
    """
    size = maps.shape[-1]
    reach = min(REACH, size // 4 - 1)
    steps = np.arange(-reach, reach + 1)
    found: list[tuple[int, int] | None] = []
    for one in maps.astype(np.float64):
        spectrum = np.fft.fft2(np.fft.ifftshift(one, axes=(-2, -1)))
        norm = np.square(one).sum(axis=(-2, -1), keepdims=True)
        folded = np.fft.ifft2(spectrum**2).real / np.where(norm > 0, norm, 1.0)
        even = folded.mean(axis=0)[np.ix_(2 * steps % size, 2 * steps % size)]
        first, second = np.unravel_index(even.argmax(), even.shape)
        by_chance = np.sqrt(2 / len(one)) / size
        told = even.max() > EVEN * by_chance
        found.append((int(steps[first]), int(steps[second])) if told else None)
    return found
