"""``seed_hr.dat`` as other programs write it: read with the right values, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gapscope.errors import MaterialFileError
from gapscope.physics.wannier90 import read_wannier90
from wannier_files import write_hr

HOPPING, ONSITE = -0.1, 0.02  # eV
NEIGHBOURS = [(1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1)]
SEVEN = ["1"] * 7
"""Degeneracies."""
Lines = list[str]


def _fortran(row: str) -> str:
    real, imaginary = (f"{float(part):.8E}".replace("E", "D") for part in row.split()[5:])
    return f"{row[:25]} {real} {imaginary}"


READ: dict[str, Callable[[Lines, Lines], Lines]] = {
    "words behind the counts": lambda head, rows: [
        head[0], "1  ! num_wann", "7  # nrpts", " ".join(SEVEN), *rows,
    ],
    "both counts on one line": lambda head, rows: [head[0], "1 7", " ".join(SEVEN), *rows],
    "a degeneracy a line": lambda head, rows: [*head, *SEVEN, *rows],
    "tabs": lambda head, rows: [
        *head, "\t".join(SEVEN), *("\t".join(row.split()) for row in rows),
    ],
    "exponents of Fortran": lambda head, rows: [*head, " ".join(SEVEN), *map(_fortran, rows)],
    "an empty header": lambda head, rows: ["", *head[1:], " ".join(SEVEN), *rows],
    "blank lines": lambda head, rows: [*head, "", " ".join(SEVEN), "", *rows, "", "  ", ""],
}  # fmt: skip
REFUSED: dict[str, tuple[Callable[[Lines, Lines], Lines], str]] = {
    "no header": (lambda head, rows: [*head[1:], " ".join(SEVEN), *rows], "degeneracies for 1"),
    "both counts on one line, another number of vectors": (
        lambda head, rows: [head[0], "1 6", " ".join(SEVEN), *rows], "7 degeneracies for 6",
    ),
    "no degeneracies": (lambda head, rows: [*head, *rows], "a whole number from 1, and not 0"),
    "too few of them": (lambda head, rows: [*head, "1 1 1 1 1", *rows], "12 degeneracies for 7"),
    "one that is 0": (lambda head, rows: [*head, "0 1 1 1 1 1 1", *rows], "from 1, and not 0"),
    "one that is a fraction": (
        lambda head, rows: [*head, "1 1 1 1 1 1 1.5", *rows], "from 1, and not 1.5",
    ),
    "one without end": (
        lambda head, rows: [*head, "1 1 1 1 1 1 inf", *rows], "from 1, and not inf",
    ),
    "one column more": (
        lambda head, rows: [*head, " ".join(SEVEN), *(f"{row} 0.0" for row in rows)], "numbers for",
    ),
}  # fmt: skip


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Lines, Lines]:
    """The header with both counts, and the lines of elements."""
    elements = {(r1, r2, 0): np.array([[HOPPING]]) for r1, r2 in NEIGHBOURS}
    elements[0, 0, 0] = np.array([[ONSITE]])
    lines = write_hr(tmp_path / "plain_hr.dat", elements).read_text().splitlines()
    return lines[:3], lines[4:]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("kind", READ)
def test_what_others_write_is_read(
    parts: tuple[Lines, Lines], kind: str, ending: str, tmp_path: Path
) -> None:
    path = tmp_path / "x_hr.dat"
    path.write_text(ending.join(READ[kind](*parts)) + ending, newline="")
    found = read_wannier90(path, fermi_energy=0.0, cell_angle=60)
    values = dict(zip(map(tuple, found.vectors.tolist()), found.matrices, strict=True))
    assert len(values) == 7
    up = {vector: complex(matrix[0, 0]) for vector, matrix in values.items()}  # in meV
    assert up.pop((0, 0)) == pytest.approx(1000 * ONSITE)
    assert list(up.values()) == pytest.approx([1000 * HOPPING] * 6)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_such_file_is_refused_for_what_it_is(
    parts: tuple[Lines, Lines], kind: str, tmp_path: Path
) -> None:
    change, words = REFUSED[kind]
    path = tmp_path / "x_hr.dat"
    path.write_text("\n".join(change(*parts)) + "\n")
    with pytest.raises(MaterialFileError, match="layout of the user guide") as caught:
        read_wannier90(path, fermi_energy=0.0, cell_angle=60)
    assert words in str(caught.value)
