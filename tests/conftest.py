"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from costs import costs
from gapscope.kernel.client import default_threads
from gapscope.physics import Material
from slow import SLOW, WITHOUT_JULIA

ROOT = Path(__file__).resolve().parents[1]
TESTS = Path(__file__).resolve().parent
COSTS = costs()
SHARED = ("learned", "address", "judge")
"""Fixtures of a session that take long to make: a training, a server, networks."""


def pytest_configure(config: pytest.Config) -> None:
    """Divide the cores among the processes of ``pytest -n``: every host and library takes all."""
    config.addinivalue_line("markers", "slow: left out by make quick; see tests/slow.py")
    config.addinivalue_line("markers", "julia: slow, and may start Julia; see tests/slow.py")
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes > 1:
        threads = str(max(1, default_threads() // processes))
        for name in ("GAPSCOPE_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ.setdefault(name, threads)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow; divide the tests among processes, the dearest first.

    A process takes whole files, and one process all files that share what is dear to make.
    """
    groups = {item.path: item.path.stem for item in items}
    for item in items:
        for name in SHARED:
            if name in getattr(item, "fixturenames", ()):
                groups[item.path] = name
    spent: Counter[str] = Counter()
    for path, group in groups.items():
        spent[group] += COSTS.get(path.relative_to(TESTS).as_posix(), 0)
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: -spent[groups[item.path]])
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups[item.path]))
        place = item.path.relative_to(TESTS)
        listed = place.parts[0] in SLOW or place.as_posix() in SLOW
        if listed or "learned" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
            if place.as_posix() not in WITHOUT_JULIA:
                item.add_marker(pytest.mark.julia)


@pytest.fixture(scope="session")
def materials_folder() -> Path:
    return ROOT / "data" / "materials"


@pytest.fixture(scope="session")
def nbse2(materials_folder: Path) -> Material:
    return Material.from_toml(materials_folder / "nbse2.toml")


@pytest.fixture(scope="session")
def measured() -> Path:
    """Folder of measured files that are not part of the project; absent on most machines."""
    return Path(os.environ.get("GAPSCOPE_MEASURED", ROOT.parent / "shared" / "measured"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260224)
