"""What stands beside a Wannier90 Hamiltonian: the cell, atoms and projections of ``seed.win``, and
the centres of ``seed_centres.xyz``.

Layout and order after Wannier90's user guide: of each line of projections the sites come first,
then l, then m_r, in rising order whatever order they are written in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MaterialFileError
from gapscope.physics.orbitals import CHARACTERS

Real = NDArray[np.float64]
BOHR = 0.529177210903
"""Angstrom."""
NUMBER = r"[-+]?\d*\.?\d+(?:[eEdD][-+]?\d+)?"
SHELLS = {"s": 0, "p": 1, "d": 2, "f": 3}
BY_MOMENTUM = [[name for name, ell in CHARACTERS.items() if ell == n] for n in range(4)]
FAR = 0.3
"""Angstrom: a centre that lies farther from every image of its site is not on it."""


@dataclass(frozen=True, eq=False)
class Win:
    """What a ``.win`` says, as far as it does.

    Parameters
    ----------
    cell : rows a1, a2, a3 in Angstrom, or None.
    projections : (label, reduced position (3,), harmonic) of each one without spin, or None.
    spinors : whether it says so.
    unclear : why there are no projections to be had, in words.
    """

    cell: Real | None = None
    projections: tuple[tuple[str, Real, str], ...] | None = None
    spinors: bool = False
    unclear: str = ""


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
    spinors = re.search(r"^\s*spinors\s*[=:]?\s*\.?t", text, re.IGNORECASE | re.MULTILINE)
    try:
        cell = _cell(text)
        atoms = _atoms(text, cell)
        projections, unclear = _projections(text, cell, atoms)
    except (ValueError, IndexError, np.linalg.LinAlgError) as error:
        raise MaterialFileError(
            "The .win beside a Wannier90 Hamiltonian has the layout of the user guide.",
            f"{file.name}: {error}",
            "Correct the block, or move the .win away and give the cell in a material's TOML.",
        ) from error
    return Win(cell, projections, spinors is not None, unclear)


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


def _block(text: str, name: str) -> list[str] | None:
    found = re.search(rf"begin\s+{name}\b(.*?)end\s+{name}\b", text, re.IGNORECASE | re.DOTALL)
    return (
        None if found is None else [line.strip() for line in found[1].splitlines() if line.strip()]
    )


def _scaled(lines: list[str]) -> tuple[float, list[str]]:
    """Angstrom per unit of a block, and its lines without the one that names the unit."""
    unit = lines[0].lower() if lines else ""
    if unit in ("bohr", "ang", "angstrom"):
        return (BOHR if unit == "bohr" else 1.0), lines[1:]
    return 1.0, lines


def _numbers(text: str) -> list[float]:
    return [float(re.sub("[dD]", "e", n)) for n in re.findall(NUMBER, text)]


def _cell(text: str) -> Real | None:
    lines = _block(text, "unit_cell_cart")
    if lines is None:
        return None
    unit, rows = _scaled(lines)
    numbers = _numbers(" ".join(rows))
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
    unit, rows = _scaled(lines) if cartesian else (1.0, lines)
    atoms = []
    for row in rows:
        label, *rest = row.split()
        place = np.array(_numbers(" ".join(rest))[:3])
        if place.shape != (3,):
            raise ValueError(f"an atom has a label and three coordinates: {row}")
        if cartesian and cell is not None:
            place = unit * place @ np.linalg.inv(cell)
        atoms.append((label, place))
    return atoms


def _projections(
    text: str, cell: Real | None, atoms: list[tuple[str, Real]]
) -> tuple[tuple[tuple[str, Real, str], ...] | None, str]:
    lines = _block(text, "projections")
    if not lines:
        return None, "no projections in the .win"
    unit, rows = _scaled(lines)
    found: list[tuple[str, Real, str]] = []
    for row in rows:
        parts = [part.strip() for part in row.split(":")]
        if parts[0].lower() == "random" or len(parts) < 2:
            return None, f"the projection {row!r} is no real harmonic on a site"
        if any(_turns(part) for part in parts[2:]):
            return None, f"the projection {row!r} has axes of its own"
        harmonics = _harmonics(re.sub(r"[(\[][ud,\d.\s-]*[)\]]\s*$", "", parts[1]))
        if harmonics is None:
            return None, f"the projection {row!r} is no real harmonic on a site"
        sites = list(_sites(parts[0], unit, cell, atoms))
        if not sites:
            return None, f"the .win has no atom for the projection {row!r}"
        found += [(label, place, name) for label, place in sites for name in harmonics]
    return tuple(found), ""


def _sites(
    where: str, unit: float, cell: Real | None, atoms: list[tuple[str, Real]]
) -> Iterator[tuple[str, Real]]:
    place = re.fullmatch(r"([fc])\s*=(.*)", where, re.IGNORECASE)
    if place is None:
        yield from ((label, r) for label, r in atoms if label.lower() == where.lower())
        return
    numbers = np.array(_numbers(place[2]))
    if numbers.shape != (3,):
        raise ValueError(f"a projection's site has three coordinates: {where}")
    if place[1].lower() == "f":
        yield "", numbers
    elif cell is not None:
        yield "", unit * numbers @ np.linalg.inv(cell)


def _turns(part: str) -> bool:
    """Whether an option of a projection turns its axes away from x, y, z."""
    found = re.fullmatch(r"([xz])\s*=(.*)", part, re.IGNORECASE)
    if found is None:
        return False
    axis = np.array(_numbers(found[2]))
    own = np.eye(3)["xyz".index(found[1].lower())]
    return axis.shape != (3,) or bool(np.abs(np.cross(axis, own)).max() > 1e-6 or axis @ own <= 0)


def _harmonics(states: str) -> list[str] | None:
    """Names in the order of the functions, or None where one of them is no real harmonic."""
    chosen: set[tuple[int, int]] = set()
    for state in states.replace(" ", "").split(";"):
        numbered = re.fullmatch(r"l=(-?\d+)(?:,mr=([\d,]+))?", state, re.IGNORECASE)
        if numbered is not None:
            ell = int(numbered[1])
            if not 0 <= ell <= 3:
                return None
            count = len(BY_MOMENTUM[ell])
            listed = (
                [int(n) for n in numbered[2].split(",") if n]
                if numbered[2]
                else range(1, count + 1)
            )
            if not all(1 <= n <= count for n in listed):
                raise ValueError(f"m_r of l = {ell} runs from 1 to {count}: {state}")
            chosen |= {(ell, n - 1) for n in listed}
            continue
        for name in state.lower().split(","):
            if name in SHELLS:
                chosen |= {(SHELLS[name], n) for n in range(len(BY_MOMENTUM[SHELLS[name]]))}
            elif name in CHARACTERS:
                chosen.add((CHARACTERS[name], BY_MOMENTUM[CHARACTERS[name]].index(name)))
            else:
                return None
    return [BY_MOMENTUM[ell][n] for ell, n in sorted(chosen)]
