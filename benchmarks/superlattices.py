"""How often the right lattice is found below a superlattice, by its kind and its brightness.

python benchmarks/superlattices.py --maps 10    # of each kind and brightness; minutes

Synthetic scans of 13 nm, 3.33 Angstrom, with Bragg waves of amplitude 1 and satellites of
amplitude ``ratio``: the shortest six momenta alone ("waves"), with their sums with Bragg vectors
("mixed"), all momenta of the superlattice with random amplitudes ("full"), or with those of an
adatom in each cell, which fade with q, the brightest being ``ratio`` ("adatoms"). Orientation and
phases are random, lengths off by up to --scale either way, both components of shear normal.

Columns, per ratio: right and clear / right, with rivals / wrong, with the right one among the
rivals / wrong, with other rivals / wrong without a word / not found. In per cent of the maps.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from gapscope.measured.preparation import LatticeNotFoundError, find_lattice

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "measured_preparation"))
from superlattice_maps import KINDS, NBS2, SUPERLATTICES, Scan, agrees, superlattice_scan

RATIOS = (0.3, 1.0, 1.3, 2.0, 5.0)
OUTCOMES = ("clear", "doubted", "told", "misled", "wrong", "none")


def outcome(scan: Scan) -> str:
    """Which of OUTCOMES."""
    try:
        found = find_lattice(scan.image, NBS2)
    except LatticeNotFoundError:
        return "none"
    rivals = getattr(found, "rivals", ())  # versions before this script had none
    if agrees(found.reciprocal, scan.reciprocal):
        return "doubted" if rivals else "clear"
    if any(agrees(rival.reciprocal, scan.reciprocal) for rival in rivals):
        return "told"
    return "misled" if rivals else "wrong"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--maps", type=int, default=10)
    parser.add_argument("--scale", type=float, default=0.05)
    parser.add_argument("--shear", type=float, default=0.015)
    parser.add_argument("--noise", type=float, default=1.0)
    given = parser.parse_args()
    rng = np.random.default_rng(1)
    total: Counter[str] = Counter()
    print("superlattice    " + "".join(f"{f'ratio {ratio:g}':>27}" for ratio in RATIOS))
    for name, superlattice in SUPERLATTICES.items():
        for kind in KINDS:
            row = f"{name:<8}{kind:<8}"
            for ratio in RATIOS:
                counts: Counter[str] = Counter()
                for _ in range(given.maps):
                    scan = superlattice_scan(
                        superlattice,
                        kind,
                        ratio=ratio,
                        degrees=rng.uniform(-30, 30),
                        scale=1 + rng.uniform(-given.scale, given.scale),
                        shear=rng.normal(0, given.shear, 2),
                        noise=given.noise,
                        seed=int(rng.integers(2**31)),
                    )
                    counts[outcome(scan)] += 1
                parts = [f"{100 * counts[one] / given.maps:.0f}" for one in OUTCOMES]
                row += f"{'/'.join(parts):>27}"
                total += counts
            print(row, flush=True)
    maps = sum(total.values())
    print(", ".join(f"{one} {100 * total[one] / maps:.1f} %" for one in OUTCOMES))


if __name__ == "__main__":
    main()
