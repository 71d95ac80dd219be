"""Simulated maps and likelihoods of a map's states, with as few Green's functions as may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MapFileError, NumericsError
from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.mixture import shorter
from gapscope.inference.posterior.noise import Noise
from gapscope.inference.posterior.responses import Responses
from gapscope.inference.refine import Conditions
from gapscope.simulation.numerics import Converged

Array = NDArray[np.float64]
Point = tuple[int, Array]
"""Number of a class, and a point of its cube."""

RENAMED = 0.25
"""Largest step along a coordinate; a state's other name lies half a circle of its phase away."""
GRID_FLOOR = 1e-3
"""Least noise over a map's root mean square where its method does not state an accuracy."""


class Forward:
    """Maps of a problem's states, compared with one map.

    Functions for :func:`gapscope.inference.least_squares.follow` on points of the cubes, each
    energy's map divided by its noise, or where that is not known by its root mean square.

    Parameters
    ----------
    map : drho (energies, L, L) in 1/meV, r = 0 at index L/2; a tip there sees the impurity's own
        orbitals, so that this site is left out.
    noise : (energies,) standard deviation on each site in 1/meV; None: not known.
    tell : called after each Green's function with the number of those so far.

    Raises
    ------
    NumericsError : a map that does not fit the conditions, or no noise.
    MapFileError : a map that is not finite or zero at an energy.
    """

    def __init__(
        self,
        map: NDArray[np.floating],
        conditions: Conditions,
        noise: Sequence[float] | None = None,
        tell: Callable[[int], None] | None = None,
    ) -> None:
        self.conditions = conditions
        numerics = conditions.numerics
        expected = (len(numerics.energies), numerics.window, numerics.window)
        if map.shape != expected:
            raise NumericsError(
                "A posterior needs a map (energies, L, L) of the conditions.",
                f"{map.shape} for {expected}",
                "Cut the map to the window, or change the conditions.",
            )
        self.sites = conditions.sites_away
        self.target = np.asarray(map[:, self.sites], dtype=np.float64)
        self.size = np.sqrt((self.target**2).mean(axis=1))
        if not np.isfinite(self.target).all() or not self.size.all():
            raise MapFileError(
                "A map is finite, and differs from zero at every energy.",
                f"root mean squares {self.size.tolist()}",
                "Check the impurity, and the file's values in 1/meV.",
            )
        method = numerics.method
        floor = method.accuracy if isinstance(method, Converged) else GRID_FLOOR
        self.noise = _noise(noise, self.target.shape, floor * self.size)
        self.scale = self.noise.level if self.noise.known else self.size
        self.responses = Responses(conditions, self.target, tell)
        self.cubes = self.responses.cubes

    @property
    def computed(self) -> int:
        """Number of Green's functions so far."""
        return self.responses.computed

    @cached_property
    def observed(self) -> Array:
        """The map as :meth:`values` gives simulated ones."""
        return np.asarray((self.target / self.scale[:, None]).ravel())

    def squares(self, cube: Cube, outer: Array, inner: Array) -> Array:
        """Residual sums of squares of points with one Green's function, (m, energies).

        Parameters
        ----------
        outer, inner : coordinates (outer,) and (m, k - outer).
        """
        return self.responses.of(cube, outer).squares(self.responses.potentials(cube, inner))

    def log_likelihood(self, cube: Cube, outer: Array, inner: Array) -> Array:
        """(m,) of points with one Green's function; arguments as of :meth:`squares`."""
        return self.noise.log_likelihood(self.squares(cube, outer, inner))

    def values(self, points: Sequence[Point]) -> Array:
        """Simulated maps over the noise, (points, energies times sites)."""
        made = []
        for index, point in points:
            cube = self.cubes[index]
            potential = self.responses.potentials(cube, point[None, cube.outer :])
            made.append(self.responses.of(cube, point).maps(potential)[0] / self.scale[:, None])
        return np.stack(made).reshape(len(made), -1)

    def differences(self, point: Point) -> Array:
        """The finite difference of each coordinate, towards the middle of the cube."""
        index, place = point
        return np.where(place > 0.5, -1, 1) * self.cubes[index].differences

    def blocked(self, point: Point, step: Array) -> NDArray[np.bool_]:
        """Coordinates at a face of the cube that a step would lead through; angles go on."""
        index, place = point
        outwards = ((place <= 0) & (step < 0)) | ((place >= 1) & (step > 0))
        angles = [one.circular for one in self.cubes[index].unknowns]
        return np.asarray(outwards & ~np.array(angles, dtype=bool))

    def apart(self, point: Point, other: Point) -> Array | None:
        """The step between two near points; None where one goes by another name than the other."""
        index, place = point
        step = shorter(other[1] - place, self.cubes[index].circles)
        return step if (np.abs(step) < RENAMED).all() else None

    def moved(self, point: Point, step: Array) -> Point:
        """The point further on, inside of its cube."""
        index, place = point
        return index, self.cubes[index].moved(place, step)


def _noise(given: Sequence[float] | None, shape: tuple[int, int], floor: Array) -> Noise:
    energies, sites = shape
    if given is None:
        return Noise(sites, floor, known=False)
    level = np.asarray(given, dtype=np.float64)
    if level.shape != (energies,):
        raise NumericsError(
            "The noise is given at every energy of the map.",
            f"{level.size} numbers for {energies} energies",
            f"Give {energies}, or leave it out.",
        )
    return Noise(sites, level, known=True)
