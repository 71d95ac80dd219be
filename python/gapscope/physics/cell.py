"""Cells in the plane: their Bravais type, and the standard setting of each.

Standard settings, lengths in units of |a1|: triangular a1 = (1, 0), a2 = (1/2, sqrt3/2); square
a1 = (1, 0), a2 = (0, 1); rectangular a1 = (1, 0), a2 = (0, b/a); centred |a1| = |a2| with a1 + a2
along x; oblique any reduced pair (|a1.a2| at most half of either square). All are right-handed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gapscope.errors import SpecificationError
from gapscope.physics.group.lattice_operations import METRIC, reduced_basis

Matrix = NDArray[np.float64]
SQRT3 = np.sqrt(3)
VECTORS: dict[str, Matrix] = {
    "triangular": np.array([[1.0, 0.0], [0.5, SQRT3 / 2]]),
    "square": np.eye(2),
}
"""The lattices that their constant determines."""
TYPES = (*VECTORS, "rectangular", "centred", "oblique")
NEAR = 0.01
"""Relative distance from a higher symmetry below which a cell is said to be near it."""
UPRIGHT = 1e-4
"""Radian: axes that stand so well along x and y are not turned."""


@dataclass(frozen=True, eq=False)
class StandardCell:
    """A cell in its standard setting, and how it came from the cell that was given.

    Parameters
    ----------
    name : Bravais type, one of TYPES.
    vectors : rows a1, a2 in the unit of the given ones.
    basis : integer M; M times the given rows, turned by ``turn``, are the standard ones.
    turn : angle in radian by which the axes of the plane are turned, counterclockwise.
    given : the rows that were given.
    near : higher Bravais type that the cell misses by less than 1 %, or "".
    """

    name: str
    vectors: Matrix
    basis: NDArray[np.int64]
    turn: float
    given: Matrix
    near: str = ""

    @property
    def unchanged(self) -> bool:
        """Whether the given vectors are the standard ones."""
        return bool((self.basis == np.eye(2)).all()) and self.turn == 0.0


def require_cell(vectors: ArrayLike) -> Matrix:
    """Two vectors of the plane as rows (2, 2).

    Raises
    ------
    SpecificationError : not two finite vectors that span a cell.
    """
    try:
        a = np.asarray(vectors, dtype=np.float64)
    except (TypeError, ValueError):
        a = np.empty(0)
    if a.shape == (2, 2) and np.isfinite(a).all():
        longest = np.linalg.norm(a, axis=1)
        if abs(np.linalg.det(a)) > 1e-3 * longest.prod() > 0:
            return a
    raise SpecificationError(
        "A cell is spanned by two vectors (x, y) that are not parallel.",
        str(vectors),
        "Give two rows in Angstrom, for example [[3.8, 0.0], [0.0, 3.9]].",
    )


def standard_cell(vectors: ArrayLike, *, keep: bool = False) -> StandardCell:
    """The standard setting of a cell; axes that lie along x and y stay there.

    A cell has a symmetry where its metric a_i.a_j has it to METRIC of its largest element; its
    vectors are then made to have it exactly.

    Parameters
    ----------
    vectors : rows a1, a2.
    keep : keep the pair if it is standard but for its orientation, and turn it, rather than choose
        other vectors that need not be turned.

    Raises
    ------
    SpecificationError : see :func:`require_cell`.
    """
    given = require_cell(vectors)
    short = reduced_basis(given)
    name = _type(short @ given, METRIC)
    candidates = [np.eye(2, dtype=np.int64)]
    candidates += [np.array(m).reshape(2, 2) @ short for m in product((1, 0, -1), repeat=4)]
    best: tuple[tuple[float, ...], NDArray[np.int64], float] | None = None
    for order, basis in enumerate(candidates):
        a = basis @ given
        if np.linalg.det(a) <= 0 or abs(round(float(np.linalg.det(basis)))) != 1:
            continue
        if _is_standard(a, name):
            turn = _turn(a, name)
            right = abs(abs(turn) - np.pi / 2) < UPRIGHT
            cost = (
                0.0 if turn == 0 or (keep and order == 0) else 1.0 if right else 2 + abs(turn),
                float(order),
            )
            if best is None or cost < best[0]:
                best = cost, basis, turn
    assert best is not None, "a reduced basis, or one of its neighbours, is a standard one"
    _, basis, turn = best
    c, s = np.cos(turn), np.sin(turn)
    exact = _exact(basis @ given @ np.array([[c, s], [-s, c]]), name)
    near = _type(short @ given, 2 * NEAR)
    return StandardCell(name, exact, basis, turn, given, near if near != name else "")


def _type(short: Matrix, tolerance: float) -> str:
    """Bravais type of a reduced pair."""
    metric = short @ short.T
    one, two, mixed = metric[0, 0], metric[1, 1], abs(metric[0, 1])
    small = tolerance * max(one, two)
    equal, upright, halved = abs(one - two) < small, mixed < small, abs(2 * mixed - one) < small
    if equal and halved:
        return "triangular"
    if equal and upright:
        return "square"
    if upright:
        return "rectangular"
    return "centred" if equal or halved else "oblique"


def _is_standard(a: Matrix, name: str) -> bool:
    one, two, mixed = a[0] @ a[0], a[1] @ a[1], a[0] @ a[1]
    small = 3 * METRIC * max(one, two)
    equal = abs(one - two) < small
    if name == "triangular":
        return bool(equal and abs(2 * mixed - one) < small)
    if name in ("square", "rectangular"):
        return bool(abs(mixed) < small and (equal or name == "rectangular"))
    if name == "centred":
        return bool(equal)
    # Slightly longer than reduced is kept, lest a distorted cell change its vectors.
    return bool(2 * abs(mixed) <= (1 + 2 * NEAR) * min(one, two))


def _turn(a: Matrix, name: str) -> float:
    """Angle by which a pair must be turned to lie in its standard orientation."""
    if name == "oblique":
        return 0.0
    x, y = a[0] + a[1] if name == "centred" else a[0]
    turn = -float(np.arctan2(y, x))
    return 0.0 if abs(turn) < UPRIGHT else turn


def _exact(a: Matrix, name: str) -> Matrix:
    length = float(np.linalg.norm(a[0]))
    if name in VECTORS:
        return length * VECTORS[name]
    if name == "rectangular":
        return np.diag([length, float(np.linalg.norm(a[1]))])
    if name == "centred":
        x, y = np.linalg.norm(a[0] + a[1]) / 2, np.linalg.norm(a[1] - a[0]) / 2
        return np.array([[x, -y], [x, y]])
    return a
