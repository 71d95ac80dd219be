"""Gaps that are one on the Fermi surface but for a turn of all spins.

To first order a gap acts as Q(k) = P(k) Delta(k) P*(-k), with P on the states at the Fermi level
(see :mod:`gapscope.physics.gaps.on_fermi_surface`). Where no spin-orbit coupling ties spins to the
lattice, a turn S of all of them takes Q to S Q S^T and leaves every density as it is, and with it

    K(k, k') = tr Q(k) Q(k')^dagger,

from which Q follows but for such a turn. What pairs states of other energies is missing in Q: gaps
of one Q have maps that differ by the gap over the distance of these states from the Fermi level.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.bonds import Bonds
from gapscope.physics.gaps.basis_function import BasisFunction
from gapscope.physics.gaps.fermi_surface import FermiSurface

ALIKE = 0.01
"""Part of K by which two may differ and be one."""
SAME = 1e-6
"""Part of the bonds' norm to which gaps of one K are one in the whole zone."""
POINTS = 200
"""Points of each band at which K is known, at most."""


def conserves_spin(bonds: Bonds) -> bool:
    """Whether a Hamiltonian does not see how spins are turned."""
    n = bonds.matrices.shape[-1] // 2
    up, down = bonds.matrices[:, :n, :n], bonds.matrices[:, n:, n:]
    broken = max(
        float(np.abs(one).max(initial=0.0))
        for one in (up - down, bonds.matrices[:, :n, n:], bonds.matrices[:, n:, :n])
    )
    return broken <= SAME * float(np.abs(bonds.matrices).max(initial=0.0))


def nearly_alike(one: BasisFunction, other: BasisFunction, surface: FermiSurface) -> bool:
    """Whether all states of one gap are those of another, of another size, on the Fermi surface,
    but not in the whole zone.

    Parameters
    ----------
    one, other : of a crystal that conserves spin.
    surface : its Fermi surface.
    """
    forms, its = (_forms(_paired(function, surface)) for function in (one, other))
    size = float(np.vdot(its, its).real)
    if not size:
        return False
    ratio = float(np.vdot(its, forms).real) / size
    off = float(np.linalg.norm(forms - ratio * its))
    if ratio <= 0 or off > ALIKE * float(np.linalg.norm(forms)):
        return False
    norms = [float(np.linalg.norm(f.partners[0].matrices)) ** 2 for f in (one, other)]
    return abs(norms[0] - ratio * norms[1]) > SAME * norms[0]


def _forms(paired: Sequence[NDArray[np.complex128]]) -> NDArray[np.complex128]:
    """K of the states cos(theta) f1 + sin(theta) f2: the parts with cos^2, sin^2 and cos sin."""
    first, last = paired[0], paired[-1]
    squares = [q @ q.conj().T for q in (first, last)]
    mixed = first @ last.conj().T if len(paired) > 1 else np.zeros_like(squares[0])
    return np.stack([*squares, mixed + mixed.conj().T])


def _paired(function: BasisFunction, surface: FermiSurface) -> list[NDArray[np.complex128]]:
    """Q of each partner at points of the surface, (points, elements)."""
    return [
        np.concatenate(
            [
                _projected(partner, surface, states.points, states.electrons, states.partners)
                for states in surface.states
            ]
        )
        for partner in function.partners
    ]


def _projected(
    gap: Bonds,
    surface: FermiSurface,
    points: NDArray[np.int64],
    left: NDArray[np.complex128],
    right: NDArray[np.complex128],
) -> NDArray[np.complex128]:
    every = slice(None, None, -(-len(points) // POINTS))
    left, right = left[every], right[every].conj()
    delta = gap.at(surface.momenta[points[every]])
    small = left.conj().transpose(0, 2, 1) @ delta @ right
    q = left @ small @ right.conj().transpose(0, 2, 1)
    return np.asarray(q.reshape(len(q), -1))
