"""Writes small Wannier90 files, so that no test depends on data that may be absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from numpy.typing import NDArray

Vector = tuple[int, int, int]
Pair = tuple[int, int, int, int, int]


def write_hr(
    path: Path,
    elements: Mapping[Vector, NDArray],
    degeneracy: Mapping[Vector, int] | None = None,
) -> Path:
    """``seed_hr.dat`` with H(R) in eV; fifteen degeneracies a line, as Wannier90 writes them."""
    counts = [(degeneracy or {}).get(vector, 1) for vector in elements]
    orbitals = len(next(iter(elements.values())))
    lines = [" written by a test", f"{orbitals:12d}", f"{len(elements):12d}"]
    for start in range(0, len(counts), 15):
        lines.append("".join(f"{count:5d}" for count in counts[start : start + 15]))
    for (r1, r2, r3), matrix in elements.items():
        for j in range(orbitals):
            for i in range(orbitals):
                h = complex(matrix[i, j])
                lines.append(
                    f"{r1:5d}{r2:5d}{r3:5d}{i + 1:5d}{j + 1:5d}{h.real:12.6f}{h.imag:12.6f}"
                )
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def write_wsvec(path: Path, shifts: Mapping[Pair, Sequence[Vector]]) -> Path:
    """``seed_wsvec.dat``: for each R, i, j the vectors T it is shared among."""
    lines = ["## written by a test  with use_ws_distance=.true."]
    for key, targets in shifts.items():
        lines.append("".join(f"{n:5d}" for n in key))
        lines.append(f"{len(targets):5d}")
        lines += ["".join(f"{n:5d}" for n in target) for target in targets]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path
