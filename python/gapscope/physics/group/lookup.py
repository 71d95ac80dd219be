"""An irrep by its name, as people write it."""

from __future__ import annotations

import difflib

from gapscope.errors import SpecificationError
from gapscope.physics.group.crystal_group import CrystalGroup
from gapscope.physics.group.irreps import Irrep

_ALIKE = 0.75
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
    keys = {name.lower(): name for name in names}
    near = [name for key, name in keys.items() if plain and key.startswith(plain)]
    alike = difflib.get_close_matches(plain, keys, 3, _ALIKE)
    near = near or [name for key, name in keys.items() if key in alike]
    if near and len(near) < len(names):
        return f"Did you mean {' or '.join(near)}?"
    return "Choose one of them; gapscope gaps MATERIAL --shells 3 lists their gaps."
