"""Bravais lattices in the plane: vectors, windows of sites, Cartesian momenta.

Sites r = r1 a1 + r2 a2, momenta k = m1 b1 + m2 b2 with a_i . b_j = 2 pi delta_ij; lengths in units
of the lattice constant a. The triangular lattice uses a1 = (1, 0), a2 = (1/2, sqrt3/2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gapscope.errors import NumericsError, SpecificationError

LatticeName = Literal["triangular", "square"]
VECTORS: dict[str, NDArray[np.float64]] = {
    "triangular": np.array([[1.0, 0.0], [0.5, np.sqrt(3) / 2]]),
    "square": np.eye(2),
}


@dataclass(frozen=True)
class Lattice:
    """A named lattice and its constant in Angstrom.

    Raises
    ------
    SpecificationError : unknown name, or a constant that is not a positive number.
    """

    name: str
    constant: float

    def __post_init__(self) -> None:
        if self.name not in VECTORS:
            raise SpecificationError(
                f"A lattice is one of {', '.join(VECTORS)}.", self.name, "Choose one of them."
            )
        if not (np.isfinite(self.constant) and self.constant > 0):
            raise SpecificationError(
                "The lattice constant is a positive length in Angstrom.",
                self.constant,
                "Give it in Angstrom, for example 3.44.",
            )

    @property
    def vectors(self) -> NDArray[np.float64]:
        """Rows a1, a2 in units of the lattice constant."""
        return VECTORS[self.name]

    @property
    def reciprocal(self) -> NDArray[np.float64]:
        """Rows b1, b2 in units of 1/a."""
        return np.asarray(2 * np.pi * np.linalg.inv(self.vectors).T)

    def momentum(self, reduced: ArrayLike) -> NDArray[np.float64]:
        """Cartesian momenta (..., 2) in 1/a from reduced ones."""
        return np.asarray(reduced, dtype=np.float64) @ self.reciprocal

    def reduced(self, momentum: ArrayLike) -> NDArray[np.float64]:
        """Reduced momenta (..., 2) from Cartesian ones in 1/a."""
        return np.asarray(momentum, dtype=np.float64) @ self.vectors.T / (2 * np.pi)


def require_triangular(lattice: Lattice, what: str) -> None:
    """The one check of all that knows the triangular lattice alone, before it does anything.

    Parameters
    ----------
    what : who knows no other lattice, as the subject of a sentence, singular.

    Raises
    ------
    SpecificationError : another lattice.
    """
    if lattice.name != "triangular":
        raise SpecificationError(
            f"{what} knows the triangular lattice alone.",
            f"a {lattice.name} lattice of {lattice.constant:g} Angstrom",
            "Use a material with a triangular lattice; maps on other lattices can be simulated"
            " with a gap given by its bonds (Pairing.from_bonds), and that is all so far.",
        )


def check_window(size: int) -> None:
    """Raise NumericsError unless a window has an even number of sites per side, at least 2."""
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 2 or size % 2:
        raise NumericsError(
            "A window has an even number of sites per side (r runs from -L/2 to L/2 - 1).",
            size,
            "Use an even window, for example 64 or 128.",
        )


def window_coordinates(size: int) -> NDArray[np.int64]:
    """Integer coordinates -L/2 .. L/2 - 1 of a window of L sites."""
    check_window(size)
    return np.arange(-(size // 2), size // 2)


def symmetric_window(lattice: str, size: int) -> NDArray[np.bool_]:
    """Mask (L, L) of the sites that the lattice's point group maps onto themselves.

    Triangular: the open hexagon |r1|, |r2|, |r1 + r2| < L/2. Square: |r1|, |r2| < L/2. On the full
    rhombus the rules of symmetry fail by 30-40 % in rho(q).
    """
    r = window_coordinates(size)
    r1, r2 = r[:, None], r[None, :]
    half = size // 2
    mask = (np.abs(r1) < half) & (np.abs(r2) < half)
    if lattice == "triangular":
        mask &= np.abs(r1 + r2) < half
    return np.asarray(mask)
