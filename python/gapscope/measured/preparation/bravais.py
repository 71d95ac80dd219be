"""What the search for a lattice takes from its point group: Bragg peaks, turns, superlattices.

Integer matrices on (r1, r2), as in :mod:`gapscope.physics.lattice`; reduced momenta m of q = m1 b1
+ m2 b2 move as m -> g^-T m, so that q.r stays what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.group.lattice_operations import reduced_basis
from gapscope.physics.lattice import Lattice

Whole = NDArray[np.int64]
Matrix = tuple[tuple[int, int], tuple[int, int]]

LARGEST = 64
"""Cells of the largest superlattice: 8 x 8."""
LARGEST_LOW = 16
"""The same on lattices that only a turn by 180 degrees maps onto themselves: any cell may be the
superlattice's there, and there are ten times as many."""


@dataclass(frozen=True, eq=False)
class Bravais:
    """A lattice's rotations and what follows from them.

    Attributes
    ----------
    turn : (2, 2), the smallest rotation of the lattice, counterclockwise; it generates all others.
    order : number of rotations: 6, 4 or 2.
    bragg : (k, 2), reduced momenta of the peaks that are looked for, of q, -q one: the stars of b1
        and b2. Where there are three they add up to zero.
    stars : (k,), number of each peak's star; peaks of one star are alike.
    shortest : (k, 2), lattice vectors: a1, a2 and those that operations make of them.
    superlattices : (s, 2, 2), rows A1, A2 in units of a1, a2, of those with the lattice's
        rotations; where a rotation by less than 180 degrees takes A1 to A2, that is ``turn``.
    cells : (s,), cells in the superlattice's cell.
    turned : (s,), whether A1, A2 are no multiples of a1, a2.
    two_hands : (s,), whether a mirror of the lattice makes another superlattice of it.
    """

    turn: Whole
    order: int
    bragg: Whole
    stars: Whole
    shortest: Whole
    superlattices: Whole
    cells: Whole
    turned: NDArray[np.bool_]
    two_hands: NDArray[np.bool_]

    @property
    def turned_momenta(self) -> Whole:
        """Rows: what the turn makes of b1 and b2, in units of these."""
        return inverse(self.turn)

    def labels(self, turns: int) -> Whole:
        """(2, 2), rows b1', b2' in units of b1, b2 after so many turns of the labels."""
        return np.asarray(np.linalg.matrix_power(self.turned_momenta, turns % self.order))


@cache
def bravais(lattice: Lattice) -> Bravais:
    """What the search needs to know of a lattice."""
    proper = [g for g in lattice.operations if round(float(np.linalg.det(g))) == 1]
    half = -np.eye(2, dtype=np.int64)
    turn = next((g for g in proper if g[:, 0].tolist() == [0, 1]), half)
    # Reduced momenta, as columns, move by g^-T.
    bragg, stars = _stars([inverse(g).T for g in lattice.operations])
    if len(bragg) == 3 and not (bragg[0] + bragg[1] + bragg[2] == 0).all():
        bragg[2] *= -1
    superlattices = _square(turn) if len(proper) > 2 else sublattices(lattice.vectors, LARGEST_LOW)
    # Those that a mirror moves onto others are known by rows that are no whole combinations.
    mirrors = [g for g in lattice.operations if round(float(np.linalg.det(g))) == -1]
    two_hands = np.zeros(len(superlattices), dtype=np.bool_)
    for g in mirrors:
        t = superlattices @ g.T @ np.linalg.inv(superlattices)
        two_hands |= (np.abs(t - np.rint(t)) > 1e-6).any(axis=(-2, -1))
    return Bravais(
        turn,
        len(proper),
        bragg,
        stars,
        _stars(list(lattice.operations))[0],
        superlattices,
        _determinant(superlattices),
        (superlattices[:, 0, 1] != 0) | (superlattices[:, 1, 0] != 0),
        two_hands,
    )


def inverse(g: Whole) -> Whole:
    """Inverse of an integer matrix of determinant 1 or -1."""
    return np.rint(np.linalg.inv(g)).astype(np.int64)


def sublattices(vectors: NDArray[np.float64], largest: int) -> Whole:
    """(s, 2, 2), rows of integers: the shortest vectors of all sublattices up to a number of cells.

    Parameters
    ----------
    vectors : rows that the integers count, right-handed.
    """
    found = []
    for cells in range(1, largest + 1):
        for d in range(1, cells + 1):
            if cells % d:
                continue
            for b in range(d):
                # Hermite normal form: every sublattice once.
                rows = np.array([[cells // d, b], [0, d]])
                found.append(_like_unity(reduced_basis(rows @ vectors) @ rows))
    return np.array(found)


def _like_unity(rows: Whole) -> Whole:
    """The same two vectors, up to sign and order: right-handed, nearest to multiples of a1, a2."""
    if abs(rows[0, 0]) + abs(rows[1, 1]) < abs(rows[0, 1]) + abs(rows[1, 0]):
        rows = rows[::-1]
    if rows[0, 0] < 0:
        rows = rows * np.array([[-1], [1]])
    if rows[0, 0] * rows[1, 1] < rows[0, 1] * rows[1, 0]:
        rows = rows * np.array([[1], [-1]])
    return rows


def _stars(operations: list[Whole]) -> tuple[Whole, Whole]:
    """(k, 2): (1, 0) and (0, 1), then their images, of v and -v one; and the star of each."""
    found, stars = [np.array([1, 0])], [0]
    second = np.array([0, 1])
    images = [g @ found[0] for g in operations]
    alike = any(_same(second, image) for image in images)
    found.append(second)
    stars.append(0 if alike else 1)
    for star, first in enumerate(found[:2]):
        for image in (g @ first for g in operations):
            if not any(_same(image, one) for one in found):
                found.append(image)
                stars.append(0 if alike else star)
    return np.array(found), np.array(stars)


def _same(one: Whole, other: Whole) -> bool:
    return bool((one == other).all() or (one == -other).all())


def _square(turn: Whole) -> Whole:
    """Superlattices A1 = m a1 + n a2, A2 = A1 turned like a1 to a2: m >= 1, n >= 0 is one of
    each."""
    pairs = np.array(list(product(range(1, LARGEST + 1), range(LARGEST))))
    rows = np.stack([pairs, pairs @ turn.T], axis=1)
    cells = _determinant(rows)
    order = np.lexsort((pairs[:, 1], pairs[:, 0], cells))
    return rows[order[cells[order] <= LARGEST]]


def _determinant(rows: Whole) -> Whole:
    return np.asarray(rows[:, 0, 0] * rows[:, 1, 1] - rows[:, 0, 1] * rows[:, 1, 0])


TRIANGULAR = bravais(Lattice("triangular", 1.0))


def as_matrix(rows: Whole) -> Matrix:
    """A superlattice as a value: ((1, 0), (0, 1)) is none."""
    (a, b), (c, d) = rows.tolist()
    return (a, b), (c, d)
