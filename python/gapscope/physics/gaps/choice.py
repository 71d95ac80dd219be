"""Which basis function is meant by an irrep, and by a shell, a channel and a copy where given."""

from __future__ import annotations

from collections.abc import Sequence

from gapscope.errors import SpecificationError
from gapscope.physics.gaps.basis_function import BasisFunction
from gapscope.physics.gaps.classify import MOST_SHELLS, ShellGaps, require_channels
from gapscope.physics.gaps.pair_space import CHANNELS
from gapscope.physics.group.crystal_group import CrystalGroup
from gapscope.physics.group.found import require_basis
from gapscope.physics.group.irreps import PAPER_D3H, Irrep
from gapscope.physics.group.lookup import find_irrep, match_irrep
from gapscope.physics.material import Material

SEARCHED = 6
"""Shells in which an irrep is looked for where none is given."""


def is_named_in_paper(material: Material, group: CrystalGroup | None, irrep: str) -> str:
    """The name of one of the paper's states, "" where the crystal is not the paper's.

    It is where it has one orbital and D3h with the mirror x -> -x, as NbSe2 has, or is triangular
    and of unknown orbitals; then a name that is none of the six is left for ``Pairing`` to refuse.
    """
    if material.lattice.name != "triangular":
        return ""
    if group is None:
        return PAPER_D3H.get(irrep, irrep)
    mirrors = [one.planar.angle for one in group.operations if one.planar.kind == "v"]
    alike = group.schoenflies == "D3h" and any(abs(angle - 90) < 1 for angle in mirrors)
    if material.orbitals > 1 or not alike:
        return ""
    found = match_irrep(group, irrep)
    return irrep if found is None else found.name


def choose_function(
    material: Material,
    group: CrystalGroup | None,
    irrep: str,
    shell: int | None,
    channel: str | None,
    copy: int | None,
) -> BasisFunction:
    """The one basis function that fits; without ``shell`` from the innermost that has the irrep.

    Raises
    ------
    SpecificationError : none fits, or several.
    """
    require_basis(material)
    assert group is not None  # known orbitals
    chosen = find_irrep(group, irrep)
    if shell is not None and (
        isinstance(shell, bool) or not isinstance(shell, int) or not 0 <= shell <= MOST_SHELLS
    ):
        raise SpecificationError(
            f"A shell of neighbours is a whole number from 0 (on site) to {MOST_SHELLS}.",
            shell,
            "Give for example 1, the nearest neighbours.",
        )
    channels = CHANNELS if channel is None else (channel,)
    require_channels(channels)
    crystal = ShellGaps(material, group, SEARCHED if shell is None else max(SEARCHED, shell))
    for number in range(SEARCHED + 1) if shell is None else (shell,):
        found = list(crystal.of(number, channels, [chosen]))
        if found:
            return _single(found, copy)
    raise _none(crystal, chosen, shell, channels)


def _single(found: Sequence[BasisFunction], copy: int | None) -> BasisFunction:
    fitting = [one for one in found if copy is None or one.copy == copy]
    if len(fitting) == 1:
        return fitting[0]
    first = found[0]
    listed = ", ".join(f"{one.channel} copy {one.copy}" for one in found)
    raise SpecificationError(
        f"A state names one basis function, or mixes several by their coefficients;"
        f" {first.irrep.name} has {len(found)} in shell {first.shell}: {listed}.",
        "no choice" if copy is None else f"copy = {copy}",
        "Choose channel and copy among these; several are mixed by --function CHANNEL:SHELL:COPY=C,"
        " in Python by Pairing.mixture, two in a recipe by mixed = [...].",
    )


def _none(
    crystal: ShellGaps, irrep: Irrep, shell: int | None, channels: Sequence[str]
) -> SpecificationError:
    """The refusal, with where the irrep is to be found and what is there instead."""
    outward = SEARCHED if shell is None else max(SEARCHED, shell)
    places = [
        f"shell {n} ({channel})"
        for n in range(outward + 1)
        for _, channel in crystal.count(n, CHANNELS, [irrep])
    ]
    listed = ", ".join(places)
    remedy = f"{irrep.name} is there in {listed}." if listed else ""
    where = f"shells 0 to {SEARCHED}" if shell is None else f"shell {shell}"
    if len(channels) < len(CHANNELS):
        where += f" of the channel {' or '.join(channels)}"
    if shell is not None:
        irreps = {name for name, _ in crystal.count(shell, channels, crystal.group.irreps)}
        if irreps:
            remedy += f" Shell {shell} has {', '.join(sorted(irreps))}."
    return SpecificationError(
        f"A state needs a basis function of its irrep: {irrep.name} of"
        f" {crystal.group.schoenflies} has none in {where}.",
        f"shell {'any' if shell is None else shell}, channel {' or '.join(channels)}",
        remedy.strip() or "Choose a larger shell: gapscope gaps MATERIAL --shells N lists them.",
    )
