"""Bragg peaks of a triangular lattice in a measured map.

Three pixels q1, q2, q3 of the Fourier transform, q1 + q2 + q3 = 0, are Bragg peaks if they are
those of the material's lattice up to a rotation, a scale and a strain within bounds, and if all
three exceed the noise by a factor m. Noise alone does so in one map of 1/alpha at most, if

    N (1 + m/n)^(-3 n) = alpha,

N being the number of such triples of pixels: a bound by the sum over all of them, with the tail of
:mod:`gapscope.measured.preparation.noise_floor`. The most probable one of several triples is
taken (:mod:`gapscope.measured.preparation.plausible`); those that are nearly as probable are told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import LatticeNotFoundError, PreparationError
from gapscope.measured.preparation.candidates import Candidate, candidates
from gapscope.measured.preparation.found import ANGSTROM, FoundLattice, Rival, turned_to_labels
from gapscope.measured.preparation.grid import LEAST_PIXELS, Real, grid_of
from gapscope.measured.preparation.noise_floor import Spectrum, spectrum
from gapscope.measured.preparation.peaks import Peak, brightest, refine_peak
from gapscope.measured.preparation.plausible import Bounds
from gapscope.measured.preparation.sought import Crystal, sought
from gapscope.measured.preparation.summits import clear

FALSE_ALARM = 1e-3
"""Bound of the share of maps of pure noise in which a lattice is found."""
ODDS = 20.0
"""Against a candidate: below, it is a rival of the lattice that is chosen, and told of."""
RARE, RARE_ODDS = 13, 1000.0
"""Turned superlattices of more cells are rare: where one is chosen, weaker rivals are told, too. It
may be that the true Bragg peaks are too faint to be seen."""
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
    lattice_constant : the material's, in Angstrom; or the material or lattice that has it.
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
    reach = WIDER * length * np.sqrt(anisotropy) / scale[0]
    found = spectrum(image, reach, 0.8 * length / scale[1])
    extent = (np.array(found.power.shape)[::-1] // 2 + 1) * found.step
    if (extent < length / scale[1]).any():
        raise PreparationError(
            "The pixels of a map are finer than half its lattice constant.",
            f"{wanted} on pixels of {', '.join(f'{10 * np.pi / e:.3g}' for e in extent)} Angstrom",
            "Use a finer map; or give the lattice constant of what was measured, in Angstrom, and"
            " coordinates in nm.",
        )
    bounds = Bounds(reciprocal, scale, anisotropy)
    trials = _trials(found, bounds)
    needed = found.threshold((false_alarm / trials) ** (1 / 3))
    weighed = candidates(found, bounds, needed)
    chosen, peaks = _chosen(image, found, weighed, false_alarm)
    if chosen is None or peaks is None:
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
    chance = min(1.0, trials * found.chance(weakest) ** 3)
    lattice = _fitted(_labelled(peaks), wanted.constant, chance)
    return replace(
        lattice,
        quarters=tuple(_quarters(image, lattice)),
        rivals=tuple(_rivals(chosen, weighed, found.step)),
    )


def _trials(found: Spectrum, bounds: Bounds) -> float:
    """Number of triples within the bounds: all q1 of the ring, their q2, in six ways each."""
    length = float(np.linalg.norm(bounds.ideal[0]))
    low, high = bounds.scale
    momenta = found.pixels.reshape(-1, 2) * found.step
    q, stretch = np.hypot(*momenta.T), np.sqrt(bounds.anisotropy)
    ring = momenta[(q > length / high / stretch) & (q < length / low * stretch)]
    middle = np.array([length / np.sqrt(low * high), 0.0])
    pairs = np.stack(np.broadcast_arrays(middle, ring), axis=-2)
    return max(1.0, len(ring) * float(bounds.within(pairs).sum()) / 6)


def _chosen(
    image: xr.DataArray, found: Spectrum, weighed: list[Candidate], false_alarm: float
) -> tuple[Candidate, Triple] | tuple[None, None]:
    """The most probable candidate with peaks that stand out, and these.

    Where two of them are beyond doubt, noise has only to make the third, next to where they say.
    """
    for one in weighed:
        if one.pixels is not None:
            peaks = _refined(image, found, one.pixels)
            if peaks is None:
                continue
            weakest, other, _ = sorted(peak.significance for peak in peaks)
            if other < clear(found) or NEIGHBOURS * found.chance(weakest) < false_alarm:
                return one, peaks
    return None, None


def _rivals(chosen: Candidate, weighed: list[Candidate], step: Real) -> Iterator[Rival]:
    """Candidates that are nearly as probable as the best one, apart from the chosen one."""
    m, n = chosen.superlattice
    odds = RARE_ODDS if n > 0 and m * m + m * n + n * n > RARE else ODDS
    least = weighed[0].log_probability - np.log(odds)
    likely = [one for one in weighed if one.log_probability > least or one is chosen]
    total = np.logaddexp.reduce([one.log_probability for one in likely])
    for one in likely:
        if one is not chosen:
            probability = float(np.exp(one.log_probability - total))
            b = one.reciprocal * step
            turns = turned_to_labels(b)
            for _ in range(turns % 6):
                b = np.array([-b[1], b[0] + b[1]])
            yield Rival(b, probability, one.superlattice, one.pixels is not None)


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
