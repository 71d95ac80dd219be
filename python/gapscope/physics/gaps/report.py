"""What is said of the gaps that a crystal allows: in JSON, in lines, and what a figure draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gapscope.physics.bonds import Bonds
from gapscope.physics.gaps.basis_function import BasisFunction
from gapscope.physics.gaps.classify import classify_gaps
from gapscope.physics.gaps.fermi_surface import FermiSurface, fermi_surface
from gapscope.physics.gaps.on_fermi_surface import GapOnFermiSurface, gap_on_fermi_surface
from gapscope.physics.group.crystal_group import CrystalGroup, time_reversal_violation
from gapscope.physics.group.found import EXACT, find_group
from gapscope.physics.group.lookup import find_irrep
from gapscope.physics.group.report import almost_lines, group_report, reversal_lines
from gapscope.physics.material import Material

LAW = "Delta -> U Delta U^T; Delta = (psi + d.sigma) i sigma_y"


@dataclass(frozen=True, eq=False)
class GapReport:
    """Basis functions of a material's irreps with what they are on its Fermi surface.

    Parameters
    ----------
    material, group : the crystal.
    surface : its Fermi surface, at zero energy of He + eps0.
    gaps : each basis function, and each partner of it on the Fermi surface.
    tolerance : of the group, in meV.
    """

    material: Material
    group: CrystalGroup
    surface: FermiSurface
    gaps: tuple[tuple[BasisFunction, tuple[GapOnFermiSurface, ...]], ...]
    tolerance: float

    @classmethod
    def of(
        cls,
        material: Material,
        shells: int,
        channels: Sequence[str],
        irrep: str | None = None,
        tolerance: float = EXACT,
        eps0: float = 0.0,
    ) -> GapReport:
        """Classify the gaps of a material and project them onto its Fermi surface.

        Raises
        ------
        SpecificationError : see :func:`~gapscope.physics.gaps.classify.classify_gaps`; an irrep
            that the crystal does not have.
        """
        group = find_group(material, tolerance)
        wanted = None if irrep is None else find_irrep(group, irrep)
        functions = classify_gaps(material, shells, channels, group, wanted)
        surface = fermi_surface(material.electrons(eps0))
        gaps = tuple(
            (one, tuple(gap_on_fermi_surface(partner, surface) for partner in one.partners))
            for one in functions
        )
        return cls(material, group, surface, gaps, tolerance)

    @property
    def partners(self) -> int:
        """Number of gaps, partners counted."""
        return sum(len(values) for _, values in self.gaps)

    @property
    def title(self) -> str:
        """Title of the figure."""
        return f"{self.material.name}, {self.group.schoenflies}: gaps on the Fermi surface"

    def to_dict(self) -> dict[str, Any]:
        """All content for JSON; layout as in docs/howto/symmetry.md."""
        return {
            "material": self.material.name,
            "law": LAW,
            "tolerance": self.tolerance,
            **group_report(self.group),
            "gaps": [self._entry(one, values) for one, values in self.gaps],
        }

    def _entry(self, one: BasisFunction, values: Sequence[GapOnFermiSurface]) -> dict[str, Any]:
        on = [_on_surface(gap) for gap in values] if len(self.surface.momenta) else None
        return {
            "irrep": one.irrep.name,
            "mulliken": one.irrep.mulliken,
            "dimension": one.irrep.dimension,
            "channel": one.channel,
            "shell": one.shell,
            "length": one.length,
            "copy": one.copy,
            "orbitals": [list(pair) for pair in one.pairs],
            "bonds": [bond_list(partner) for partner in one.partners],
            "on_fermi_surface": on,
        }

    def lines(self) -> Iterator[str]:
        """A table, one line for each basis function and partner."""
        group, material = self.group, self.material
        yield (
            f"{material.name}: point group {group.schoenflies} ({group.hermann_mauguin}), largest"
            f" violation {group.violation:.2g} meV; {self.partners} gaps"
        )
        yield from almost_lines(group.almost)
        report = {
            "time_reversal_violation": time_reversal_violation(material.bonds),
            "tolerance": self.tolerance,
        }
        yield from reversal_lines(report)
        if not len(self.surface.momenta):
            yield "No band crosses zero energy: there is no Fermi surface."
        yield "least and largest gap on the Fermi surface, in units of the largest in the zone:"
        yield (
            f"{'irrep':<14}{'channel':<9}{'shell':<7}{'length':<9}{'copy':<6}{'partner':<9}"
            f"{'orbitals':<27}{'least':<9}{'largest':<9}{'nodes'}"
        )
        for one, values in self.gaps:
            for partner, gap in enumerate(values, start=1):
                yield self._line(one, partner, gap)

    def _line(self, one: BasisFunction, partner: int, gap: GapOnFermiSurface) -> str:
        irrep = one.irrep
        name = irrep.name if irrep.name == irrep.mulliken else f"{irrep.name} ({irrep.mulliken})"
        which = str(partner) if irrep.dimension > 1 else ""
        if not len(self.surface.momenta):
            found = ""
        elif gap.ungapped > 0.999:
            found = "no gap to first order"
        else:
            part = f", {gap.ungapped:.0%} ungapped" if gap.ungapped > 0.01 else ""
            found = f"{gap.smallest:<9.4f}{gap.maximum:<9.4f}{len(gap.nodes)}{part}"
        return (
            f"{name:<14}{one.channel:<9}{one.shell:<7}{one.length:<9.4g}{one.copy:<6}{which:<9}"
            f"{self._pairs(one):<27}{found}"
        )

    def _pairs(self, one: BasisFunction) -> str:
        names = [orbital.name or orbital.character for orbital in self.material.basis or ()]
        if len(names) < 2:
            return ""
        pairs = [f"{names[i]}-{names[j]}" for i, j in one.pairs]
        shown = [pair for n, pair in enumerate(pairs) if len(" ".join(pairs[: n + 1])) < 22]
        return " ".join(shown) + (" ..." if len(shown) < len(pairs) else "")


def _on_surface(gap: GapOnFermiSurface) -> dict[str, Any]:
    return {
        "least": gap.smallest,
        "largest": gap.maximum,
        "nodes": np.round(gap.nodes, 6).tolist(),
        "ungapped": gap.ungapped,
    }


def bond_list(bonds: Bonds) -> list[dict[str, Any]]:
    """Bonds as a list of {"R", "real", "imag"}."""
    return [
        {"R": r, "real": matrix.real.tolist(), "imag": matrix.imag.tolist()}
        for r, matrix in zip(bonds.vectors.tolist(), bonds.matrices, strict=True)
    ]
