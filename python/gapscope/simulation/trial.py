"""How long a request will take on this machine, by a small one of the same kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from gapscope.kernel import calls
from gapscope.physics.bonds import Bonds
from gapscope.physics.specification import Scatterers
from gapscope.simulation.blocks import blocks
from gapscope.simulation.effort import POINTS, map_effort, samples_of_row, states_effort
from gapscope.simulation.kgrid import resolving_kgrid
from gapscope.simulation.numerics import Converged, Grid, Numerics
from gapscope.support.progress import in_words

WORTH = 3e9
"""Operations from which on a trial is worth its time."""
SMALL_GRID = 256
SMALL_WINDOW = 64
COARSER = 8
"""Factor of the broadening in trials of large blocks, whose rows take samples as 1 / broadening."""
MORE_PANELS = 1.6
"""Panels at the broadening itself, by those at COARSER times it."""


def _timed(run: Callable[[], object]) -> float:
    run()  # compiles
    start = time.monotonic()
    run()
    return time.monotonic() - start


def map_seconds(bonds: Bonds, scatterers: Scatterers, numerics: Numerics) -> float:
    """Seconds of the maps at all energies; 0 where they are few."""
    reach = int(abs(scatterers.sites).max())
    energies = numerics.energies

    def effort(window: int, delta: float, method: Grid | Converged, rows: float | None) -> float:
        return map_effort(
            bonds,
            energies,
            delta,
            window,
            method,
            reach=reach,
            sites=len(scatterers.sites),
            rows=rows,
        ).work

    method, window, delta = numerics.method, numerics.window, numerics.broadening
    if effort(window, delta, method, None) < WORTH:
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
        tried = effort(small, delta, Grid(kgrid), None) * share
        return spent * effort(window, delta, method, None) / tried
    coarse = delta * _coarser(bonds, delta, 2 * small)
    maps: list[calls.Maps] = []
    spent = _timed(
        lambda: maps.append(
            calls.converged_maps(
                [bonds],
                [scatterers],
                broadening=coarse,
                energies=some,
                window=small,
                accuracy=method.accuracy,
                budget=method.budget,
            )
        )
    )
    assert maps[-1].convergence is not None
    rows = float(maps[-1].convergence.rows[0, 0])
    tried = effort(small, coarse, method, rows) * share
    families = len(blocks(bonds, whole=False))
    more = MORE_PANELS if coarse > delta else 1.0
    wider = families * POINTS * max(0, window // 2 - 64) * 1.1
    return spent * effort(window, delta, method, more * rows + wider) / tried


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
    factor = _coarser(bonds, broadening, 64)
    coarse = broadening * factor
    spent = _timed(
        lambda: calls.converged_states(
            bonds, energies=some, broadening=coarse, accuracy=method.accuracy, budget=method.budget
        )
    )
    more = MORE_PANELS if factor > 1 else 1.0
    return more * spent * full / states_effort(bonds, some.tolist(), coarse, method).work


def other_method(
    bonds: Bonds,
    broadening: float,
    method: Grid | Converged,
    left: float,
    seconds: Callable[[Grid], float],
) -> str:
    """What is said of the other method where one takes long: each is the faster somewhere.

    Rows of pairs are exact by their poles, whatever the broadening; those of large blocks are
    sampled until they stand still, which a grid that resolves the broadening need not be: it is
    named where it takes less than half of the seconds that are left.
    """
    pairs = all(block.is_pair for block in blocks(bonds, whole=False))
    if isinstance(method, Grid):
        return "the method converged takes far fewer k points" if pairs else ""
    if pairs:
        return ""
    grid = Grid(resolving_kgrid(bonds, broadening))
    on_grid = max(seconds(grid), 1.0)
    if on_grid > left / 2:
        return ""
    return f"the method grid with kgrid = {grid.kgrid} takes about {in_words(on_grid)}"


def _coarser(bonds: Bonds, broadening: float, start: int) -> float:
    """Factor for the broadening of a trial: none where poles are known, or few samples will do."""
    samples = max(
        samples_of_row(bonds, one, broadening, start) for one in blocks(bonds, whole=False)
    )
    return float(COARSER) if samples > COARSER * start else 1.0
