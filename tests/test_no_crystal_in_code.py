"""What is asked of a map comes from data: no crystal's irreps, classes or shapes in the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gapscope

ROOT = Path(gapscope.__file__).parent
ROOMS = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
ALLOWED = {
    "physics/irreps.py": "the paper's names of states",
    "physics/pairing.py": "says which the paper's states are",
    "physics/paper_states.py": "the paper's states",
    "physics/form_factors.py": "the paper's equations",
    "physics/__init__.py": "hands on the paper's names",
    "physics/specification.py": "an example in a remedy, and what the paper's states need",
    "physics/gaps/choice.py": "which crystal is the paper's",
    "physics/group/crystal_group.py": "an example of a symbol",
    "physics/group/names.py": "the table of all point groups",
    "physics/group/irreps.py": "the irreps of all point groups, and the paper's names of one's",
    "physics/symmetry.py": "what recipes of schema 1 need of bands",
    "physics/lattice.py": "the shape of a window on a lattice",
    "physics/material.py": "a mirror that lets files write spin-orbit coupling as one number",
    "physics/material_shells.py": "the same",
    "simulation/effort.py": "a number that was measured says of what",
    "measured/preparation/prepared.py": "an example of a symbol",
    "measured/preparation/symmetrise.py": "point groups of lattices",
    "measured/preparation/waves.py": "an example of a density wave",
    "measured/preparation/network_input.py": "the shape of a window on a lattice",
    "cli/demo.py": "shows the paper's states",
    "cli/state.py": "help on the default material",
    "cli/measured.py": "point groups of lattices",
    "problem/paper.py": "schema 1",
    "problem/symmetry.py": "the paper's states of two partners",
    "problem/candidate.py": "says what the paper's states are",
    "dataset/preflight.py": "what recipes of schema 1 need of a crystal",
    "learning/evaluation/paper_table.py": "Table I of the paper",
    "plots/maps.py": "the two normalisations of the paper's A2u",
    "explore/gap_choices.py": "the paper's states, where a crystal is the paper's",
}
CRYSTAL = re.compile(
    r"D3h|D_\{?3h|C3v|C3V|[Hh]exagon|A12u|\bLABELS\b|\bIRREPS\b|NbSe2|\"(?:A[12]|E)[gu]\""
)


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_of_one_crystal_stands_in_a_room(room: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / room).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in ALLOWED
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if CRYSTAL.search(line)
    ]
    assert not found, "\n".join(found)


def test_what_is_allowed_is_there_and_needs_it() -> None:
    idle = [name for name in ALLOWED if not CRYSTAL.search((ROOT / name).read_text("utf-8"))]
    assert not idle
