"""A server of the page and a browser to look at it, shared by the tests of this folder."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gapscope.explore.judge import Judge
from gapscope.explore.worker import Worker

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="session")
def tools() -> Iterator[ModuleType]:
    """benchmarks/explore_browser.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield importlib.import_module("explore_browser")


@pytest.fixture(scope="session")
def address(tools: ModuleType) -> Iterator[str]:
    with tools.served() as address:
        yield address


@pytest.fixture(scope="module")
def browser(tools: ModuleType) -> Iterator[Any]:
    if tools.chromium() is None:
        message = "no Chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with tools.browser() as one:
        yield one


@pytest.fixture
def visit(tools: ModuleType, browser: Any, address: str) -> Iterator[Any]:
    with tools.visit(browser, address) as one:
        yield one


@pytest.fixture
def worker() -> Iterator[Worker]:
    one = Worker()
    yield one
    one.end()


@pytest.fixture(scope="session")
def judge() -> Judge:
    return Judge()
