"""What one Green's function says of the maps of all impurities on r = 0.

At one energy drho(r) = -(1/pi) Im sum_ab T_ab C_ab(r), with C_ab(r) = sum_e G_ea(r) G_be(-r) over
the electrons' components e: linear in the real and imaginary parts x of the few elements of the
T-matrix, drho = A x. A residual sum of squares |y - A x|^2 = y.y - 2 x.(A^T y) + x.(A^T A) x then
costs no more than the T-matrix, whatever the number of sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
        electrons, middle = green.shape[-1] // 2, green.shape[2] // 2
        rows, columns = np.nonzero(sites)
        design, grams, mixed = [], [], []
        for nodes, map_there in zip(green, target, strict=True):
            parts = []
            for one, weight in zip(nodes, weights, strict=True):
                forth = one[rows, columns][:, :electrons][:, :, touched]
                back = one[2 * middle - rows, 2 * middle - columns][:, touched, :electrons]
                product = forth.transpose(0, 2, 1) @ back.transpose(0, 2, 1)
                product = product.reshape(len(rows), -1)
                parts += [-weight / np.pi * product.imag, -weight / np.pi * product.real]
            matrix = np.concatenate(parts, axis=1)
            design.append(matrix)
            # einsum: threads of a linear algebra library cost more than they save here, far more
            # where other processes have the cores.
            grams.append(np.einsum("nc,nd->cd", matrix, matrix))
            mixed.append(np.einsum("nc,n->c", matrix, map_there))
        local = green[:, :, middle, middle][..., touched[:, None], touched]
        own = (target**2).sum(axis=1)
        return cls(design, local, np.stack(grams), np.stack(mixed), own)

    def coefficients(self, potentials: Complex) -> Array:
        """x of impurities, (m, energies, columns).

        Parameters
        ----------
        potentials : V of the touched components, (m, t, t) in meV.
        """
        v = potentials[:, None, None]
        t = v.shape[-1]
        # T = V (1 - g V)^-1
        inverse = np.linalg.inv(np.eye(t) - self.local @ v)
        elements = (v @ inverse).reshape(len(potentials), *self.local.shape[:2], -1)
        both = np.concatenate([elements.real, elements.imag], axis=-1)
        return np.asarray(both.reshape(len(potentials), len(self.local), -1))

    def squares(self, potentials: Complex) -> Array:
        """Residual sums of squares, (m, energies)."""
        x = self.coefficients(potentials)
        cross = np.einsum("mec,ec->me", x, self.mixed)
        quadratic = np.einsum("mec,ecd,med->me", x, self.gram, x, optimize=True)
        return np.asarray(np.maximum(self.own - 2 * cross + quadratic, 0.0))

    def maps(self, potentials: Complex) -> Array:
        """drho on the sites, (m, energies, sites)."""
        x = self.coefficients(potentials)
        made = [np.einsum("mc,nc->mn", x[:, e], one) for e, one in enumerate(self.design)]
        return np.stack(made, axis=1)
