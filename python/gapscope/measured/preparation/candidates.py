"""Lattices that a map's peaks could be of, each with its probability."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.measured.preparation.bravais import Bravais, Matrix, as_matrix, sublattices
from gapscope.measured.preparation.grid import Real
from gapscope.measured.preparation.mirror import handedness
from gapscope.measured.preparation.noise_floor import Spectrum
from gapscope.measured.preparation.plausible import (
    Bounds,
    brightness,
    explained,
    half_plane,
)
from gapscope.measured.preparation.summits import Summits, clear, summits

WEIGHED = 200
"""Candidates whose superlattices are looked at: the most plausible by shape and brightness."""
FLANK = 3
"""Pixels from where a peak on q_x = 0 should be to where its flank may be."""
SAME = 1.0
"""Pixels within which the vectors of two candidates are those of one lattice."""


@dataclass(frozen=True)
class Candidate:
    """A lattice by its Bragg peaks.

    Attributes
    ----------
    reciprocal : rows b1, b2 in pixels of the transform.
    pixels : (k, 2), of the Bragg peaks; None where they do not stand out.
    superlattice : rows A1, A2, in units of a1, a2, of the likeliest one.
    log_probability : up to a constant.
    """

    reciprocal: Real
    pixels: NDArray[np.int64] | None
    superlattice: Matrix
    log_probability: float

    @property
    def cells(self) -> int:
        """Cells of the lattice in one of the superlattice."""
        (a, b), (c, d) = self.superlattice
        return a * d - b * c


def candidates(found: Spectrum, bounds: Bounds, needed: float, of: Bravais) -> list[Candidate]:
    """Lattices within the bounds, the most probable first, each once.

    Parameters
    ----------
    needed : power over noise that the pixels of a lattice's Bragg peaks have. The first of the
        candidates may not have them: its pixels are None.
    of : the kind of lattice.
    """
    seen = summits(found, needed)
    if len(seen) < len(of.bragg):
        return []
    closed = len(of.bragg) == 3
    pixels, places, amplitudes = (_triples if closed else _pairs)(found, seen, bounds, needed)
    if not len(pixels):
        return []
    half = half_plane(seen, clear(found))
    peaks, bright = seen.places[half], seen.amplitudes[half]
    made = _weighed(places, list(pixels), amplitudes, peaks, bright, found, bounds, of)
    hidden = [b for b in _hidden(made[0], found, bounds, of) if not _among(b, places, of)]
    if len(hidden):
        # The brightest one changes, and with it all: weighed together.
        places = np.concatenate([places, np.array(hidden)])
        extra = _amplitudes(found, np.array(hidden), of)
        amplitudes = np.concatenate([amplitudes, extra])
        unseen: list[NDArray[np.int64] | None] = [None] * len(hidden)
        made = _weighed(places, [*pixels, *unseen], amplitudes, peaks, bright, found, bounds, of)
    return made


def _pairs(
    found: Spectrum, seen: Summits, bounds: Bounds, needed: float
) -> tuple[NDArray[np.int64], Real, Real]:
    """Pixels (c, 2, 2), vectors (c, 2, 2) in pixels and amplitudes (c, 2) of possible peaks b1, b2.

    b1 is sought in one half of the plane: -b1, -b2 are the same lattice.
    """
    able = np.flatnonzero(seen.z > needed)
    x, y = seen.pixels[able].T
    half = (y > 0) | ((y == 0) & (x > 0))
    possible = _possible(seen.places[able], found.step, bounds) & half[:, None]
    pairs = able[np.argwhere(possible)]
    return seen.pixels[pairs], seen.places[pairs], seen.amplitudes[pairs]


def _triples(
    found: Spectrum, seen: Summits, bounds: Bounds, needed: float
) -> tuple[NDArray[np.int64], Real, Real]:
    """Pixels (c, 3, 2), vectors (c, 2, 2) in pixels and amplitudes (c, 3) of possible Bragg peaks.

    Where levelled lines have taken a peak at q_x = 0 away, only its flanks are left: without any
    candidate the third peak is sought farther off, and the vectors are those of the two others.
    """
    chosen = _closing(found, seen, bounds, needed, 1)
    whole = len(chosen) > 0
    if not whole:
        chosen = _closing(found, seen, bounds, needed, FLANK)
    places = seen.places[chosen]
    if whole:
        places = places - places.mean(axis=1, keepdims=True)
    vectors = places[:, :2]
    inside = bounds.within(vectors * found.step)
    return seen.pixels[chosen][inside], vectors[inside], seen.amplitudes[chosen][inside]


def _closing(
    found: Spectrum, seen: Summits, bounds: Bounds, needed: float, reach: int
) -> NDArray[np.int64]:
    """Indices (c, 3) of summits with q1 + q2 + q3 = d, d at most so many pixels along x and y; if
    that is FLANK, only of those whose third one should be at q_x = 0.

    Pixels next to them exceed the noise, too, and add up to zero exactly: three such pixels are
    what the bound of false alarms counts.
    """
    z = found.z
    middle = np.array(z.shape)[::-1] // 2
    number = np.full(z.shape, -1)
    number[tuple((seen.pixels + middle).T[::-1])] = np.arange(len(seen))
    opposite = _opposites(number, seen, middle)
    able = np.flatnonzero(seen.z > needed)
    keys: dict[tuple[int, ...], tuple[int, int, int]] = {}
    possible = _possible(seen.places[able], found.step, bounds)
    for first, near in zip(able.tolist(), possible, strict=True):
        for second in able[near].tolist():
            x, y = middle - seen.pixels[first] - seen.pixels[second]
            if reach == FLANK and abs(x - middle[0]) > FLANK:
                continue
            low_x, low_y = max(x - reach, 0), max(y - reach, 0)
            around = number[low_y : max(y + reach + 1, 0), low_x : max(x + reach + 1, 0)]
            thirds = around[around >= 0]
            if not len(thirds):
                continue
            third = int(thirds.min())  # the brightest
            key = tuple(sorted(min(one, int(opposite[one])) for one in (first, second, third)))
            if key in keys or len(set(key)) < 3 or seen.z[third] <= needed:
                continue
            if _closes(z, seen.pixels[[first, second, third]], needed):
                keys[key] = (first, second, third)
    return np.array(list(keys.values()), dtype=np.int64).reshape(-1, 3)


def _possible(places: Real, step: Real, bounds: Bounds) -> NDArray[np.bool_]:
    """(p, p), which two of the places (p, 2) in pixels could be b1 and b2."""
    pairs = np.stack(np.broadcast_arrays(places[:, None], places), axis=-2)
    return np.asarray(bounds.within(pairs * step))


def _opposites(
    number: NDArray[np.int64], seen: Summits, middle: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Index of the summit at -q, of each; its own where rounding has lost that."""
    found = number[tuple((middle - seen.pixels).T[::-1])]
    return np.where(found < 0, np.arange(len(seen)), found)


def _closes(z: Real, pixels: NDArray[np.int64], needed: float) -> bool:
    """Whether pixels next to three, two pixels at most from two of them, add up to zero."""
    size = np.array(z.shape)[::-1]

    def exceeds(at: NDArray[np.int64]) -> NDArray[np.bool_]:
        x, y = np.clip(at + size // 2, 0, size - 1).T
        return np.asarray(z[y, x] > needed)

    off = pixels.sum(axis=0)
    for one, two in ((0, 1), (1, 2), (2, 0)):
        kept = (np.abs(off + _SHIFTS) <= 2).all(axis=1)
        if (exceeds(pixels[one] + _SHIFTS) & exceeds(pixels[two] - off - _SHIFTS) & kept).any():
            return True
    return False


_SHIFTS = np.stack(np.meshgrid(np.arange(-2, 3), np.arange(-2, 3)), axis=-1).reshape(-1, 2)


def _weighed(
    vectors: Real,
    pixels: list[NDArray[np.int64] | None],
    amplitudes: Real,
    peaks: Real,
    bright: Real,
    found: Spectrum,
    bounds: Bounds,
    of: Bravais,
) -> list[Candidate]:
    """The candidates with their probabilities, the same lattices once."""
    shape = bounds.log_prior(vectors * found.step) + brightness(amplitudes, of)
    made = []
    for index in np.argsort(shape)[::-1][:WEIGHED]:
        gains = explained(vectors[index], peaks, found.power.size, of)
        likeliest = int(gains.argmax())
        total = float(shape[index] + np.logaddexp.reduce(gains))
        total += handedness(vectors[index], likeliest, peaks, bright, of)
        superlattice = as_matrix(of.superlattices[likeliest])
        made.append(Candidate(vectors[index], pixels[index], superlattice, total))
    made.sort(key=lambda one: -one.log_probability)
    kept: list[Candidate] = []
    for one in made:
        if not _among(one.reciprocal, np.array([other.reciprocal for other in kept]), of):
            kept.append(one)
    return kept


def _hidden(best: Candidate, found: Spectrum, bounds: Bounds, of: Bravais) -> Real:
    """Lattices (c, 2, 2) whose superlattice is that of the best one, seen or not."""
    (a, b), (c, d) = best.superlattice
    cells = best.cells
    if cells == 1:
        return np.empty((0, 2, 2))
    fine = np.array([[d, -c], [-b, a]]) @ best.reciprocal / cells
    if of.order > 2:
        # As A1, A2 of superlattices: one vector, and the other turned like b1 to b2.
        u, v = of.superlattices[:, 0].T[:, :, None]
        first = u * fine[0] + v * _between(of, 0, fine)
        second = u * fine[1] + v * _between(of, 1, fine)
        every = np.stack([first, second], axis=1)
    else:
        coarse = sublattices(fine, int(of.cells.max()))
        every = (_UNIMODULAR @ coarse[:, None]).reshape(-1, 2, 2) @ fine
    return np.asarray(every[bounds.within(every * found.step)])


def _between(of: Bravais, number: int, vectors: Real) -> Real:
    """A reciprocal vector after the smallest rotation: between b1 and b2, or b2 itself."""
    return np.asarray(of.turned_momenta[number] @ vectors)


_UNIMODULAR = np.array(
    [
        [[a, b], [c, d]]
        for a, b, c, d in itertools.product((-1, 0, 1), repeat=4)
        if a * d - b * c == 1
    ]
)
"""All pairs of short vectors of a lattice, from the shortest one."""


def _amplitudes(found: Spectrum, vectors: Real, of: Bravais) -> Real:
    """|rho|, less what noise adds but no less than that, next to the Bragg peaks of (c, 2, 2)."""
    middle = np.array(found.power.shape)[::-1] // 2
    at = np.rint(of.bragg @ vectors).astype(int) + middle
    at = np.clip(at, 0, np.array(found.power.shape)[::-1] - 1)
    power, noise = (one[at[..., 1], at[..., 0]] for one in (found.power, found.noise))
    return np.asarray(np.sqrt(np.maximum(power - noise, noise)))


def _among(reciprocal: Real, others: Real, of: Bravais) -> bool:
    """Whether a lattice is one of some (c, 2, 2), its vectors perhaps turned by a symmetry."""
    if not len(others):
        return False
    turned = np.stack([of.labels(n) @ others for n in range(of.order)])
    return bool((np.abs(reciprocal - turned).max(axis=(-2, -1)) < SAME).any())
