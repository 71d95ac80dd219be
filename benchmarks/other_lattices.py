"""How often square, rectangular, centred and oblique lattices are found below a density wave.

python benchmarks/other_lattices.py --maps 12    # of each lattice and wave; minutes

Scans of ``tests/measured_preparation/any_lattice_maps.py`` at random angles. "right": a1 and a2 as
in the scan, up to the lattice's rotations; "told": wrong, the right one among the rivals; "within":
shares of the lengths that are off by less than so many errors, where the lattice is right.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests/measured_preparation"))
from any_lattice_maps import any_scan, equivalent
from gapscope.measured.preparation import find_lattice
from gapscope.physics.lattice import Lattice

LATTICES = {
    "triangular": Lattice("triangular", 3.4),
    "square": Lattice("square", 3.8),
    "rectangular 1.02": Lattice.from_cell(3.8, 3.88, 90.0),
    "rectangular 1.1": Lattice.from_cell(3.6, 3.96, 90.0),
    "rectangular 1.5": Lattice.from_cell(3.2, 4.8, 90.0),
    "centred 105": Lattice.from_cell(3.8, 3.8, 105.0),
    "centred 63": Lattice.from_cell(3.8, 3.8, 63.0),
    "oblique 97": Lattice.from_cell(3.5, 4.1, 97.0),
}
WAVES = {
    "none": (),
    "c(2 x 2)": ((0.5, 0.5), (0.5, -0.5)),
    "4 x 1": ((0.25, 0.0),),
    "4 x 4": ((0.25, 0.0), (0.0, 0.25)),
}
NEAR = 0.012
"""nm that a right vector may be off."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--maps", type=int, default=12)
    count = parser.parse_args().maps
    print("| lattice | wave | right | ambiguous | told | wrong | within 1 | 2 | 3 |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, lattice in LATTICES.items():
        for wave, momenta in WAVES.items():
            print(f"| {name} | {wave} | {row(lattice, momenta, count)} |", flush=True)


def row(lattice: Lattice, momenta: tuple[tuple[float, float], ...], count: int) -> str:
    """Counts and shares for one lattice and wave."""
    right = ambiguous = told = 0
    deviations = []
    for seed in range(count):
        scan = any_scan(
            lattice,
            degrees=np.random.default_rng(seed).uniform(-180, 180),
            strain=0.03,
            wave=momenta,
            ratio=(0.3, 1.0, 3.0)[seed % 3],
            uneven=(1.0, 0.6, 1.5)[seed // 3 % 3],
            noise=0.5,
            seed=seed,
        )
        found = find_lattice(scan.image, lattice)
        ambiguous += found.ambiguous
        truth = equivalent(scan)
        if off(found.vectors, truth) < NEAR:
            right += 1
            true = min(truth, key=lambda v: off(found.vectors, [v]))
            lengths = 10 * np.linalg.norm(found.kind.shortest @ true, axis=1)
            deviations += (np.abs(found.lengths.value - lengths) / found.lengths.error).tolist()
        else:
            told += any(
                off(found.instead(rival).vectors, truth) < 2 * NEAR for rival in found.rivals
            )
    shares = " | ".join(f"{np.mean(np.array(deviations) < n):.2f}" for n in (1, 2, 3))
    return f"{right} | {ambiguous} | {told} | {count - right - told} | {shares}"


def off(vectors: np.ndarray, truth: list[np.ndarray]) -> float:
    """Largest difference to the nearest of the true vectors, in nm."""
    return min(float(np.abs(vectors - one).max()) for one in truth)


if __name__ == "__main__":
    main()
