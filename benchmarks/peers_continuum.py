"""Continuum maps of gapscope against calcQPI's, at equal k-grids, by equal Wannier functions.

    python benchmarks/peers_continuum.py

The executable is named by GAPSCOPE_CALCQPI, else ``calcqpi`` on the PATH; a line says so where it
is absent.
What differs follows from calcQPI, as ``peers.py`` tells: its map is -Im of the whole G, summed over
spins, in single precision; Wannier functions reach over a square of cells. Both codes are given the
same values of them: Slater orbitals, cut off outside that square. One scalar impurity, one energy.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import gapscope as gs
from calcqpi import MODEL, CalcQPI, Map, cpu_of, find_program
from gapscope.kernel.client import get_host
from gapscope.physics import Bonds, Lattice, Material, Orbital
from gapscope.simulation.continuum.tip import seen

REACH, PIXELS, WINDOW, KGRID, STRENGTH = 2, 4, 64, 512, 50.0


def square() -> gs.Specification:
    """Nearest neighbours on a square lattice, a d wave."""
    hop, i_sy = -40.0 * np.eye(2), np.array([[0, 1.0], [-1.0, 0]])
    steps = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    bonds = Bonds.from_dict({(0, 0): 15.0 * np.eye(2), **dict.fromkeys(steps, hop)})
    gap = Bonds.from_dict({step: (1 if step[0] else -1) * 2.0 * i_sy for step in steps})
    material = Material("square", Lattice("square", 3.8), bonds, basis=(Orbital("s"),))
    return gs.Specification(material, gs.Pairing.from_bonds(gap), gs.Impurity.scalar(STRENGTH))


def triangular() -> gs.Specification:
    pairing = gs.Pairing("A1g", 1.0, theta=0.4)
    return gs.Specification(gs.material("nbse2"), pairing, gs.Impurity.scalar(STRENGTH), eps0=20.0)


def cut_off(material: gs.Material, decay: float) -> gs.WannierFunctions:
    """Slater orbitals, zero outside the cells -REACH .. REACH."""
    whole = gs.WannierFunctions.slater(material, decay)
    back = np.linalg.inv(material.lattice.constant * material.lattice.vectors)

    def function(points: NDArray[np.float64]) -> NDArray[np.float64]:
        cells = np.floor(points[..., :2] @ back + 1e-9)
        inside = (np.abs(cells) <= REACH).all(axis=-1)
        return np.where(inside, whole.functions[0](points), 0.0)

    return gs.WannierFunctions((function,), whole.description)


def on_pixels(spec: gs.Specification, tip: gs.Tip, made: gs.WannierFunctions) -> Map:
    """The values that gapscope's tip sees, for each spin, (2, x, y)."""
    view = seen(made, tip, spec.material.lattice, PIXELS)
    side = 2 * REACH + 1
    values = np.zeros((side, PIXELS, side, PIXELS))
    for n, (m1, m2) in enumerate(view.cells.tolist()):
        values[m1 + REACH, :, m2 + REACH, :] = view.values[0, :, :, n, 0]
    flat = values.reshape(side * PIXELS, side * PIXELS)
    return np.stack([flat, flat])


def settings(energy: float, delta: float) -> dict[str, object]:
    """What calcQPI computes."""
    return {
        **MODEL,
        "output": "wannier",
        "window": REACH,
        "oversamp": PIXELS,
        "threshold": 0.0,
        "lattice": WINDOW,
        "kpoints": KGRID,
        "eta": delta,
        "energies": f"({energy},{energy})",
        "layers": 1,
        "scattering": f"({STRENGTH},{STRENGTH})",
    }


def main() -> None:
    program = find_program("GAPSCOPE_CALCQPI", "calcqpi")
    if program is None:
        sys.exit("calcQPI is absent: set GAPSCOPE_CALCQPI to its executable")
    size = f"{WINDOW} x {WINDOW} cells of {PIXELS} x {PIXELS} pixels"
    print(f"calcQPI with one thread; kgrid {KGRID}, {size}, one energy; CPU seconds")
    print(f"{'lattice':<12}{'calcQPI':>9}{'G':>8}{'map':>8}{'difference':>12}{'in change':>11}")
    for spec, energy, delta in ((square(), 2.0, 1.0), (triangular(), 0.5, 1.0)):
        tip = gs.Tip(0.5 * spec.material.lattice.constant, cut=1e-12)
        made = cut_off(spec.material, 2.0 / spec.material.lattice.constant)
        numerics = gs.Numerics([energy], delta, WINDOW, kgrid=KGRID)
        gs.green_function(spec, numerics, reach=REACH)  # compiles
        host = get_host().info().pid
        start = time.process_time() + cpu_of(host)
        green = gs.green_function(spec, numerics, reach=REACH)
        spent = [time.process_time() + cpu_of(host) - start]
        start = time.process_time()
        maps = gs.continuum(green, tip=tip, functions=made, impurity=spec.impurity, pixels=PIXELS)
        spent.append(time.process_time() - start)
        with tempfile.TemporaryDirectory() as folder:
            peer = CalcQPI(program, Path(folder), 1)
            peer.write_model(spec)
            peer.write_orbitals(on_pixels(spec, tip, made))
            (_, seconds), (found,) = peer.run(settings(energy, delta))
        own, change = (maps.ldos_clean + maps.ldos_change)[0].values, maps.ldos_change[0].values
        apart = np.linalg.norm(found - own)
        print(
            f"{spec.material.lattice.name:<12}{seconds:>9.2f}{spent[0]:>8.2f}{spent[1]:>8.2f}"
            f"{apart / np.linalg.norm(own):>12.1e}{apart / np.linalg.norm(change):>11.1e}"
        )


if __name__ == "__main__":
    main()
