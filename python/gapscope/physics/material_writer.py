"""A material as the text of a TOML file that :meth:`Material.from_toml` reads to the same bonds."""

from __future__ import annotations

import json
from collections.abc import Iterator

from gapscope.physics.cell import VECTORS
from gapscope.physics.material import Material


def material_toml(material: Material) -> str:
    """``[[bonds]]`` with all matrices, ``[[atoms]]`` with all orbitals, in full precision."""
    return "\n".join(_lines(material)) + "\n"


def _lines(material: Material) -> Iterator[str]:
    lattice = material.lattice
    yield "schema = 1"
    for key in ("name", "description", "citation"):
        # A JSON string is a TOML basic string.
        yield f"{key} = {json.dumps(getattr(material, key))}"
    if material.surface is not None:
        yield f"surface = {json.dumps(material.surface)}"
    yield "\n[lattice]"
    if lattice.name in VECTORS and lattice.cell is None:
        yield f"name = {json.dumps(lattice.name)}"
        yield f"constant = {lattice.constant!r} # Angstrom"
    else:
        yield f"vectors = {(lattice.constant * lattice.vectors).tolist()} # Angstrom"
    for orbital in material.basis or ():
        yield "\n[[atoms]]"
        name = orbital.name.removesuffix(orbital.character).strip()
        yield f"name = {json.dumps(name)}"
        yield f"position = {list(orbital.position)}"
        yield f"height = {orbital.height!r}"
        yield f"orbitals = [{json.dumps(orbital.character)}]"
    for vector, matrix in zip(material.bonds.vectors, material.bonds.matrices, strict=True):
        yield "\n[[bonds]]"
        yield f"vector = {vector.tolist()}"
        yield f"real = {matrix.real.tolist()}"
        yield f"imag = {matrix.imag.tolist()}"
