"""Layout of Wannier90's ``seed_hr.dat`` and ``seed_tb.dat``, as it and other programs write them.

Numbers are in free format: words may stand behind the two counts, degeneracies any number to a
line, exponents may be Fortran's (1.0D-03), lines may be blank.
"""

from __future__ import annotations

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
    lines = [line.split() for line in text.splitlines()[1:] if line.strip()]
    is_tb = _has_lattice(lines)
    if is_tb:
        lines = lines[3:]
    orbitals, count = int(lines[0][0]), int(lines[1][0])
    if not (0 < orbitals <= 1000 and 0 < count <= 10**6):
        raise ValueError(f"{orbitals} orbitals on {count} lattice vectors")
    degeneracy: list[float] = []
    rest = iter(lines[2:])
    for words in rest:
        degeneracy += [float(word) for word in words]
        if len(degeneracy) >= count:
            break
    if len(degeneracy) != count or not min(degeneracy) >= 1:
        raise ValueError(f"{len(degeneracy)} degeneracies for {count} vectors")
    size = orbitals**2
    found = _tb_rows(list(rest), count, size) if is_tb else list(rest)
    rows = np.array([[float(_exponent(word)) for word in words] for words in found])
    if rows.shape != (count * size, 7):
        raise ValueError(f"{rows.shape} numbers for {count} vectors and {orbitals} orbitals")
    rows = rows.reshape(count, size, 7)
    vectors = rows[:, 0, :3].astype(np.int64)
    if (rows[..., :3] != vectors[:, None]).any() or len(np.unique(vectors, axis=0)) != count:
        raise ValueError("lines of one lattice vector do not stand together, once")
    i, j = rows[..., 3].astype(int) - 1, rows[..., 4].astype(int) - 1
    elements = np.full((count, orbitals, orbitals), np.nan, dtype=np.complex128)
    if min(i.min(), j.min()) < 0:
        raise ValueError("orbitals are counted from 1")
    elements[np.arange(count)[:, None], i, j] = rows[..., 5] + 1j * rows[..., 6]
    if np.isnan(elements).any():
        raise ValueError("an element is missing, stands twice, or is no number")
    return vectors, np.array(degeneracy), elements


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
