"""Materials written as TOML are read to the same bits."""

from __future__ import annotations

from pathlib import Path

import pytest

from crystals import honeycomb, of_symmetry, rashba_square, t2g
from gapscope.physics import Lattice, Material
from gapscope.physics.material_writer import material_toml
from gapscope.physics.orbitals import Orbital

MATERIALS = {
    "spin-orbit coupling": rashba_square,
    "orbitals": t2g,
    "sites at heights": lambda: honeycomb(buckled=0.5),
    "an oblique cell": lambda: of_symmetry([Orbital("s", (0.1, 0.2))], Lattice.from_cell(3, 4, 81)),
}


@pytest.mark.parametrize("name", MATERIALS)
def test_a_written_material_is_the_same_when_read(name: str, tmp_path: Path) -> None:
    material = MATERIALS[name]()
    (tmp_path / "one.toml").write_text(material_toml(material))
    again = Material.from_toml(tmp_path / "one.toml")
    assert again.bonds.distance(material.bonds) == 0.0
    assert again.lattice.name == material.lattice.name
    assert abs(again.lattice.vectors - material.lattice.vectors).max() < 1e-12
    assert again.name == material.name
    assert again.basis is not None
    assert material.basis is not None
    for one, two in zip(again.basis, material.basis, strict=True):
        assert (one.character, one.position, one.height) == (
            two.character,
            two.position,
            two.height,
        )


def test_quotes_and_line_breaks_in_texts_are_kept(nbse2: Material, tmp_path: Path) -> None:
    odd = Material('a "b" \\ c', nbse2.lattice, nbse2.bonds, "line\nbreak", "Müller")
    (tmp_path / "odd.toml").write_text(material_toml(odd))
    again = Material.from_toml(tmp_path / "odd.toml")
    assert (again.name, again.citation, again.description) == (
        odd.name,
        odd.citation,
        odd.description,
    )
