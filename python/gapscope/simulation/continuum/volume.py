"""Functions on a grid in space: XCrySDen's ``.xsf`` and Gaussian's ``.cube``, of bounded size.

Both hold a cell of three vectors with a value at each point; Wannier90 writes its plots so
(``wannier_plot_format = xcrysden`` or ``cube``). Lengths are in Angstrom here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MaterialFileError
from gapscope.support.reading import read_bounded

Real = NDArray[np.float64]
BOHR = 0.529177210903
MOST_BYTES = 2**29
"""Largest file that is read."""
MOST_VALUES = 2**26
"""Most values of a grid."""
MOST_ATOMS = 10_000


@dataclass(frozen=True, eq=False)
class Volume:
    """Values at origin + i steps_1 + j steps_2 + k steps_3.

    Parameters
    ----------
    name : of the file.
    origin, steps : (3,) and rows (3, 3).
    values : (n1, n2, n3).
    cell : rows of the crystal's cell, where the file says it.
    """

    name: str
    origin: Real
    steps: Real
    values: Real
    cell: Real | None = None

    @property
    def voxel(self) -> float:
        """Volume of a grid point."""
        return abs(float(np.linalg.det(self.steps)))


def read_volume(path: Path) -> Volume:
    """The function of an ``.xsf`` or ``.cube`` file.

    Raises
    ------
    MaterialFileError : another ending, an unreadable or damaged file, one that is too large, or one
        that holds several functions.
    """
    readers = {".xsf": _read_xsf, ".cube": _read_cube, ".cub": _read_cube}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise MaterialFileError(
            "A function on a grid is read from .xsf or .cube files.",
            str(path),
            "Plot it with wannier_plot = true in Wannier90.",
        )
    try:
        volume = reader(path.name, read_bounded(path, MOST_BYTES).decode("ascii"))
        if abs(np.linalg.det(volume.steps)) < 1e-9 or not np.isfinite(volume.steps).all():
            raise ValueError("vectors of the grid that span no volume")
        if not (np.isfinite(volume.values).all() and np.isfinite(volume.origin).all()):
            raise ValueError("values that are not finite")
    except (OSError, ValueError, IndexError, OverflowError, StopIteration) as error:
        raise MaterialFileError(
            f"A {path.suffix} file holds one function on a grid.",
            f"{path}: {error or 'it ends too early'}",
            "Plot it again; wannier_plot_format is xcrysden or cube.",
        ) from error
    return volume


def _numbers(words: list[str], count: int) -> Real:
    values = np.array([float(word) for word in words[:count]])
    if len(values) < count:
        raise ValueError(f"{len(values)} numbers where {count} are expected")
    return values


def _sizes(words: list[str]) -> tuple[int, int, int]:
    n1, n2, n3 = (int(word) for word in words[:3])
    if min(n1, n2, n3) < 2 or n1 * n2 * n3 > MOST_VALUES:
        raise ValueError(
            f"a grid of {n1} x {n2} x {n3} points, where at least 2 and {MOST_VALUES} in all are"
            " read"
        )
    return n1, n2, n3


def _grid(text: str, sizes: tuple[int, int, int]) -> Real:
    """All numbers of a text, which must be as many as the grid has points."""
    count = sizes[0] * sizes[1] * sizes[2]
    values = np.array(text.split(), dtype=np.float64)
    if len(values) != count:
        raise ValueError(f"{len(values)} values on a grid of {count} points")
    return values


def _read_xsf(name: str, text: str) -> Volume:
    """Its grids are general: the last point of each direction lies at the vector's end."""
    lines = [line.strip() for line in text.splitlines()]
    marks = {line.split()[0]: n for n, line in enumerate(lines) if line and line[0].isalpha()}
    starts = [n for n, line in enumerate(lines) if line.startswith("BEGIN_DATAGRID_3D")]
    if len(starts) != 1:
        raise ValueError(f"{len(starts)} grids (BEGIN_DATAGRID_3D) where one is expected")
    cell = None
    if "PRIMVEC" in marks:
        rows = lines[marks["PRIMVEC"] + 1 : marks["PRIMVEC"] + 4]
        cell = np.stack([_numbers(row.split(), 3) for row in rows])
    start = starts[0]
    sizes = _sizes(lines[start + 1].split())
    head = np.stack([_numbers(lines[start + n].split(), 3) for n in range(2, 6)])
    ends = (n for n, line in enumerate(lines) if line.startswith("END_DATAGRID_3D"))
    values = _grid("\n".join(lines[start + 6 : next(ends)]), sizes)
    steps = head[1:] / (np.array(sizes) - 1)[:, None]
    return Volume(name, head[0], steps, values.reshape(sizes, order="F"), cell)


def _read_cube(name: str, text: str) -> Volume:
    """Lengths in Bohr, or in Angstrom where the numbers of points are negative."""
    lines = iter(text.splitlines())
    head = [line.split() for line in islice(lines, 2, 6)]
    if len(head) < 4:
        raise ValueError("a head that is cut off")
    atoms = int(head[0][0])
    if abs(atoms) > MOST_ATOMS:
        raise ValueError(f"{atoms} atoms, where {MOST_ATOMS} are read at most")
    counts = [int(row[0]) for row in head[1:]]
    unit = 1.0 if all(n < 0 for n in counts) else BOHR
    sizes = _sizes([str(abs(n)) for n in counts])
    origin = unit * _numbers(head[0][1:], 3)
    steps = unit * np.stack([_numbers(row[1:], 3) for row in head[1:]])
    if len(list(islice(lines, abs(atoms)))) < abs(atoms):
        raise ValueError("atoms that are cut off")
    if atoms < 0 and int(next(lines).split()[0]) != 1:
        raise ValueError("several functions in one file")
    values = _grid("\n".join(lines), sizes)
    return Volume(name, origin, steps, values.reshape(sizes))
