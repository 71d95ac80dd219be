"""Projections of a ``.win``: the real harmonics that Wannier functions start from.

Layout and order after Wannier90's user guide: of each line the sites come first, then l, then m_r,
in rising order whatever order they are written in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from gapscope.physics.orbitals import CHARACTERS, rotation

Real = NDArray[np.float64]
Harmonics = list[tuple[int, int]]
BOHR = 0.529177210903
"""Angstrom."""
NUMBER = r"[-+]?\d*\.?\d+(?:[eEdD][-+]?\d+)?"
SHELLS = {"s": 0, "p": 1, "d": 2, "f": 3}
BY_MOMENTUM = [[name for name, ell in CHARACTERS.items() if ell == n] for n in range(4)]
SMALL = 1e-6
SPINS = re.compile(r"[(\[][ud,\d.\s+-]*[)\]]\s*$")
"""The spins of a projection, (u,d), and their axis, [0,0,1]."""


@dataclass(frozen=True, eq=False)
class Projections:
    """Real harmonics without spin, in the axes x, y, z.

    Parameters
    ----------
    harmonics : (label, reduced position (3,), name) of each; None where they are not known.
    turn : (n, n) orthogonal; the file's function j is the sum over i of turn_ij harmonic_i.
    unclear : why there are none, in words.
    """

    harmonics: tuple[tuple[str, Real, str], ...] | None = None
    turn: Real = field(default_factory=lambda: np.zeros((0, 0)))
    unclear: str = ""

    @property
    def turned(self) -> bool:
        """Whether functions have axes of their own."""
        return bool(np.abs(self.turn - np.eye(len(self.turn))).max(initial=0.0) > SMALL)


def read_projections(
    lines: list[str] | None, cell: Real | None, atoms: Sequence[tuple[str, Real]]
) -> Projections:
    """The harmonics of a block of projections.

    Where a line has axes of its own (``z=``, ``x=``) its functions are written in those of the
    crystal, if they span as many real harmonics there; all of one l do, and so does every set that
    the axes only rename.

    Raises
    ------
    ValueError : a line that is not as in the user guide.
    """
    if not lines:
        return Projections(unclear="no projections in the .win")
    unit, rows = scaled(lines)
    found: list[tuple[str, Real, str]] = []
    turns: list[Real] = []
    for row in rows:
        parts = [part.strip() for part in row.split(":")]
        if parts[0].lower() == "random" or len(parts) < 2:
            return Projections(unclear=f"the projection {row!r} is no real harmonic on a site")
        if not _both_spins_along_z(row):
            return Projections(unclear=f"the projection {row!r} is not of both spins along z")
        axes = _axes([SPINS.sub("", part) for part in parts[2:]])
        chosen = _harmonics(_without_spin(parts[1]))
        if chosen is None:
            return Projections(unclear=f"the projection {row!r} is no real harmonic on a site")
        written = None if axes is None else _in_crystal_axes(chosen, axes)
        if written is None:
            what = "has axes that make it a sum of more real harmonics than it has functions"
            if axes is None:
                what = "has axes x and z that are not at right angles"
            return Projections(unclear=f"the projection {row!r} {what}")
        names, turn = written
        sites = list(_sites(parts[0], unit, cell, atoms))
        if not sites:
            return Projections(unclear=f"the .win has no atom for the projection {row!r}")
        found += [(label, place, name) for label, place in sites for name in names]
        turns += [turn] * len(sites)
    return Projections(tuple(found), block_diag(*turns))


def scaled(lines: list[str]) -> tuple[float, list[str]]:
    """Angstrom per unit of a block, and its lines without the one that names the unit."""
    unit = lines[0].lower() if lines else ""
    if unit in ("bohr", "ang", "angstrom"):
        return (BOHR if unit == "bohr" else 1.0), lines[1:]
    return 1.0, lines


def numbers_in(text: str) -> list[float]:
    """The numbers of a text, also as Fortran writes them (1.0d0)."""
    return [float(re.sub("[dD]", "e", n)) for n in re.findall(NUMBER, text)]


def _sites(
    where: str, unit: float, cell: Real | None, atoms: Sequence[tuple[str, Real]]
) -> Iterator[tuple[str, Real]]:
    place = re.fullmatch(r"([fc])\s*=(.*)", where, re.IGNORECASE)
    if place is None:
        yield from ((label, r) for label, r in atoms if label.lower() == where.lower())
        return
    numbers = np.array(numbers_in(place[2]))
    if numbers.shape != (3,):
        raise ValueError(f"a projection's site has three coordinates: {where}")
    if place[1].lower() == "f":
        yield "", numbers
    elif cell is not None:
        yield "", unit * numbers @ np.linalg.inv(cell)


def _without_spin(states: str) -> str:
    while SPINS.search(states):
        states = SPINS.sub("", states)
    return states


def _both_spins_along_z(row: str) -> bool:
    """Whether a projection is of both spins, along z, as it is where it says nothing.

    Raises
    ------
    ValueError : a spin axis that is not three numbers.
    """
    spins = re.search(r"\(\s*([ud])\s*\)", row, re.IGNORECASE)
    axis = re.search(r"\[([^\]]*)\]", row)
    if spins is not None or axis is None:
        return spins is None
    numbers = numbers_in(axis[1])
    if len(numbers) != 3:
        raise ValueError(f"a spin axis has three components: {row}")
    return not any(numbers[:2]) and numbers[2] > 0


def _axes(options: Sequence[str]) -> Real | None:
    """Columns x, y, z of a projection's own axes; None where x and z are not at right angles.

    Raises
    ------
    ValueError : an axis that is not three numbers, or zero.
    """
    own = {"x": np.array([1.0, 0, 0]), "z": np.array([0.0, 0, 1])}
    for option in options:
        found = re.fullmatch(r"([xz])(?:axis)?\s*=(.*)", option.strip(), re.IGNORECASE)
        if found is not None:
            axis = np.array(numbers_in(found[2]))
            if axis.shape != (3,) or not np.linalg.norm(axis) > 0:
                raise ValueError(f"an axis has three components: {option}")
            own[found[1].lower()] = axis / np.linalg.norm(axis)
    if abs(own["x"] @ own["z"]) > SMALL:
        return None
    return np.column_stack([own["x"], np.cross(own["z"], own["x"]), own["z"]])


def _in_crystal_axes(chosen: Harmonics, axes: Real) -> tuple[list[str], Real] | None:
    """Names of the harmonics in the crystal's axes, and the functions in terms of them.

    None where the functions span more harmonics than there are functions.
    """
    names: list[str] = []
    turns: list[Real] = []
    for ell in sorted({ell for ell, _ in chosen}):
        columns = [m for one, m in chosen if one == ell]
        whole = rotation(BY_MOMENTUM[ell], axes)[:, columns]
        rows = np.flatnonzero(np.abs(whole).max(axis=1) > SMALL)
        if len(rows) != len(columns):
            return None
        names += [BY_MOMENTUM[ell][row] for row in rows]
        turns.append(np.where(np.abs(whole[rows]) > SMALL, whole[rows], 0.0))
    return names, block_diag(*turns)


def _harmonics(states: str) -> Harmonics | None:
    """l and m_r - 1 in the order of the functions; None where one is no real harmonic."""
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
    return sorted(chosen)
