"""Superconductors of a dataset of Green's functions, around which impurities are drawn anew.

Maps follow from a T-matrix and from what is kept in memory: images, where each map has one impurity
(:mod:`gapscope.learning.data.one_site`), or else the Green's function
(:mod:`gapscope.learning.data.several_sites`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.load import DatasetReader
from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.data.one_site import OneSite
from gapscope.learning.data.samples import CHUNK, split_ids
from gapscope.learning.data.several_sites import SeveralSites
from gapscope.learning.data.stored_greens import StoredGreens
from gapscope.physics.lattice import Lattice
from gapscope.problem.draft import Draft
from gapscope.problem.impurities import own_impurity, potentials, redrawn, unit_potentials
from gapscope.problem.others import Beside, Others, joined
from gapscope.problem.problem import Problem

Array = NDArray[np.float64]
Values = dict[str, Array]


@dataclass(frozen=True)
class Looks:
    """Maps of some rows of a split, each around impurities of its own.

    Attributes
    ----------
    rows : (n,).
    values : unknowns by name, (n,), those of the impurity on r = 0 among them.
    beside : the other impurities of each; None where there are none in any map.
    """

    rows: NDArray[np.int64]
    values: Values
    beside: Sequence[Beside] | None = None


@dataclass(frozen=True)
class FreshMaps:
    """A split of a dataset that holds Green's functions.

    Attributes
    ----------
    problem, draft : what samples are, and what they have in common.
    lattice : that of the maps.
    ids, label : sample ids and numbers of classes.
    drawn : unknowns by name, as they were drawn; NaN where a class has none.
    held : what maps are made of.
    others : which impurities there are beside the one on r = 0; None: there are none.
    own_beside : those of the samples themselves.
    """

    problem: Problem
    draft: Draft
    lattice: Lattice
    ids: NDArray[np.int64]
    label: NDArray[np.int64]
    drawn: Mapping[str, Array]
    held: OneSite | SeveralSites
    others: Others | None = None
    own_beside: Sequence[Beside] = ()

    @classmethod
    def of(
        cls,
        reader: DatasetReader,
        split: str,
        size: int,
        energies: Sequence[float] | None = None,
    ) -> Self:
        """The samples of a split, at some energies in meV or at all.

        Raises
        ------
        DatasetError : the split is empty, or an energy is not there.
        TrainingError : the window is larger than the maps.
        NumericsError : what is kept does not fit into memory.
        CorruptShardError : see :meth:`gapscope.dataset.load.DatasetReader.green`.
        """
        ids = split_ids(reader, split, size)
        stored = StoredGreens(reader, ids, reader.places(energies))
        problem, draft, others = reader.problem, reader.draft, reader.others
        label = reader.parameters["label"][ids].astype(np.int64)
        drawn = {
            one.name: reader.parameters[one.name][ids].astype(np.float64)
            for one in problem.unknowns
        }
        held: OneSite | SeveralSites
        if others is None:
            own = potentials(problem, draft, drawn)
            held = OneSite.of(stored, np.broadcast_to(own, (len(ids), *own.shape[1:])), size)
        else:
            acting = np.asarray(unit_potentials(draft).any(axis=(0, 1)))
            held = SeveralSites.of(stored, acting, size, others.distance, label)
        beside = [one for i in ids if (one := reader.beside(int(i))) is not None]
        lattice = reader.crystal_lattice
        return cls(problem, draft, lattice, ids, label, drawn, held, others, beside)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def parameters(self) -> Values:
        """Unknowns by the names that the maps of the samples' own impurities go by."""
        return self.problem.named(dict(self.drawn), self.label)

    @property
    def size(self) -> int:
        """Sites per side of the window."""
        return self.held.size

    def own(self, rows: NDArray[np.int64]) -> Looks:
        """Some rows around their own impurities, the unknowns as they were drawn."""
        values = self._drawn_of(rows)
        if self.others is None:
            return Looks(rows, values)
        return Looks(rows, values, [self.own_beside[row] for row in rows])

    def redrawn(self, rows: NDArray[np.int64], generators: Sequence[np.random.Generator]) -> Looks:
        """Some rows around other impurities, drawn from one generator each."""
        values = self._drawn_of(rows)
        fresh = [redrawn(self.problem, rng) for rng in generators]
        for name in own_impurity(self.problem):
            values[name] = np.array([one[name] for one in fresh])
        if self.others is None:
            return Looks(rows, values)
        drawn = [self.others.drawn(self.problem, self.lattice, rng) for rng in generators]
        return Looks(rows, values, drawn)

    def _drawn_of(self, rows: NDArray[np.int64]) -> Values:
        return {name: values[rows] for name, values in self.drawn.items()}

    def images(self, looks: Looks) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
        """Images (n, energies, images, L, L), and what they are multiplied by, (n, energies,
        images), so that their sums are the maps in 1/meV."""
        v = potentials(self.problem, self.draft, looks.values)
        v = np.broadcast_to(v, (len(looks.rows), *v.shape[1:]))
        if isinstance(self.held, OneSite):
            return self.held.looks(looks.rows, v)
        assert looks.beside is not None
        origin = np.zeros((1, 2), np.int64)
        sites = [np.concatenate([origin, one.sites]) for one in looks.beside]
        ends = np.cumsum([len(one) for one in looks.beside])[:-1]
        each = np.split(joined(looks.beside).potentials(self.problem, self.draft), ends)
        every = [np.concatenate([own[None], more]) for own, more in zip(v, each, strict=True)]
        return self.held.looks(looks.rows, sites, every)

    def maps(self, looks: Looks) -> NDArray[np.float32]:
        """drho (n, energies, L, L) in 1/meV."""
        images, weights = self.images(looks)
        return np.asarray(np.einsum("newxy,new->nexy", images.astype(np.float32), weights))

    def first(self, count: int) -> Self:
        """The first samples, at most ``count``."""
        some = slice(count)
        return replace(
            self,
            ids=self.ids[some],
            label=self.label[some],
            drawn={name: values[some] for name, values in self.drawn.items()},
            held=self.held.first(count),
            own_beside=self.own_beside[some],
        )


@dataclass(frozen=True)
class OwnImages:
    """Images of samples around their own impurities, a few at a time."""

    maps: FreshMaps
    odd: bool

    def chunks(self) -> Iterator[NDArray[np.int64]]:
        """Row numbers."""
        for first in range(0, len(self.maps), CHUNK):
            yield np.arange(first, min(first + CHUNK, len(self.maps)))

    def images(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """rho(q) in 1/meV of some rows, (n, L, L, channels)."""
        return momentum_images(self.maps.maps(self.maps.own(rows)), self.maps.lattice, self.odd)
