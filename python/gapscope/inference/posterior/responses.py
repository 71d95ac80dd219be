"""Responses of a problem's states, with as few Green's functions as may be."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.recipe import RULE_NODES
from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.response import Response
from gapscope.inference.refine import Conditions, accurate
from gapscope.instrument.resolution import energy_rule
from gapscope.physics.particle_hole import at_opposite_energy, pairs_of
from gapscope.problem.impurities import potentials, unit_potentials
from gapscope.simulation.green import kernel_green

Array = NDArray[np.float64]
REFERENCE = 0.75
"""Coordinates of the impurity whose map a Green's function is computed accurately for."""
KEPT_BYTES = 4e8


class Responses:
    """Responses of states under one set of conditions; the last ones are kept.

    Parameters
    ----------
    target : a map (energies, sites) that residual sums of squares are of; None: zero.
    tell : called after each Green's function with the number of those so far.
    """

    def __init__(
        self,
        conditions: Conditions,
        target: Array | None = None,
        tell: Callable[[int], None] | None = None,
    ) -> None:
        self.conditions = conditions
        numerics = conditions.numerics
        self.sites = conditions.sites_away
        shape = (len(numerics.energies), int(self.sites.sum()))
        self._target = np.zeros(shape) if target is None else target
        self._fine = accurate(numerics)
        self.computed = 0
        self._tell = tell
        self._known: OrderedDict[tuple[object, ...], Response] = OrderedDict()

    @cached_property
    def cubes(self) -> list[Cube]:
        """The cube of every class."""
        problem = self.conditions.problem
        return [Cube(problem, index) for index in range(len(problem.classes))]

    def of(self, cube: Cube, point: Array) -> Response:
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

    def known(self, cube: Cube) -> list[tuple[Array, Response]]:
        """Expensive coordinates and responses of a class that are kept."""
        return [
            (np.array(point), one)
            for (index, *point), one in self._known.items()
            if index == cube.index
        ]

    def _computed(self, cube: Cube, point: Array) -> Response:
        place = np.full(cube.size, REFERENCE)
        place[: cube.outer] = point[: cube.outer]
        sample = self.conditions.states.sample(cube.index, cube.values(place))
        nodes, weights = energy_rule(sample.temperature, sample.modulation, RULE_NODES)
        energies = np.add.outer(np.array(self._fine.energies), nodes)
        asked, where = pairs_of(energies)
        numerics = replace(self._fine, energies=asked.tolist(), broadening=sample.broadening)
        green = kernel_green(sample.specification, numerics, numerics.window // 2)
        self.computed += 1
        if self._tell is not None:
            self._tell(self.computed)
        values = green.values[where]
        below = energies < 0
        values[below] = at_opposite_energy(values[below])
        return Response.of(values, weights, self._touched, self.sites, self._target)

    def potentials(self, cube: Cube, inner: Array) -> NDArray[np.complex128]:
        """V of the touched components, (m, t, t), for the last coordinates (m, k - outer)."""
        own = {
            unknown.name: np.array([unknown.drawn(x) for x in column])
            for unknown, column in zip(cube.unknowns[cube.outer :], inner.T.tolist(), strict=True)
        }
        made = self._on_touched(potentials(cube.problem, self.conditions.draft, own))
        # Where nothing of the impurity is unknown, one stands for all.
        return np.broadcast_to(made, (len(inner), *made.shape[1:]))

    def strengths(self, values: Array) -> NDArray[np.complex128]:
        """V of the touched components, (m, t, t), for v and J in meV, (m, 4)."""
        return self._on_touched(np.tensordot(values, unit_potentials(self.conditions.draft), 1))

    def _on_touched(self, matrices: NDArray[np.complex128]) -> NDArray[np.complex128]:
        return matrices[:, self._touched[:, None], self._touched]

    @cached_property
    def _touched(self) -> NDArray[np.int64]:
        """Nambu components of the orbitals that the impurity acts on."""
        general = np.abs(unit_potentials(self.conditions.draft)).max(axis=0)
        return np.flatnonzero(general.any(axis=0))
