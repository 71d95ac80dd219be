"""What stands beside a Wannier90 Hamiltonian: the cell and atoms of ``seed.win``, and the centres
of ``seed_centres.xyz``.

The ``.win``'s projections are read in :mod:`gapscope.physics.wannier_projections`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MaterialFileError
from gapscope.physics.wannier_projections import (
    Projections,
    numbers_in,
    read_projections,
    scaled,
)

Real = NDArray[np.float64]
FAR = 0.3
"""Angstrom: a centre that lies farther from every image of its site is not on it."""

NOWHERE = Projections(unclear="no .win beside the file")


@dataclass(frozen=True, eq=False)
class Win:
    """What a ``.win`` says, as far as it does.

    Parameters
    ----------
    cell : rows a1, a2, a3 in Angstrom, or None.
    projections : the real harmonics, without spin; None where they are not known.
    spinors : whether it says so; None where it says nothing.
    at_home : whether the centres were translated to the home cell, those of the Hamiltonian not.
    spread : whether it says use_ws_distance, so that a ``_wsvec.dat`` belongs to the Hamiltonian.
    """

    cell: Real | None = None
    projections: Projections = NOWHERE
    spinors: bool | None = None
    at_home: bool = False
    spread: bool = False


def beside(path: Path, ending: str) -> Path:
    """``seed`` + ending for the path of ``seed_hr.dat`` or ``seed_tb.dat``."""
    return path.with_name(re.sub(r"_(hr|tb)\.dat$", "", path.name) + ending)


def read_win(path: Path) -> Win:
    """The ``.win`` beside a Hamiltonian; an empty one where there is none.

    Raises
    ------
    MaterialFileError : a block that is not as in the user guide.
    """
    file = beside(path, ".win")
    if not file.is_file():
        return Win()
    text = re.sub(r"[!#].*", "", file.read_text(encoding="utf-8", errors="replace"))
    names = ("spinors", "translate_home_cell", "use_ws_distance")
    spinors, at_home, spread = (_switch(text, name) for name in names)
    try:
        cell = _cell(text)
        atoms = _atoms(text, cell)
        projections = read_projections(_block(text, "projections"), cell, atoms)
    except (ValueError, IndexError, np.linalg.LinAlgError) as error:
        raise MaterialFileError(
            "The .win beside a Wannier90 Hamiltonian has the layout of the user guide.",
            f"{file.name}: {error}",
            "Correct the block, or move the .win away and give the cell in a material's TOML.",
        ) from error
    return Win(cell, projections, spinors, bool(at_home), bool(spread))


def read_centres(path: Path, count: int) -> Real | None:
    """Centres (count, 3) in Angstrom from ``seed_centres.xyz``, or None where there is none.

    Raises
    ------
    MaterialFileError : another layout, or another number of centres.
    """
    file = beside(path, "_centres.xyz")
    if not file.is_file():
        return None
    rows = [line.split() for line in file.read_text(encoding="utf-8").splitlines()[2:]]
    found = [words[1:4] for words in rows if words and words[0].upper() == "X"]
    try:
        centres = np.array(found, dtype=np.float64)
    except ValueError:
        centres = np.empty(0)
    if centres.shape != (count, 3):
        raise MaterialFileError(
            "The _centres.xyz beside a Wannier90 Hamiltonian holds a line X x y z per function.",
            f"{file.name}: {len(found)} lines for {count} functions",
            "Write it anew with the Hamiltonian, or move it away.",
        )
    return centres


def _switch(text: str, name: str) -> bool | None:
    """A logical keyword; None where nothing is said of it."""
    said = re.search(rf"^\s*{name}\s*[=:]?\s*\.?([tf])", text, re.IGNORECASE | re.MULTILINE)
    return None if said is None else said[1].lower() == "t"


def _block(text: str, name: str) -> list[str] | None:
    found = re.search(rf"begin\s+{name}\b(.*?)end[\s_]+{name}\b", text, re.IGNORECASE | re.DOTALL)
    return (
        None if found is None else [line.strip() for line in found[1].splitlines() if line.strip()]
    )


def _cell(text: str) -> Real | None:
    lines = _block(text, "unit_cell_cart")
    if lines is None:
        return None
    unit, rows = scaled(lines)
    numbers = numbers_in(" ".join(rows))
    if len(numbers) != 9:
        raise ValueError(f"{len(numbers)} numbers in unit_cell_cart, and not 9")
    return unit * np.array(numbers).reshape(3, 3)


def _atoms(text: str, cell: Real | None) -> list[tuple[str, Real]]:
    """Label and reduced position of every atom."""
    lines, cartesian = _block(text, "atoms_frac"), False
    if lines is None:
        lines, cartesian = _block(text, "atoms_cart"), True
    if lines is None or (cartesian and cell is None):
        return []
    unit, rows = scaled(lines) if cartesian else (1.0, lines)
    atoms = []
    for row in rows:
        label, *rest = row.split()
        place = np.array(numbers_in(" ".join(rest))[:3])
        if place.shape != (3,):
            raise ValueError(f"an atom has a label and three coordinates: {row}")
        if cartesian and cell is not None:
            place = unit * place @ np.linalg.inv(cell)
        atoms.append((label, place))
    return atoms
