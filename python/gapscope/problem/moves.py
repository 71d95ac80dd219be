"""What the crystal's symmetry does to a map and to the numbers that it is read as.

A map moved by g, f(r) -> f(g^-1 r), is the map of the state whose coefficients are turned by the
irrep's matrices, c -> D(g) c, around an impurity whose moment is turned as an axial vector,
J -> det(g) g J. Time reversal changes no map: c -> c^* and J -> -J is the same one, so that each g
may come with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gapscope.problem.coefficients import angles_of, coefficients
from gapscope.problem.draft import direction, moment_along

Values = dict[str, float]
MOMENT = ("moment", "moment_polar", "moment_azimuth")
ALONG_Z = "moment_z"
"""The moment of an impurity whose moment lies along z, with its sign."""


@dataclass(frozen=True)
class Move:
    """An operation with what it does to each class.

    Parameters
    ----------
    lattice : W, rows of integers: the site (r1, r2) goes to W r; by default it stays.
    spin : rows of the matrix on (Jx, Jy, Jz).
    conjugate : whether time reversal comes with it.
    partners : matrix D(g) on the two partners, by class; none for classes of one partner.
    """

    lattice: tuple[tuple[int, int], tuple[int, int]] = ((1, 0), (0, 1))
    spin: tuple[tuple[float, float, float], ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    conjugate: bool = False
    partners: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = field(
        default_factory=dict
    )

    @property
    def matrix(self) -> NDArray[np.int64]:
        """W."""
        return np.array(self.lattice, dtype=np.int64)

    @property
    def inverse(self) -> Move:
        """The operation that undoes it."""
        (a, b), (c, d) = self.lattice
        sign = a * d - b * c
        turned = {k: ((e, g), (f, h)) for k, ((e, f), (g, h)) in self.partners.items()}
        x, y, z = zip(*self.spin, strict=True)
        return replace(
            self,
            lattice=((sign * d, -sign * b), (-sign * c, sign * a)),
            spin=(x, y, z),
            partners=turned,
        )

    def angles(self, label: str, angles: Values, functions: int) -> Values:
        """A class's angles after the move; all that its state needs are given."""
        turn = np.array(self.partners.get(label, ((1.0,),)))
        state = coefficients(angles, functions, len(turn)) @ turn.T
        return angles_of(state.conj() if self.conjugate else state)

    @property
    def along_z(self) -> float:
        """What a moment along z is multiplied by; of size one where it stays along z."""
        return -self.spin[2][2] if self.conjugate else self.spin[2][2]

    def moment(self, size: float, polar: float, azimuth: float) -> Values:
        """Size and angles of a moment after the move."""
        turned = np.array(self.spin) @ np.array(moment_along(size, polar, azimuth))
        turned = np.where(np.abs(turned) < 1e-12 * max(size, 1e-300), 0.0, turned)
        turned = -turned if self.conjugate else turned
        return dict(zip(MOMENT, direction((*turned.tolist(),)), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """All content for JSON."""
        return {
            "lattice": [list(row) for row in self.lattice],
            "spin": [list(row) for row in self.spin],
            "conjugate": self.conjugate,
            "partners": {k: [list(row) for row in v] for k, v in self.partners.items()},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_dict`."""
        (a, b), (c, d) = content["lattice"]
        partners = {}
        for label, ((e, f), (g, h)) in content["partners"].items():
            partners[label] = ((float(e), float(f)), (float(g), float(h)))
        x, y, z = ((float(p), float(q), float(r)) for p, q, r in content["spin"])
        return cls(
            ((int(a), int(b)), (int(c), int(d))), (x, y, z), bool(content["conjugate"]), partners
        )
