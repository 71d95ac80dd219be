"""What one Green's function says of the maps of all impurities on r = 0.

At one energy drho is linear in the real and imaginary parts x of the few elements of the T-matrix
(``gapscope.physics.impurity_basis``), drho = A x. A residual sum of squares

    |y - A x|^2 = y.y - 2 x.(A^T y) + x.(A^T A) x

then costs no more than the T-matrix, whatever the number of sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.impurity_basis import basis_images, t_matrices

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Response:
    """A, and what follows from it and a map y, at each energy.

    Parameters
    ----------
    design : A of each energy, (sites, columns).
    local : g = G(r = 0) of the touched components at every node of the energy resolution,
        (energies, nodes, t, t).
    gram, mixed, own : A^T A (energies, columns, columns), A^T y (energies, columns) and y.y.
    """

    design: Sequence[Array]
    local: Complex
    gram: Array
    mixed: Array
    own: Array

    @classmethod
    def of(
        cls,
        green: Complex,
        weights: Array,
        touched: NDArray[np.int64],
        sites: NDArray[np.bool_],
        target: Array,
    ) -> Response:
        """The response of Green's functions.

        Parameters
        ----------
        green : (energies, nodes, 2s + 1, 2s + 1, d, d) per meV, r = 0 at s.
        weights : (nodes,), of the average over the energy resolution.
        touched : Nambu components that the impurity couples to.
        sites : mask (2s, 2s), r1 and r2 from -s.
        target : y, (energies, number of sites).
        """
        middle = green.shape[2] // 2
        elements = np.stack(np.meshgrid(touched, touched, indexing="ij"), axis=-1).reshape(-1, 2)
        design, grams, mixed = [], [], []
        for nodes, map_there in zip(green, target, strict=True):
            images = basis_images(nodes, elements, len(sites))[:, :, sites]
            weighted = (-weights / np.pi)[:, None, None] * images
            matrix = np.ascontiguousarray(weighted.reshape(-1, weighted.shape[-1]).T)
            design.append(matrix)
            # einsum: threads of a linear algebra library cost more than they save here, far more
            # where other processes have the cores.
            grams.append(np.einsum("nc,nd->cd", matrix, matrix))
            mixed.append(np.einsum("nc,n->c", matrix, map_there))
        local = green[:, :, middle, middle][..., touched[:, None], touched]
        own = (target**2).sum(axis=1)
        return cls(design, local, np.stack(grams), np.stack(mixed), own)

    def at(self, energies: Sequence[int]) -> Response:
        """The same at some of the energies, by number."""
        chosen = list(energies)
        return Response(
            [self.design[e] for e in chosen],
            self.local[chosen],
            self.gram[chosen],
            self.mixed[chosen],
            self.own[chosen],
        )

    def coefficients(self, potentials: Complex) -> Array:
        """x of impurities, (m, energies, columns).

        Parameters
        ----------
        potentials : V of the touched components, (m, t, t) in meV.
        """
        return coefficients(self.local, potentials)

    def squares(self, potentials: Complex) -> Array:
        """Residual sums of squares, (m, energies)."""
        return squares(self.coefficients(potentials), self.gram, self.mixed, self.own)

    def maps(self, potentials: Complex) -> Array:
        """drho on the sites, (m, energies, sites)."""
        x = self.coefficients(potentials)
        made = [np.einsum("mc,nc->mn", x[:, e], one) for e, one in enumerate(self.design)]
        return np.stack(made, axis=1)


def coefficients(local: Complex, potentials: Complex) -> Array:
    """x of impurities (..., energies, columns), of g (..., energies, nodes, t, t) and V (..., t, t)
    in meV."""
    t = t_matrices(local, potentials[..., None, None, :, :])
    elements = t.reshape(*t.shape[:-2], -1)
    both = np.concatenate([elements.real, elements.imag], axis=-1)
    return np.asarray(both.reshape(*both.shape[:-2], -1))


def squares(x: Array, gram: Array, mixed: Array, own: Array) -> Array:
    """|y - A x|^2 (..., energies) of x (..., energies, columns), by A^T A, A^T y and y.y."""
    cross = np.einsum("...ec,...ec->...e", x, mixed)
    quadratic = np.einsum("...ec,...ecd,...ed->...e", x, gram, x, optimize=True)
    return np.asarray(np.maximum(own - 2 * cross + quadratic, 0.0))
