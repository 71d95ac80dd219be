"""Fixtures shared by all tests."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from division import TESTS, TOGETHER, Division, dearest_first, place, require_named
from gapscope.kernel.client import default_threads
from gapscope.physics import Material
from gapscope.support.resources import find_model
from slow import is_slow, needs_julia

ROOT = Path(__file__).resolve().parents[1]
THREADS = (
    "GAPSCOPE_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
LEFT_OUT: dict[str, Callable[[str], bool]] = {
    "not slow": is_slow,
    "not julia": needs_julia,
    "julia": lambda file: (
        file.endswith(".py") and not needs_julia(file) and file not in TOGETHER["learned"]
    ),
}
"""Which files and folders hold nothing that an expression of ``-m`` chooses."""


def pytest_configure(config: pytest.Config) -> None:
    """Divide the cores among the processes of ``pytest -n``: every host and library takes all."""
    config.addinivalue_line("markers", "slow: left out by make quick; see tests/slow.py")
    config.addinivalue_line("markers", "julia: slow, and may start Julia; see tests/slow.py")
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes > 1:
        threads = str(max(1, default_threads() // processes))
        for name in THREADS:
            os.environ.setdefault(name, threads)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Division:
    return Division(config, log)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import what ``-m`` would leave out as a whole: it takes seconds in each process."""
    left_out = LEFT_OUT.get(config.option.markexpr)
    if left_out is None or TESTS not in collection_path.parents:
        return None
    return left_out(collection_path.relative_to(TESTS).as_posix()) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow; let several processes begin with the dearest."""
    for item in items:
        require_named(item)
        file = place(item)
        learned = "learned" in getattr(item, "fixturenames", ())
        if is_slow(file) or learned:
            item.add_marker(pytest.mark.slow)
        if needs_julia(file) or learned:
            item.add_marker(pytest.mark.julia)
    if "PYTEST_XDIST_WORKER" in os.environ:
        dearest_first(items)


@pytest.fixture(scope="session")
def materials_folder() -> Path:
    return ROOT / "data" / "materials"


@pytest.fixture(scope="session")
def nbse2(materials_folder: Path) -> Material:
    return Material.from_toml(materials_folder / "nbse2.toml")


@pytest.fixture(scope="session")
def shipped() -> Callable[[str], Any]:
    """The Predictor of a shipped network by its name, which takes seconds to load: once."""
    predictor = importlib.import_module("gapscope.learning.prediction.predictor").Predictor
    return functools.cache(lambda name: predictor.load(find_model(name)))


@pytest.fixture(scope="session")
def measured() -> Path:
    """Folder of measured files that are not part of the project; absent on most machines."""
    return Path(os.environ.get("GAPSCOPE_MEASURED", ROOT.parent / "shared" / "measured"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260224)
