"""Times of a redraw of `gapscope explore`, coarse and converged; with --browser end to end.

python benchmarks/explore.py [--browser]

The least of nine moves is what a quiet machine takes; the median is what this one took.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

from gapscope.explore.raster import image_raster, logarithmic, sites_raster
from gapscope.explore.results import density, maps, spectral
from gapscope.explore.simulated_view import lattice_of
from gapscope.explore.state import COARSE, CONVERGED, State
from gapscope.plots.overview import spectral_limits

MOVES = 9


def coarse_map(state: State) -> None:
    found = maps(state, COARSE)
    lattice = lattice_of(found)
    image_raster(found["qpi_re"].values[0], lattice)
    sites_raster(found["ldos_change"].values[0], lattice)


def coarse_pictures(state: State) -> None:
    coarse_map(state)
    image = spectral(state, COARSE)
    logarithmic(image.values, image.reach, *spectral_limits(image.values))
    density(state, COARSE)


def seconds(work: Callable[[State], Any], states: list[State]) -> str:
    work(states[0])
    taken = []
    for state in states[1:]:
        start = time.perf_counter()
        work(state)
        taken.append(time.perf_counter() - start)
    return f"{min(taken):8.3f}{median(taken):8.3f}"


def moves(**slider: float) -> list[State]:
    """The default state with a slider moved step by step."""
    ((name, step),) = slider.items()
    start = getattr(State(), name)
    return [replace(State(), **{name: start + step * (i + 1)}) for i in range(MOVES)]


def computed() -> None:
    print(f"{'redraw in the worker (s)':<42}{'least':>8}{'median':>8}")
    for name, states in (
        ("gap", moves(gap=0.01)),
        ("energy", moves(energy=0.01)),
        ("impurity", moves(impurity=1.0)),
        ("eps0", moves(eps0=1.0)),
    ):
        for what, work in (("map", coarse_map), ("all pictures", coarse_pictures)):
            print(f"{f'coarse, {what}, slider {name}':<42}{seconds(work, states)}")
    states = moves(gap=0.011)
    print(f"{'converged map':<42}{seconds(lambda state: maps(state, CONVERGED), states)}")
    print(f"{'converged A(k)':<42}{seconds(lambda state: spectral(state, CONVERGED), states)}")
    print(f"{'converged density of states':<42}{seconds(lambda s: density(s, CONVERGED), states)}")


def end_to_end() -> None:
    """From the key on a slider's handle to new pixels drawn in the browser."""
    from explore_browser import browser, served, visit

    print(f"{'slider to drawn pixels, Chromium (s)':<42}{'least':>8}{'median':>8}{'most':>8}")
    with served() as address, browser() as one, visit(one, address) as page:
        for slider in ("gap", "theta", "eps0", "impurity", "energy", "broadening"):
            taken = []
            for _ in range(MOVES):
                page.settled()
                taken.append(page.redraw(slider, "Re ρ(q)"))
                time.sleep(1)
            print(f"{slider:<42}{min(taken):8.3f}{median(taken):8.3f}{max(taken):8.3f}")
        taken = []
        for irrep in ("A1g", "A1u", "A2g", "Eu"):
            page.tab.get_by_label("irrep of the gap").select_option(irrep)
            page.text(f"'{irrep}'")
            page.text("converged")
            time.sleep(0.5)
            taken.append(page.redraw("gap", "Re ρ(q)"))
        name = "gap, while the network reads a new irrep"
        print(f"{name:<42}{min(taken):8.3f}{median(taken):8.3f}{max(taken):8.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", action="store_true")
    computed()
    if parser.parse_args().browser:
        end_to_end()
