"""Irreps of planar point groups in closed form, with standard real matrices and their names.

Every planar point group is a subgroup of O(2) x {1, sigma_h}, whose irreps are known: the angular
momentum m, with

    D_m(rotation by phi) = [[cos m phi, -sin m phi], [sin m phi, cos m phi]]
    D_m(line at alpha)   = [[cos 2m alpha, sin 2m alpha], [sin 2m alpha, -cos 2m alpha]]

(1 and the determinant for m = 0), times 1 or the sign of z. The irreps of the subgroup are the
parts of their restrictions, taken from the smallest m on; angles count from the group's x axis. So
the partners of m = 1 transform like (x, y), or (xz, yz) where the sign of z is in, and those of
m = 2 like (x2 - y2, 2xy). Conjugate pairs of complex irreps (C3, C4, C6, S4 ...) are one real E of
two dimensions, as time reversal joins them.

Names follow Mulliken, J. Chem. Phys. 23, 1997 (1955): 1 and 2 are even and odd under C2' (the
twofold axes in the plane, along x among them), where there are none under sigma_v (the mirror that
contains x among them); in D2 and D2h B1, B2, B3 are even under the twofold axis z, y, x; in C2v
with its axis in the plane B1 is even under the vertical mirror. D3h is named as in the paper, g and
u even and odd under sigma_h, 1 and 2 under sigma_v.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.group.names import schoenflies
from gapscope.physics.group.planar import PlanarOperation, reflection, rotation

LARGEST_M = 6
ZERO = 1e-6
PAPER_D3H = {"A1'": "A1g", "A2'": "A2g", "E'": "Eg", "A2''": "A1u", "A1''": "A2u", "E''": "Eu"}
"""Mulliken's names of D3h's irreps, and those of the paper that gapscope goes by."""
_LIKE = {(1, 1): "x, y", (1, -1): "xz, yz", (2, 1): "x2-y2, 2xy", (2, -1): "(x2-y2)z, 2xyz"}


@dataclass(frozen=True, eq=False)
class Irrep:
    """A real irrep of a planar point group.

    Parameters
    ----------
    name : as gapscope calls it.
    mulliken : name in the usual tables.
    matrices : (operations, d, d), real and orthogonal, in the order of the group's operations.
    partners : functions that the partners transform like; "" where d = 1.
    conjugate_pair : whether it is two complex conjugate irreps.
    """

    name: str
    mulliken: str
    matrices: NDArray[np.float64]
    partners: str = ""
    conjugate_pair: bool = False

    @property
    def dimension(self) -> int:
        """Number d of partners."""
        return int(self.matrices.shape[1])

    @property
    def characters(self) -> NDArray[np.float64]:
        """Traces of the matrices."""
        return np.asarray(np.trace(self.matrices, axis1=1, axis2=2))


def irreps(operations: Sequence[PlanarOperation], axis: float = 0.0) -> tuple[Irrep, ...]:
    """All real irreps of a group of planar operations.

    Parameters
    ----------
    axis : direction of the group's x axis, in degrees from the Cartesian one.
    """
    group = schoenflies(operations)
    back = rotation(-axis)
    turned = [back.times(g).times(rotation(axis)) for g in operations]
    found: list[Irrep] = []
    for matrices, like, pair in _restricted(turned):
        characters = np.trace(matrices, axis1=1, axis2=2)
        if any(np.abs(one.characters - characters).max() < ZERO for one in found):
            continue
        mulliken = _mulliken(group, turned, characters)
        name = PAPER_D3H[mulliken] if group == "D3h" else mulliken
        found.append(Irrep(name, mulliken, matrices, like, pair))
    return tuple(sorted(found, key=_order))


def _restricted(
    operations: Sequence[PlanarOperation],
) -> Iterator[tuple[NDArray[np.float64], str, bool]]:
    """Real irreps out of those of O(2) x {1, sigma_h}: matrices, partners, conjugate pair."""
    flips = np.array([g.flip for g in operations], dtype=np.float64)
    signs = np.array([-1.0 if g.mirror else 1.0 for g in operations])
    for m in range(LARGEST_M + 1):
        for sign in (1, -1):
            factor = flips if sign < 0 else np.ones_like(flips)
            if m == 0:
                for one in (np.ones_like(signs), signs):
                    yield (factor * one)[:, None, None], "", False
                continue
            matrices = factor[:, None, None] * np.stack([_power(g, m) for g in operations])
            norm = float(np.mean(np.trace(matrices, axis1=1, axis2=2) ** 2))
            axes = _invariant_axes(matrices)
            if axes is None:
                yield matrices, _LIKE.get((m, sign), ""), norm > 1.5
                continue
            for axis in axes.T:
                yield (matrices @ axis @ axis)[:, None, None], "", False


def _power(operation: PlanarOperation, m: int) -> NDArray[np.float64]:
    """D_m of an operation's part in the plane."""
    angle = m * operation.angle
    return (reflection(angle) if operation.mirror else rotation(angle)).plane


def _invariant_axes(matrices: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Orthogonal lines (columns) that all matrices keep, or None where there are none.

    A symmetric matrix averaged over the group commutes with it; where it is not a multiple of one
    its eigenvectors span invariant lines (Schur's lemma).
    """
    for trial in (np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]])):
        mean = np.mean(matrices @ trial @ matrices.transpose(0, 2, 1), axis=0)
        if np.abs(mean).max() > ZERO:
            return np.asarray(np.linalg.eigh(mean)[1])
    return None


def _mulliken(
    group: str, operations: Sequence[PlanarOperation], characters: NDArray[np.float64]
) -> str:
    """Mulliken's name of a character of a group whose x axis lies along x."""

    def under(other: PlanarOperation) -> float | None:
        for g, character in zip(operations, characters, strict=True):
            if g.is_same(other):
                return float(character)
        return None

    dimension = round(max(characters))
    letter, number = "E" if dimension == 2 else "A", ""
    x_axis, y_axis, z_axis = reflection(0, -1), reflection(90, -1), rotation(180)
    if group in ("C6", "C6h", "C6v", "D6", "D6h") and dimension == 2:
        number = "1" if (under(rotation(60)) or 0) > 0 else "2"
    elif dimension == 1:
        letter, number = _one_dimensional(group, operations, characters)
    if group in ("D2", "D2h"):
        even = [n for n, c2 in (("1", z_axis), ("2", y_axis), ("3", x_axis)) if under(c2) == 1]
        letter, number = ("A", "") if len(even) == 3 else ("B", even[0])
    inversion, horizontal = under(rotation(180, -1)), under(rotation(0, -1))
    tail = ""
    if inversion is not None:
        tail = "g" if inversion > 0 else "u"
    elif group in ("C3h", "D3h") or (group == "Cs" and horizontal is not None):
        tail = "'" if (horizontal or 0) > 0 else "''"
    elif group == "Cs":
        tail = "'" if min(characters) > 0 else "''"
    return letter + number + tail


def _one_dimensional(
    group: str, operations: Sequence[PlanarOperation], characters: NDArray[np.float64]
) -> tuple[str, str]:
    """A or B, and 1 or 2, of an irrep of one dimension."""
    signs: dict[str, list[tuple[float, float]]] = {}
    for g, character in zip(operations, characters, strict=True):
        signs.setdefault(g.kind, []).append((g.angle, float(character)))
    n = len(signs["C"])
    axes, mirrors = signs.get("2", []), signs.get("v", [])
    if n == 1:
        if group == "C2v":
            letter = "A" if axes[0][1] > 0 else "B"
            return letter, "1" if mirrors[0][1] > 0 else "2"
        return "B" if axes and axes[0][1] < 0 else "A", ""
    principal = signs["S"] if group in ("S4", "D2d") else signs["C"]
    smallest = min((turn for turn in principal if abs(turn[0]) > 1), key=lambda t: abs(t[0]))
    letter = "A" if smallest[1] > 0 else "B"
    if not axes and not mirrors:
        return letter, ""
    # The axis (or mirror) along x decides; where there is none, the one next to x.
    lines = axes or mirrors
    along = min(lines, key=lambda line: min(line[0], 180 - line[0]))
    return letter, "1" if along[1] > 0 else "2"


def _order(irrep: Irrep) -> tuple[bool, str, str]:
    tail = irrep.mulliken.lstrip("ABE123")
    return tail in ("u", "''"), irrep.name[0], irrep.name
