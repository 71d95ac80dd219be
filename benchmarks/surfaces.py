"""Surfaces of half-infinite crystals: times, errors, and estimates of the method converged.

    python benchmarks/surfaces.py [--broadening MEV ...] [--grid-only] [--only NAME] [--errors]

Each of three crystals is computed on a grid that resolves the broadening, within MOST points a
side, and by method converged at ACCURACY, window 64. CPU seconds are those of the kernel's host,
once it has compiled. deviation: that of both maps, by the norm of the converged one; estimate: what
the latter says of itself; left out: what of the grid's map changes with half of its points. With
--errors, estimates against true errors for random energies and broadenings, as in orbitals.py.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import gapscope as gs
from calcqpi import cpu_of
from gapscope.errors import ConvergenceWarning
from gapscope.kernel.client import get_host
from gapscope.physics import Bonds, Lattice, Material
from gapscope.simulation.kgrid import resolving_kgrid
from orbitals import errors

ACCURACY, WINDOW, MOST = 0.005, 64, 4096
SINGLET = np.array([[0, 1], [-1, 0]], complex)
SX, SY, SZ = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def layered(hops: dict[tuple[int, int, int], NDArray[np.complex128]]) -> Bonds:
    """Bonds R with those at -R, the Hermitian conjugates."""
    partners = {(-a, -b, -c): h.conj().T for (a, b, c), h in hops.items()}
    return Bonds.from_dict(hops | partners)


def cubic() -> Material:
    """One band, hoppings 100 meV in the plane and 60 between layers."""
    sizes = {(0, 0, 0): 70.0, (1, 0, 0): -100.0, (0, 1, 0): -100.0, (0, 0, 1): -60.0}
    bonds = layered({r: t * np.eye(2, dtype=complex) for r, t in sizes.items()})
    return Material("cubic", Lattice("square", 3.8), bonds, surface="top")


def insulator() -> Material:
    """A strong topological insulator: M(k) tau_z + A sum_i sin(k_i) tau_x s_i in meV.

    M(k) = 100 - 100 (cos kx + cos ky + cos kz - 1), A = 60 (H. Zhang et al., Nat. Phys. 5, 438
    (2009), on a cubic lattice): bands are inverted at Gamma alone.
    """
    mass, b, a = -100.0, 100.0, 60.0
    tz, tx = np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]])
    hops = {(0, 0, 0): (mass + 3 * b) * np.kron(np.eye(2), tz) + 0j}
    for r, spin in (((1, 0, 0), SX), ((0, 1, 0), SY), ((0, 0, 1), SZ)):
        hops[r] = -b / 2 * np.kron(np.eye(2), tz) - 0.5j * a * np.kron(spin, tx)
    return Material("insulator", Lattice("square", 4.0), layered(hops), surface="top")


def rashba() -> Material:
    """One band of a polar crystal, with Rashba coupling and hopping to the second layer."""
    hops = {(0, 0, 0): 120.0 * np.eye(2, dtype=complex)}
    for r, spin in (((1, 0, 0), SY), ((0, 1, 0), -SX)):
        hops[r] = -80.0 * np.eye(2) + 6j * spin
    hops[0, 0, 1] = -35.0 * np.eye(2, dtype=complex)
    hops[1, 1, 1] = hops[1, -1, 1] = hops[-1, 1, 1] = hops[-1, -1, 1] = -8.0 * np.eye(2) + 0j
    hops[0, 0, 2] = 12.0 * np.eye(2, dtype=complex)
    return Material("Rashba", Lattice("square", 3.8), layered(hops), surface="top")


def cases() -> dict[str, tuple[gs.Specification, float]]:
    """State and energy of each."""
    d_wave = {
        r: s * SINGLET for r, s in (((1, 0), 2.0), ((-1, 0), 2.0), ((0, 1), -2.0), ((0, -1), -2.0))
    }
    return {
        "cubic, d wave": (
            gs.Specification(cubic(), gs.Pairing.from_bonds(d_wave), gs.Impurity.scalar(100.0)),
            5.0,
        ),
        "Rashba, second layer": (
            gs.Specification(
                rashba(), gs.Pairing.from_bonds({(0, 0): 4.0 * SINGLET}), gs.Impurity.scalar(100.0)
            ),
            6.0,
        ),
        "topological insulator": (
            gs.Specification(insulator(), gs.Pairing.normal(), gs.Impurity.scalar(100.0)),
            30.0,
        ),
    }


def timed(spec: gs.Specification, numerics: gs.Numerics) -> tuple[float, xr.Dataset]:
    """CPU seconds of the host, and the maps."""
    host = get_host().info()
    before = cpu_of(host.pid)
    maps = gs.simulate(spec, numerics)
    return cpu_of(host.pid) - before, maps


def distance(one: xr.Dataset, two: xr.Dataset) -> float:
    """Relative to the second."""
    return float(
        np.linalg.norm(one.ldos_change - two.ldos_change) / np.linalg.norm(two.ldos_change)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--broadening", type=float, nargs="+", default=[5.0, 1.0, 0.1])
    parser.add_argument("--grid-only", action="store_true")
    parser.add_argument("--only", default="", help="crystals whose names contain this")
    parser.add_argument("--errors", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    if options.errors:
        chosen = [(name, *case) for name, case in cases().items() if options.only in name]
        errors([(name, spec, 2 * energy) for name, spec, energy in chosen], [0.05, 0.005])
        return
    print(f"window {WINDOW}, accuracy {ACCURACY}, CPU seconds of the kernel's host")
    print(
        f"{'crystal':<22}{'delta':>6}{'kgrid':>7}{'grid':>9}{'left out':>10}{'converged':>11}"
        f"{'rows':>8}{'estimate':>10}{'deviation':>11}"
    )
    for name, (spec, energy) in cases().items():
        if options.only not in name:
            continue
        for method in (gs.Grid(8), gs.Converged(0.5)):
            gs.simulate(spec, gs.Numerics([energy], 100.0, 8, method))  # compiles
        for delta in options.broadening:
            kgrid = min(MOST, max(2 * WINDOW, resolving_kgrid(spec.bdg(), delta)))
            numerics = gs.Numerics([energy], delta, WINDOW, gs.Grid(kgrid))
            spent, maps = timed(spec, numerics)
            _, half = timed(spec, replace(numerics, method=gs.Grid(kgrid // 2)))
            line = f"{name:<22}{delta:>6g}{kgrid:>7}{spent:>9.1f}{distance(half, maps):>10.1e}"
            if not options.grid_only:
                exact = replace(numerics, method=gs.Converged(ACCURACY))
                spent, fine = timed(spec, exact)
                line += (
                    f"{spent:>11.1f}{int(fine.rows[0]):>8}{float(fine.relative_error[0]):>10.1e}"
                )
                line += f"{distance(maps, fine):>11.1e}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
