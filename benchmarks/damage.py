"""Does the error estimate notice damage? States with a panel removed or the rows quartered.

    GAPSCOPE_MEASURED=FOLDER python benchmarks/damage.py [--orbitals [--seed N]]

Sixty states of one band at w = 0 and 0.1 meV; with --orbitals those of ``orbitals.py`` up to ten
orbitals, each at STATES random energies up to 2.5 gaps and broadenings from 0.1 to 2 meV. Errors
are those against the same method at the last request, 1e-6 or 2e-6; ratios with and without r = 0.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

import gapscope as gs
from gapscope.kernel.provision import obtain, run_script
from orbitals import cases
from reference_states import BROADENING, WINDOW, states

STATES = 4
LEAVE_OUT = ("one band", "all scatter", "11")

State = tuple[gs.Specification, complex, int]
"""Specification, z and window."""


def one_band() -> Iterator[State]:
    for state in states():
        yield state, 1j * BROADENING, WINDOW


def several_orbitals(seed: int) -> Iterator[State]:
    rng = np.random.default_rng(seed)
    for name, state, gap in cases():
        if not any(words in name for words in LEAVE_OUT):
            for _ in range(STATES):
                energy, broadening = rng.uniform(0, 2.5) * gap, 0.1 * 20 ** rng.uniform()
                yield state, complex(energy, broadening), WINDOW // 2


def write_states(path: Path, requests: list[float], given: Iterable[State]) -> None:
    """Write what damage.jl reads; the last request is the truth's."""
    everything = list(given)
    with path.open("wb") as file:
        file.write(np.int64(len(requests)).tobytes() + np.array(requests).tobytes())
        file.write(np.int64(len(everything)).tobytes())
        for state, z, window in everything:
            bonds = state.bdg()
            counts = np.array([window, len(bonds.vectors), bonds.dimension], dtype=np.int64)
            file.write(counts.tobytes() + np.complex128(z).tobytes())
            file.write(np.ascontiguousarray(bonds.vectors, dtype=np.int64).tobytes())
            for matrix in (*bonds.matrices, state.impurity_matrix()):
                file.write(np.asarray(matrix, dtype=np.complex128).T.tobytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orbitals", action="store_true")
    parser.add_argument("--seed", type=int, default=7, help="of the orbitals' random states")
    options = parser.parse_args()
    info = obtain(lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "states"
        if options.orbitals:
            write_states(path, [0.05, 0.005, 2e-6], several_orbitals(options.seed))
        else:
            write_states(path, [0.05, 0.005, 0.0005, 1e-6], one_band())
        os.environ["GAPSCOPE_STATES"] = str(path)
        raise SystemExit(run_script([str(Path(__file__).with_suffix(".jl"))], info))


if __name__ == "__main__":
    main()
