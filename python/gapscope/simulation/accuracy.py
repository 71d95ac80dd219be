"""What is said where a result is less accurate than it should be."""

from __future__ import annotations

import warnings
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import ConvergenceWarning
from gapscope.kernel.calls import converged_states, grid_states
from gapscope.physics.bonds import Bonds
from gapscope.physics.specification import Specification
from gapscope.simulation.blocks import blocks
from gapscope.simulation.kgrid import resolving_kgrid
from gapscope.simulation.numerics import Converged, Grid

Energies = NDArray[np.float64]


def warn_of_grid(
    specification: Specification, broadening: float, method: Grid, stacklevel: int = 3
) -> None:
    """ConvergenceWarning where neighbouring k points differ in energy by more than delta (meV)."""
    needed = resolving_kgrid(specification.bdg(), broadening)
    if method.kgrid < needed:
        warnings.warn(
            f"kgrid = {method.kgrid} does not resolve the broadening of"
            f" {broadening:g} meV: neighbouring k points differ by up to"
            f" {broadening * needed / method.kgrid:.2g} meV. Resolving it takes about"
            f" kgrid = {needed}; or use the method converged.",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )


def grid_states_error(
    bonds: Bonds, dos: Energies, energies: Energies, broadening: float, kgrid: int
) -> Energies:
    """Estimated relative error at each energy of a density of states on a uniform grid.

    Where the blocks of H are pairs, the converged method takes less time than the grid, and the
    estimate is the distance from it and its own error. Larger blocks are compared with the grid
    moved by half a step along b1 and b2, of equal quality and with other errors.
    """
    if all(block.is_pair for block in blocks(bonds, whole=False)):
        right = converged_states(
            bonds, energies=energies, broadening=broadening, **asdict(Converged())
        )
        return np.abs(dos / right.dos - 1) + right.relative_error
    turns = np.exp(1j * np.pi * bonds.vectors[:, :2].sum(axis=1) / kgrid)
    moved = Bonds(bonds.vectors, bonds.matrices * turns[:, None, None])
    other, _ = grid_states(moved, energies=energies, broadening=broadening, kgrid=kgrid)
    return np.abs(other - dos) / np.minimum(other, dos)


def warn_of_grid_states(
    bonds: Bonds,
    broadening: float,
    method: Grid,
    energies: Energies,
    error: Energies,
    stacklevel: int = 3,
) -> None:
    """ConvergenceWarning with the largest error, if it exceeds the converged method's default."""
    worst = int(error.argmax())
    if error[worst] <= Converged.accuracy:
        return
    needed = resolving_kgrid(bonds, broadening)
    finer = f"Resolving it takes about kgrid = {needed}" if needed > method.kgrid else ""
    warnings.warn(
        f"kgrid = {method.kgrid} does not resolve the broadening of {broadening:g} meV: the"
        f" density of states is off by about {error[worst]:.1%} at {energies[worst]:g} meV, the"
        f" median of all energies is {np.median(error):.1%}. {finer or 'Use a finer grid'}; or use"
        " the method converged.",
        ConvergenceWarning,
        stacklevel=stacklevel,
    )


def warn_of_budget(method: Converged, estimate: float, stacklevel: int = 3) -> None:
    """ConvergenceWarning that the budget ended before the accuracy was reached."""
    warnings.warn(
        f"the accuracy {method.accuracy:g} was not reached with {method.budget} rows: the"
        f" relative error is estimated as {estimate:.2g}. Raise budget,"
        " accuracy or broadening.",
        ConvergenceWarning,
        stacklevel=stacklevel,
    )
