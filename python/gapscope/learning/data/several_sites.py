"""Superconductors around several impurities each, whose maps do not add up.

What is kept in memory is the Green's function itself (:mod:`gapscope.physics.impurity_cluster`), as
far out as the window with impurities at its largest distance needs: from r between electrons and
what potentials act on in half precision, each element over its own largest value, and between sites
in single precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gapscope.learning.data.stored_greens import Complex, StoredGreens, over_largest
from gapscope.physics.impurity_cluster import Elements, Real, cluster_map, cluster_t
from gapscope.support.memory import require_memory


@dataclass(frozen=True)
class SeveralSites:
    """What maps of impurities on several sites are made of.

    Attributes
    ----------
    size : sites per side of the window.
    label : number of each sample's class, (samples,).
    elements : those of G that count, by class; of f and k of them at most:
    outer : real and imaginary parts, each element over its factor, (samples, energies, f, 2,
        2s + 1, 2s + 1), s being L/2 and the largest distance of an impurity from r = 0.
    factors : per meV, (samples, energies, f).
    between : per meV, (samples, energies, 4D + 1, 4D + 1, k), D being that distance.
    """

    size: int
    label: NDArray[np.int64]
    elements: tuple[Elements, ...]
    outer: NDArray[np.float16]
    factors: NDArray[np.float32]
    between: NDArray[np.complex64]

    @classmethod
    def of(
        cls,
        stored: StoredGreens,
        acting: NDArray[np.bool_],
        size: int,
        distance: int,
        label: NDArray[np.int64],
    ) -> Self:
        """Those of some samples.

        Parameters
        ----------
        acting : components on which potentials act, (d,).
        distance : largest \\|R1\\|, \\|R2\\| of an impurity.

        Raises
        ------
        NumericsError : they do not fit into memory.
        CorruptShardError : see :meth:`gapscope.dataset.load.DatasetReader.green`.
        """
        elements = _by_class(stored, acting, label)
        outermost = max(len(one.outer) for one in elements)
        innermost = max(len(one.between) for one in elements)
        reach, count = size // 2 + distance, (len(stored), stored.energies)
        outer_shape = (*count, outermost, 2, 2 * reach + 1, 2 * reach + 1)
        between_shape = (*count, 4 * distance + 1, 4 * distance + 1, innermost)
        needed = 2.0 * np.prod(outer_shape) + 8.0 * np.prod(between_shape)
        require_memory(f"Green's functions of {len(stored)} samples", needed, ())
        outer = np.zeros(outer_shape, np.float16)
        factors = np.zeros(outer_shape[:3], np.float32)
        between = np.zeros(between_shape, np.complex64)

        def fill(row: int, green: Complex) -> None:
            own = elements[label[row]]
            found = np.moveaxis(_within(green, reach)[..., *own.outer.T], 3, 1)
            parts = over_largest(np.stack([found.real, found.imag], axis=2), (2, 3, 4))
            outer[row][:, : len(own.outer)], factors[row][:, : len(own.outer)] = parts
            here = _within(green, 2 * distance)[..., *own.acting[own.between].T]
            between[row][..., : len(own.between)] = here

        stored.each(fill)
        return cls(size, label, elements, outer, factors, between)

    def looks(
        self,
        rows: NDArray[np.int64],
        sites: Sequence[NDArray[np.int64]],
        potentials: Sequence[Complex],
    ) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
        """Maps of some rows as images (n, energies, 1, L, L) over their largest values, and these,
        (n, energies, 1) in 1/meV.

        Parameters
        ----------
        sites, potentials : of each row's impurities, (m, 2), and V in meV, (m, d, d).
        """
        maps = np.stack(
            [self._map(*one) for one in zip(rows.tolist(), sites, potentials, strict=True)]
        )
        images, largest = over_largest(maps, (2, 3))
        return images[:, :, None], largest[..., None]

    def _map(self, row: int, sites: NDArray[np.int64], potentials: Complex) -> Real:
        own = self.elements[self.label[row]]
        count = len(own.outer)
        outer = self.outer[row, :, :count].astype(np.float32)
        outer *= self.factors[row, :, :count, None, None, None]
        v = potentials[:, own.acting[:, None], own.acting]
        t = cluster_t(self.between[row, ..., : len(own.between)], own, sites, v)
        return cluster_map(outer, own, sites, t, self.size)

    def first(self, count: int) -> Self:
        """Those of the first samples."""
        return replace(
            self,
            label=self.label[:count],
            outer=self.outer[:count],
            factors=self.factors[:count],
            between=self.between[:count],
        )


def _by_class(
    stored: StoredGreens, acting: NDArray[np.bool_], label: NDArray[np.int64]
) -> tuple[Elements, ...]:
    """The elements that count of each class, all of its candidates together."""
    nonzero = np.zeros((int(label.max()) + 1, len(acting), len(acting)), dtype=bool)
    for row in stored.first_of_classes:
        nonzero[label[row]] |= (stored(row) != 0).any(axis=(0, 1, 2))
    return tuple(Elements.of(one, acting) for one in nonzero)


def _within(green: Complex, reach: int) -> Complex:
    """G for \\|r1\\|, \\|r2\\| <= reach."""
    middle = green.shape[1] // 2
    here = slice(middle - reach, middle + reach + 1)
    return green[:, here, here]
