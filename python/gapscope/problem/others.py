"""Further impurities beside the one on r = 0: how many there may be, how far away, and a draw.

Each has potential and moment of its own, from the ranges of the problem's unknowns, or the fixed
ones of all. Sites are those whose images under the lattice's point group all have |R1|, |R2| <= a
distance, each taken once, so that a map moved by a symmetry of the problem is a map of it. What
they are is no unknown: a map is asked about the superconductor, and about the impurity on r = 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.impurity import Impurity
from gapscope.physics.lattice import Lattice, symmetric_window
from gapscope.problem.draft import Draft
from gapscope.problem.impurities import impurity_numbers, own_impurity, potentials, redrawn
from gapscope.problem.problem import Problem

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Beside:
    """Further impurities of one map.

    Parameters
    ----------
    sites : (n, 2), none of them r = 0.
    values : unknowns of an impurity by name, (n,) each.
    """

    sites: NDArray[np.int64]
    values: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.sites)

    def potentials(self, problem: Problem, draft: Draft) -> NDArray[np.complex128]:
        """V in meV of each, (n, d, d); parameters as of
        :func:`gapscope.problem.impurities.potentials`."""
        v = potentials(problem, draft, self.values)
        return np.broadcast_to(v, (len(self), *v.shape[1:]))

    def impurities(self, problem: Problem, draft: Draft) -> list[Impurity]:
        """Each on its site."""
        v, moment = impurity_numbers(problem, draft, self.values)
        numbers = zip(
            np.broadcast_to(v, len(self)).tolist(),
            np.broadcast_to(moment, (len(self), 3)).tolist(),
            self.sites.tolist(),
            strict=True,
        )
        weights = draft.weights
        return [
            Impurity.scalar(v, weights, site) + Impurity.magnetic(j, weights, site)
            for v, j, site in numbers
        ]


def joined(each: Sequence[Beside]) -> Beside:
    """Those of several maps, one after another."""
    names = each[0].values
    values = {name: np.concatenate([one.values[name] for one in each]) for name in names}
    return Beside(np.concatenate([one.sites for one in each]), values)


@dataclass(frozen=True)
class Others:
    """How many further impurities a map has: any number from ``least`` to ``most`` alike, anywhere
    within ``distance`` of r = 0 in sites."""

    least: int
    most: int
    distance: int

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Self:
        """Those of a recipe's table."""
        least, most = map(int, table["number"])
        return cls(least, most, int(table["distance"]))

    @property
    def told(self) -> str:
        """In words."""
        number = f"{self.least} to {self.most}" if self.least < self.most else f"{self.most}"
        return f"{number} more within {self.distance} sites of r = 0"

    def sites(self, lattice: Lattice) -> NDArray[np.int64]:
        """The sites (n, 2) that they may stand on."""
        near = np.argwhere(symmetric_window(lattice, 2 * (self.distance + 1))) - self.distance - 1
        return np.asarray(near[near.any(axis=1)], dtype=np.int64)

    def drawn(self, problem: Problem, lattice: Lattice, rng: np.random.Generator) -> Beside:
        """The further impurities of a map."""
        sites = self.sites(lattice)
        count = int(rng.integers(self.least, self.most + 1))
        places = rng.choice(len(sites), count, replace=False)
        each = [redrawn(problem, rng) for _ in range(count)]
        values = {name: np.array([one[name] for one in each]) for name in own_impurity(problem)}
        return Beside(sites[places], values)

    def of_sample(self, problem: Problem, lattice: Lattice, seed: int, sample: int) -> Beside:
        """Those of a dataset's sample, from (seed, id) alone: Philox generator of that key, jumped
        away from the one that the sample's unknowns are drawn from."""
        philox = np.random.Philox(key=[seed, sample]).jumped()
        return self.drawn(problem, lattice, np.random.Generator(philox))
