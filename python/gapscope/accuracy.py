"""What is said where a result is less accurate than it should be."""

from __future__ import annotations

import warnings

from gapscope.errors import ConvergenceWarning
from gapscope.numerics import Converged, Grid
from gapscope.physics.resolution import resolving_kgrid
from gapscope.physics.specification import Specification


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


def warn_of_budget(method: Converged, estimate: float, stacklevel: int = 3) -> None:
    """ConvergenceWarning that the budget ended before the accuracy was reached."""
    warnings.warn(
        f"the accuracy {method.accuracy:g} was not reached with {method.budget} rows: the"
        f" relative error is estimated as {estimate:.2g}. Raise budget,"
        " accuracy or broadening.",
        ConvergenceWarning,
        stacklevel=stacklevel,
    )
