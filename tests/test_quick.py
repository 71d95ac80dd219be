"""The table of slow tests names what is there."""

from __future__ import annotations

from pathlib import Path

from slow import SLOW

TESTS = Path(__file__).parent


def test_what_is_called_slow_exists() -> None:
    assert [name for name in SLOW if not (TESTS / name).exists()] == []
