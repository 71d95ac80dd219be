"""A crystal's point group: operations, irreps, names, and how well the Hamiltonian obeys it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.bonds import Bonds
from gapscope.physics.group.irreps import Irrep, irreps
from gapscope.physics.group.lattice_operations import isometry, reduced_basis
from gapscope.physics.group.names import HERMANN_MAUGUIN, schoenflies
from gapscope.physics.group.operation import Operation
from gapscope.physics.lattice import Lattice
from gapscope.physics.material import Material
from gapscope.physics.spin import D0

SAME_PLACE = 0.02


@dataclass(frozen=True, eq=False)
class CrystalGroup:
    """The operations under which a Hamiltonian is invariant.

    Parameters
    ----------
    operations : one for each element of the point group, the identity first.
    axis : direction of the group's x axis in degrees from the Cartesian one: irreps are named and
        their partners oriented by it.
    translations : fractions of a lattice vector that map the crystal onto itself; where there are
        any, the cell is larger than it needs to be.
    almost : groups that hold less well: (largest violation in meV, Schoenflies symbol).
    """

    operations: tuple[Operation, ...]
    axis: float
    translations: tuple[Operation, ...] = ()
    almost: tuple[tuple[float, str], ...] = ()

    @classmethod
    def of(
        cls, lattice: Lattice, candidates: Sequence[Operation], tolerance: float, reach: float
    ) -> CrystalGroup:
        """The largest group among candidates, in order of violation, that holds to a tolerance.

        Groups that hold up to ``reach`` meV are told in ``almost``.
        """
        translations = tuple(
            one for one in candidates if one.pure_translation and one.violation <= tolerance
        )
        # Operations that differ by a translation count once: the one that holds best is kept.
        chosen: list[Operation] = []
        for one in candidates:
            same = any(one.planar.is_same(other.planar) for other in chosen)
            if not one.pure_translation and not same:
                chosen.append(one)
        closed = [n for n in range(1, len(chosen) + 1) if _closed(chosen[:n], bool(translations))]
        size = max(n for n in closed if n == 1 or chosen[n - 1].violation <= tolerance)
        operations = tuple(sorted(chosen[:size], key=_order))
        almost = tuple(
            (chosen[n - 1].violation, schoenflies([one.planar for one in chosen[:n]]))
            for n in closed
            if n > size and chosen[n - 1].violation <= reach
        )
        axis = _axis(lattice, operations)
        return cls(operations, axis, translations, almost)

    @cached_property
    def schoenflies(self) -> str:
        """Schoenflies symbol, such as D3h."""
        return schoenflies([one.planar for one in self.operations])

    @property
    def hermann_mauguin(self) -> str:
        """Hermann-Mauguin symbol, such as -6m2."""
        return HERMANN_MAUGUIN[self.schoenflies]

    @property
    def violation(self) -> float:
        """Largest violation of an operation, in meV."""
        return max(one.violation for one in self.operations)

    @cached_property
    def irreps(self) -> tuple[Irrep, ...]:
        """All real irreps with their standard matrices, in the order of ``operations``."""
        return irreps([one.planar for one in self.operations], self.axis)


def symmetrised(material: Material, group: CrystalGroup) -> Material:
    """The material with H_R averaged over the group: H = 1/|G| sum_g U H U^dagger on g R."""
    weight = 1 / len(group.operations)
    bonds = Bonds.sum([one.on_hamiltonian(material.bonds) for one in group.operations])
    # Averages of Hermitian bonds are Hermitian to rounding; made so exactly.
    hermitian = Bonds.sum([bonds, bonds.adjoint()]).scaled(weight / 2)
    said = f"symmetrised by {group.schoenflies} ({group.violation:.2g} meV)"
    description = "; ".join(part for part in (material.description, said) if part)
    return replace(material, bonds=hermitian, description=description)


def time_reversal_violation(bonds: Bonds) -> float:
    """Largest |s_y H_R^* s_y - H_R| in meV: 0 where time reversal i s_y K keeps the bonds."""
    n = bonds.dimension // 2
    turn = np.kron(D0, np.eye(n))
    difference = turn @ bonds.matrices.conj() @ turn.T - bonds.matrices
    return float(np.abs(difference).max())


def _closed(operations: Sequence[Operation], any_translation: bool) -> bool:
    """Whether products of the operations are among them, translations up to lattice vectors."""
    for one in operations:
        for two in operations:
            planar = one.planar.times(two.planar)
            place = one.lattice @ two.translation + one.translation
            for three in operations:
                if planar.is_same(three.planar):
                    rest = place - three.translation
                    if any_translation or np.abs(rest - np.rint(rest)).max() < SAME_PLACE:
                        break
            else:
                return False
    return True


def _order(operation: Operation) -> tuple[bool, bool, float, float]:
    planar = operation.planar
    return planar.flip < 0, planar.mirror, abs(planar.angle), -planar.angle


def _axis(lattice: Lattice, operations: Sequence[Operation]) -> float:
    """Direction of the group's x axis in degrees.

    With one or two mirror lines (of vertical mirrors and axes in the plane) it is the one next to
    the Cartesian x axis; with more, or none, the line of the lattice along which lattice vectors
    are shortest, next to the Cartesian x axis.
    """
    own = _lines([one.planar.plane for one in operations])
    if 1 <= len(own) <= 2:
        return _next_to_x(own)
    vectors = lattice.vectors
    lines = _lines([isometry(w, vectors) for w in lattice.operations])
    if not lines:
        return 0.0
    if len(lines) > 2:
        short = reduced_basis(vectors) @ vectors
        near = [*short, short[0] + short[1], short[0] - short[1]]
        least = min(float(np.linalg.norm(v)) for v in near)
        along = [
            float(np.degrees(np.arctan2(v[1], v[0]))) % 180
            for v in near
            if np.linalg.norm(v) < least * 1.001
        ]
        lines = [line for line in lines if any(_between(line, a) < 0.01 for a in along)]
    return _next_to_x(lines)


def _lines(planes: Sequence[NDArray[np.float64]]) -> list[float]:
    """Angles of the mirror lines of orthogonal matrices, from 0 to 180, each once."""
    angles: list[float] = []
    for plane in planes:
        if np.linalg.det(plane) < 0:
            angle = float(np.degrees(np.arctan2(plane[1, 0], plane[0, 0]))) / 2 % 180
            angle = 0.0 if _between(angle, 0.0) < 1e-9 else angle
            if all(_between(angle, known) > 0.01 for known in angles):
                angles.append(angle)
    return angles


def _between(one: float, two: float) -> float:
    apart = abs(one - two) % 180
    return min(apart, 180 - apart)


def _next_to_x(lines: Sequence[float]) -> float:
    """The line that is nearest to the x axis, its angle from -90 to 90."""
    angle = min(lines, key=lambda line: (round(_between(line, 0.0), 6), line))
    return angle - 180 if angle > 90 else angle
