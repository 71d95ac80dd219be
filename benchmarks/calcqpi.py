"""calcQPI as a process: the files it reads, its run, its output. ``peers.py`` says what differs."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import gapscope as gs

Map = NDArray[np.float64]
Spent = tuple[float, float]  # seconds of wall time and of CPU time

ORBITALS = {"idlorbitalfile": '"orbitals.idl"'}
"""Setting of what :meth:`CalcQPI.write_orbitals` wrote."""
MODEL = {"tbfile": '"hr.dat"', "scmodel": "true", "spin": "true", **ORBITALS}
"""Settings of what :meth:`CalcQPI.write_model` wrote besides."""


def find_program(variable: str, usual: str) -> str | None:
    """The program an environment variable names, else the usual one, if there is one."""
    found = shutil.which(os.environ.get(variable) or usual)
    return None if found is None else str(Path(found).absolute())


def cpu_of(pid: int) -> float:
    """Seconds of CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read_idl(path: Path) -> Map:
    """Numbers of one of its files, (layers, x, y)."""
    *head, data = path.read_bytes().split(b"\n", 12)
    n1, n2, layers = (int(word) for word in head[2:5])
    stored = np.frombuffer(data, dtype=np.float32).reshape(layers, n2, n1)
    return stored.transpose(0, 2, 1).astype(np.float64)


class CalcQPI:
    """The executable, in a folder of its own for the files it reads and writes."""

    def __init__(self, program: str, folder: Path, threads: int) -> None:
        self.program, self.folder = program, folder
        self.environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        self.peak = 0
        told = subprocess.run([program], capture_output=True, text=True, check=False)
        self.version = (told.stdout + told.stderr).partition("commit: ")[2][:7]

    def write_model(self, spec: gs.Specification) -> None:
        """The bonds as hr.dat; those between holes are written at -R."""
        bonds = spec.bdg()
        holes = np.zeros((4, 4))
        holes[2:, 2:] = 1
        turned = gs.Bonds(bonds.vectors, bonds.matrices * holes).reversed()
        bonds = gs.Bonds.sum([gs.Bonds(bonds.vectors, bonds.matrices * (1 - holes)), turned])
        lines = ["BdG", "4", str(len(bonds.vectors)), *["1"] * len(bonds.vectors)]
        for (r1, r2), matrix in zip(bonds.vectors.tolist(), bonds.matrices.tolist(), strict=True):
            for i, row in enumerate(matrix, 1):
                for j, t in enumerate(row, 1):
                    lines.append(f"{r1} {r2} 0 {i} {j} {t.real!r} {t.imag!r}")
        (self.folder / "hr.dat").write_text("\n".join(lines) + "\n", encoding="ascii")

    def write_orbitals(self, values: Map) -> None:
        """Wannier functions on the pixels of the cells around their own, (functions, x, y)."""
        count, side, _ = values.shape
        head = f"functions\nnever\n{side}\n{side}\n{count}\n1\n1\n0\n0\n0\n0\n0\n"
        stored = values.transpose(0, 2, 1).astype(np.float32)  # the first index runs fastest
        (self.folder / "orbitals.idl").write_bytes(head.encode("ascii") + stored.tobytes())

    def run(self, settings: Mapping[str, object]) -> tuple[Spent, Map]:
        """Times of the whole program, and its output over pi, (layers, pixels, pixels)."""
        lines = [f"{name}={value};\n" for name, value in settings.items()]
        lines.append('qpifile="map.idl";\n')
        (self.folder / "settings").write_text("".join(lines), encoding="ascii")
        (self.folder / "map.idl").unlink(missing_ok=True)
        start = time.perf_counter()
        with (self.folder / "log").open("w") as log:
            process = subprocess.Popen(
                [self.program, "settings"],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
            _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError((self.folder / "log").read_text(encoding="utf-8")[-2000:])
        self.peak = max(self.peak, 1024 * usage.ru_maxrss)
        spent = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
        return spent, read_idl(self.folder / "map.idl") / np.pi
