"""Memory that requests take, beside what they were estimated to take before they were sent.

    python benchmarks/memory.py

Each in a kernel host of its own, which has computed a small map before (Linux only). The host's
peak counts and, in its place, the result that this process holds.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path

import gapscope as gs
from gapscope.errors import ConvergenceWarning
from gapscope.kernel.client import get_host, shutdown
from gapscope.simulation.map_request import MapRequest
from gapscope.simulation.maps import simulate_batch
from gapscope.simulation.numerics import Converged, Grid, Numerics


def status(pid: int, name: str) -> int:
    """Bytes of a line of /proc/PID/status."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return 1024 * int(line.split()[1])
    raise ValueError(name)


def peak_of(run: Callable[[], object]) -> int:
    """Bytes by which the host's memory grows at most while something runs."""
    pid = get_host().info().pid
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    before = status(pid, "VmRSS")
    run()
    return status(pid, "VmHWM") - before


def measured(
    specification: gs.Specification, numerics: Numerics, small: Numerics
) -> tuple[int, float]:
    """Bytes that maps take, and that they were estimated to."""
    shutdown()
    simulate_batch([specification], small)
    request = MapRequest([specification.bdg()], [specification.scatterers()], numerics)
    peak = peak_of(lambda: simulate_batch([specification], numerics))
    result = 16 * len(numerics.energies) * numerics.window**2
    return peak + result, request.effort().memory


def state(irrep: str = "Eg", *, several: bool = False) -> gs.Specification:
    angles = {} if irrep in ("A1u", "A2u") else {"theta": 0.3}
    impurity = gs.Impurity.scalar(50.0)
    if several:
        impurity += gs.Impurity.magnetic((0, 0, 5), site=(3, -2))
    return gs.Specification(
        gs.material("nbse2"), gs.Pairing(irrep, 1.0, **angles), impurity, eps0=20.0
    )


def two_orbitals() -> gs.Specification:
    """Two orbitals that mix, so that rows are sampled."""
    hop = [[40.0, 12.0], [12.0, -30.0]]
    bonds = dict.fromkeys(((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)), hop)
    spinless = gs.Bonds.from_dict(bonds | {(0, 0): [[20.0, 5.0], [5.0, -10.0]]})
    material = gs.Material(
        "two", gs.Lattice("triangular", 3.4), spinless.kron(left=[[1, 0], [0, 1]])
    )
    return gs.Specification(material, gs.Pairing("A1g", 1.0, theta=0.0), gs.Impurity.scalar(50.0))


CASES: dict[str, tuple[Callable[[], gs.Specification], Numerics]] = {
    "converged 512": (state, Numerics([0.5], 0.1, 512)),
    "converged 1024": (state, Numerics([0.5], 0.1, 1024)),
    "converged 512, A1u": (lambda: state("A1u"), Numerics([0.0], 0.1, 512)),
    "converged 512, two impurities, +-w": (
        lambda: state(several=True),
        Numerics([-0.5, 0.5], 0.1, 512),
    ),
    "converged 256, 10 energies": (state, Numerics([0.1 * n for n in range(1, 11)], 0.1, 256)),
    "converged 256, two orbitals": (two_orbitals, Numerics([0.5], 3.0, 256)),
    "grid 4096, window 1024": (state, Numerics([0.5], 0.1, 1024, Grid(4096))),
    "grid 8192, window 256": (state, Numerics([0.5], 0.1, 256, Grid(8192))),
    "grid 16384, window 256, w = 0": (state, Numerics([0.0], 0.1, 256, Grid(16384))),
    "grid 4096, window 512, +-w": (
        lambda: state(several=True),
        Numerics([-0.5, 0.5], 0.1, 512, Grid(4096)),
    ),
    "grid 1024, window 256, two orbitals": (two_orbitals, Numerics([0.5], 3.0, 256, Grid(1024))),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="cases whose names contain this")
    given = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"{'':<38}{'MB taken':>10}{'estimated':>11}{'ratio':>7}")
    for name, (make, numerics) in CASES.items():
        if given.only and given.only not in name:
            continue
        method = Grid(64) if isinstance(numerics.method, Grid) else Converged()
        taken, estimate = measured(
            make(), numerics, Numerics(numerics.energies, numerics.broadening, 32, method)
        )
        print(
            f"{name:<38}{taken / 1e6:>10.0f}{estimate / 1e6:>11.0f}{estimate / taken:>7.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
