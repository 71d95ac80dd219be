"""Basis functions of the irreps among the gaps of a shell and channel.

The transfer operators P_mn = d/|G| sum_g D_mn(g) T(g) (E. P. Wigner, Group Theory, Academic Press
1959, chapter 12) make partners that transform by the irrep's standard real matrices: P_11 finds the
first partner of every copy, P_m1 makes the others of it. Real conjugate pairs (C3, C4 ...) are no
exception: there P_11 finds all partners, and each copy's first may be any of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.bonds import Bonds
from gapscope.physics.gaps.magnitude import largest_singular_value
from gapscope.physics.gaps.pair_space import PairSpace
from gapscope.physics.group.crystal_group import CrystalGroup
from gapscope.physics.group.irreps import Irrep

ZERO = 1e-8


@dataclass(frozen=True, eq=False)
class BasisFunction:
    """One copy of an irrep: a gap for each partner.

    Parameters
    ----------
    group : Schoenflies symbol of the crystal's point group.
    irrep : how the partners transform.
    channel : s, tz or txy.
    shell : number of the shell; 0 is on site.
    length : of its bonds, in lattice constants.
    copy : number from 1 among those of one irrep, shell and channel, which are orthogonal.
    partners : by partner, Delta_R without unit; the larger of their largest singular values over
        the zone is 1.
    pairs : the orbitals that are paired, by number.
    """

    group: str
    irrep: Irrep
    channel: str
    shell: int
    length: float
    copy: int
    partners: tuple[Bonds, ...]
    pairs: tuple[tuple[int, int], ...]

    @property
    def title(self) -> str:
        """Short name, such as B1g s, shell 1."""
        copy = f", copy {self.copy}" if self.copy > 1 else ""
        return f"{self.irrep.name} {self.channel}, shell {self.shell}{copy}"


def basis_functions(
    space: PairSpace, group: CrystalGroup, irreps: Sequence[Irrep], shell: int, length: float
) -> Iterator[BasisFunction]:
    """All copies of irreps in a space; the partners of all the group's irreps span it."""
    moved = [space.representation(operation) @ space.seeds for operation in group.operations]
    for irrep in irreps:
        for copy, (amplitudes, pairs) in enumerate(_copies(space, irrep, moved), start=1):
            partners = [space.bonds(one) for one in amplitudes]
            largest = max(largest_singular_value(one) for one in partners)
            scaled = tuple(one.scaled(1 / largest) for one in partners)
            yield BasisFunction(
                group.schoenflies, irrep, space.channel, shell, length, copy, scaled, pairs
            )


def multiplicities(
    space: PairSpace, group: CrystalGroup, irreps: Sequence[Irrep]
) -> tuple[int, ...]:
    """How many copies of each irrep a space holds: sum_g chi(g) tr T(g) / sum_g chi(g)^2."""
    seeds = space.seeds
    traces = np.array(
        [float((seeds * (space.representation(one) @ seeds)).sum()) for one in group.operations]
    )
    return tuple(
        round(float(traces @ one.characters / (one.characters @ one.characters))) for one in irreps
    )


def _copies(
    space: PairSpace, irrep: Irrep, moved: Sequence[NDArray[np.float64]]
) -> Iterator[tuple[list[NDArray[np.float64]], tuple[tuple[int, int], ...]]]:
    """Amplitudes of the partners of each copy, orthonormal, and the orbitals they pair."""
    weight = irrep.dimension / len(moved)
    first, *others = (
        weight * sum(d * t for d, t in zip(irrep.matrices[:, m, 0], moved, strict=True))
        for m in range(irrep.dimension)
    )
    known = np.zeros((len(first), 0))
    for column in range(space.states):
        rest = first[:, column] - known @ (known.T @ first[:, column])
        # P_11 may join a seed with what is known already: the part that is left over, and then
        # the partners that belong to it, not to the seed.
        rest -= known @ (known.T @ rest)
        norm = float(np.linalg.norm(rest))
        if norm < ZERO:
            continue
        amplitudes = [rest / norm]
        coordinates = space.seeds.T @ amplitudes[0]
        amplitudes += [other @ coordinates for other in others]
        amplitudes = [np.where(np.abs(a) < 1e-12, 0.0, a) for a in amplitudes]
        known = np.column_stack([known, *amplitudes])
        parts = np.abs(amplitudes[0]).reshape(-1, len(space.elements)).max(axis=0) > 0
        pairs = sorted({(min(i, j), max(i, j)) for _, _, i, j in space.elements[parts].tolist()})
        yield amplitudes, tuple(pairs)
