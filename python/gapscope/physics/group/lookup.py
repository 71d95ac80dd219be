"""An irrep by its name, as people write it."""

from __future__ import annotations

from gapscope.errors import SpecificationError
from gapscope.physics.group.crystal_group import CrystalGroup
from gapscope.physics.group.irreps import Irrep
from gapscope.physics.near_names import did_you_mean, near_names

_PRIMES = str.maketrans({"′": "'", "″": '"', "’": "'", '"': '"'})


def find_irrep(group: CrystalGroup, name: str) -> Irrep:
    """Irrep of a group by gapscope's or Mulliken's name; A1u, a1u, A_{1u} and A2'' are understood.

    Raises
    ------
    SpecificationError : the group has no such irrep; told with those it has, and the nearest.
    """
    found = match_irrep(group, name)
    if found is not None:
        return found
    names = [irrep.name for irrep in group.irreps]
    raise SpecificationError(
        f"The irreps of {group.schoenflies} ({group.hermann_mauguin}) are {', '.join(names)}.",
        name,
        _remedy(_plain(name), names) + _almost(group),
    )


def match_irrep(group: CrystalGroup, name: str) -> Irrep | None:
    """Irrep of a group by either name, or None."""
    plain = _plain(name)
    for attribute in ("name", "mulliken"):
        for irrep in group.irreps:
            if plain and _plain(getattr(irrep, attribute)) == plain:
                return irrep
    return None


def _plain(name: str) -> str:
    text = str(name).translate(_PRIMES).replace('"', "''").lower()
    return "".join(character for character in text if character.isalnum() or character == "'")


def _almost(group: CrystalGroup) -> str:
    """A word on the largest group that almost holds."""
    if not group.almost:
        return ""
    violation, larger = group.almost[-1]
    return f" {larger} is broken by {violation:.2g} meV; a larger tolerance takes it as the group."


def _remedy(plain: str, names: list[str]) -> str:
    near = near_names(plain, names)
    if len(near) < len(names) and (asked := did_you_mean(near)):
        return asked
    return "Choose one of them; gapscope gaps MATERIAL --shells 3 lists their gaps."
