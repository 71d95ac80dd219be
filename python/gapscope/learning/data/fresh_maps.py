"""Superconductors of a dataset of Green's functions, around which impurities are drawn anew.

Maps follow from a T-matrix and from images that are kept in memory in half precision
(:mod:`gapscope.physics.impurity_basis`), each over its own largest value: what is learned from has
noise far above their rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.load import DatasetReader
from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.data.samples import CHUNK, split_ids
from gapscope.physics.impurity_basis import basis_images, elements_of, t_matrices
from gapscope.physics.lattice import Lattice
from gapscope.problem.draft import Draft
from gapscope.problem.impurities import own_impurity, potentials, redrawn
from gapscope.problem.problem import Problem
from gapscope.support.memory import require_memory

Array = NDArray[np.float64]
Values = dict[str, Array]


@dataclass(frozen=True)
class FreshMaps:
    """A split of a dataset that holds Green's functions.

    Attributes
    ----------
    problem, draft : what samples are, and what they have in common.
    lattice : that of the maps.
    ids, label : sample ids and numbers of classes.
    drawn : unknowns by name, as they were drawn; NaN where a class has none.
    images : (samples, energies, images, L, L), each over its factor.
    factors : (samples, energies, images).
    local : G(r = 0) per meV, (samples, energies, d, d).
    elements : rows and columns of T that count, (samples, images/2, 2).
    """

    problem: Problem
    draft: Draft
    lattice: Lattice
    ids: NDArray[np.int64]
    label: NDArray[np.int64]
    drawn: Mapping[str, Array]
    images: NDArray[np.float16]
    factors: NDArray[np.float32]
    local: NDArray[np.complex128]
    elements: NDArray[np.int64]

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
        NumericsError : the images do not fit into memory.
        CorruptShardError : see :meth:`gapscope.dataset.load.DatasetReader.green`.
        """
        ids, seen = split_ids(reader, split, size), reader.places(energies)
        problem, draft = reader.problem, reader.draft
        label = reader.parameters["label"][ids].astype(np.int64)
        drawn = {
            one.name: reader.parameters[one.name][ids].astype(np.float64)
            for one in problem.unknowns
        }
        own = potentials(problem, draft, drawn)
        v = np.broadcast_to(own, (len(ids), *own.shape[1:]))
        _, first = np.unique(label, return_index=True)
        middle = reader.window // 2
        most = max(
            len(elements_of(reader.green(int(ids[row]))[:, middle, middle], v[row]))
            for row in first
        )
        d = v.shape[-1]
        shape = (len(ids), len(seen), 2 * most, size, size)
        require_memory(f"images of {len(ids)} samples", 2.0 * np.prod(shape), ())
        images = np.zeros(shape, np.float16)
        factors = np.zeros(shape[:3], np.float32)
        local = np.empty((*shape[:2], d, d), np.complex128)
        elements = np.zeros((len(ids), most, 2), np.int64)
        reading = Lock()

        def fill(row: int) -> None:
            with reading:
                green = reader.green(int(ids[row]))[seen]
            local[row] = green[:, middle, middle]
            own = elements_of(local[row], v[row])
            found = basis_images(green, own, size)
            largest = np.abs(found).max(axis=(2, 3))
            largest[largest == 0] = 1
            held = np.arange(2 * len(own)).reshape(2, -1)
            held[1] += most - len(own)  # real parts follow all imaginary ones
            images[row][:, held.ravel()] = found / largest[..., None, None]
            factors[row][:, held.ravel()] = largest
            elements[row, : len(own)] = own

        with ThreadPoolExecutor() as pool:
            for _ in pool.map(fill, range(len(ids))):
                pass
        return cls(
            problem,
            draft,
            reader.crystal_lattice,
            ids,
            label,
            drawn,
            images,
            factors,
            local,
            elements,
        )

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def parameters(self) -> Values:
        """Unknowns by the names that the maps of the samples' own impurities go by."""
        return self.problem.named(dict(self.drawn), self.label)

    @property
    def size(self) -> int:
        """Sites per side of the window."""
        return int(self.images.shape[-1])

    def own(self, rows: NDArray[np.int64]) -> Values:
        """Unknowns of some rows as they were drawn."""
        return {name: values[rows] for name, values in self.drawn.items()}

    def redrawn(self, rows: NDArray[np.int64], generators: Sequence[np.random.Generator]) -> Values:
        """Unknowns of some rows with other impurities, one from each generator."""
        values = self.own(rows)
        fresh = [redrawn(self.problem, rng) for rng in generators]
        for name in own_impurity(self.problem):
            values[name] = np.array([one[name] for one in fresh])
        return values

    def weights(self, rows: NDArray[np.int64], values: Values) -> NDArray[np.float32]:
        """What the images of some rows are multiplied by, (n, energies, images), so that their sum
        is the map of the impurity that ``values`` has, in 1/meV."""
        v = potentials(self.problem, self.draft, values)
        t = t_matrices(self.local[rows], v[:, None])
        index = self.elements[rows][:, None]
        picked = np.take_along_axis(
            t.reshape(*t.shape[:2], -1), index[..., 0] * t.shape[-1] + index[..., 1], axis=2
        )
        both = np.concatenate([picked.real, picked.imag], axis=2) / -np.pi
        return np.asarray(both * self.factors[rows], dtype=np.float32)

    def maps(self, rows: NDArray[np.int64], values: Values) -> NDArray[np.float32]:
        """drho (n, energies, L, L) in 1/meV of some rows, around the impurities of ``values``."""
        weights = self.weights(rows, values)
        images = self.images[rows].astype(np.float32)
        return np.asarray(np.einsum("newxy,new->nexy", images, weights))

    def first(self, count: int) -> Self:
        """The first samples, at most ``count``."""
        some = slice(count)
        return replace(
            self,
            ids=self.ids[some],
            label=self.label[some],
            drawn={name: values[some] for name, values in self.drawn.items()},
            images=self.images[some],
            factors=self.factors[some],
            local=self.local[some],
            elements=self.elements[some],
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
        maps = self.maps.maps(rows, self.maps.own(rows))
        return momentum_images(maps, self.maps.lattice, self.odd)
