"""Charge-density-wave peaks in the first Brillouin zone, near a star of commensurate momenta."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import ndimage

from gapscope.errors import PreparationError
from gapscope.measured.preparation.bravais import bravais
from gapscope.measured.preparation.found import FoundLattice, Measured, propagate
from gapscope.measured.preparation.grid import Real, grid_of
from gapscope.measured.preparation.noise_floor import spectrum
from gapscope.measured.preparation.peaks import Peak, refine_peak
from gapscope.physics.lattice import Lattice

FALSE_ALARM = 1e-3
"""Probability at which a peak of noise is taken for a wave."""
TRIANGULAR = Lattice("triangular", 1.0)
REACH = 0.05
"""In units of |b1|."""


@dataclass(frozen=True)
class WavePeak:
    """A momentum of the star, and what the map shows near it.

    Attributes
    ----------
    expected : (m1, m2), commensurate, in units of the Bragg vectors b1, b2.
    position : (m1, m2) as found, with errors; NaN where nothing was found.
    distance : distance of the two, in units of |b1|.
    resolution : the map's resolution, half a pixel of its transform, in the same units.
    peak : the peak itself, None where nothing was found.
    false_alarm : bound of the probability that noise alone has so bright a peak near it.
    """

    expected: Real
    position: Measured
    distance: Measured
    resolution: float
    peak: Peak | None
    false_alarm: float

    @property
    def found(self) -> bool:
        """Whether the map shows a peak."""
        return self.peak is not None

    @property
    def commensurate(self) -> bool:
        """Whether it shows one where it is expected, within the resolution or three errors."""
        return bool(self.distance.value <= max(self.resolution, 3 * float(self.distance.error)))


@dataclass(frozen=True)
class DensityWave:
    """The independent momenta of a star: three for 3 x 3, their opposites say nothing else."""

    peaks: tuple[WavePeak, ...]

    @property
    def found(self) -> bool:
        """Whether the map shows all peaks of the star."""
        return all(peak.found for peak in self.peaks)

    @property
    def commensurate(self) -> bool:
        """Whether all of them are where they are expected."""
        return all(peak.commensurate for peak in self.peaks)

    @property
    def momenta(self) -> Real:
        """Momenta (n, 2) in 1/nm of the peaks that were found."""
        return np.array([p.peak.momentum for p in self.peaks if p.peak is not None]).reshape(-1, 2)


def star(wavevector: tuple[float, float], lattice: Lattice = TRIANGULAR) -> Real:
    """Momenta (n, 2), in reduced coordinates, of a wave and its rotations by those of the lattice.

    Each pair q, -q counts once. On the triangular lattice (1/3, 0) gives the 3 x 3 wave of NbSe2
    and NbS2, (1/2, 0) the 2 x 2 one, (1/3, 2/3) the sqrt3 x sqrt3 one; on the square lattice
    (1/2, 1/2) gives the c(2 x 2) one.
    """
    momenta: list[Real] = []
    # q.r is invariant: where r -> g r, the reduced momenta m -> g^-T m.
    of = bravais(lattice)
    turn = of.turned_momenta.T
    m = np.array(wavevector, dtype=np.float64)
    for _ in range(of.order):
        if not any(np.allclose(m, s * other) for other in momenta for s in (1, -1)):
            momenta.append(m)
        m = turn @ m
    return np.array(momenta)


def find_density_wave(
    image: xr.DataArray,
    lattice: FoundLattice,
    wavevector: tuple[float, float] = (1 / 3, 0.0),
    *,
    reach: float = REACH,
    false_alarm: float = FALSE_ALARM,
) -> DensityWave:
    """Peaks near the star of a commensurate wave vector, in the map that the lattice was found in.

    Near each momentum of the star the brightest local maximum of |rho(q)|^2 is a wave where its
    false alarm, pixels within reach times (1 + z/n)^-n, is below the one allowed.

    Parameters
    ----------
    wavevector : (m1, m2) in units of b1, b2.
    reach : how far from it a peak may lie, in units of |b1|; at least 1.5 pixels of the transform.
    false_alarm : for each momentum of the star.

    Raises
    ------
    PreparationError : a wave vector nearer to q = 0 than the reach, or as long as the lattice's.
    """
    expected = star(wavevector, lattice.perfect)
    momenta = lattice.momentum(expected)
    length = float(np.linalg.norm(lattice.reciprocal, axis=1).mean())
    lengths = np.linalg.norm(momenta, axis=1)
    half = float((np.pi / grid_of(image).field).max())
    radius = max(reach * length, 3 * half)
    if not radius < lengths.min():
        raise PreparationError(
            "A wave is sought around its momentum, without q = 0.",
            f"wave vector {wavevector}, sought within {radius / length:.2g} |b1|",
            "Use a smaller reach, or a larger map.",
        )
    if not lengths.max() < length - radius:
        raise PreparationError(
            "A density wave is longer than the lattice: its wave vector is shorter than b1.",
            f"wave vector {wavevector} in units of b1, b2",
            "Give 0.3333 0 for the 3 x 3 wave, 0.5 0 for 2 x 2.",
        )
    found = spectrum(image, float(lengths.max()) + radius, 0.8 * float(lengths.min()))
    q, z = found.pixels * found.step, found.z
    summit = z == ndimage.maximum_filter(z, size=3, mode="constant", cval=np.inf)
    peaks = []
    for m, momentum in zip(expected, momenta, strict=True):
        near = np.hypot(*np.moveaxis(q - momentum, -1, 0)) <= radius
        heights = np.where(near & summit, z, 0.0)
        row, column = np.unravel_index(heights.argmax(), heights.shape)
        chance = min(1.0, float(near.sum()) * found.chance(float(heights[row, column])))
        peak = None
        if chance < false_alarm:
            peak = refine_peak(image, q[row, column], float(found.noise[row, column]))
        position, distance = _place(peak, lattice, m)
        peaks.append(WavePeak(m, position, distance, half / length, peak, chance))
    return DensityWave(tuple(peaks))


def _place(peak: Peak | None, lattice: FoundLattice, m: Real) -> tuple[Measured, Measured]:
    """Momentum in units of b1, b2, and how far from m in units of |b1|, with the errors of both."""
    if peak is None:
        nan = np.full(2, np.nan)
        return Measured(nan, nan), Measured(nan[0], nan[0])

    def reduced(p: Real) -> Real:
        return np.asarray(np.linalg.solve(p[2:].reshape(2, 2).T, p[:2]))

    def distance(p: Real) -> Real:
        reciprocal = p[2:].reshape(2, 2)
        length = np.linalg.norm(reciprocal, axis=1).mean()
        return np.asarray(np.linalg.norm(p[:2] - m @ reciprocal) / length)

    covariance = np.zeros((6, 6))
    covariance[:2, :2], covariance[2:, 2:] = peak.covariance, lattice.covariance
    both = np.concatenate([peak.momentum, lattice.reciprocal.ravel()])
    return propagate(reduced, both, covariance), propagate(distance, both, covariance)
