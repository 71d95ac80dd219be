"""Lawler and Fujita's correction of slow distortions (M. J. Lawler et al., Nature 466, 347 (2010)).

A displacement u(r) that varies slowly turns the lattice's waves into A exp(i b.(r - u(r))), so that
their local phases phi_b(r), smoothed over a length, give b.u = phi_b(mean) - phi_b(r). Two Bragg
vectors would do; where the lattice has three that are alike, all are used, by least squares. The
corrected map is f(r + u(r)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from gapscope.errors import PreparationError
from gapscope.measured.preparation.found import FoundLattice
from gapscope.measured.preparation.grid import Grid, Real, grid_of, on_grid, sample
from gapscope.measured.preparation.lockin import Complex, local_amplitude

ROUNDS = 20


def displacement(image: xr.DataArray, lattice: FoundLattice, length: float) -> Real:
    """u(r) in nm, (y, x, 2), of zero mean.

    Parameters
    ----------
    lattice : as found in this very map; what is left of its distortion is part of u.
    length : smoothing length in nm; faster changes of u are not seen.

    Raises
    ------
    PreparationError : the phases of a Bragg peak wind around a point, as at a dislocation, or where
        the lattice is too weak for the smoothing length.
    """
    vectors = lattice.kind.bragg @ lattice.reciprocal
    phases = [_unwrapped(local_amplitude(image, b, length)) for b in vectors]
    shifts = np.stack([phase.mean() - phase for phase in phases], axis=-1)
    return np.asarray(shifts @ np.linalg.pinv(vectors).T)


@dataclass(frozen=True, eq=False)
class Shift:
    """A correction f(r) -> f(r + u(r)), less the rim whose sources lie outside of the data.

    Attributes
    ----------
    grid : grid of the map f.
    u : in nm, (y, x, 2).

    Raises
    ------
    PreparationError : a displacement as large as the map.
    """

    grid: Grid
    u: Real

    def __post_init__(self) -> None:
        if (4 * self.rim >= self.u.shape[1::-1]).any():
            raise PreparationError(
                "A slow distortion is small against the map.",
                f"displacements up to {np.abs(self.u).max():.3g} nm",
                "Correct the affine distortion first, or use a longer smoothing length.",
            )

    @property
    def rim(self) -> NDArray[np.int64]:
        """Pixels that are lost at either side along (x, y)."""
        pixels = np.abs(self.u).max(axis=(0, 1)) / self.grid.step
        return np.asarray(np.ceil(pixels - 1e-6).astype(np.int64))

    def map(self, image: xr.DataArray) -> xr.DataArray:
        """The corrected map, its coordinates from the lower left corner."""
        grid, (across, up) = self.grid, self.rim
        points = np.stack(np.meshgrid(grid.x, grid.y), axis=-1) + self.u
        inside = slice(up, len(grid.y) - up), slice(across, len(grid.x) - across)
        new = Grid(grid.x[inside[1]] - grid.x[across], grid.y[inside[0]] - grid.y[up])
        return on_grid(image, sample(image, points[inside]), new)

    def source(self, point: ArrayLike) -> Real:
        """Where a place (x, y) of the corrected map was in the map f, in nm."""
        r = np.asarray(point, dtype=np.float64) + self._origin
        return np.asarray(r + self._at(r))

    def target(self, place: ArrayLike) -> Real:
        """Where a place (x, y) of the map f is in the corrected map, in nm."""
        p = np.asarray(place, dtype=np.float64)
        r = p
        for _ in range(ROUNDS):  # u varies slowly
            r = p - self._at(r)
        return np.asarray(r - self._origin)

    @property
    def _origin(self) -> Real:
        """Origin of the corrected map in the map f."""
        across, up = self.rim
        return np.array([self.grid.x[across], self.grid.y[up]])

    def _at(self, r: Real) -> Real:
        """u between the pixels; beyond the map that of its edge."""
        x, y = (r - [self.grid.x[0], self.grid.y[0]]) / self.grid.step
        return np.array(
            [
                ndimage.map_coordinates(one, [[y], [x]], order=1, mode="nearest")[0]
                for one in np.moveaxis(self.u, -1, 0)
            ]
        )


def correct_phase(image: xr.DataArray, lattice: FoundLattice, length: float) -> xr.DataArray:
    """The map f(r + u(r)), less the rim whose sources lie outside of the data.

    Raises
    ------
    PreparationError : see :func:`displacement`; or a displacement as large as the map.
    """
    return Shift(grid_of(image), displacement(image, lattice, length)).map(image)


def _unwrapped(wave: Complex) -> Real:
    """Continuous phase: from pixel to pixel it changes by less than pi, whatever the way."""
    along_x = np.angle(wave[:, 1:] * wave[:, :-1].conj())
    along_y = np.angle(wave[1:] * wave[:-1].conj())
    # Around a square of four pixels the changes add up to zero, or to 2 pi at a vortex.
    winding = along_x[:-1] + along_y[:, 1:] - along_x[1:] - along_y[:, :-1]
    if np.abs(winding).max() > np.pi:
        raise PreparationError(
            "The phase of a Bragg peak is continuous over the map.",
            f"{int((np.abs(winding) > np.pi).sum())} points that it winds around",
            "Use a longer smoothing length, or a part of the map without defects.",
        )
    first = np.angle(wave[0, 0]) + np.concatenate([[0.0], np.cumsum(along_y[:, 0])])
    rest = np.concatenate([np.zeros((len(wave), 1)), np.cumsum(along_x, axis=1)], axis=1)
    return np.asarray(first[:, None] + rest)
