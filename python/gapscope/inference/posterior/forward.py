"""Simulated maps and likelihoods of a map's states, with as few Green's functions as may be."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.recipe import RULE_NODES
from gapscope.errors import MapFileError, NumericsError
from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.noise import Noise
from gapscope.inference.posterior.response import Response
from gapscope.inference.refine import Conditions
from gapscope.instrument.resolution import energy_rule
from gapscope.problem.impurities import potentials, unit_potentials
from gapscope.simulation.green import kernel_green
from gapscope.simulation.numerics import Converged

Array = NDArray[np.float64]
Point = tuple[int, Array]
"""Number of a class, and a point of its cube."""

ACCURACY = 2e-5
"""Relative accuracy of simulated maps, whose errors add up over thousands of sites and must not be
seen in a likelihood. By the method converged it costs a tenth more time than 0.005."""
GRID_FLOOR = 1e-3
"""Least noise over a map's root mean square where its method does not state an accuracy."""
REFERENCE = 0.75
"""Coordinates of the impurity whose map a Green's function is computed accurately for."""
KEPT_BYTES = 2e8


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
        self.sites = conditions.sites.copy()
        self.sites[numerics.window // 2, numerics.window // 2] = False
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
        self._fine = replace(
            numerics,
            method=replace(method, accuracy=min(method.accuracy, ACCURACY))
            if isinstance(method, Converged)
            else method,
        )
        self.scale = self.noise.level if self.noise.known else self.size
        self.computed, self.worst_error = 0, 0.0
        self._tell = tell
        self._known: OrderedDict[tuple[object, ...], Response] = OrderedDict()

    @cached_property
    def cubes(self) -> list[Cube]:
        """The cube of every class."""
        problem = self.conditions.problem
        return [Cube(problem, index) for index in range(len(problem.classes))]

    @cached_property
    def observed(self) -> Array:
        """The map as :meth:`values` gives simulated ones."""
        return np.asarray((self.target / self.scale[:, None]).ravel())

    def response(self, cube: Cube, point: Array) -> Response:
        """That of a point's Green's function."""
        key = (cube.index, *point[: cube.outer].tolist())
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        made = self._computed(cube, point)
        self._known[key] = made
        most = max(4, int(KEPT_BYTES / max(1, sum(one.nbytes for one in made.design))))
        while len(self._known) > most:
            self._known.popitem(last=False)
        return made

    def _computed(self, cube: Cube, point: Array) -> Response:
        place = np.full(cube.size, REFERENCE)
        place[: cube.outer] = point[: cube.outer]
        sample = self.conditions.states.sample(cube.index, cube.values(place))
        nodes, weights = energy_rule(sample.temperature, sample.modulation, RULE_NODES)
        energies = np.add.outer(np.array(self._fine.energies), nodes)
        asked, where = np.unique(energies, return_inverse=True)
        numerics = replace(self._fine, energies=asked.tolist(), broadening=sample.broadening)
        green = kernel_green(sample.specification, numerics, numerics.window // 2)
        self.computed += 1
        if green.convergence is not None:
            self.worst_error = max(self.worst_error, float(green.convergence.larger.max()))
        if self._tell is not None:
            self._tell(self.computed)
        values = green.values[where.reshape(energies.shape)]
        return Response.of(values, weights, self._touched, self.sites, self.target)

    def potentials(self, cube: Cube, inner: Array) -> NDArray[np.complex128]:
        """V of the touched components, (m, t, t), for the last coordinates (m, k - outer)."""
        own = {
            unknown.name: np.array([unknown.drawn(x) for x in column])
            for unknown, column in zip(cube.unknowns[cube.outer :], inner.T.tolist(), strict=True)
        }
        made = potentials(cube.problem, self.conditions.draft, own)
        made = made[:, self._touched[:, None], self._touched]
        # Where nothing of the impurity is unknown, one stands for all.
        return np.broadcast_to(made, (len(inner), *made.shape[1:]))

    @cached_property
    def _touched(self) -> NDArray[np.int64]:
        """Nambu components of the orbitals that the impurity acts on."""
        general = np.abs(unit_potentials(self.conditions.draft)).max(axis=0)
        return np.flatnonzero(general.any(axis=0))

    def squares(self, cube: Cube, outer: Array, inner: Array) -> Array:
        """Residual sums of squares of points with one Green's function, (m, energies).

        Parameters
        ----------
        outer, inner : coordinates (outer,) and (m, k - outer).
        """
        return self.response(cube, outer).squares(self.potentials(cube, inner))

    def log_likelihood(self, cube: Cube, outer: Array, inner: Array) -> Array:
        """(m,) of points with one Green's function; arguments as of :meth:`squares`."""
        return self.noise.log_likelihood(self.squares(cube, outer, inner))

    def values(self, points: Sequence[Point]) -> Array:
        """Simulated maps over the noise, (points, energies times sites)."""
        made = []
        for index, point in points:
            cube = self.cubes[index]
            potential = self.potentials(cube, point[None, cube.outer :])
            made.append(self.response(cube, point).maps(potential)[0] / self.scale[:, None])
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
