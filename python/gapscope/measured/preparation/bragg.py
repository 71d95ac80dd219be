"""Bragg peaks of a triangular lattice in a measured map.

Three pixels q1, q2, q3 of the Fourier transform, q1 + q2 + q3 = 0, are Bragg peaks if they are
those of the material's lattice up to a rotation, a scale and a strain within bounds, and if all
three exceed the noise by a factor m. Noise alone does so in one map of 1/alpha at most, if

    N (1 + m/n)^(-3 n) = alpha,

N being the number of such triples of pixels: a bound by the sum over all of them, with the tail of
:mod:`gapscope.measured.preparation.spectrum`. Of several triples the brightest one is taken, where
a departure from the expected scale and shape counts against brightness.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import LatticeNotFoundError, PreparationError
from gapscope.measured.preparation.crystal import Crystal, sought
from gapscope.measured.preparation.found import ANGSTROM, FoundLattice, turned_to_labels
from gapscope.measured.preparation.grid import LEAST_PIXELS, Real, grid_of
from gapscope.measured.preparation.peaks import Peak, brightest, refine_peak
from gapscope.measured.preparation.spectrum import Spectrum, spectrum

FALSE_ALARM = 1e-3
"""Bound of the share of maps of pure noise in which a lattice is found."""
CANDIDATES = 1200
"""Pixels, brightest first, among which the three are sought."""
CLEAR = 20.0
"""Power over noise at which the peak of a quarter is not an accident of the noise around it."""
PERIODS = 8
"""Of the lattice across a quarter that is looked at: fewer, and a density wave is in the way."""
BENT = 0.1
"""How far a quarter's peaks may lie from those of the whole, in units of |b1|."""
Triple = tuple[Peak, Peak, Peak]


def find_lattice(
    image: xr.DataArray,
    lattice_constant: Crystal,
    *,
    scale: tuple[float, float] = (0.87, 1.15),
    anisotropy: float = 1.25,
    false_alarm: float = FALSE_ALARM,
) -> FoundLattice:
    """The triangular lattice of a map, from three independent Bragg peaks.

    The false alarm, and the errors' part ``noise``, are those of noise whose power varies slowly
    with q: a Bragg peak on a streak of line noise, within two pixels of q_x = 0, is known several
    times less well. What creep does shows in the other part, the ``spread`` between quarters.

    Parameters
    ----------
    lattice_constant : of the material, in Angstrom; or the material or lattice that has it.
    scale : bounds of measured over true lengths, a wrong calibration of the scanner.
    anisotropy : bound of the ratio of the largest to the smallest stretch (drift, creep).
    false_alarm : bound of the probability that noise alone gives a lattice.

    Raises
    ------
    SpecificationError : a lattice that is not triangular.
    LatticeNotFoundError : no significant Bragg peaks within the bounds.
    PreparationError : not a map, pixels too coarse for the lattice, or bounds without meaning.
    """
    wanted = sought(lattice_constant)
    _check(scale, anisotropy, false_alarm)
    reciprocal = wanted.lattice.reciprocal / (wanted.constant * ANGSTROM)
    length = float(np.linalg.norm(reciprocal[0]))
    reach = length * np.sqrt(anisotropy) / scale[0]
    found = spectrum(image, reach, 0.8 * length / scale[1])
    extent = (np.array(found.power.shape)[::-1] // 2 + 1) * found.step
    if (extent < length / scale[1]).any():
        raise PreparationError(
            "The pixels of a map are finer than half its lattice constant.",
            f"{wanted} on pixels of {', '.join(f'{10 * np.pi / e:.3g}' for e in extent)} Angstrom",
            "Use a finer map; or give the lattice constant of what was measured, in Angstrom, and"
            " coordinates in nm.",
        )
    search = _Search(found, reciprocal, scale, anisotropy)
    needed = found.threshold((false_alarm / search.trials) ** (1 / 3))
    rows = search.best(needed)
    peaks = None if rows is None else _refined(image, found, rows)
    if peaks is None:
        raise LatticeNotFoundError(
            f"A map of {wanted}, lengths in it being {scale[0]:g} to {scale[1]:g} times the true"
            f" ones, shows three Bragg peaks of more than {needed:.1f} times the noise.",
            "no such peaks",
            "Give the material or the lattice constant of what was measured, widen the scale"
            " (--scale), look in the topograph of the same scan (--topograph Z, or what its channel"
            " is called), or use a less noisy map. Other lattices than triangular ones are not"
            " looked for.",
        )
    weakest = min(peak.significance for peak in peaks)
    chance = min(1.0, search.trials * found.chance(weakest) ** 3)
    lattice = _fitted(_labelled(peaks), wanted.constant, chance)
    return replace(lattice, quarters=tuple(_quarters(image, lattice)))


class _Search:
    """Triples of pixels that could be Bragg peaks."""

    def __init__(
        self,
        found: Spectrum,
        reciprocal: Real,
        scale: tuple[float, float],
        anisotropy: float,
    ) -> None:
        self.found, self.scale, self.anisotropy = found, scale, anisotropy
        self.inverse = np.linalg.inv(reciprocal.T)
        self.length = float(np.linalg.norm(reciprocal[0]))
        self.pixels = found.pixels.reshape(-1, 2)
        q = np.hypot(*(self.pixels * found.step).T)
        stretch = np.sqrt(anisotropy)
        ring = (q > self.length / scale[1] / stretch) & (q < self.length / scale[0] * stretch)
        self.ring = np.flatnonzero(ring)

    @property
    def trials(self) -> float:
        """Number of triples within the bounds: all q1 of the ring, their q2, in six ways each."""
        middle = np.array([self.length / np.sqrt(self.scale[0] * self.scale[1]), 0.0])
        second = self.pixels[self.ring] * self.found.step
        partners = np.isfinite(self._penalty(middle, second)).sum()
        return max(1.0, len(self.ring) * float(partners) / 6)

    def best(self, needed: float) -> NDArray[np.int64] | None:
        """Pixels (3, 2) of the brightest triple with z > needed, or None."""
        z = self.found.z
        flat = z.ravel()
        bright = self.ring[flat[self.ring] > needed]
        bright = bright[np.argsort(flat[bright])[::-1][:CANDIDATES]]
        middle = np.array(z.shape)[::-1] // 2
        choice, highest = None, -np.inf
        for first in bright:
            second = self.pixels[bright]
            third = -self.pixels[first] - second
            index = third + middle
            inside = ((index >= 0) & (index < np.array(z.shape)[::-1])).all(axis=1)
            second, index = second[inside], index[inside]
            z3 = z[index[:, 1], index[:, 0]]
            penalty = self._penalty(self.pixels[first] * self.found.step, second * self.found.step)
            score = np.log(flat[first]) + np.log(flat[bright][inside]) + np.log(z3) - penalty
            score[z3 <= needed] = -np.inf
            if len(score) and score.max() > highest:
                highest, one = score.max(), second[score.argmax()]
                choice = np.stack([self.pixels[first], one, -self.pixels[first] - one])
        return choice

    def _penalty(self, first: Real, second: Real) -> Real:
        """Squared departure from the expected lattice, in units of the bounds; beyond, inf."""
        q = np.stack(np.broadcast_arrays(first, second), axis=-1)
        matrix = q @ self.inverse
        area = np.linalg.det(matrix)
        half = np.square(matrix).sum(axis=(-2, -1)) / 2
        # Singular values s1, s2: area = s1 s2, half = (s1^2 + s2^2) / 2.
        root = np.sqrt(np.maximum(half**2 - area**2, 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log((half + root) / np.abs(area)) / np.log(self.anisotropy)
            size = -0.5 * np.log(np.abs(area))
        low, high = np.log(self.scale)
        allowed = (area > 0) & (size >= low) & (size <= high) & (ratio <= 1)
        departure = (2 * size - low - high) / (high - low)
        return np.where(allowed, departure**2 + ratio**2, np.inf)


def _refined(image: xr.DataArray, found: Spectrum, pixels: NDArray[np.int64]) -> Triple | None:
    middle = np.array(found.power.shape)[::-1] // 2
    peaks = [
        refine_peak(image, j * found.step, float(found.noise[j[1] + middle[1], j[0] + middle[0]]))
        for j in pixels
    ]
    one, two, three = peaks
    if one is None or two is None or three is None:
        return None
    return one, two, three


def _labelled(peaks: Triple) -> Triple:
    """The peaks at b1, b2 and -(b1 + b2), a1 within 30 degrees of x."""
    turns = turned_to_labels(np.stack([peaks[0].momentum, peaks[1].momentum]))
    # A turn by -60 degrees: (q1, q2, q3) -> (-q2, -q3, -q1).
    for _ in range(turns % 6):
        peaks = (_opposite(peaks[1]), _opposite(peaks[2]), _opposite(peaks[0]))
    return peaks


def _fitted(peaks: Triple, constant: float, false_alarm: float) -> FoundLattice:
    """b1, b2 by least squares from the peaks at b1, b2 and -(b1 + b2)."""
    design = np.kron(np.array([[1, 0], [0, 1], [-1, -1]]), np.eye(2))
    measured = np.concatenate([peak.momentum for peak in peaks])
    weights = np.concatenate([1 / np.diag(peak.covariance) for peak in peaks])
    normal = design.T @ (weights[:, None] * design)
    fitted = np.linalg.solve(normal, design.T @ (weights * measured))
    closure = float(weights @ (measured - design @ fitted) ** 2)
    covariance = np.linalg.inv(normal)
    return FoundLattice(constant, fitted.reshape(2, 2), covariance, peaks, closure, false_alarm)


def _quarters(image: xr.DataArray, lattice: FoundLattice) -> Iterator[FoundLattice]:
    """The lattice in the quarters of a map, by the peaks next to those of the whole."""
    ny, nx = image.shape
    periods = grid_of(image).field.min() / 2 / np.linalg.norm(lattice.vectors, axis=1).max()
    if min(nx, ny) // 2 < LEAST_PIXELS or periods < PERIODS:
        return
    reach = BENT * float(np.linalg.norm(lattice.reciprocal, axis=1).mean())
    for y in (slice(ny // 2), slice(ny - ny // 2, ny)):
        for x in (slice(nx // 2), slice(nx - nx // 2, nx)):
            part = image.isel(y=y, x=x)
            # A quarter of the pixels averages the noise four times less.
            peaks = [
                refine_peak(part, brightest(part, peak.momentum, reach), 4 * peak.noise)
                for peak in lattice.peaks
            ]
            one, two, three = (p if p and p.significance > CLEAR else None for p in peaks)
            if one and two and three:
                yield _fitted((one, two, three), lattice.material_constant, 1.0)


def _opposite(peak: Peak) -> Peak:
    return Peak(-peak.momentum, peak.covariance, peak.amplitude.conjugate(), peak.noise)


def _check(scale: tuple[float, float], anisotropy: float, false_alarm: float) -> None:
    if not (0 < scale[0] < scale[1] and anisotropy > 1 and 0 < false_alarm < 1):
        raise PreparationError(
            "Bounds of the search: 0 < scale[0] < scale[1], anisotropy > 1, false_alarm in (0, 1).",
            f"scale {scale}, anisotropy {anisotropy}, false_alarm {false_alarm}",
            "Use the defaults, or for example scale=(0.5, 0.7).",
        )
