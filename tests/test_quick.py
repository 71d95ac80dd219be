"""The tables by which tests are chosen and divided name what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from division import GROUPS, TOGETHER, group
from slow import SLOW

TESTS = Path(__file__).parent


def test_what_is_called_slow_exists() -> None:
    assert [name for name in SLOW if not (TESTS / name).exists()] == []


def test_what_goes_together_exists_and_is_one_group(request: pytest.FixtureRequest) -> None:
    assert [name for name in GROUPS if not (TESTS / name).exists()] == []
    assert len(GROUPS) == sum(map(len, TOGETHER.values()))
    for name, files in TOGETHER.items():
        assert {group(f"tests/{file}::test[a::b@c]") for file in files} == {name}
    assert group(request.node.nodeid) == "test_quick.py"
