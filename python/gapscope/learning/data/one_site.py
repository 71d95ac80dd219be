"""Superconductors around one impurity each, as images that its T-matrix weighs.

They are kept in memory in half precision (:mod:`gapscope.physics.impurity_basis`), each over its
own largest value: what is learned from has noise far above their rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gapscope.learning.data.stored_greens import Complex, StoredGreens, over_largest
from gapscope.physics.impurity_basis import basis_images, elements_of, t_matrices
from gapscope.support.memory import require_memory


@dataclass(frozen=True)
class OneSite:
    """What maps of impurities on r = 0 are made of.

    Attributes
    ----------
    images : (samples, energies, images, L, L), each over its factor.
    factors : (samples, energies, images).
    local : G(r = 0) per meV, (samples, energies, d, d).
    elements : rows and columns of T that count, (samples, images/2, 2).
    """

    images: NDArray[np.float16]
    factors: NDArray[np.float32]
    local: NDArray[np.complex128]
    elements: NDArray[np.int64]

    @classmethod
    def of(cls, stored: StoredGreens, potentials: Complex, size: int) -> Self:
        """Those of some samples.

        Parameters
        ----------
        potentials : V of impurities whose numbers are general, (samples, d, d).

        Raises
        ------
        NumericsError : the images do not fit into memory.
        CorruptShardError : see :meth:`gapscope.dataset.load.DatasetReader.green`.
        """
        count, energies, d = len(stored), stored.energies, potentials.shape[-1]
        most = max(
            len(elements_of(stored.local(stored(row)), potentials[row]))
            for row in stored.first_of_classes
        )
        shape = (count, energies, 2 * most, size, size)
        require_memory(f"images of {count} samples", 2.0 * np.prod(shape), ())
        images = np.zeros(shape, np.float16)
        factors = np.zeros(shape[:3], np.float32)
        local = np.empty((count, energies, d, d), np.complex128)
        elements = np.zeros((count, most, 2), np.int64)

        def fill(row: int, green: Complex) -> None:
            local[row] = stored.local(green)
            own = elements_of(local[row], potentials[row])
            held = np.arange(2 * len(own)).reshape(2, -1)
            held[1] += most - len(own)  # real parts follow all imaginary ones
            found = over_largest(basis_images(green, own, size), (2, 3))
            images[row][:, held.ravel()], factors[row][:, held.ravel()] = found
            elements[row, : len(own)] = own

        stored.each(fill)
        return cls(images, factors, local, elements)

    @property
    def size(self) -> int:
        """Sites per side of the window."""
        return int(self.images.shape[-1])

    def looks(
        self, rows: NDArray[np.int64], potentials: Complex
    ) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
        """Images (n, energies, images, L, L) of some rows, and what they are multiplied by, (n,
        energies, images), so that their sum is the map around V (n, d, d) in meV, in 1/meV."""
        t = t_matrices(self.local[rows], potentials[:, None])
        index = self.elements[rows][:, None]
        picked = np.take_along_axis(
            t.reshape(*t.shape[:2], -1), index[..., 0] * t.shape[-1] + index[..., 1], axis=2
        )
        both = np.concatenate([picked.real, picked.imag], axis=2) / -np.pi
        return self.images[rows], np.asarray(both * self.factors[rows], dtype=np.float32)

    def first(self, count: int) -> Self:
        """Those of the first samples."""
        return replace(
            self,
            images=self.images[:count],
            factors=self.factors[:count],
            local=self.local[:count],
            elements=self.elements[:count],
        )
