"""What the room of physics imports, from its source."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gapscope.physics

FOLDER = Path(gapscope.physics.__file__).parent
OWN = ("gapscope.physics", "gapscope.errors")
LIBRARIES = {"numpy", "scipy", *sys.stdlib_module_names}


def foreign(source: str) -> Iterator[str]:
    """Modules that are imported anywhere in a source, and are none of what physics may import."""
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
        for name in names:
            own = any(name == one or name.startswith(f"{one}.") for one in OWN)
            if not own and name.partition(".")[0] not in LIBRARIES:
                yield name


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda p: p.stem)
def test_physics_imports_numpy_scipy_and_itself_alone(path: Path) -> None:
    assert list(foreign(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    [
        "import xarray as xr",
        "from spgrep import group",
        "from gapscope.support import storage",
        "import gapscope.simulation.maps",
        "from . import bonds",
        "def f():\n    import julia",
    ],
)
def test_anything_else_is_seen(line: str) -> None:
    assert list(foreign(line))
