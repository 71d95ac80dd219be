"""Layout of Wannier90's ``seed_hr.dat`` and ``seed_tb.dat``, as it and other programs write them.

Numbers are in free format: words may stand behind the two counts, degeneracies any number to a
line, exponents may be Fortran's (1.0D-03), lines may be blank or comments (! or #). A sparse file
leaves out elements that are zero.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

HamiltonianText = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.complex128]]
"""Vectors (n, 3), degeneracies (n,), H(R) in eV (n, orbitals, orbitals)."""


def read_hamiltonian_text(text: str) -> HamiltonianText:
    """Content of a ``_hr.dat``, or of a ``_tb.dat``, whose lattice vectors stand before the counts.

    Raises
    ------
    ValueError, IndexError : the text has another layout.
    """
    plain = (re.sub(r"[!#].*", "", line) for line in text.splitlines()[1:])
    lines = [line.split() for line in plain if line.strip()]
    is_tb = _has_lattice(lines)
    if is_tb:
        lines = lines[3:]
    try:
        return _content(lines, is_tb)
    except (ValueError, IndexError):
        # A sparse file of WannierTools counts its lines first.
        if not is_tb and _is_counted(lines):
            return _content(lines[1:], False)
        if not _is_on_one_line(lines):
            raise
    counts = lines[0]
    return _content([counts[:1], counts[1:], *lines[1:]], is_tb)


def lattice_of_tb(text: str) -> NDArray[np.float64] | None:
    """Rows a1, a2, a3 in Angstrom of a ``_tb.dat``, or None for a ``_hr.dat``."""
    lines = [line.split() for line in text.splitlines()[1:5] if line.strip()]
    if not _has_lattice(lines):
        return None
    return np.array([[float(_exponent(word)) for word in words] for words in lines[:3]])


def _content(lines: list[list[str]], is_tb: bool) -> HamiltonianText:
    orbitals, count = int(lines[0][0]), int(lines[1][0])
    if not (0 < orbitals <= 1000 and 0 < count <= 10**6):
        raise ValueError(f"{orbitals} orbitals on {count} lattice vectors")
    degeneracy: list[float] = []
    rest = iter(lines[2:])
    for words in rest:
        degeneracy += [float(word) for word in words]
        if len(degeneracy) >= count:
            break
    if len(degeneracy) != count:
        raise ValueError(f"{len(degeneracy)} degeneracies for {count} vectors")
    if wrong := [one for one in degeneracy if not (one >= 1 and one % 1 == 0)]:
        raise ValueError(f"a degeneracy is a whole number from 1, and not {wrong[0]:g}")
    size = orbitals**2
    found = _tb_rows(list(rest), count, size) if is_tb else list(rest)
    rows = np.array([[float(_exponent(word)) for word in words] for words in found])
    if rows.ndim != 2 or rows.shape[1] != 7 or len(rows) > count * size:
        raise ValueError(f"{rows.shape} numbers for {count} vectors and {orbitals} orbitals")
    return _elements(rows, np.array(degeneracy), orbitals)


def _elements(
    rows: NDArray[np.float64], degeneracy: NDArray[np.float64], orbitals: int
) -> HamiltonianText:
    """H(R) from lines R1 R2 R3 i j Re Im; what a sparse file leaves out is zero."""
    labels = rows[:, :5].astype(np.int64)
    if (labels != rows[:, :5]).any() or np.isnan(rows).any():
        raise ValueError("a line is no vector, two orbitals and a complex number")
    if labels[:, 3:].min() < 1 or labels[:, 3:].max() > orbitals:
        raise ValueError(f"orbitals are counted from 1 to {orbitals}")
    if len(np.unique(labels, axis=0)) != len(labels):
        raise ValueError("an element stands twice")
    vectors, first, which = np.unique(labels[:, :3], axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.argsort(order)[which.reshape(-1)]
    vectors = vectors[order]
    count = len(degeneracy)
    if len(vectors) != count:
        if len(vectors) > count or (degeneracy != 1).any():
            raise ValueError(f"{len(vectors)} vectors with {count} degeneracies")
        degeneracy = degeneracy[: len(vectors)]
    elements = np.zeros((len(vectors), orbitals, orbitals), dtype=np.complex128)
    i, j = labels[:, 3] - 1, labels[:, 4] - 1
    elements[place, i, j] = rows[:, 5] + 1j * rows[:, 6]
    if len(rows) < count * orbitals**2:
        # A file that was cut off lacks elements whose partners, H_ji(-R), it holds.
        listed = {tuple(label) for label in labels[elements[place, i, j] != 0].tolist()}
        if any((-a, -b, -c, n, m) not in listed for a, b, c, m, n in listed):
            raise ValueError("an element is missing whose partner H_ji(-R) is not zero")
    return vectors, degeneracy, elements


def _is_counted(lines: list[list[str]]) -> bool:
    """Whether a number of lines stands first, that of the lines of elements at the end."""
    if len(lines) < 4 or not (lines[0][0].isdigit() and lines[2][0].isdigit()):
        return False
    count, vectors = int(lines[0][0]), int(lines[2][0])
    rows, between = lines[-count:] if count else [], lines[3 : len(lines) - count]
    whole = all(len(words) == 7 for words in rows) and len(rows) == count
    return whole and sum(map(len, between)) == vectors


def _is_on_one_line(lines: list[list[str]]) -> bool:
    """Whether both counts stand on the first line."""
    return bool(lines) and len(lines[0]) == 2 and all(word.isdigit() for word in lines[0])


def _exponent(word: str) -> str:
    return word.replace("D", "E").replace("d", "e")


def _has_lattice(lines: list[list[str]]) -> bool:
    """Three lines of three numbers each, which only a ``_tb.dat`` begins with."""
    try:
        return all(len([float(_exponent(w)) for w in words]) == 3 for words in lines[:3])
    except ValueError:
        return False


def _tb_rows(lines: list[list[str]], count: int, size: int) -> list[list[str]]:
    """Lines of H(R) as a ``_hr.dat`` has them; the positions that follow are left out."""
    rows = []
    for block in range(count):
        start = block * (size + 1)
        rows += [lines[start] + words for words in lines[start + 1 : start + 1 + size]]
    return rows
