"""Sixty random states and their brute-force maps, against which method converged is measured.

    python benchmarks/reference_states.py [--kgrid 32768] [--output data/references/nbse2-60.npz]

The maps come from the grid method alone, which shares neither poles nor adaptive rows with method
converged. Finished maps are kept, so the command may be interrupted. Comparing with half the k-grid
bounds the reference's own error.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import gapscope as gs
from gapscope.physics import IRREPS
from gapscope.simulation.maps import simulate_batch

COUNT = 60
WINDOW = 128
BROADENING = 0.1
STORED = Path(__file__).parents[1] / "data" / "references" / "nbse2-60.npz"


def states() -> list[gs.Specification]:
    """Sixty states: every irrep in turn, the rest uniform from (20261123, number)."""
    nbse2 = gs.material("nbse2")
    made = []
    for number in range(COUNT):
        rng = np.random.Generator(np.random.Philox(key=[20261123, number]))
        irrep = IRREPS[number % len(IRREPS)]
        theta = None if irrep in ("A1u", "A2u") else rng.uniform(0, np.pi)
        pairing = gs.Pairing(irrep, rng.uniform(0.3, 1.5), theta=theta)
        impurity = gs.Impurity.scalar(float(rng.choice([50.0, 200.0, -80.0])))
        made.append(gs.Specification(nbse2, pairing, impurity, rng.uniform(-300, 100)))
    return made


def brute_force(specification: gs.Specification, kgrid: int) -> NDArray[np.float64]:
    """drho(r) on a uniform grid, (window, window)."""
    numerics = gs.Numerics([0.0], BROADENING, WINDOW, gs.Grid(kgrid))
    return simulate_batch([specification], numerics).ldos_change[0, 0]


def relative_errors(
    maps: NDArray[np.float64], reference: NDArray[np.float64]
) -> NDArray[np.float64]:
    """||difference|| / ||reference|| of each map, with and without r = 0, (2, n)."""
    away = np.ones((WINDOW, WINDOW))
    away[WINDOW // 2, WINDOW // 2] = 0
    return np.stack(
        [
            np.sqrt((((maps - reference) * mask) ** 2).sum((-2, -1)))
            / np.sqrt(((reference * mask) ** 2).sum((-2, -1)))
            for mask in (np.ones_like(away), away)
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kgrid", type=int, default=32768)
    parser.add_argument("--output", type=Path, default=STORED)
    options = parser.parse_args()
    parts = options.output.with_suffix(".parts")
    parts.mkdir(parents=True, exist_ok=True)
    fine, coarse = [], []
    for number, specification in enumerate(states()):
        path = parts / f"{number:02d}-{options.kgrid}.npy"
        if not path.exists():
            both = [brute_force(specification, n) for n in (options.kgrid, options.kgrid // 2)]
            np.save(path, np.stack(both))
        one, half = np.load(path)
        fine.append(one)
        coarse.append(half)
        errors = relative_errors(half, one)
        print(
            f"{number:2d} {specification.pairing.irrep:<4}",
            *(f"{e:.2e}" for e in errors),
            flush=True,
        )
    reference = np.stack(fine)
    change = relative_errors(np.stack(coarse), reference)
    np.savez_compressed(
        options.output, maps=reference.astype(np.float32), change_from_half_the_grid=change
    )
    print(
        f"kgrid {options.kgrid // 2} differs by at most {change.max():.2e}; wrote {options.output}"
    )


if __name__ == "__main__":
    main()
