"""Method converged against brute force: true error, its estimate, and time.

    python benchmarks/accuracy.py

Needs data/references/nbse2-60.npz, which benchmarks/reference_states.py makes. Times are those of
batches in one run; that of the obvious NumPy code is what it takes at N = 1024, times (N/1024)^2.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from numpy.typing import NDArray

import gapscope as gs
from gapscope.kernel.client import get_host
from gapscope.simulation.maps import simulate_batch
from maps import idle_of, peak_of
from obvious import ldos_change
from reference_states import BROADENING, STORED, WINDOW, relative_errors, states

ACCURACIES = (0.05, 0.02, 0.01, 0.005, 0.002, 0.0005)
KGRIDS = (1024, 2048, 4096, 8192)


def batch(method: gs.Grid | gs.Converged, some: list[gs.Specification]) -> tuple[float, object]:
    """Seconds per map, and the maps."""
    numerics = gs.Numerics([0.0], BROADENING, WINDOW, method)
    start = time.perf_counter()
    maps = simulate_batch(some, numerics)
    return (time.perf_counter() - start) / len(some), maps


def main() -> None:
    stored = np.load(STORED)
    reference: NDArray[np.float64] = stored["maps"].astype(np.float64)
    bound = stored["change_from_half_the_grid"]
    everything = states()
    host = get_host().info()
    idle = idle_of(host.pid)
    print(f"Julia {host.julia}, {host.threads} threads; window {WINDOW}, {BROADENING} meV, w = 0")
    print(f"reference: halving its k-grid changes maps by {bound.max():.1e} at most")
    batch(gs.Converged(0.05), everything)  # compiles
    # The estimates are held against maps finer than the reference: it would blur the small ones.
    batch(gs.Converged(0.005), everything)
    print(f"peak memory of the host over idle: {(peak_of(host.pid) - idle) / 1e6:.0f} MB")
    _, finest = batch(gs.Converged(2e-5, budget=2_000_000), everything)
    fine = finest.ldos_change[:, 0]
    own = relative_errors(reference, fine)
    print(
        f"reference against method converged at request 2e-5: median"
        f" {np.median(own[0]):.1e} / {np.median(own[1]):.1e}, largest"
        f" {own[0].max():.1e} / {own[1].max():.1e}\n"
    )

    print("method converged, 60 states; errors of drho over the window / without r = 0")
    print(f"{'request':>8}{'s/map':>8}{'median error':>22}{'largest error':>22}", end="")
    print(f"{'estimate/error':>16}{'below':>7}")
    times = {}
    for accuracy in ACCURACIES:
        seconds, maps = batch(gs.Converged(accuracy), everything)
        times[accuracy] = seconds
        true = relative_errors(maps.ldos_change[:, 0], reference)
        estimate = np.stack([maps.convergence.error[:, 0], maps.convergence.error_away[:, 0]])
        ratio = estimate / relative_errors(maps.ldos_change[:, 0], fine)
        print(
            f"{accuracy:>8}{seconds:>8.3f}"
            f"{np.median(true[0]):>11.1e} /{np.median(true[1]):>9.1e}"
            f"{true[0].max():>11.1e} /{true[1].max():>9.1e}"
            f"{np.median(ratio):>16.1f}{int((ratio < 1).sum()):>4}/120"
        )

    some = everything[::5]
    print(f"\nmethod grid, {len(some)} of the states")
    print(f"{'kgrid':>8}{'s/map':>8}{'median error':>22}{'largest error':>22}{'ns per k':>10}")
    for kgrid in KGRIDS:
        seconds, maps = batch(gs.Grid(kgrid), some)
        true = relative_errors(maps.ldos_change[:, 0], reference[::5])
        print(
            f"{kgrid:>8}{seconds:>8.3f}"
            f"{np.median(true[0]):>11.1e} /{np.median(true[1]):>9.1e}"
            f"{true[0].max():>11.1e} /{true[1].max():>9.1e}{seconds / kgrid**2 * 1e9:>10.1f}"
        )
        last = seconds, kgrid

    obvious = []
    for _ in range(3):
        start = time.perf_counter()
        ldos_change(everything[1], energy=0.0, broadening=BROADENING, window=WINDOW, kgrid=1024)
        obvious.append(time.perf_counter() - start)
    per_point = statistics.median(obvious) / 1024**2
    seconds, kgrid = last
    ours = times[0.005]
    print(
        f"\nat request 0.005: {ours:.3f} s per map, {5500 * ours / 60:.1f} minutes for 5500;"
        f" the obvious NumPy code takes {statistics.median(obvious):.2f} s at N = 1024."
        "\nThe same errors by grids, their times growing as N^2 from those measured:"
    )
    for finer, errors in ((kgrid, true), (16384, bound), (32768, own)):
        grid_seconds = seconds * (finer / kgrid) ** 2
        print(
            f"grid {finer}: median error {np.median(errors[0]):.1e} / {np.median(errors[1]):.1e},"
            f" {grid_seconds:.2f} s, {grid_seconds / ours:.0f} times as long;"
            f" the obvious code {per_point * finer**2 / ours:.0f} times"
        )
    for energies in ([0.0], [0.4, 0.8, 1.2, 1.6, 2.0], [-2.0, -1.0, 0.0, 1.0, 2.0]):
        numerics = gs.Numerics(energies, BROADENING, WINDOW, gs.Converged(0.01))
        simulate_batch(some, numerics)  # compiles
        start = time.perf_counter()
        maps = simulate_batch(some, numerics)
        seconds = (time.perf_counter() - start) / len(some)
        print(
            f"energies {energies} at request 0.01: {seconds:.3f} s per state,"
            f" reached {maps.convergence.reached.mean():.0%}"
        )


if __name__ == "__main__":
    main()
