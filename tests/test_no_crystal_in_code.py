"""What is asked of a map comes from data: no crystal's irreps, classes or shapes in the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gapscope

ROOMS = ("problem", "dataset", "learning", "inference", "explore", "plots")
ALLOWED = {
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
    root = Path(gapscope.__file__).parent
    found = [
        f"{path.relative_to(root)}:{number}: {line.strip()}"
        for path in sorted((root / room).rglob("*.py"))
        if str(path.relative_to(root)) not in ALLOWED
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if CRYSTAL.search(line)
    ]
    assert not found, "\n".join(found)


def test_what_is_allowed_is_there_and_needs_it() -> None:
    root = Path(gapscope.__file__).parent
    idle = [name for name in ALLOWED if not CRYSTAL.search((root / name).read_text("utf-8"))]
    assert not idle
