"""Is the estimated error of a converged density of states above the true one, for random states?

    python benchmarks/states.py --states 2000 --broadening 0.01

Each state of NbSe2 is drawn as for the reference datasets, with one energy within three
gaps of zero; it is computed at the default accuracy and to 1e-5 for comparison. Energies whose
estimate is below the
error are printed, so that they can be looked at again with --only.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import gapscope as gs
from gapscope.kernel.calls import States, converged_states
from gapscope.simulation.numerics import Converged
from paper_states import paper_state

RANGES = {"gap": (0.3, 3.0), "eps0": (-300.0, 100.0), "theta": (0.0, np.pi)}
REFERENCE = 1e-5
SHARP = 2e-5
"""Smaller errors are not told from those of the reference."""


def state(seed: int, sample: int) -> tuple[gs.Specification, float]:
    """The state of a sample id, and the energy in meV at which it is looked at."""
    drawn = paper_state(seed, sample, RANGES)
    angles = {} if drawn.theta is None else {"theta": drawn.theta}
    specification = gs.Specification(
        gs.material("nbse2"),
        gs.Pairing(drawn.irrep, drawn.gap, **angles),
        gs.Impurity.scalar(0.0),
        drawn.eps0,
    )
    generator = np.random.Generator(np.random.Philox(key=[seed + 1, sample]))
    return specification, float(generator.uniform(-3, 3) * drawn.labelled_gap)


def states(
    specification: gs.Specification, energy: float, broadening: float, accuracy: float
) -> States:
    return converged_states(
        specification.bdg(),
        energies=np.array([energy]),
        broadening=broadening,
        accuracy=accuracy,
        budget=2_000_000,
    )


Key = tuple[int, float, int]


def read_references(path: Path | None) -> dict[Key, float]:
    """Values by seed, broadening and sample id."""
    if path is None or not path.exists():
        return {}
    lines = [line.split() for line in path.read_text().splitlines()]
    return {(int(seed), float(b), int(sample)): float(dos) for seed, b, sample, dos in lines}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--states", type=int, default=2000)
    parser.add_argument("--broadening", type=float, default=0.01, help="meV")
    parser.add_argument("--accuracy", type=float, default=Converged.accuracy)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--only", type=int, nargs="*", help="sample ids")
    parser.add_argument("--references", type=Path, help="text file that keeps the values to 1e-5")
    given = parser.parse_args()
    known = read_references(given.references)
    errors, estimates, rows = [], [], []
    for sample in given.only or range(given.states):
        specification, energy = state(given.seed, sample)

        key = (given.seed, given.broadening, sample)
        found = states(specification, energy, given.broadening, given.accuracy)
        if key not in known:
            known[key] = float(states(specification, energy, given.broadening, REFERENCE).dos[0])
            if given.references:
                with given.references.open("a") as file:
                    print(*key, repr(known[key]), file=file)
        error = abs(found.dos[0] / known[key] - 1)
        estimate = float(found.relative_error[0])
        errors.append(error)
        estimates.append(estimate)
        rows.append(int(found.rows[0]))
        if error > estimate + SHARP:
            print(
                f"sample {sample} {specification.pairing.irrep} energy {energy:.6f} meV: error"
                f" {error:.2e}, estimate {estimate:.2e}, ratio {error / estimate:.2f}",
                flush=True,
            )
    error, estimate = np.array(errors), np.array(estimates)
    told = error > SHARP
    ratio = estimate[told] / error[told]
    print(
        f"{len(error)} states at {given.broadening:g} meV, accuracy {given.accuracy:g}: estimate"
        f" below the error {int((error > estimate + SHARP).sum())} times, error above the accuracy"
        f" {int((error > given.accuracy).sum())} times, largest {error.max():.1e};"
        f" median of the estimates {np.median(estimate):.1e}, of the errors {np.median(error):.1e},"
        f" of estimate / error {np.median(ratio):.2f} ({len(ratio)} with an error above {SHARP:g});"
        f" rows {np.mean(rows):.0f} in the mean"
    )


if __name__ == "__main__":
    main()
