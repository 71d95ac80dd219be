"""Bravais lattices in the plane: vectors, windows of sites, Cartesian momenta.

Sites r = r1 a1 + r2 a2, momenta k = m1 b1 + m2 b2 with a_i . b_j = 2 pi delta_ij; lengths in units
of the lattice constant a. The triangular lattice uses a1 = (1, 0), a2 = (1/2, sqrt3/2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import Voronoi

from gapscope.errors import NumericsError, SpecificationError
from gapscope.physics.cell import VECTORS, StandardCell, standard_cell
from gapscope.physics.group.lattice_operations import lattice_operations, reduced_basis
from gapscope.physics.kinds import is_number

EDGE = 1e-6
"""Lattice constants by which a position may pass the window's last sites: rounding."""
Cell = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Lattice:
    """A lattice in its standard setting (:mod:`gapscope.physics.cell`), lengths in Angstrom.

    The triangular and the square one are given by name, ``Lattice("triangular", 3.44)``; any other
    by :meth:`from_cell` or :meth:`from_vectors`, which find the name.

    Parameters
    ----------
    name : triangular, square, rectangular, centred or oblique.
    constant : |a1| in Angstrom.
    cell : rows a1, a2 in units of the constant, for what the name alone does not determine.

    Raises
    ------
    SpecificationError : unknown name, a constant that is not a positive number, or a cell that is
        not the standard one of the name.
    """

    name: str
    constant: float
    cell: Cell | None = None

    def __post_init__(self) -> None:
        if not (is_number(self.constant) and self.constant > 0):
            raise SpecificationError(
                "The lattice constant is a positive length in Angstrom.",
                self.constant,
                "Give it in Angstrom, for example 3.44.",
            )
        if self.cell is None:
            if not isinstance(self.name, str) or self.name not in VECTORS:
                raise SpecificationError(
                    f"A lattice is one of {', '.join(VECTORS)} where it is given by its name.",
                    self.name,
                    "Choose one of them, or use Lattice.from_cell(a, b, angle).",
                )
            return
        found = standard_cell(self.cell)
        if found.name != self.name or not found.unchanged:
            raise SpecificationError(
                f"The vectors of a {self.name} lattice are those of its standard setting.",
                f"{self.cell}, a {found.name} cell",
                "Use Lattice.from_cell or Lattice.from_vectors, which find the name.",
            )

    @classmethod
    def from_vectors(cls, vectors: ArrayLike) -> Lattice:
        """The lattice of two vectors (rows, in Angstrom), in which sites and bonds are counted.

        Raises
        ------
        SpecificationError : vectors that do not span a cell, or another setting than the standard
            one: sites and bonds would have to change with it, see
            :class:`gapscope.physics.setting.Setting`.
        """
        return _unchanged(standard_cell(vectors))

    @classmethod
    def from_cell(cls, a: float, b: float, angle: float) -> Lattice:
        """The lattice with |a1| = a and |a2| = b in Angstrom, and an angle in degrees between.

        a1 lies along x; a1 + a2 does where a = b and the lattice is centred.

        Raises
        ------
        SpecificationError : see :meth:`from_vectors`.
        """
        found = standard_cell(cell_vectors(a, b, angle), keep=True)
        return _unchanged(replace(found, turn=0.0))

    @classmethod
    def standard(cls, cell: StandardCell) -> Lattice:
        """The lattice of a cell in its standard setting, with vectors in Angstrom."""
        constant = float(np.linalg.norm(cell.vectors[0]))
        if cell.name in VECTORS:
            return cls(cell.name, constant)
        (x1, y1), (x2, y2) = (cell.vectors / constant).tolist()
        return cls(cell.name, constant, ((x1, y1), (x2, y2)))

    @property
    def vectors(self) -> NDArray[np.float64]:
        """Rows a1, a2 in units of the lattice constant."""
        return VECTORS[self.name] if self.cell is None else np.array(self.cell)

    @property
    def reciprocal(self) -> NDArray[np.float64]:
        """Rows b1, b2 in units of 1/a."""
        return np.asarray(2 * np.pi * np.linalg.inv(self.vectors).T)

    @property
    def operations(self) -> tuple[NDArray[np.int64], ...]:
        """Integer matrices on (r1, r2) of the lattice's own point group, the identity first."""
        return _operations(self)

    @property
    def brillouin_zone(self) -> NDArray[np.float64]:
        """Corners (n, 2) of the first Brillouin zone in 1/a, counterclockwise."""
        b = self.reciprocal
        b = reduced_basis(b) @ b
        around = np.stack(np.meshgrid(*2 * [np.arange(-2, 3)]), axis=-1).reshape(-1, 2)
        diagram = Voronoi(around @ b)
        origin = int(np.flatnonzero((around == 0).all(axis=1))[0])
        corners = diagram.vertices[diagram.regions[diagram.point_region[origin]]]
        return np.asarray(corners[np.argsort(np.arctan2(corners[:, 1], corners[:, 0]))])

    def momentum(self, reduced: ArrayLike) -> NDArray[np.float64]:
        """Cartesian momenta (..., 2) in 1/a from reduced ones."""
        return np.asarray(reduced, dtype=np.float64) @ self.reciprocal

    def reduced(self, momentum: ArrayLike) -> NDArray[np.float64]:
        """Reduced momenta (..., 2) from Cartesian ones in 1/a."""
        return np.asarray(momentum, dtype=np.float64) @ self.vectors.T / (2 * np.pi)

    def is_alike(self, other: Lattice, within: float = 1e-6) -> bool:
        """Whether another lattice is of one kind and of one shape, whatever their constants.

        Parameters
        ----------
        within : difference of the vectors, over the constants.
        """
        apart = np.abs(self.vectors - other.vectors).max()
        return self.name == other.name and bool(apart <= within)

    def to_dict(self) -> dict[str, Any]:
        """Name, constant and, where the name does not determine them, vectors, for JSON."""
        content: dict[str, Any] = {"lattice": self.name, "lattice_constant": self.constant}
        if self.cell is not None:
            content["lattice_vectors"] = [x for row in self.cell for x in row]
        return content

    @classmethod
    def from_dict(cls, content: Mapping[Any, Any]) -> Lattice:
        """The lattice from what :meth:`to_dict` wrote among other things, such as a map's attrs.

        Raises
        ------
        SpecificationError : no lattice.
        """
        name, constant = str(content["lattice"]), float(content["lattice_constant"])
        if "lattice_vectors" not in content:
            return cls(name, constant)
        x1, y1, x2, y2 = (float(x) for x in content["lattice_vectors"])
        return cls(name, constant, ((x1, y1), (x2, y2)))


def cell_vectors(a: float, b: float, angle: float) -> NDArray[np.float64]:
    """Rows of a cell from two lengths and an angle in degrees, a1 along x.

    Raises
    ------
    SpecificationError : lengths that are not positive, or an angle outside 0 to 180 degrees.
    """
    if not (all(map(is_number, (a, b, angle))) and a > 0 and b > 0 and 0 < angle < 180):
        raise SpecificationError(
            "A cell has two positive lengths, and an angle between 0 and 180 degrees.",
            f"a = {a}, b = {b}, angle = {angle}",
            "Give lengths in Angstrom and the angle in degrees.",
        )
    turned = np.deg2rad(angle)
    return np.array([[a, 0.0], [b * np.cos(turned), b * np.sin(turned)]])


def _unchanged(found: StandardCell) -> Lattice:
    if found.unchanged:
        return Lattice.standard(found)
    rows, given = (
        "; ".join(f"{x:.6g}, {y:.6g}" for x, y in vectors)
        for vectors in (found.vectors, found.given)
    )
    turned = f", turned by {np.rad2deg(-found.turn):.6g} degrees" if found.turn else ""
    raise SpecificationError(
        f"The {found.name} lattice is given by its standard vectors, here ({rows}) Angstrom.",
        f"({given}), which is M^-1 times these, M = {found.basis.tolist()}{turned}",
        "Give the standard vectors, and count sites and bonds in them: R M^-1 where R was before."
        " In a material file the cell may be any.",
    )


@cache
def _operations(lattice: Lattice) -> tuple[NDArray[np.int64], ...]:
    operations = tuple(lattice_operations(lattice.vectors))
    for operation in operations:
        operation.flags.writeable = False
    return operations


def named(lattice: Lattice | str) -> Lattice:
    """A lattice, or the one of a name; its constant does not matter where a name is enough."""
    return lattice if isinstance(lattice, Lattice) else Lattice(lattice, 1.0)


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
            "Name gaps of another lattice by its own irreps, Pairing.of(material, irrep, gap), and"
            " a dataset's classes by a recipe of schema 2 (gapscope dataset recipe MATERIAL).",
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


def symmetric_window(
    lattice: Lattice | str,
    size: int,
    place: tuple[float, float] = (0.0, 0.0),
    reach: float = 0.0,
) -> NDArray[np.bool_]:
    """Mask (L, L) of the sites whose images under the lattice's point group are all in the window.

    That is |r1|, |r2| < L/2 for every image; on the triangular lattice the open hexagon |r1|, |r2|,
    |r1 + r2| < L/2. On the full rhombus the rules of symmetry fail by 30-40 % in rho(q). For an
    atom on another ``place`` of the cell (reduced) its own positions r + place count, and they stay
    below L/2 - ``reach``, the largest coordinate of an atom's place, so that the window holds the
    images on all atoms.
    """
    check_window(size)
    return _symmetric_window(named(lattice), int(size), tuple(place), reach).copy()


@lru_cache(maxsize=8)
def _symmetric_window(
    lattice: Lattice, size: int, place: tuple[float, float], reach: float
) -> NDArray[np.bool_]:
    """The mask, kept: every image of a map asks for it."""
    r = window_coordinates(size)
    sites = np.stack(np.meshgrid(r + place[0], r + place[1], indexing="ij"))
    mask = np.ones((size, size), dtype=np.bool_)
    for operation in lattice.operations:
        images = np.tensordot(operation, sites, axes=1)
        mask &= (np.abs(images) < size // 2 - 1 - reach + EDGE).all(axis=0)
    return mask
