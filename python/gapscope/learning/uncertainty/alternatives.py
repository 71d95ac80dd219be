"""What a measured map may be instead of a map like the training ones: turned, moved, mirrored, ...

Noise and other impurities decide how near a measured map comes to the nearest training map, far
more than a turn of 15 degrees does. So a map is compared with itself: with c_0 the largest cosine
of the angle between its shape, asinh(Re rho / <|Re rho|>), and a training map's, and c_h the same
once a change h has been undone,

    s_h = log [(1 - c_0^2) / (1 - c_h^2)],

the logarithm of the ratio of the likelihoods of both, for noise of unknown strength, over half the
number of pixels. Noise is the same in both. Undoing a turn interpolates between pixels, which by
itself makes a map smoother and liker to others: c_0 is the largest of the map as it is and turned
by a few degrees, too few to matter.

The largest score of each kind joins the distance from the nearest training map, each in units of
its spread among calibration maps (:mod:`gapscope.learning.uncertainty.calibration`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.emulator.by_irrep import Emulators
from gapscope.learning.uncertainty.changes import REACH, REVERSAL, is_reversible, turn, turn_period
from gapscope.physics.lattice import Lattice, window_coordinates

KINDS = ("turned", "reversed", "negative", "stretched", "moved")
TURNS, LITTLE = 5.0, 2.5
"""Degrees: steps in which turns are tried, and a turn that a map may have."""
STRETCHES = (0.85, 0.9, 1.1, 1.15)
"""Lattice constants, in units of the right one, that a map may have been laid on its sites with."""

Array = NDArray[np.float64]
Images = NDArray[np.float32]


@dataclass(frozen=True)
class Alternatives:
    """Scores of maps against the training maps of a network with surfaces.

    Attributes
    ----------
    emulators : those of the network.
    lattice : of the maps.
    """

    emulators: Emulators
    lattice: Lattice

    def __call__(self, maps: NDArray[np.floating]) -> tuple[Array, NDArray[np.str_]]:
        """Scores (n, kinds) of maps (n, energies, L, L), and for each what was undone, in words."""
        maps = np.asarray(maps, dtype=np.float32)
        images = momentum_images(maps, self.lattice)
        little = [self._turn(sign * LITTLE) for sign in (-1, 1)]
        as_it_is = np.max(
            [
                self.emulators.cosine(images),
                *(self.emulators.cosine(resampled(images, one)) for one in little),
            ],
            axis=0,
        )
        # A mirror of the lattice changes nothing.
        back = as_it_is
        if not is_reversible(self.lattice):
            back = self.emulators.cosine(resampled(images, REVERSAL))
        found = {
            "reversed": [("", back)],
            "negative": [("", self.emulators.cosine(-images))],
            "moved": [
                (f"({r1}, {r2})", self.emulators.cosine(self._centred(maps, (r1, r2))))
                for r1, r2 in self._sites
            ],
        }
        found["stretched"] = [
            (f"{one:g}", self.emulators.cosine(resampled(images, one * np.eye(2))))
            for one in STRETCHES
        ]
        found["turned"] = [
            (f"{abs(one):g}", self.emulators.cosine(resampled(images, self._turn(one))))
            for one in self._angles
        ]
        scores, undone = np.empty((len(maps), len(KINDS))), np.empty((len(maps), len(KINDS)), "U12")
        for column, kind in enumerate(KINDS):
            every = np.stack([cosine for _, cosine in found[kind]])
            scores[:, column] = _left(as_it_is) - _left(every.max(axis=0))
            names = np.array([name for name, _ in found[kind]])
            undone[:, column] = names[every.argmax(axis=0)]
        return scores, undone

    def _turn(self, degrees: float) -> Array:
        """A turn on pixels: q = B^T j, so that R q is pixel (B^T)^-1 R B^T j."""
        return turn(self.lattice.reciprocal, degrees)

    @cached_property
    def _angles(self) -> list[float]:
        """Turns in degrees that are none of the lattice's."""
        half = turn_period(self.lattice) / 2
        steps = np.arange(-half + TURNS, half + 1e-9, TURNS)
        return [float(one) for one in steps if abs(one) > 1e-9]

    @cached_property
    def _sites(self) -> list[tuple[int, int]]:
        """Sites off the centre within REACH."""
        basis = self.lattice.vectors / self.lattice.constant
        reach = np.arange(-6, 7)
        pairs = [(int(a), int(b)) for a in reach for b in reach if a or b]
        return [one for one in pairs if np.linalg.norm(one @ basis) <= REACH * (1 + 1e-6)]

    def _centred(self, maps: Images, site: tuple[int, int]) -> Images:
        """Images of maps whose impurity lies at a site."""
        moved = np.roll(maps, (-site[0], -site[1]), axis=(-2, -1))
        return momentum_images(moved, self.lattice)


def likely_changes(
    scores: Array, undone: NDArray[np.str_], enough: float, kinds: Sequence[str] = KINDS
) -> NDArray[np.str_]:
    """Kind and amount of what maps seem to have been through, "" where no score is above `enough`.

    Parameters
    ----------
    scores : (n, kinds), in units that make kinds comparable.
    undone : (n, kinds), in words, as :class:`Alternatives` gives them; "" where nobody knows.
    """
    words = [
        f"{kinds[kind]} {amounts[kind]}".rstrip() if one[kind] > enough else ""
        for one, amounts, kind in zip(scores, undone, scores.argmax(axis=1), strict=True)
    ]
    return np.array(words, dtype=np.str_)


def resampled(images: Images, matrix: Array) -> Images:
    """Images (n, L, L, energies) with pixel M j on pixel j, linear between pixels, on the torus."""
    size = images.shape[1]
    j = window_coordinates(size)
    places = matrix @ np.stack(np.meshgrid(j, j, indexing="ij")).reshape(2, -1) + size // 2
    places = places.round(9)  # whole pixels stay what they are
    low = np.floor(places).astype(np.int64)
    part = (places - low).astype(np.float32)
    flat = images.reshape(len(images), size**2, -1)
    total = np.zeros_like(flat)
    for one in (0, 1):
        for other in (0, 1):
            weight = (part[0] if one else 1 - part[0]) * (part[1] if other else 1 - part[1])
            if weight.any():
                pixel = (low[0] + one) % size * size + (low[1] + other) % size
                total += weight[:, None] * flat[:, pixel]
    return total.reshape(images.shape)


def _left(cosine: Array) -> Array:
    """log(1 - c^2), what a map does not explain of another."""
    return np.asarray(np.log(np.maximum(1 - np.square(np.clip(cosine, 0, 1)), 1e-6)))
