"""The gaps that a crystal's point group allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gapscope.errors import SpecificationError
from gapscope.physics.gaps.basis_function import (
    BasisFunction,
    basis_functions,
    multiplicities,
)
from gapscope.physics.gaps.pair_space import CHANNELS, PairSpace
from gapscope.physics.gaps.shells import shells_of
from gapscope.physics.group.crystal_group import CrystalGroup
from gapscope.physics.group.found import find_group, require_basis, sites_of
from gapscope.physics.group.irreps import Irrep
from gapscope.physics.material import Material

MOST_SHELLS = 12


def classify_gaps(
    material: Material,
    shells: int,
    channels: Sequence[str] = CHANNELS,
    group: CrystalGroup | None = None,
    irrep: Irrep | None = None,
) -> list[BasisFunction]:
    """Basis functions of all irreps, in shells 0 (on site) to ``shells``.

    Their number, partners counted, is that of all gaps that Pauli's principle allows there. The law
    is Delta -> U Delta U^T with d in (psi + d.sigma) i sigma_y; they are even under time reversal.

    Parameters
    ----------
    shells : number of the last shell of neighbours.
    channels : some of s, tz, txy.
    group : the crystal's point group; found to rounding where it is not given.
    irrep : one of the group's, instead of all.

    Raises
    ------
    SpecificationError : orbitals of unknown character, an unknown channel, a number of shells that
        is not from 0 to 12, or a cell that is larger than it needs to be.
    """
    if isinstance(shells, bool) or not isinstance(shells, int) or not 0 <= shells <= MOST_SHELLS:
        raise SpecificationError(
            f"Shells of neighbours are counted from 0 (on site) to at most {MOST_SHELLS}.",
            shells,
            "Give a whole number, for example 3.",
        )
    require_channels(channels)
    group = find_group(material) if group is None else group
    chosen = group.irreps if irrep is None else (irrep,)
    crystal = ShellGaps(material, group, shells)
    return [one for n in range(shells + 1) for one in crystal.of(n, channels, chosen)]


class ShellGaps:
    """The gaps of a crystal, shell by shell.

    Parameters
    ----------
    last : number of the last shell.

    Raises
    ------
    SpecificationError : see :func:`classify_gaps`.
    """

    def __init__(self, material: Material, group: CrystalGroup, last: int) -> None:
        basis = require_basis(material)
        require_primitive(material, group)
        self.group = group
        self._vectors = material.lattice.vectors
        self._sites, self._places = sites_of(basis, material.lattice)
        self._shells = shells_of(group, self._places, self._vectors, last)

    def of(
        self, number: int, channels: Sequence[str], irreps: Sequence[Irrep]
    ) -> Iterator[BasisFunction]:
        """Basis functions of irreps in one shell."""
        for space in self._spaces(number, channels):
            length = self._shells[number].length
            yield from basis_functions(space, self.group, irreps, number, length)

    def count(
        self, number: int, channels: Sequence[str], irreps: Sequence[Irrep]
    ) -> dict[tuple[str, str], int]:
        """How many basis functions of each irrep and channel one shell has, where it has any."""
        return {
            (one.name, space.channel): copies
            for space in self._spaces(number, channels)
            for one, copies in zip(irreps, multiplicities(space, self.group, irreps), strict=True)
            if copies
        }

    def _spaces(self, number: int, channels: Sequence[str]) -> Iterator[PairSpace]:
        shell, positions = self._shells[number], self._places[:, :2]
        for channel in CHANNELS:
            if channel in channels:
                yield PairSpace.of(shell, channel, self._sites, positions, self._vectors)


def require_channels(channels: Sequence[str]) -> None:
    """Raise SpecificationError unless all are channels, and there is one."""
    unknown = [channel for channel in channels if channel not in CHANNELS]
    if unknown or not channels:
        raise SpecificationError(
            "A channel is s (singlet), tz (triplet, d along z) or txy (triplet, d in the plane).",
            ", ".join(unknown) or "none",
            f"Give some of {', '.join(CHANNELS)}.",
        )


def require_primitive(material: Material, group: CrystalGroup) -> None:
    """Raise SpecificationError where a fraction of a lattice vector maps the crystal onto itself.

    Gaps then fall into those of the smaller cell and pair-density waves, which irreps of the point
    group do not tell apart.
    """
    if group.translations:
        t1, t2 = group.translations[0].translation
        raise SpecificationError(
            "Gaps are classified in the smallest cell of a crystal.",
            f"{material.name}: moving it by {t1:.4g} a1 + {t2:.4g} a2 changes nothing",
            "Give the material with that vector as one of its lattice vectors.",
        )
