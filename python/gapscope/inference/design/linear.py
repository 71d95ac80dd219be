"""Maps of a new measurement as linear functions of the state around each draw of a posterior.

Around the draw z_j the map is m_j + J_j (z - z_j). The slopes by coordinates of the superconductor
are those of a linear regression on the maps of the nearest Green's functions of the draw's
component, for z_j's own impurity; those by coordinates of the impurity are finite differences,
since its maps cost a T-matrix.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gapscope.inference.design.states import Draws, bandwidth
from gapscope.inference.posterior.responses import Responses
from gapscope.problem.unknown import Unknown

Array = NDArray[np.float64]
Maps = NDArray[np.float32]
Complex = NDArray[np.complex128]
STEP = 2e-3
"""Step of the impurity's coordinates by which maps are differentiated."""
RIDGE = 1e-6
"""Ridge of the regression, over the coordinates' own covariance."""
NEIGHBOURS = 3
"""Green's functions, over the number of a regression's coefficients, that it goes by."""
NARROWEST, WIDEST = 0.1, 10.0
"""Widths within which they are sought, over the component's."""


@dataclass(eq=False)
class Local:
    """A class's posterior and a new measurement of it, as normal distributions around each draw.

    Parameters
    ----------
    draws : of the class.
    centre, root : (n, k), means in the cube, and (n, k, k), lower triangular roots of their
        covariances.
    maps, slopes : at the means, (energies, n, sites), and by coordinates over the root, (energies,
        n, k, sites), in 1/meV.
    """

    draws: Draws
    centre: Array
    root: Array
    maps: Maps
    slopes: Maps

    @property
    def weight(self) -> float:
        """Weight of each draw."""
        return self.draws.probability / len(self.draws)

    def at(self, energies: Sequence[int]) -> Local:
        """The same at some of the energies."""
        chosen = list(energies)
        return replace(self, maps=self.maps[chosen], slopes=self.slopes[chosen])


class Impurity:
    """The impurity of a new measurement: each draw's own one, or another one that is not known.

    Parameters
    ----------
    defect : unknowns of another one, drawn anew for each draw of the posterior.
    """

    def __init__(
        self,
        draws: Draws,
        responses: Responses,
        defect: tuple[Unknown, Unknown] | None,
        rng: np.random.Generator,
    ) -> None:
        self._draws, self._responses, self.defect = draws, responses, defect
        self.inner = draws.points[:, draws.cube.outer :]
        if defect is not None:
            self.inner = rng.random((len(draws), len(defect)))

        self.potentials = self._potentials(self.inner)
        """V of the touched components, (n, t, t)."""
        self.either_side: list[tuple[Complex, Complex]] = []
        """For each coordinate the same below and above it, at a distance of twice STEP."""
        for axis in range(self.size):
            step = STEP * (np.arange(self.size) == axis)
            middle = np.clip(self.inner, step, 1 - step)
            pair = self._potentials(middle - step), self._potentials(middle + step)
            self.either_side.append(pair)

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return int(self.inner.shape[1])

    def _potentials(self, inner: Array) -> Complex:
        if self.defect is None:
            return self._responses.potentials(self._draws.cube, inner)
        values = np.zeros((len(inner), 4))
        for column, share, unknown in zip((0, 3), inner.T, self.defect, strict=True):
            values[:, column] = [unknown.drawn(x) for x in share.tolist()]
        return self._responses.strengths(values)


def kernels(draws: Draws, impurity: Impurity) -> tuple[Array, Array, Array]:
    """Points, and means and roots of the normal distributions around them."""
    outer, n = draws.cube.outer, len(draws)
    points = np.concatenate([draws.points[:, :outer], impurity.inner], axis=1)
    k = points.shape[1]
    centre, root = points.copy(), np.zeros((n, k, k))
    for own, mean, scale, h in draws.kernels():
        shrink = np.sqrt(1 - h**2)
        if impurity.defect is None:
            centre[own] = mean + shrink * (points[own] - mean)
            root[own] = h * np.linalg.cholesky(scale)
            continue
        centre[own, :outer] = mean[:outer] + shrink * (points[own, :outer] - mean[:outer])
        root[own, :outer, :outer] = h * np.linalg.cholesky(scale[:outer, :outer])
        # Around each of its draws: a prior need not be like a normal distribution at all.
        width = bandwidth(n, impurity.size) / np.sqrt(12)
        root[np.ix_(own, np.arange(outer, k), np.arange(outer, k))] = width * np.eye(impurity.size)
    return points, centre, root


def regression(draws: Draws) -> Array:
    """(n, outer, groups): what makes each draw's slopes of the maps of all groups."""
    outer = draws.cube.outer
    made = np.zeros((len(draws), outer, len(draws.outer)))
    for own, _, scale, _ in draws.kernels():
        members = np.flatnonzero(own)
        scale = scale[:outer, :outer]
        inverse = np.linalg.inv(scale)
        for j in members:
            away = draws.points[members, :outer] - draws.points[j, :outer]
            distance = np.einsum("nk,kl,nl->n", away, inverse, away)
            near = _nearest(distance, draws.group[members], NEIGHBOURS * (outer + 1))
            away = away - near @ away
            normal = (near[:, None] * away).T @ away + RIDGE * scale
            slope = np.linalg.solve(normal, (near[:, None] * away).T)
            np.add.at(made[j].T, draws.group[members], slope.T)
    return made


def _nearest(distance: Array, group: NDArray[np.int64], wanted: int) -> Array:
    """Weights by squared distances, falling off within as many effective groups as are wanted, or
    else not at all."""
    width = NARROWEST
    while True:
        near = np.exp(-0.5 * distance / width**2)
        near /= near.sum()
        by_group = np.bincount(group, near)
        if 1 / (by_group**2).sum() >= wanted or width > WIDEST:
            return np.asarray(near)
        width *= 1.2


def linearised(
    draws: Draws,
    responses: Responses,
    impurities: Sequence[Impurity],
    energies: Sequence[Sequence[int]],
) -> Generator[None, None, list[Local]]:
    """A class's maps with each of some impurities; yields after each Green's function.

    Parameters
    ----------
    responses : of one set of conditions.
    energies : of each impurity, numbers of those of the conditions at which maps are wanted.
    """
    outer, n = draws.cube.outer, len(draws)
    sites = int(responses.sites.sum())
    made = []
    for impurity, chosen in zip(impurities, energies, strict=True):
        points, centre, root = kernels(draws, impurity)
        maps = np.zeros((len(chosen), n, sites), dtype=np.float32)
        slopes = np.zeros((len(chosen), n, points.shape[1], sites), dtype=np.float32)
        made.append((points, Local(draws, centre, root, maps, slopes)))
    matrices = regression(draws)
    for group, place in enumerate(draws.outer):
        response = responses.of(draws.cube, place)
        here = np.flatnonzero(draws.group == group)
        touched = np.flatnonzero(matrices[:, :, group].any(axis=1))
        for impurity, chosen, (_, local) in zip(impurities, energies, made, strict=True):
            seen = response.at(chosen)
            near = seen.maps(impurity.potentials[touched])
            parts = matrices[touched, :, group][..., None]
            for e in range(len(chosen)):
                local.slopes[e, touched, :outer] += parts * near[:, e, None]
            local.maps[:, here] = seen.maps(impurity.potentials[here]).swapaxes(0, 1)
            for axis, (below, above) in enumerate(impurity.either_side, outer):
                change = seen.maps(above[here]) - seen.maps(below[here])
                local.slopes[:, here, axis] = change.swapaxes(0, 1) / (2 * STEP)
        yield
    for points, local in made:
        away = (local.centre - points).astype(np.float32)
        local.maps += np.einsum("nk,enks->ens", away, local.slopes, optimize=True)
        root = local.root.astype(np.float32)
        for e in range(len(local.slopes)):
            local.slopes[e] = np.einsum("nkl,nks->nls", root, local.slopes[e], optimize=True)
    return [local for _, local in made]
