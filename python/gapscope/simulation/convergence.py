"""Error against cost of both methods, for one specification."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.physics.specification import Specification
from gapscope.simulation.map_request import MapRequest
from gapscope.simulation.maps import simulate_batch
from gapscope.simulation.numerics import Converged, Grid, Numerics
from gapscope.simulation.trial import map_seconds
from gapscope.support.progress import LONG, stages

REFERENCE = Converged(accuracy=2e-5, budget=2_000_000)
REPEATS = 3
"""Each map is computed so often and the shortest time kept: the first call compiles. A map that
takes long is computed once."""


def convergence_study(
    specification: Specification,
    *,
    energy: float,
    broadening: float,
    window: int,
    kgrids: Sequence[int],
    accuracies: Sequence[float],
    progress: bool = False,
) -> xr.Dataset:
    """Errors and times of grids and of converged maps against a map converged to 2e-5.

    The error is ||drho - reference|| / ||reference|| over the window without r = 0, which carries
    most of the norm and hides the rest.

    Parameters
    ----------
    energy, broadening : meV.
    window : sites per side.
    kgrids, accuracies : of the methods that are compared.
    progress : say on the terminal how long the study takes, and show a bar.

    Returns
    -------
    Dataset with ``grid_error``, ``grid_seconds`` (kgrid) and ``converged_error``,
    ``converged_estimate``, ``converged_seconds`` (accuracy).

    Raises
    ------
    NumericsError : settings that cannot be computed, or maps that do not fit into memory; before
        the first is computed.
    """

    def numerics(method: Grid | Converged) -> Numerics:
        return Numerics([energy], broadening, window, method)

    def expected(method: Grid | Converged) -> float:
        return map_seconds(hamiltonian, scatterers, numerics(method))

    def run(method: Grid | Converged) -> tuple[float, NDArray[np.float64], float]:
        seconds = np.inf
        for _ in range(1 if method is REFERENCE else REPEATS):
            start = time.perf_counter()
            maps = simulate_batch([specification], numerics(method))
            seconds = min(seconds, time.perf_counter() - start)
            if seconds > LONG:
                break
        estimate = np.nan if maps.convergence is None else maps.convergence.error_away[0, 0]
        return seconds, maps.ldos_change[0, 0], float(estimate)

    by_grid = [Grid(kgrid) for kgrid in kgrids]
    to_accuracy = [Converged(accuracy, REFERENCE.budget) for accuracy in accuracies]
    methods: list[Grid | Converged] = [REFERENCE, *by_grid, *to_accuracy]
    hamiltonian, scatterers = specification.bdg(), specification.scatterers()
    for method in methods:
        MapRequest([hamiltonian], [scatterers], numerics(method)).require_memory()
    order: Iterable[int] = range(len(methods))
    if progress:
        order = stages([expected(method) for method in methods], "map/maps")
    done = {n: run(methods[n]) for n in order}
    _, reference, reference_estimate = done[0]
    grids = [done[1 + n] for n in range(len(by_grid))]
    converged = [done[1 + len(by_grid) + n] for n in range(len(to_accuracy))]
    return xr.Dataset(
        {
            "grid_error": ("kgrid", [_error(m, reference) for _, m, _ in grids]),
            "grid_seconds": ("kgrid", [s for s, _, _ in grids], {"units": "s"}),
            "converged_error": ("accuracy", [_error(m, reference) for _, m, _ in converged]),
            "converged_estimate": ("accuracy", [e for _, _, e in converged]),
            "converged_seconds": ("accuracy", [s for s, _, _ in converged], {"units": "s"}),
        },
        coords={"kgrid": list(kgrids), "accuracy": list(accuracies)},
        attrs={
            "energy": energy,
            "broadening": broadening,
            "window": window,
            "reference_estimate": reference_estimate,
        },
    )


def _error(values: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    away = np.ones_like(reference)
    away[reference.shape[0] // 2, reference.shape[1] // 2] = 0
    return float(np.linalg.norm((values - reference) * away) / np.linalg.norm(reference * away))
