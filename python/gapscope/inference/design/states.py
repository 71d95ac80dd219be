"""Draws of a posterior that new measurements are simulated for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import SettingError
from gapscope.inference.design.components import FLOOR, components, moments, unwound
from gapscope.inference.posterior.cube import Cube
from gapscope.inference.posterior.words import COLLAPSED, LEAST_EFFECTIVE
from gapscope.problem.representative import PHASES

Array = NDArray[np.float64]
LIKELY = 0.005
"""Probability from which on a class counts."""
LEAST_POINTS = 32
"""Draws of the least likely class."""


@dataclass(frozen=True, eq=False)
class Draws:
    """Equally weighted points of a class's posterior.

    Parameters
    ----------
    probability : of the class.
    points : (n, k) in the cube, on circles by turns next to each other in a component.
    component : (n,), each point's; a component is about normal.
    group : (n,), each point's Green's function, numbered from 0 by ``outer``.
    outer : (groups, outer), coordinates of the Green's functions.
    """

    cube: Cube
    probability: float
    points: Array
    component: NDArray[np.int64]
    group: NDArray[np.int64]
    outer: Array

    def __len__(self) -> int:
        return len(self.points)

    def kernels(self) -> list[tuple[NDArray[np.bool_], Array, Array, float]]:
        """Points, mean and covariance of each component, and its bandwidth h.

        The posterior is taken to be a normal distribution of h^2 times that covariance around each
        point, drawn towards the mean so that mean and covariance stay (M. West, J. R. Stat. Soc. B
        55, 409 (1993)), with Silverman's h.
        """
        made = []
        k = self.points.shape[1]
        for number in range(int(self.component.max()) + 1):
            own = self.component == number
            floor = (FLOOR * self.points.std(axis=0)) ** 2 + 1e-18
            mean, scale = moments(self.points[own], np.full(own.sum(), 1 / own.sum()), floor)
            made.append((own, mean, scale, bandwidth(int(own.sum()), k)))
        return made


def bandwidth(count: int, dimension: int) -> float:
    """Silverman's, over the standard deviation, of a normal distribution; at most one."""
    return float(min(1.0, (4 / ((dimension + 2) * count)) ** (1 / (dimension + 4))))


def draws_of(
    tree: xr.DataTree, cubes: Sequence[Cube], count: int, rng: np.random.Generator
) -> list[Draws]:
    """Draws of every class of a posterior that may be the map's, about ``count`` together.

    A phase goes by both of the names that the map may not tell apart (of c and c^*, see
    :mod:`gapscope.problem.representative`), each half of the time: another defect may.

    Raises
    ------
    SettingError : the posterior's weights have collapsed.
    """
    summary = tree.to_dataset()
    probability = np.where(summary["sampled"].values, summary["probability"].values, 0.0)
    leading = summary.isel({"class": int(probability.argmax())})
    effective, evaluated = float(leading["effective"]), int(leading["evaluated"])
    if effective < max(min(LEAST_EFFECTIVE, evaluated), COLLAPSED * evaluated):
        raise SettingError(
            "What to measure next follows from a posterior whose weights have not collapsed.",
            f"{effective:.1f} of {evaluated} Green's functions have the weights of its leading"
            f" class, {leading['class'].item()}",
            "Give a map that the model explains; the posterior's verdict says why it does not.",
        )
    probability = np.where(probability >= LIKELY, probability, 0.0)
    probability = probability / probability.sum()
    weighted = tree["weighted"].to_dataset()
    made = []
    for cube, share in zip(cubes, probability.tolist(), strict=True):
        if share:
            wanted = max(LEAST_POINTS, round(share * count))
            made.append(_draws(weighted, cube, share, wanted, rng))
    return made


def _draws(
    weighted: xr.Dataset, cube: Cube, probability: float, count: int, rng: np.random.Generator
) -> Draws:
    own = weighted.isel(sample=np.flatnonzero(weighted["label"].values == cube.index))
    weights = np.exp(own["log_weight"].values - own["log_weight"].values.max())
    # Evenly through the groups, so that these come as often as their weights say.
    order = np.argsort(own["group"].values, kind="stable")
    total = np.cumsum(weights[order])
    places = (np.arange(count) + rng.uniform()) / count * total[-1]
    chosen = order[np.minimum(np.searchsorted(total, places), len(order) - 1)]
    drawn = own.isel(sample=chosen)
    columns = {name: drawn[name].values for name in cube.names}
    states = [{name: float(columns[name][row]) for name in cube.names} for row in range(count)]
    points = np.array([cube.point(one) for one in states]).reshape(count, cube.size)
    points = unwound(points, cube.circles)
    found = components(points, drawn["group"].values)
    if set(PHASES) & set(cube.names):
        for row, state in enumerate(states):
            names = _names(cube, state)
            which = rng.integers(2) % len(names)
            points[row] = cube.point(names[which])
            found[row] = 2 * found[row] + which
        _, found = np.unique(found, return_inverse=True)
        for number in range(int(found.max()) + 1):
            points[found == number] = unwound(points[found == number], cube.circles)
    outer, group = np.unique(points[:, : cube.outer], axis=0, return_inverse=True)
    return Draws(cube, probability, points, found, group.ravel(), outer)


def _names(cube: Cube, state: dict[str, float]) -> list[dict[str, float]]:
    """The state and, where its maps have two names that differ by more than an overall sign, the
    other one, phases in (-pi/2, pi/2]."""
    found = cube.problem.other_names(cube.index, state)
    canonical = [
        one
        for one in found
        if all(
            -np.pi / 2 < (one[name] + np.pi) % (2 * np.pi) - np.pi <= np.pi / 2 + 1e-9
            for name in PHASES
            if name in one
        )
    ]
    return canonical[:2] or [state]
