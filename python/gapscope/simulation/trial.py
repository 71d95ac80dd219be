"""How long a request will take on this machine, by a small one of the same kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from gapscope.kernel import calls
from gapscope.physics.bonds import Bonds
from gapscope.physics.specification import Scatterers
from gapscope.simulation.blocks import blocks
from gapscope.simulation.effort import POINTS, Effort, map_effort, states_effort, touched_by
from gapscope.simulation.numerics import Converged, Grid, Numerics
from gapscope.simulation.rows_in_memory import within_memory

WORTH = 3e9
"""Operations from which on a trial is worth its time."""
SMALL_GRID = 256
SMALL_WINDOW = 64


def _timed(run: Callable[[], object]) -> float:
    run()  # compiles
    start = time.monotonic()
    run()
    return time.monotonic() - start


def map_seconds(bonds: Bonds, scatterers: Scatterers, numerics: Numerics) -> float:
    """Seconds of the maps at all energies; 0 where they are few."""
    reach = int(abs(scatterers.sites).max())
    energies = numerics.energies

    def effort(window: int, delta: float, method: Grid | Converged, rows: float | None) -> Effort:
        return map_effort(
            bonds,
            energies,
            delta,
            window,
            method,
            reach=reach,
            sites=len(scatterers.sites),
            rows=rows,
            touched=touched_by(scatterers),
        )

    method, window, delta = numerics.method, numerics.window, numerics.broadening
    if effort(window, delta, method, None).work < WORTH:
        return 0.0
    small = max(min(window, SMALL_WINDOW), 2 * reach + 2)
    some = energies[:1]
    share = 1 / len(energies)
    if isinstance(method, Grid):
        kgrid = min(method.kgrid, max(SMALL_GRID, small))
        spent = _timed(
            lambda: calls.grid_maps(
                [bonds], [scatterers], broadening=delta, kgrid=kgrid, energies=some, window=small
            )
        )
        tried = effort(small, delta, Grid(kgrid), None).work * share
        return spent * effort(window, delta, method, None).work / tried
    maps: list[calls.Maps] = []
    spent = _timed(
        lambda: maps.append(
            calls.converged_maps(
                [bonds],
                [scatterers],
                broadening=delta,
                energies=some,
                window=small,
                accuracy=method.accuracy,
                budget=within_memory(method, effort(small, delta, method, None)).budget,
            )
        )
    )
    assert maps[-1].convergence is not None
    rows = float(maps[-1].convergence.rows[0, 0])
    tried = effort(small, delta, method, rows).work * share
    families = len(blocks(bonds, whole=False))
    wider = families * POINTS * max(0, window // 2 - 64) * 1.1
    return spent * effort(window, delta, method, rows + wider).work / tried


def states_seconds(
    bonds: Bonds, energies: Sequence[float], broadening: float, method: Grid | Converged
) -> float:
    """Seconds of a density of states at all energies; 0 where they are few."""
    full = states_effort(bonds, energies, broadening, method).work
    if full < WORTH:
        return 0.0
    some = np.asarray(energies[len(energies) // 2 :][:1])
    if isinstance(method, Grid):
        small = Grid(min(method.kgrid, SMALL_GRID))
        spent = _timed(
            lambda: calls.grid_states(
                bonds, energies=some, broadening=broadening, kgrid=small.kgrid
            )
        )
        return spent * full / states_effort(bonds, some.tolist(), broadening, small).work
    spent = _timed(
        lambda: calls.converged_states(
            bonds,
            energies=some,
            broadening=broadening,
            accuracy=method.accuracy,
            budget=method.budget,
        )
    )
    return spent * full / states_effort(bonds, some.tolist(), broadening, method).work


def other_method(method: Grid | Converged) -> str:
    """What is said of the other method where one takes long."""
    return "the method converged takes far fewer k points" if isinstance(method, Grid) else ""
