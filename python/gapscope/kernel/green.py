"""The Green's function of the clean superconductor, as the kernel computes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.kernel.arrays import Output
from gapscope.kernel.calls import Convergence
from gapscope.kernel.client import get_host
from gapscope.physics.bonds import Bonds
from gapscope.physics.specification import Scatterers

Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Green:
    """G_ij(r; w), (energies, 2s + 1, 2s + 1, d, d) per meV, r1 and r2 from -s to s.

    Parameters
    ----------
    values : G; row i at r, column j at r = 0.
    error : what the method converged estimates its error to be; None by others.
    convergence : ||error|| / ||G|| over the sites, with and without r = 0, (energies,) each, and
        the rows of k points; None by others.
    """

    values: Complex
    error: Complex | None = None
    convergence: Convergence | None = None


def grid_green(
    hamiltonian: Bonds, *, sites: int, energies: Sequence[float], broadening: float, kgrid: int
) -> Green:
    """G on a uniform kgrid x kgrid grid, for \\|r1\\|, \\|r2\\| <= sites.

    Raises
    ------
    KernelError : Julia's own message, for instance for a result that is not finite.
    JuliaNotFoundError : there is no runtime to compute with.
    """
    (values,) = get_host().call(
        "GapScope.Host.grid_green",
        _room(hamiltonian, sites, energies),
        hamiltonian.vectors,
        hamiltonian.matrices,
        np.asarray(energies, dtype=np.float64),
        float(broadening),
        int(kgrid),
    )
    return Green(values)


def converged_green(
    hamiltonian: Bonds,
    impurity: Scatterers,
    *,
    scatters: bool,
    sites: int,
    window: int,
    energies: Sequence[float],
    broadening: float,
    accuracy: float,
    budget: int,
) -> Green:
    """G to an accuracy, with at most ``budget`` rows of k points per block and energy.

    Where the impurity ``scatters``, it is its map on the window that reaches the accuracy, by the
    same k points as :func:`gapscope.kernel.calls.converged_maps`; otherwise G itself. Errors as
    :func:`grid_green`.
    """
    values, error, report = get_host().call(
        "GapScope.Host.converged_green",
        _room(hamiltonian, sites, energies),
        _room(hamiltonian, sites, energies),
        Output((len(energies), 4), "float64"),
        hamiltonian.vectors,
        hamiltonian.matrices,
        impurity.sites,
        impurity.pairs,
        impurity.potentials,
        bool(scatters),
        int(window),
        np.asarray(energies, dtype=np.float64),
        float(broadening),
        float(accuracy),
        int(budget),
    )
    whole, away, rows, reached = report.T
    found = Convergence(whole, away, rows.astype(np.int64), reached.astype(np.bool_))
    return Green(values, error, found)


def _room(hamiltonian: Bonds, sites: int, energies: Sequence[float]) -> Output:
    d, side = hamiltonian.dimension, 2 * sites + 1
    return Output((len(energies), side, side, d, d), "complex128")
