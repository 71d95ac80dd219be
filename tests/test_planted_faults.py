"""Faults that ``benchmarks/planted_faults.py`` plants stand in the sources as they are now."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.skipif(not (ROOT / "benchmarks").is_dir(), reason="sources without benchmarks")
def test_every_fault_can_be_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    from planted_faults import FAULTS

    names = [one.name for one in FAULTS]
    assert len(set(names)) == len(names)
    for one in FAULTS:
        assert (ROOT / one.file).read_text(encoding="utf-8").count(one.old) == 1, one.name
        for test in one.tests.split():
            assert (ROOT / test).exists(), one.name
