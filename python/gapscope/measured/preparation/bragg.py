"""Bragg peaks of a lattice in a measured map.

The k peaks of the stars of b1 and b2 are looked for: b1 and b2, and on the triangular lattice
-(b1 + b2). Pixels q1 ... qk of the Fourier transform are these if they are those of the material's
lattice up to a rotation, a scale and a strain within bounds (three of them: q1 + q2 + q3 = 0), and
if all exceed the noise by a factor m. Noise alone does so in one map of 1/alpha at most, if

    N (1 + m/n)^(-k n) = alpha,

N being the number of such sets of pixels: a bound by the sum over all of them, with the tail of
:mod:`gapscope.measured.preparation.noise_floor`. The most probable one of several is
taken (:mod:`gapscope.measured.preparation.plausible`); those that are nearly as probable are told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import LatticeNotFoundError, PreparationError
from gapscope.measured.preparation.bravais import Bravais, bravais
from gapscope.measured.preparation.candidates import Candidate, candidates
from gapscope.measured.preparation.found import ANGSTROM, FoundLattice, Rival, turned_to_labels
from gapscope.measured.preparation.grid import LEAST_PIXELS, Real, grid_of
from gapscope.measured.preparation.noise_floor import Spectrum, spectrum
from gapscope.measured.preparation.peaks import Peak, brightest, refine_peak
from gapscope.measured.preparation.plausible import Bounds
from gapscope.measured.preparation.sought import Crystal, sought
from gapscope.measured.preparation.summits import clear
from gapscope.physics.lattice import Lattice

FALSE_ALARM = 1e-3
"""Bound of the share of maps of pure noise in which a lattice is found."""
ODDS = 20.0
"""Against a candidate: below, it is a rival of the lattice that is chosen, and told of."""
RARE, RARE_ODDS = 13, 1000.0
"""Turned superlattices of more cells are rare: where one is chosen, weaker rivals are told, too. It
may be that the true Bragg peaks are too faint to be seen. One that has a mirror image is explained
by that as well, and satellites may outshine the true Bragg peaks: weaker rivals that are seen are
told."""
BETTER = 1.0
"""Logarithm of the factor by which a lattice's scale and shear are more plausible than those of the
chosen one, from which on it is told where it is a weaker rival, and its superlattice not a rarer
one: of at most twice as many cells."""
UNLIKE = 20.0
"""Ratio of amplitudes that Bragg peaks of one lattice do not have, whatever the tip."""
ALONG_LINES = 1.5
"""Pixels of the transform that a peak lies off q_x = 0 at most to be lost with the lines' means."""
CLEAR = 20.0
"""Power over noise at which the peak of a quarter is not an accident of the noise around it."""
NEIGHBOURS = 9
"""Pixels in which the third peak of a lattice may be, given two."""
WIDER = 1.45
"""Size of the part of the transform that is looked at: out to sqrt3 b1."""
PERIODS = 8
"""Fewest periods of the lattice across a quarter: below, a density wave is in the way."""
BENT = 0.1
"""How far a quarter's peaks may lie from those of the whole, in units of |b1|."""
Peaks = tuple[Peak, ...]


def find_lattice(
    image: xr.DataArray,
    lattice_constant: Crystal,
    *,
    scale: tuple[float, float] = (0.87, 1.15),
    anisotropy: float = 1.25,
    false_alarm: float = FALSE_ALARM,
) -> FoundLattice:
    """The lattice of a map, from the independent ones among its innermost Bragg peaks.

    The false alarm, and the errors' part ``noise``, are those of noise whose power varies slowly
    with q: a Bragg peak on a streak of line noise, within two pixels of q_x = 0, is known several
    times less well. What creep does shows in the other part, the ``spread`` between quarters.

    Parameters
    ----------
    lattice_constant : the constant of a triangular lattice in Angstrom; or any lattice, or the
        material that has it.
    scale : bounds of measured over true lengths, a wrong calibration of the scanner.
    anisotropy : bound of the ratio of the largest to the smallest stretch (drift, creep).
    false_alarm : bound of the probability that noise alone gives a lattice.

    Raises
    ------
    SpecificationError : a constant that is not a positive number.
    LatticeNotFoundError : no significant Bragg peaks within the bounds, or no contrast.
    PreparationError : not a map, pixels too coarse for the lattice, or bounds without meaning.
    """
    wanted = sought(lattice_constant)
    _check(scale, anisotropy, false_alarm)
    _require_contrast(image.values)
    of = bravais(wanted.lattice)
    reciprocal = wanted.lattice.reciprocal / (wanted.constant * ANGSTROM)
    shortest, longest = _lengths(reciprocal)
    reach = WIDER * longest * np.sqrt(anisotropy) / scale[0]
    found = spectrum(image, reach, 0.8 * shortest / scale[1])
    extent = (np.array(found.power.shape)[::-1] // 2 + 1) * found.step
    if (extent < longest / scale[1]).any():
        raise PreparationError(
            "The pixels of a map are finer than half its lattice constants.",
            f"{wanted} on pixels of {', '.join(f'{10 * np.pi / e:.3g}' for e in extent)} Angstrom",
            "Use a finer map; or give the lattice constant of what was measured, in Angstrom, and"
            " coordinates in nm.",
        )
    bounds = Bounds(reciprocal, scale, anisotropy)
    count = len(of.bragg)
    places = _places(found, bounds)
    trials = _trials(found, bounds, places, of)
    needed = found.threshold((false_alarm / trials) ** (1 / count))
    weighed = candidates(found, bounds, needed, of)
    # Two peaks of three say where the last one is; one of two says little.
    left = NEIGHBOURS if count == 3 else places
    chosen, peaks = _chosen(image, found, weighed, false_alarm, left)
    if chosen is None or peaks is None:
        raise LatticeNotFoundError(
            f"A map of {wanted}, lengths in it being {scale[0]:g} to {scale[1]:g} times the true"
            f" ones, shows {'three' if count == 3 else 'two'} Bragg peaks of more than {needed:.1f}"
            " times the noise.",
            "no such peaks",
            "Give the material or the lattice constant of what was measured, widen the scale"
            " (--scale), look in the topograph of the same scan (--topograph Z, or what its channel"
            f" is called), or use a less noisy map. Other lattices than {wanted.lattice.name} ones"
            " are not looked for; --cell gives another one.",
        )
    weakest = min(peak.significance for peak in peaks)
    chance = min(1.0, trials * found.chance(weakest) ** count)
    lattice = _fitted(_labelled(peaks, wanted.lattice), wanted.lattice, chance)
    return replace(
        lattice,
        quarters=tuple(_quarters(image, lattice)),
        rivals=tuple(_rivals(chosen, weighed, found.step, bounds, wanted.lattice)),
    )


def _lengths(reciprocal: Real) -> tuple[float, float]:
    """|b| of the shorter and of the longer of b1 and b2; the same where they are as long."""
    one, two = np.linalg.norm(reciprocal, axis=1).tolist()
    if np.isclose(one, two, rtol=1e-9):
        return one, one
    return min(one, two), max(one, two)


def _places(found: Spectrum, bounds: Bounds) -> float:
    """Number of pixels that q2 may be, given q1."""
    low, high = bounds.scale
    momenta = found.pixels.reshape(-1, 2) * found.step
    middle = np.array([float(np.linalg.norm(bounds.ideal[0])) / np.sqrt(low * high), 0.0])
    pairs = np.stack(np.broadcast_arrays(middle, momenta), axis=-2)
    return max(1.0, float(bounds.within(pairs).sum()))


def _trials(found: Spectrum, bounds: Bounds, places: float, of: Bravais) -> float:
    """Number of sets of peaks within the bounds: all q1 of a ring, their q2, each as often as the
    lattice has rotations."""
    length = float(np.linalg.norm(bounds.ideal[0]))
    low, high = bounds.scale
    q = np.hypot(*(found.pixels.reshape(-1, 2) * found.step).T)
    stretch = np.sqrt(bounds.anisotropy)
    ring = (q > length / high / stretch) & (q < length / low * stretch)
    return max(1.0, float(ring.sum()) * places / of.order)


def _chosen(
    image: xr.DataArray,
    found: Spectrum,
    weighed: list[Candidate],
    false_alarm: float,
    left: float,
) -> tuple[Candidate, Peaks] | tuple[None, None]:
    """The most probable candidate with peaks that stand out, and these.

    Where all but one are beyond doubt, noise has only to make the last, in one of the pixels that
    are ``left`` for it; one that is not beyond doubt and UNLIKE times fainter counts as noise, but
    where lines that are levelled one by one have lost it.
    """
    for one in weighed:
        if one.pixels is not None:
            peaks = _refined(image, found, one.pixels)
            if peaks is None:
                continue
            last, *brighter = sorted(peaks, key=lambda peak: peak.significance)
            weakest, other = last.significance, brighter[0].significance
            by_itself = left * found.chance(weakest) < false_alarm
            faint = weakest < min(clear(found), other / UNLIKE**2)
            faint &= not _lost_to_lines(last, brighter, float(found.step[0]))
            if other < clear(found) or (by_itself and not faint):
                return one, peaks
    return None, None


def _lost_to_lines(last: Peak, others: list[Peak], step: float) -> bool:
    """Whether two other Bragg peaks foretell the last one at q_x = 0, where levelling line by line
    leaves nothing."""
    if len(others) != 2:
        return False
    first, second = (one.momentum for one in others)
    foretold = min(
        (sign * (first + turn * second) for sign in (1, -1) for turn in (1, -1)),
        key=lambda q: float(np.linalg.norm(q - last.momentum)),
    )
    return bool(abs(foretold[0]) < ALONG_LINES * step)


def _rivals(
    chosen: Candidate, weighed: list[Candidate], step: Real, bounds: Bounds, lattice: Lattice
) -> Iterator[Rival]:
    """Candidates that are nearly as probable as the best one, apart from the chosen one."""
    of = bravais(lattice)
    claimed = (of.superlattices == np.array(chosen.superlattice)).all(axis=(1, 2))
    rare = bool((of.turned & (of.cells > RARE))[claimed].any())
    mirrored = bool(of.two_hands[claimed].any())
    shape = bounds.log_prior(np.array([one.reciprocal for one in weighed]) * step)
    own = next(number for number, one in enumerate(weighed) if one is chosen)
    seen = np.array([one.pixels is not None for one in weighed])
    cells = np.array([one.cells for one in weighed])
    better = (shape > shape[own] + BETTER) & (cells <= 2 * cells[own])
    odds = np.where(better | rare | (mirrored & seen), RARE_ODDS, ODDS)
    least = weighed[0].log_probability - np.log(odds)
    likely = [
        one
        for one, bound in zip(weighed, least, strict=True)
        if one.log_probability > bound or one is chosen
    ]
    total = np.logaddexp.reduce([one.log_probability for one in likely])
    for one in likely:
        if one is not chosen:
            probability = float(np.exp(one.log_probability - total))
            rows = one.reciprocal * step
            for _ in range(turned_to_labels(rows, lattice) % of.order):
                rows = of.labels(-1) @ rows
            yield Rival(rows, probability, one.superlattice, one.pixels is not None)


def _refined(image: xr.DataArray, found: Spectrum, pixels: NDArray[np.int64]) -> Peaks | None:
    middle = np.array(found.power.shape)[::-1] // 2
    peaks = [
        refine_peak(image, j * found.step, float(found.noise[j[1] + middle[1], j[0] + middle[0]]))
        for j in pixels
    ]
    kept = tuple(peak for peak in peaks if peak is not None)
    return kept if len(kept) == len(peaks) else None


def _labelled(peaks: Peaks, lattice: Lattice) -> Peaks:
    """The peaks in their order, with the lattice turned as little as can be from its standard
    orientation: on the triangular one a1 within 30 degrees of x."""
    of = bravais(lattice)
    turns = turned_to_labels(np.stack([peaks[0].momentum, peaks[1].momentum]), lattice)
    names = of.bragg.tolist()
    turned = []
    for one in (of.bragg @ of.labels(-turns)).tolist():
        there = one in names
        peak = peaks[names.index(one if there else [-m for m in one])]
        turned.append(peak if there else _opposite(peak))
    return tuple(turned)


def _fitted(peaks: Peaks, lattice: Lattice, false_alarm: float) -> FoundLattice:
    """b1, b2 by least squares from the Bragg peaks."""
    design = np.kron(bravais(lattice).bragg, np.eye(2))
    measured = np.concatenate([peak.momentum for peak in peaks])
    weights = np.concatenate([1 / np.diag(peak.covariance) for peak in peaks])
    normal = design.T @ (weights[:, None] * design)
    fitted = np.linalg.solve(normal, design.T @ (weights * measured))
    closure = float(weights @ (measured - design @ fitted) ** 2)
    covariance = np.linalg.inv(normal)
    return FoundLattice(lattice, fitted.reshape(2, 2), covariance, peaks, closure, false_alarm)


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
            kept = tuple(peak for peak in peaks if peak and peak.significance > CLEAR)
            if len(kept) == len(peaks):
                yield _fitted(kept, lattice.perfect, 1.0)


def _opposite(peak: Peak) -> Peak:
    return Peak(-peak.momentum, peak.covariance, peak.amplitude.conjugate(), peak.noise)


def _require_contrast(values: Real) -> None:
    """Raise where all pixels are the same up to rounding."""
    low, high = float(np.min(values)), float(np.max(values))
    if not high - low > 1e-12 * max(abs(low), abs(high)):
        raise LatticeNotFoundError(
            "A map has a contrast: values that are not all the same.",
            f"{low:g} on all pixels",
            "Choose another channel, or another bias.",
        )


def _check(scale: tuple[float, float], anisotropy: float, false_alarm: float) -> None:
    if not (0 < scale[0] < scale[1] and anisotropy > 1 and 0 < false_alarm < 1):
        raise PreparationError(
            "Bounds of the search: 0 < scale[0] < scale[1], anisotropy > 1, false_alarm in (0, 1).",
            f"scale {scale}, anisotropy {anisotropy}, false_alarm {false_alarm}",
            "Use the defaults, or for example scale=(0.5, 0.7).",
        )
