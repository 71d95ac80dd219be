"""How the processes of ``pytest -n`` divide the tests: whole files, the dearest first.

What takes long to make and is shared by several files is made once, as their tests are one group.
pytest-xdist's own ``--dist loadgroup`` does not see groups from pytest 9.2 on, so that every test
went alone and each process made every fixture of a module or session.
"""

from __future__ import annotations

from collections import Counter
from math import inf
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from costs import costs

TESTS = Path(__file__).resolve().parent
TOGETHER = {
    "learned": (  # a training
        "learning/test_averaging.py",
        "learning/test_calibration.py",
        "learning/test_evaluate.py",
        "learning/test_hostile_folder.py",
        "learning/test_learning_commands.py",
        "learning/test_measured_prediction.py",
        "learning/test_measured_training.py",
        "learning/test_model_folder.py",
        "learning/test_predict.py",
        "learning/test_results_page.py",
        "learning/test_run_folder.py",
        "learning/test_start.py",
        "learning/test_surface.py",
        "learning/test_train.py",
    ),
    "address": (  # a server
        "explore/test_explore_browser.py",
        "explore/test_explore_guard.py",
        "explore/test_explore_serve.py",
    ),
    "shipped": (  # networks
        "learning/test_alternatives.py",
        "learning/test_hostile_maps.py",
        "learning/test_shipped_networks.py",
        "learning/test_verdict.py",
        "measured_simulation/test_chain.py",
        "problem/test_shipped_cards.py",
    ),
    "judge": (  # networks
        "explore/test_explore_upload.py",
        "explore/test_explore_words.py",
    ),
}
"""Files that share a fixture of the session, by its name."""
GROUPS = {file: name for name, files in TOGETHER.items() for file in files}


def group(nodeid: str) -> str:
    """The group of a test: its file, or the name of what its file shares with others."""
    file = nodeid.split("::", 1)[0].removeprefix("tests/")
    return GROUPS.get(file, file)


class Division(LoadScopeScheduling):
    """Gives a process a whole group of tests, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def place(item: pytest.Item) -> str:
    """Path of a test's file, relative to tests/."""
    return item.path.relative_to(TESTS).as_posix()


def dearest_first(items: list[pytest.Item]) -> None:
    """Sort tests by what their group costs; what has no entry may be dear, and comes first."""
    spent: Counter[str] = Counter()
    for file, seconds in costs().items():
        spent[GROUPS.get(file, file)] += seconds
    groups = [group(item.nodeid) for item in items]
    order = sorted(range(len(items)), key=lambda one: (-spent.get(groups[one], inf), groups[one]))
    items[:] = [items[one] for one in order]


def require_named(item: pytest.Item) -> None:
    """Raise unless the file of a test that takes a shared fixture is named as its user."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    taken = set(getattr(item, "fixturenames", ())) - set(parameters)
    for name, files in TOGETHER.items():
        if name in taken and place(item) not in files:
            raise pytest.UsageError(f"{item.nodeid} takes {name}: name it in {__file__}")
