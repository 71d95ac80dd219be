"""Synthetic scans of a triangular lattice with a superlattice, as bright as one likes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from lattice_maps import NBS2, as_map, ideal_reciprocal

SUPERLATTICES = {
    "sqrt3": (1, 1),
    "2 x 2": (2, 0),
    "sqrt7": (2, 1),
    "3 x 3": (3, 0),
    "sqrt13": (3, 1),
    "4 x 4": (4, 0),
    "5 x 5": (5, 0),
    "7 x 7": (7, 0),
}
"""A1 = m a1 + n a2."""
KINDS = ("waves", "mixed", "full", "adatoms")
"""Which satellites: the shortest six momenta; these, and their sums with Bragg vectors; all, of
random amplitudes; all, of amplitudes that fall off as those of a Gaussian adatom in each cell."""
ADATOM = 0.35
"""Standard deviation of an adatom's height in lattice constants."""


def fine_momenta(superlattice: tuple[int, int], reach: float) -> NDArray[np.float64]:
    """Reduced momenta (k, 2) of the superlattice up to a length in |b|, of q, -q one, no Bragg."""
    m, n = superlattice
    inverse = np.array([[m + n, -n], [n, m]]) / (m * m + m * n + n * n)
    t = np.arange(-16, 17)
    h = np.stack(np.meshgrid(t, t), axis=-1).reshape(-1, 2) @ inverse.T
    length = np.sqrt(h[:, 0] ** 2 + h[:, 1] ** 2 - h[:, 0] * h[:, 1])
    half = (h[:, 1] > 1e-9) | ((np.abs(h[:, 1]) < 1e-9) & (h[:, 0] > 1e-9))
    bragg = np.abs(h - np.rint(h)).max(axis=1) < 1e-9
    return h[half & ~bragg & (length < reach)]


def satellites(superlattice: tuple[int, int], kind: str) -> NDArray[np.float64]:
    """Reduced momenta (k, 2) of a kind of superlattice."""
    every = fine_momenta(superlattice, 1.4)
    if kind in ("full", "adatoms"):
        return every
    length = _length(every)
    shortest = every[length < length.min() * 1.01]
    if kind == "waves":
        return shortest
    bragg = np.array([[1, 0], [0, 1], [1, 1]])
    bragg = np.concatenate([bragg, -bragg])
    q = np.concatenate([shortest, -shortest])
    sums = (bragg[:, None] + q).reshape(-1, 2)
    near = np.abs(every[:, None] - sums).max(axis=-1).min(axis=1) < 1e-9
    return every[near | (length < length.min() * 1.01)]


def _length(h: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(h[:, 0] ** 2 + h[:, 1] ** 2 - h[:, 0] * h[:, 1])


def _stars(superlattice: tuple[int, int], h: NDArray[np.float64]) -> list[tuple[int, int]]:
    """A name for each momentum, the same for those that symmetry makes equally bright."""
    m, n = superlattice
    names = []
    for t1, t2 in np.rint(h @ np.array([[m, n], [-n, m + n]]).T).astype(int).tolist():
        equal = [(t1, t2), (t2, t1)] if n in (0, m) else [(t1, t2)]
        for _ in range(5):
            equal += [(a - b, a) for a, b in equal[-2 if n in (0, m) else -1 :]]
        names.append(max(equal))
    return names


@dataclass(frozen=True)
class Scan:
    """A scan and its truth: the Bragg vectors as scanned."""

    image: xr.DataArray
    reciprocal: NDArray[np.float64]


def superlattice_scan(
    superlattice: tuple[int, int],
    kind: str = "mixed",
    *,
    ratio: float = 1.0,
    degrees: float = 0.0,
    scale: float = 1.0,
    shear: ArrayLike = (0.0, 0.0),
    noise: float = 1.0,
    constant: float = NBS2,
    width: float = 13.0,
    pixels: int = 160,
    seed: int = 0,
) -> Scan:
    """Bragg waves of amplitude 1 and satellites of amplitude ``ratio`` on a distorted scan.

    Satellites of a "full" superlattice differ in amplitude by factors of e^0.5 or so from star to
    star: six momenta, with their mirror images where the superlattice has the lattice's mirrors.
    Those of "adatoms" fade with q from the amplitude ``ratio`` of the brightest.
    ``shear`` are the two components of a symmetric strain; phases are random.
    """
    rng = np.random.default_rng(seed)
    one, two = np.asarray(shear, dtype=np.float64)
    distortion = scale * np.array([[1 + one, two], [two, 1 - one]])
    truth = ideal_reciprocal(degrees, constant) @ np.linalg.inv(distortion)
    step = width / pixels
    along = step * (np.arange(pixels) - (pixels - 1) / 2)
    h = satellites(superlattice, kind)
    stars = _stars(superlattice, h)
    spread = 0.5 if kind == "full" else 0.0
    bright = {star: rng.lognormal(0.0, spread) for star in sorted(set(stars))}
    momenta = np.concatenate([[[1, 0], [0, 1], [1, 1]], h]) @ truth
    fading = np.ones(len(h))
    if kind == "adatoms":
        fading = np.exp(-0.5 * (4 * np.pi / np.sqrt(3) * ADATOM * _length(h)) ** 2)
        fading /= fading.max()
    satellite = ratio * fading * [bright[star] for star in stars]
    amplitudes = np.concatenate([np.ones(3), satellite])
    values = noise * rng.standard_normal((pixels, pixels))
    waves = amplitudes * np.exp(1j * rng.uniform(0, 2 * np.pi, len(amplitudes)))
    x, y = (np.exp(1j * np.outer(along, momenta[:, axis])) for axis in (0, 1))
    values = values + ((waves * y) @ x.T).real
    return Scan(as_map(values, step), truth)


def agrees(found: NDArray[np.float64], truth: NDArray[np.float64], within: float = 0.02) -> bool:
    """Whether rows b1, b2 are those of a lattice, perhaps named otherwise, to a part of |b|."""
    stars = []
    for b in (found, truth):
        three = np.concatenate([b, [-(b[0] + b[1])]])
        stars.append(np.concatenate([three, -three]))
    apart = np.linalg.norm(stars[0][:, None] - stars[1], axis=-1)
    return bool((apart.min(axis=1) < within * np.linalg.norm(truth[0])).all())
