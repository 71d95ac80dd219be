"""A(k, w) over the Brillouin zone as pixels, and the Fermi surface of the normal state.

Within a pixel of some 0.01/Angstrom the bands cross several meV, many times the broadening: a
pixel near the Fermi surface shows the mean of A over points in it, the others A at their middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import contourpy
import numpy as np
from numpy.typing import NDArray

from gapscope.explore.gap_choices import crystal_of
from gapscope.explore.state import COARSE, Quality, State
from gapscope.plots.maps import reach_of
from gapscope.simulation.spectrum import spectral_function

STRIP = 1.5
"""Half width in pixels of the strip around the Fermi surface that is sampled finely."""

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SpectralImage:
    """A(k, w) in 1/meV on square pixels, (n, n) with kx first; edges at -reach and reach.

    Attributes
    ----------
    reach : largest |k| along an axis, in 1/Angstrom.
    fermi_surface : lines (n, 2) in 1/Angstrom where a band of the normal state is zero.
    """

    values: Real
    reach: float
    fermi_surface: tuple[Real, ...]


def middles(count: int, reach: float) -> Real:
    """Middles of a number of equal pixels between -reach and reach."""
    return reach * ((2 * np.arange(count) + 1) / count - 1)


def spectral_part(state: State, quality: Quality, part: int) -> Real:
    """A(k, w) = -(1/pi) Im Tr_e G(k, w), at every so many-th of the points of an image.

    Of the clean superconductor, at the state's energy; ``part`` is one of ``quality.parts``.

    Raises
    ------
    SpecificationError, NumericsError, KernelError, JuliaNotFoundError : see :mod:`gapscope.errors`.
    """
    _, momenta = _points(state, quality)
    found = spectral_function(
        state.clean().specification(),
        momenta[part :: quality.parts],
        [state.energy],
        state.broadening,
    )
    return np.asarray(found.values[:, 0])


def spectral_image(state: State, quality: Quality, parts: Sequence[Real]) -> SpectralImage:
    """The image of all parts of :func:`spectral_part`, in their order."""
    strip, momenta = _points(state, quality)
    spectral = np.empty(len(momenta))
    for part, values in enumerate(parts):
        spectral[part :: quality.parts] = values
    count = quality.pixels
    middle = int((~strip).sum())
    values = np.empty(count**2)
    values[~strip] = spectral[:middle]
    values[strip] = spectral[middle:].reshape(-1, quality.samples**2).mean(axis=1)
    reach = reach_of(state.material.lattice)
    return SpectralImage(values.reshape(count, count), reach, fermi_surface(state))


@lru_cache(maxsize=2)
def _points(state: State, quality: Quality) -> tuple[NDArray[np.bool_], Real]:
    """Which pixels are near the Fermi surface; and reduced momenta (n, 2): the middles of the
    others, then the points within these."""
    lattice = state.material.lattice
    reach, count, samples = reach_of(lattice), quality.pixels, quality.samples
    x = middles(count, reach)
    points = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    bands = _bands(state.crystal, state.eps0, count)
    across = np.hypot(*np.gradient(bands, axis=(1, 2)))
    near = np.abs(bands) < STRIP * across + 2 * state.gap + abs(state.energy)
    strip = near.any(axis=0).ravel()
    within = middles(samples, reach / count)
    offsets = np.stack(np.meshgrid(within, within, indexing="ij"), axis=-1).reshape(-1, 2)
    fine = (points[strip, None] + offsets).reshape(-1, 2)
    return strip, lattice.reduced(lattice.constant * np.concatenate([points[~strip], fine]))


def fermi_surface(state: State) -> tuple[Real, ...]:
    """Lines (n, 2) in 1/Angstrom on which an energy of the normal state is zero."""
    return _fermi_surface(state.crystal, state.eps0)


@lru_cache(maxsize=32)
def _fermi_surface(crystal: str, eps0: float, count: int = COARSE.pixels) -> tuple[Real, ...]:
    x = middles(count, reach_of(crystal_of(crystal).lattice))
    lines: list[Real] = []
    for band in _bands(crystal, eps0, count):
        found = contourpy.contour_generator(x, x, band.T).lines(0.0)
        lines += [np.asarray(line, dtype=np.float64) for line in found]
    return tuple(lines)


@lru_cache(maxsize=32)
def _bands(crystal: str, eps0: float, count: int) -> Real:
    """Energies in meV of the normal state on the pixels' middles, (bands, count, count).

    None of a half-infinite crystal, whose states fill areas of the surface's zone.
    """
    normal = crystal_of(crystal)
    if normal.surface is not None:
        return np.empty((0, count, count))
    x = middles(count, reach_of(normal.lattice))
    points = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1)
    momenta = normal.lattice.reduced(normal.lattice.constant * points)
    energies = np.linalg.eigvalsh(normal.electrons(eps0).at(momenta))
    return np.ascontiguousarray(np.moveaxis(energies, -1, 0))
