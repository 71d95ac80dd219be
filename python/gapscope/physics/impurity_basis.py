"""Maps of every impurity on one site, as sums of a few images that only the superconductor decides.

The change of the density of states around an impurity on r = 0,

    drho(r; w) = -(1/pi) Im sum_ij T_ij(w) P_ij(r; w),  P_ij(r) = sum_e G_ei(r) G_je(-r),

e running over electron components (paper, eqs 3 and 12, with the trace written out), is linear in
the T-matrix, which is a d x d matrix at each energy: a map of another impurity takes a sum of
images, and no Green's function. Only elements that T can have are kept: with conserved s_z and one
orbital 8 of 16.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

Complex = NDArray[np.complexfloating]
Real = NDArray[np.floating]


def elements_of(local: Complex, potential: Complex) -> NDArray[np.int64]:
    """Rows and columns (elements, 2) where T = V (1 - g V)^-1 may be nonzero.

    Parameters
    ----------
    local : g = G(r = 0), (..., d, d).
    potential : V of an impurity whose numbers are general, (d, d).
    """
    nonzero = np.abs(np.reshape(local, (-1, *potential.shape))).sum(axis=0) > 0
    joined = np.logical_or(nonzero, potential != 0)
    _, part = connected_components(joined, directed=False)
    acting = np.outer(potential.any(axis=1), potential.any(axis=0))
    return np.argwhere(np.logical_and(np.equal.outer(part, part), acting))


def basis_images(green: Complex, elements: NDArray[np.int64], window: int) -> Real:
    """Im P and then Re P of each element at each energy, (energies, 2 elements, L, L) per meV^2.

    Parameters
    ----------
    green : G(r), (energies, 2s + 1, 2s + 1, d, d) per meV, r = 0 at s >= L/2.
    elements : as :func:`elements_of` gives them.
    """
    middle, half = green.shape[1] // 2, window // 2
    here = slice(middle - half, middle + half)
    back = green[:, ::-1, ::-1][:, here, here]  # G(-r)
    (rows, row), (columns, column) = (np.unique(one, return_inverse=True) for one in elements.T)
    electrons = green.shape[-1] // 2
    forth = green[:, here, here, :electrons][..., rows].swapaxes(3, 4)
    home = back[..., columns, :electrons].swapaxes(3, 4)
    products = np.moveaxis((forth @ home)[..., row, column], 3, 1)
    return np.concatenate([products.imag, products.real], axis=1)


def t_matrices(local: Complex, potential: Complex) -> Complex:
    """T = V (1 - g V)^-1, (..., d, d), of g and V of shapes that go together."""
    return np.asarray(potential @ np.linalg.inv(np.eye(local.shape[-1]) - local @ potential))
