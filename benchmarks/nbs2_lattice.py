"""Lattice constants of the measured NbS2 maps, by several rules of what in their lengths is wrong.

python benchmarks/nbs2_lattice.py FOLDER    # with figure_2a.txt, ... of 10.5281/zenodo.10144912

As scanned: the constant of the cell's area. x exact, y exact: drift along the slow axis, or one
scanner axis off, moves r to (x + s y, (1 + e) y), or so with x and y exchanged; the lattice being
triangular determines s, e and the constant. Corrected: found anew in the corrected map.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root

from gapscope import measured
from gapscope.measured.preparation import Steps, prepare
from gapscope.measured.preparation.found import ANGSTROM

NBS2 = 3.33
"""Lattice constant of monolayer NbS2 in Angstrom."""
USUAL = Steps()
STEPS = {"2a": USUAL, "2b": USUAL, "3a": USUAL}
STEPS |= {"2f": Steps(scale=(0.53, 0.64)), "2g": Steps(scale=(0.50, 0.62))}
"""The last two as the error of ``prepare`` names them."""


def one_axis_exact(vectors: NDArray[np.float64], axis: int) -> tuple[float, float]:
    """Lattice constant and stretch 1 + e of the other axis, if lengths along ``axis`` are exact."""

    def moved(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        matrix = np.eye(2)
        matrix[axis, 1 - axis] = parameters[0]
        matrix[1 - axis, 1 - axis] += parameters[1]
        return np.asarray(vectors @ matrix.T)

    def not_triangular(parameters: NDArray[np.float64]) -> list[float]:
        a1, a2 = moved(parameters)
        return [a2 @ a2 / (a1 @ a1) - 1, a1 @ a2 / (a1 @ a1) - 0.5]

    found = root(not_triangular, np.zeros(2))
    if not found.success:
        raise RuntimeError(found.message)
    return float(np.linalg.norm(moved(found.x)[0])) / ANGSTROM, 1 + float(found.x[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    columns = ("as scanned", "x exact", "y by", "y exact", "x by", "corrected", "3 x 3 peaks")
    print("figure" + "".join(f"{name:>15}" for name in columns))
    for figure, steps in STEPS.items():
        image = measured.open(folder / f"figure_{figure}.txt")["image"]
        done = prepare(image, NBS2, steps)
        row = [f"{done.lattice.constant:.3f}"]
        for axis in (0, 1):
            constant, stretch = one_axis_exact(done.lattice.vectors, axis)
            row += [f"{constant:.3f}", f"{stretch:.3f}"]
        row.append(f"{done.final_lattice.constant:.3f}")
        peaks = () if done.wave is None else done.wave.peaks
        row.append(f"{sum(peak.found for peak in peaks)} of {len(peaks)}")
        print(f"{figure:<6}" + "".join(f"{one:>15}" for one in row))


if __name__ == "__main__":
    main()
