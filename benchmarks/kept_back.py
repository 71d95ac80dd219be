"""Crystals that are nowhere else in the project, from Wannier90's files to networks that read them.

    python benchmarks/kept_back.py FOLDER [NAME ...]

For each NAME, ``_hr.dat`` and ``.win`` are written to FOLDER/NAME, and the six commands of
docs/howto/any-problem.md run there as they stand on that page, but for the name of the files and
the filling. Printed are the CPU seconds of each command and the hits of each class on the maps
that no network has seen. What an earlier call finished is kept: an interrupted one goes on.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "howto" / "any-problem.md"
COSTS = "costs.json"


@dataclass(frozen=True)
class Crystal:
    """What Wannier90 would have left.

    Attributes
    ----------
    cell : rows a1 and a2 in Angstrom.
    atoms : places in the cell.
    orbitals : of each atom, as ``.win`` names them.
    hops : matrices in eV of R and, by Hermitian conjugation, of -R.
    filling : electrons of a cell, both spins.
    """

    cell: tuple[tuple[float, float], tuple[float, float]]
    atoms: tuple[tuple[float, float], ...]
    orbitals: str
    hops: Mapping[tuple[int, int], ArrayLike]
    filling: float

    def write(self, folder: Path, name: str) -> None:
        """``NAME_hr.dat`` and ``NAME.win``."""
        bonds: dict[tuple[int, int], ArrayLike] = {}
        for (r1, r2), matrix in self.hops.items():
            bonds[r1, r2], bonds[-r1, -r2] = matrix, np.transpose(matrix)
        size = len(np.asarray(bonds[0, 0]))
        lines = [name, str(size), str(len(bonds)), " ".join("1" * len(bonds))]
        for (r1, r2), matrix in bonds.items():
            for (i, j), h in np.ndenumerate(np.asarray(matrix)):
                lines.append(f"{r1} {r2} 0 {i + 1} {j + 1} {h:.6f} 0.0")
        (folder / f"{name}_hr.dat").write_text("\n".join(lines) + "\n")
        cell = "\n".join(f"{x:.9f} {y:.9f} 0.0" for x, y in self.cell)
        atoms = "\n".join(f"X {x:.9f} {y:.9f} 0.5" for x, y in self.atoms)
        (folder / f"{name}.win").write_text(
            f"num_wann = {size}\n"
            f"begin unit_cell_cart\nang\n{cell}\n0.0 0.0 16.0\nend unit_cell_cart\n"
            f"begin atoms_frac\n{atoms}\nend atoms_frac\n"
            f"begin projections\nX: {self.orbitals}\nend projections\n"
        )


CRYSTALS = {
    "square": Crystal(
        cell=((3.71, 0.0), (0.0, 3.71)),
        atoms=((0.0, 0.0),),
        orbitals="dxz; dyz",
        hops={
            (0, 0): np.zeros((2, 2)),
            (1, 0): [[-0.21, 0.0], [0.0, 0.14]],
            (0, 1): [[0.14, 0.0], [0.0, -0.21]],
            (1, 1): [[-0.09, -0.06], [-0.06, -0.09]],
            (1, -1): [[-0.09, 0.06], [0.06, -0.09]],
        },
        filling=1.6,
    ),
    "honeycomb": Crystal(
        cell=((3.8, 0.0), (1.9, 1.9 * np.sqrt(3))),
        atoms=((1 / 3, 1 / 3), (2 / 3, 2 / 3)),
        orbitals="pz",
        hops={
            (0, 0): [[0.05, -0.3], [-0.3, 0.05]],
            (1, 0): [[0.035, 0.0], [-0.3, 0.035]],
            (0, 1): [[0.035, 0.0], [-0.3, 0.035]],
            (1, -1): [[0.035, 0.0], [0.0, 0.035]],
        },
        filling=1.5,
    ),
}


def commands(name: str, filling: float) -> list[str]:
    """The page's commands, for files of another name."""
    section = PAGE.read_text(encoding="utf-8").split("## Six commands")[1].split("\n## ")[0]
    found = re.findall(r"^    (gapscope .*)$", section, re.MULTILINE)
    six = [line for line in found if not line.startswith("gapscope predict")]
    six[0] = re.sub(r"--filling \S+", f"--filling {filling:g}", six[0])
    return [re.sub(r"\bx(?=_hr\.dat|\.toml)", name, line) for line in six]


def made(folder: Path, name: str, crystal: Crystal) -> dict[str, float]:
    """CPU seconds of each command, of which those are run that have not been."""
    folder.mkdir(parents=True, exist_ok=True)
    crystal.write(folder, name)
    costs: dict[str, float] = {}
    if (folder / COSTS).is_file():
        costs = json.loads((folder / COSTS).read_text())
    for line in commands(name, crystal.filling):
        if line not in costs:
            before = cpu()
            subprocess.run(shlex.split(line), cwd=folder, check=True)
            costs[line] = cpu() - before
            (folder / COSTS).write_text(json.dumps(costs, indent=1))
    return costs


def cpu() -> float:
    """CPU seconds of the processes that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Run the commands, and print what they cost and what the networks read."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"[all] {', '.join(CRYSTALS)}")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in CRYSTALS]:
        parser.error(f"names are {', '.join(CRYSTALS)}, not {', '.join(unknown)}")
    names = options.names or list(CRYSTALS)
    costs = {name: made(options.folder / name, name, CRYSTALS[name]) for name in names}
    for name, spent in costs.items():
        print(f"\n{name}\n  CPU s")
        for line, seconds in spent.items():
            print(f"{seconds:7.0f}  {line}")
        print((options.folder / name / "run" / "test" / "table.txt").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
