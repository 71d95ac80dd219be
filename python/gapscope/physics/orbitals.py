"""Orbitals: where they sit in the cell, and which real harmonic they are.

Names are those of Wannier90's user guide (table of projections): s; px, py, pz; dz2, dxz, dyz,
dx2-y2, dxy; fz3, fxz2, fyz2, fz(x2-y2), fxyz, fx(x2-3y2), fy(3x2-y2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gapscope.errors import SpecificationError

Real = NDArray[np.float64]
Harmonic = Callable[[Real, Real, Real], Real]

PLACE = 6
"""Decimals by which places are told apart."""
ROOT3, ROOT15 = math.sqrt(3), math.sqrt(15)
_BY_MOMENTUM: tuple[dict[str, Harmonic], ...] = (
    {"s": lambda x, y, z: np.ones_like(x)},
    {"pz": lambda x, y, z: z, "px": lambda x, y, z: x, "py": lambda x, y, z: y},
    {
        "dz2": lambda x, y, z: (2 * z**2 - x**2 - y**2) / 2,
        "dxz": lambda x, y, z: ROOT3 * x * z,
        "dyz": lambda x, y, z: ROOT3 * y * z,
        "dx2-y2": lambda x, y, z: ROOT3 / 2 * (x**2 - y**2),
        "dxy": lambda x, y, z: ROOT3 * x * y,
    },
    {
        "fz3": lambda x, y, z: z * (2 * z**2 - 3 * x**2 - 3 * y**2) / 2,
        "fxz2": lambda x, y, z: math.sqrt(3 / 8) * x * (4 * z**2 - x**2 - y**2),
        "fyz2": lambda x, y, z: math.sqrt(3 / 8) * y * (4 * z**2 - x**2 - y**2),
        "fz(x2-y2)": lambda x, y, z: ROOT15 / 2 * z * (x**2 - y**2),
        "fxyz": lambda x, y, z: ROOT15 * x * y * z,
        "fx(x2-3y2)": lambda x, y, z: math.sqrt(5 / 8) * x * (x**2 - 3 * y**2),
        "fy(3x2-y2)": lambda x, y, z: math.sqrt(5 / 8) * y * (3 * x**2 - y**2),
    },
)
CHARACTERS: Mapping[str, int] = MappingProxyType(
    {name: ell for ell, harmonics in enumerate(_BY_MOMENTUM) for name in harmonics}
)
"""Angular momentum l of every real harmonic, in the order m_r = 1, 2, ... of Wannier90."""


@dataclass(frozen=True)
class Orbital:
    """A real harmonic on a place of the cell.

    Parameters
    ----------
    character : name of the harmonic, a key of CHARACTERS; x, y and z are the lattice's axes.
    position : reduced coordinates (r1, r2) of the place, r1 a1 + r2 a2; any cell will do, but
        the bond R leads from the orbital's place in the cell 0 to that in the cell R.
    height : z in Angstrom.
    name : shown in results, for example "Nb dz2".

    Raises
    ------
    SpecificationError : no such character, or a place that is not finite.
    """

    character: str
    position: tuple[float, float] = (0.0, 0.0)
    height: float = 0.0
    name: str = ""

    def __post_init__(self) -> None:
        require_characters([self.character])
        if len(self.position) != 2 or not np.isfinite([*self.position, self.height]).all():
            raise SpecificationError(
                "An orbital sits at two reduced coordinates and a height in Angstrom.",
                f"position = {self.position}, height = {self.height}",
                "Give for example position=(1/3, 2/3), height=1.6.",
            )
        r1, r2 = self.position
        object.__setattr__(self, "position", (float(r1), float(r2)))
        object.__setattr__(self, "height", float(self.height))

    @property
    def angular_momentum(self) -> int:
        """l of the harmonic."""
        return CHARACTERS[self.character]

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Orbital:
        """The orbital that :meth:`to_dict` wrote."""
        r1, r2 = content["position"]
        return cls(content["character"], (r1, r2), content["height"], content["name"])

    def to_dict(self) -> dict[str, object]:
        """All content for JSON."""
        return {
            "character": self.character,
            "position": list(self.position),
            "height": self.height,
            "name": self.name,
        }


@dataclass(frozen=True)
class Atom:
    """A place of the cell with its orbitals.

    Parameters
    ----------
    name : what its orbitals' names begin with, made different from those of other places.
    position, height : as of its orbitals.
    orbitals : their numbers in the basis.
    """

    name: str
    position: tuple[float, float]
    height: float
    orbitals: tuple[int, ...]


def atoms_of(basis: Sequence[Orbital]) -> tuple[Atom, ...]:
    """The places of a basis, in the order of their first orbitals."""
    groups: dict[tuple[float, ...], list[int]] = {}
    for number, one in enumerate(basis):
        place = (*np.round(one.position, PLACE).tolist(), round(one.height, PLACE))
        groups.setdefault(place, []).append(number)
    names = []
    for members in groups.values():
        words = {basis[i].name.removesuffix(basis[i].character).strip() for i in members}
        names.append(words.pop() if len(words) == 1 else "")
    atoms = []
    for n, (name, members) in enumerate(zip(names, groups.values(), strict=True)):
        alone = bool(name) and names.count(name) == 1
        told = name if alone else f"{name or 'atom'} {names[: n + 1].count(name)}"
        first = basis[members[0]]
        atoms.append(Atom(told, first.position, first.height, tuple(members)))
    return tuple(atoms)


def harmonic(character: str, points: Real) -> Real:
    """r^l times the harmonic at points (..., 3): a polynomial, int f^2 dO = 4 pi / (2 l + 1)."""
    require_characters([character])
    function = _BY_MOMENTUM[CHARACTERS[character]][character]
    return function(points[..., 0], points[..., 1], points[..., 2])


def require_characters(characters: Sequence[str]) -> None:
    """Raise SpecificationError unless all names are those of real harmonics."""
    unknown = [name for name in characters if name not in CHARACTERS]
    if unknown:
        raise SpecificationError(
            f"An orbital's character is one of {', '.join(CHARACTERS)}.",
            ", ".join(map(str, unknown)),
            "Choose one of these names.",
        )


def rotation(characters: Sequence[str], operation: ArrayLike) -> Real:
    """Real matrix D of harmonics under an orthogonal operation of space, improper ones included.

    f_j(R^-1 r) = sum_i D_ij f_i(r), found by a fit of all harmonics of each l at points of the unit
    sphere. D is orthogonal where R takes the set into itself, and zero between different l.

    Parameters
    ----------
    characters : names of n harmonics, each once.
    operation : R, an orthogonal (3, 3) matrix in the axes x, y, z.

    Raises
    ------
    SpecificationError : an unknown name, one that stands twice, or R is not orthogonal.
    """
    require_characters(characters)
    if len(set(characters)) != len(characters):
        raise SpecificationError(
            "Each harmonic stands once in a rotation matrix.",
            ", ".join(characters),
            "Rotate the orbitals of each place by themselves.",
        )
    r = np.asarray(operation, dtype=np.float64)
    if r.shape != (3, 3) or not np.allclose(r @ r.T, np.eye(3), rtol=0, atol=1e-9):
        raise SpecificationError(
            "An operation of space is an orthogonal 3 x 3 matrix.",
            r.tolist(),
            "Give a rotation, a reflection or a product of them.",
        )
    matrix = np.zeros((len(characters), len(characters)))
    momenta = np.array([CHARACTERS[name] for name in characters], dtype=np.int64)
    for ell in set(momenta.tolist()):
        names = list(_BY_MOMENTUM[ell])
        whole = np.linalg.lstsq(_values(ell, _POINTS), _values(ell, _POINTS @ r), rcond=None)[0]
        here = np.flatnonzero(momenta == ell)
        chosen = [names.index(characters[i]) for i in here.tolist()]
        matrix[np.ix_(here, here)] = whole[np.ix_(chosen, chosen)]
    return matrix


def _points(count: int = 40) -> Real:
    """Points of a spiral on the unit sphere, which no harmonic up to l = 3 vanishes on."""
    n = np.arange(count) + 0.5
    z, angle = 1 - 2 * n / count, n * np.pi * (3 - math.sqrt(5))
    ring = np.sqrt(1 - z**2)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=-1)


_POINTS = _points()


def _values(ell: int, points: Real) -> Real:
    """All harmonics of one l at points (n, 3): (n, 2 l + 1)."""
    return np.stack([f(*points.T) for f in _BY_MOMENTUM[ell].values()], axis=-1)
