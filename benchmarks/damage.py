"""Does the error estimate notice damage? Sixty states, a panel removed or the rows quartered.

    python benchmarks/damage.py

Errors are those against the same method at a request of 1e-6; ratios with and without r = 0.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from gapscope.kernel.provision import obtain, run_script
from reference_states import states


def write_states(path: Path) -> None:
    """Bonds and impurities as damage.jl reads them: counts, then arrays in Julia's order."""
    everything = states()
    with path.open("wb") as file:
        file.write(np.int64(len(everything)).tobytes())
        for state in everything:
            bonds = state.bdg()
            file.write(np.int64(len(bonds.vectors)).tobytes())
            file.write(np.ascontiguousarray(bonds.vectors, dtype=np.int64).tobytes())
            for matrix in (*bonds.matrices, state.impurity_matrix()):
                file.write(np.asarray(matrix, dtype=np.complex128).T.tobytes())


def main() -> None:
    info = obtain(lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "states"
        write_states(path)
        os.environ["GAPSCOPE_STATES"] = str(path)
        raise SystemExit(run_script([str(Path(__file__).with_suffix(".jl"))], info))


if __name__ == "__main__":
    main()
