from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from gapscope.kernel.client import Host

# What the tests call in Julia; defined anew in every fresh process.
JULIA = """
module HostTest
double!(out, x) = (out .= 2 .* x; nothing)
axis!(out, axis) = (for i in CartesianIndices(out); out[i] = i[axis]; end; nothing)
bytes!(out, text) = (out .= codeunits(text); nothing)
numbers!(out, a, b, c) = (out .= (a, b, c ? 1 : 0); nothing)
end
"""


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """A host that the tests of one module share; a test that ends hosts takes its own."""
    with Host(threads=2) as shared:
        shared.evaluate(JULIA)
        yield shared


@pytest.fixture
def own_host() -> Iterator[Host]:
    with Host(threads=1) as host:
        yield host


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away all by which the user of this machine chooses a Julia."""
    for name in list(os.environ):
        if name.startswith(("GAPSCOPE_JULIA", "GAPSCOPE_RUNTIME", "PYTHON_JULIA", "JULIA_")):
            monkeypatch.delenv(name)
