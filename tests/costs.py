"""What each test file costs: a pytest plugin that measures it, and the table that orders the files.

    PYTHONPATH=tests python -m pytest -p costs

writes tests/costs.json: CPU seconds of every file that takes more than one, child processes
included, in one process. ``make test`` begins with the dearest, so that its processes end together.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

TESTS = Path(__file__).parent
TABLE = TESTS / "costs.json"
LEAST = 1.0
"""CPU seconds of a file that is worth an entry."""
_spent: Counter[str] = Counter()


def costs() -> dict[str, float]:
    """CPU seconds by file, relative to tests/."""
    table: dict[str, float] = json.loads(TABLE.read_text())
    return table


def cpu_seconds() -> float:
    """CPU time of this process and of its children, living and ended."""
    me = psutil.Process()
    total = 0.0
    for one in (me, *me.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Add what a test and its fixtures take to its file's sum."""
    before = cpu_seconds()
    done = yield
    _spent[item.path.relative_to(TESTS).as_posix()] += cpu_seconds() - before
    return done


def pytest_sessionfinish() -> None:
    """Write the table; files that were not run keep their entries."""
    table = costs() if TABLE.exists() else {}
    table |= {name: round(spent, 1) for name, spent in _spent.items()}
    kept = {name: table[name] for name in sorted(table) if table[name] > LEAST}
    TABLE.write_text(json.dumps(kept, indent=1) + "\n")
