"""Where the search for a map's states begins.

A source of starts is anything that gives points of the classes' cubes; a network's answers are one.
How good they are decides how long the search takes, and never what a point weighs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import xarray as xr
from scipy.stats import qmc

from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.forward import Point
from gapscope.problem.representative import PHASES

LIKELY = 0.01
"""Probability from which on a class is tried with further angles."""
ANGLES = 4
"""Further angles that are tried for each circle of a likely class, up to two circles."""


class Starts(Protocol):
    """A source of starting points for one map."""

    def points(self, cubes: Sequence[Cube]) -> list[Point]:
        """One or more for every class."""


class NetworkStarts:
    """A network's answer for a map, in every class, since it may be wrong about that.

    Phases are tried with both signs, which maps may hardly tell apart; the angles of likely
    classes all around, too, where other angles may have maps that are nearly the same.

    Parameters
    ----------
    prediction : one sample of what :func:`gapscope.predict` returns.
    """

    def __init__(self, prediction: xr.Dataset) -> None:
        self._prediction = prediction

    def points(self, cubes: Sequence[Cube]) -> list[Point]:
        """The network's numbers, for every class of the problem."""
        probability = self._prediction["probability"].values
        found: list[Point] = []
        for cube in cubes:
            given = {u.name: float(self._prediction[u.name]) for u in cube.unknowns}
            known = {
                u.name: u.drawn(0.5) if np.isnan(given[u.name]) else given[u.name]
                for u in cube.unknowns
            }
            found.append((cube.index, cube.point(known)))
            for phase in sorted(set(known) & set(PHASES)):
                turned = {**known, phase: -known[phase]}
                found.append((cube.index, cube.point(turned)))
                if phase == "phi" and "theta" in known:
                    # Of the next state beyond phi = pi/2, where a range may end.
                    turned = {**turned, "theta": np.pi - known["theta"]}
                    found.append((cube.index, cube.point(turned)))
            circles = [k for k, u in enumerate(cube.unknowns) if u.circular and k < cube.outer]
            missing = any(np.isnan(given[cube.unknowns[k].name]) for k in circles)
            if circles and (missing or probability[cube.index] >= LIKELY):
                around = qmc.Sobol(len(circles), scramble=False)
                count = ANGLES * min(len(circles), 2)
                for shares in around.random(count):
                    point = found[-1][1].copy()
                    point[circles] = shares
                    found.append((cube.index, point))
        return found


class ScannedStarts:
    """Points all over the cubes, for a problem that no network has learned.

    Parameters
    ----------
    count : points of every class, a power of two.
    """

    def __init__(self, count: int = 64) -> None:
        self._count = count

    def points(self, cubes: Sequence[Cube]) -> list[Point]:
        """As many for every class; of the impurity's coordinates nothing need be known."""
        found: list[Point] = []
        for cube in cubes:
            for place in qmc.Sobol(max(cube.outer, 1), scramble=False).random(self._count):
                point = np.full(cube.size, 0.5)
                point[: cube.outer] = place[: cube.outer]
                found.append((cube.index, point))
        return found
