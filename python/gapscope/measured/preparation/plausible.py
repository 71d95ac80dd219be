"""How plausible a lattice is, given all peaks of a map's transform.

For a lattice b1, b2 and a superlattice of N cells that has the lattice's rotations (on the
triangular one A1 = m a1 + n a2, A2 = A1 turned by 60 degrees, N = m^2 + m n + n^2), the logarithm
of the probability is, up to a constant, the sum of

    scale       -(ln s)^2 / 2 sigma_s^2, s the measured over the true length
    shear       -(ln t)^2 / 2 sigma_t^2, t the ratio of the stretches
    occurrence  -ln N; for a turned superlattice -1.5 ln N, less ln 2 if it has a mirror image
    peaks       sum over the peaks of ln(e + (1 - e) w exp(-d^2 / 2 sigma^2) / (2 pi sigma^2))
    brightness  -(ln A / A_max)^2 / 2 sigma_A^2
    hands       see :mod:`gapscope.measured.preparation.mirror`
    evenness    -(sum over the Bragg peaks of (ln A_i / A)^2) / 2 sigma_i^2

with d the distance of a peak to the nearest point of the superlattice's reciprocal lattice, and w =
c (1 - f) + f S/F for the F points that are Bragg peaks or next to one or to q = 0, c (1 - f) for
the others: c is the area of a point, S that of the transform looked at; the probability of all
peaks is the mean of those for two f. A fine lattice has points everywhere and so explains little.
A_i are the amplitudes of the Bragg peaks, A is the geometric mean of all, in the evenness that of
one star; A_max is the largest of all candidates. The superlattices are summed over. Lattices with
one fine lattice in common, such as (1, 0) and (2, 1)/3 of a 3 x 3 wave, differ by all but the
distances d.

The constants are choices, not fits; ``python benchmarks/superlattices.py`` prints how often the
right lattice is found with them, how often with rivals, and how often it is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from gapscope.measured.preparation.bravais import TRIANGULAR, Bravais
from gapscope.measured.preparation.grid import Real
from gapscope.measured.preparation.summits import Summits

DEVIATIONS = 2.8
"""Standard deviations from the middle of the bounds to either bound. The default bounds make 5 % of
scale and 4 % of shear; the NbS2 maps of docs/howto/measured-map.md have -6, -6, 2 % and 4.7 %."""
UNEXPLAINED = 0.1
"""Share e of peaks of no lattice: interference, an incommensurate wave, a second grain."""
NEXT = (0.0, 0.5)
"""f, shares of the explained peaks that are there; the others are anywhere. Both are as probable: a
wave shows few others, adatoms show all. With k Bragg peaks and their opposites F = 2k + 2k +
(2k)^2: 2k next to q = 0, the Bragg peaks, and 2k next to each."""
PLACE = 0.35
"""sigma, in pixels of the transform, along x and y."""
CONTRAST = 1.0
"""sigma_A: satellites five times as bright as the Bragg peaks cost 1.3."""
UNEVENNESS = 0.5
"""sigma_i: a round tip sees the three peaks alike."""


def occurrence(of: Bravais) -> Real:
    """(s,), the part of occurrence of each superlattice."""
    return np.asarray(-np.log(of.cells) * (1 + 0.5 * of.turned) - np.log(2) * of.two_hands)


@dataclass(frozen=True)
class Bounds:
    """What is expected of a lattice.

    Attributes
    ----------
    ideal : rows b1, b2 of the material, in 1/nm.
    scale : bounds of measured over true lengths.
    anisotropy : bound of the ratio of the stretches.
    """

    ideal: Real
    scale: tuple[float, float]
    anisotropy: float

    def distortion(self, reciprocal: Real) -> tuple[Real, Real]:
        """ln s and ln t of lattices (..., 2, 2); NaN for those of the other hand."""
        # The transpose of the inverse distortion: singular values and determinant are the same.
        (a, b), (c, d) = np.moveaxis(np.linalg.inv(self.ideal) @ reciprocal, (-2, -1), (0, 1))
        area = a * d - b * c
        half = (a**2 + b**2 + c**2 + d**2) / 2
        # Singular values s1, s2: area = s1 s2, half = (s1^2 + s2^2) / 2.
        root = np.sqrt(np.maximum(half**2 - area**2, 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.where(area > 0, -0.5 * np.log(np.abs(area)), np.nan)
            return size, np.log((half + root) / np.abs(area))

    def within(self, reciprocal: Real) -> Real:
        """Which lattices are within the bounds."""
        size, ratio = self.distortion(reciprocal)
        low, high = np.log(self.scale)
        with np.errstate(invalid="ignore"):
            return np.asarray((size >= low) & (size <= high) & (ratio <= np.log(self.anisotropy)))

    def log_prior(self, reciprocal: Real) -> Real:
        """The parts of scale and shear."""
        size, ratio = self.distortion(reciprocal)
        low, high = np.log(self.scale)
        scale = (size - (low + high) / 2) / ((high - low) / 2)
        shear = ratio / np.log(self.anisotropy)
        # The bound of shear is one of two components: as far as the scale's whole width.
        return np.asarray(-0.5 * (DEVIATIONS * scale) ** 2 - 0.5 * (2 * DEVIATIONS * shear) ** 2)


def explained(reciprocal: Real, places: Real, area: float, of: Bravais = TRIANGULAR) -> Real:
    """ln P of occurrence and peaks of each superlattice (s,), for one lattice.

    Parameters
    ----------
    reciprocal : rows b1, b2 in pixels of the transform.
    places : (p, 2), peaks in pixels, of each pair of opposites one.
    area : of the part of the transform that peaks were sought in, in pixels.
    of : the kind of lattice.
    """
    h = places @ np.linalg.inv(reciprocal)
    distance = _square(_off(_whole(h, of), of), reciprocal)
    cell = abs(np.linalg.det(reciprocal)) / of.cells[:, None]
    points = area / cell
    around = 2 * len(of.bragg)
    few = np.minimum(around * (around + 2), points)
    first = _first_order(h, reciprocal, of) * points / few
    anywhere = cell * np.exp(-distance / (2 * PLACE**2)) / (2 * np.pi * PLACE**2)
    gains = [
        np.log(UNEXPLAINED + (1 - UNEXPLAINED) * (1 - f + f * first) * anywhere).sum(axis=1)
        for f in NEXT
    ]
    return np.asarray(occurrence(of) + logsumexp(gains, axis=0) - np.log(len(NEXT)))


def _whole(h: Real, of: Bravais) -> Real:
    """(s, p, 2): reduced momenta (p, 2) in units of each superlattice's reciprocal vectors."""
    (a, b), (c, d) = np.moveaxis(of.superlattices, 0, -1)[..., None]
    return np.asarray(np.stack([a * h[:, 0] + b * h[:, 1], c * h[:, 0] + d * h[:, 1]], axis=-1))


def _off(t: Real, of: Bravais) -> Real:
    """What is missing to the nearest whole ones, in units of b1, b2."""
    (a, b), (c, d) = np.moveaxis(of.superlattices, 0, -1)[..., None]
    one, two = np.moveaxis(t - np.rint(t), -1, 0)
    h = np.stack([d * one - b * two, -c * one + a * two], axis=-1)
    return np.asarray(h / of.cells[:, None, None])


def _square(h: Real, reciprocal: Real) -> Real:
    return np.asarray(np.square(h @ reciprocal).sum(axis=-1))


def _first_order(h: Real, reciprocal: Real, of: Bravais) -> Real:
    """(s, p): which peaks are Bragg peaks, or the superlattice's next to them or to q = 0."""
    bragg = np.concatenate([[[0, 0]], of.bragg, -of.bragg])
    away = h[:, None] - bragg
    nearest = away[np.arange(len(h)), _square(away, reciprocal).argmin(axis=1)]
    # What lies next to a point is named as the Bragg peaks are, in the superlattice's own vectors.
    most = int(np.abs(bragg).max())
    named = np.zeros((2 * most + 3, 2 * most + 3), dtype=np.bool_)
    named[tuple(bragg.T + most + 1)] = True
    whole = np.clip(np.rint(_whole(nearest, of)), -most - 1, most + 1).astype(np.int64)
    return np.asarray(named[tuple(np.moveaxis(whole + most + 1, -1, 0))])


def brightness(amplitudes: Real, of: Bravais = TRIANGULAR) -> Real:
    """The parts of brightness and evenness of candidates with Bragg peaks of amplitudes (c, k)."""
    logarithms = np.log(np.maximum(amplitudes, np.finfo(float).tiny))
    means = logarithms.mean(axis=1)
    uneven = np.zeros(len(amplitudes))
    for star in range(int(of.stars.max()) + 1):
        alike = np.ascontiguousarray(logarithms[:, of.stars == star])
        uneven += np.square(alike - alike.mean(axis=1)[:, None]).sum(axis=1)
    contrast = (means - means.max()) / CONTRAST
    return np.asarray(-0.5 * contrast**2 - 0.5 * uneven / UNEVENNESS**2)


def half_plane(found: Summits, least: float) -> NDArray[np.bool_]:
    """Which summits exceed the noise by more than a factor, of each pair of opposites one."""
    x, y = found.pixels.T
    return np.asarray(((y > 0) | ((y == 0) & (x > 0))) & (found.z > least))
