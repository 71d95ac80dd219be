"""Rows of k points are kept while maps converge: no more of them than fit into memory."""

from __future__ import annotations

from dataclasses import replace

from gapscope.errors import NumericsError
from gapscope.kernel.calls import Convergence
from gapscope.simulation.effort import Effort
from gapscope.simulation.numerics import LOOSEST, Converged
from gapscope.support.memory import available_memory, gigabytes


def within_memory(method: Converged, effort: Effort) -> Converged:
    """The method with a budget of no more rows than fit into the memory that is available.

    Parameters
    ----------
    effort : what the request takes, by the number of rows that are expected.
    """
    left = available_memory() - (effort.memory - effort.kept)
    return replace(method, budget=max(1, min(method.budget, int(left / effort.row))))


def require_rows(
    asked: Converged, allowed: Converged, effort: Effort, found: Convergence | None
) -> None:
    """Raise unless the accuracy was reached, or it was the budget asked for that ended first.

    Raises
    ------
    NumericsError : the rows that memory allows do not reach the accuracy, with numbers.
    """
    if found is None or allowed.budget == asked.budget or found.reached.all():
        return
    # The next of two digits above the error that these rows leave.
    within = float(f"{1.05 * found.larger.max():.1e}")
    raise NumericsError(
        "A computation fits into the memory that is available, or it ends.",
        f"accuracy = {asked.accuracy:g}; {allowed.budget} rows of k points take"
        f" {gigabytes(allowed.budget * effort.row)}, all that is available for them, and leave an"
        f" error of {found.larger.max():.2g}",
        (f"Ask for accuracy = {within:g}, or free" if within <= LOOSEST else "Free")
        + " memory, or use a machine with more of it.",
    )
