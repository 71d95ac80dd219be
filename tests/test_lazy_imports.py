"""What is imported when, seen in an interpreter of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gapscope

HEAVY = ("numpy", "xarray", "pandas", "h5py", "keras", "tensorflow", "matplotlib", "distributed")


def heavy_after(code: str) -> set[str]:
    """Return the heavy libraries that are imported once ``code`` has run or exited."""
    program = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('\\n', *({HEAVY!r} & sys.modules.keys())))\n"
    ).replace(repr(HEAVY), repr(set(HEAVY)))
    done = subprocess.run([sys.executable, "-c", program + code], capture_output=True, text=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("module", ["gapscope", "gapscope.errors", "gapscope.kernel.host"])
def test_the_package_and_the_host_import_no_numerical_library(module: str) -> None:
    assert heavy_after(f"import {module}") == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["predict", "--help"], ["predict", "nothere.nc"]]
)
def test_help_and_refusals_import_no_more_than_numpy(arguments: list[str], tmp_path: Path) -> None:
    code = f"import sys; from gapscope.cli import main; sys.argv[1:] = {arguments!r}; main()"
    assert heavy_after(code) <= {"numpy"}


@pytest.mark.parametrize(("command", "imported"), [("simulate", False), ("dataset", True)])
def test_dask_is_left_aside_where_a_command_does_not_need_it(command: str, imported: bool) -> None:
    code = (
        f"import sys; from gapscope.cli import run; sys.argv[1:] = [{command!r}, '--help']\n"
        "try: run()\n"
        "except SystemExit: import xarray; xarray.DataArray([0.0])\n"
    )
    program = (
        f"import atexit, sys; atexit.register(lambda: print('dask.array' in sys.modules))\n{code}"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == str(imported)


def test_a_backend_that_is_not_there_stops_no_command() -> None:
    code = (
        "import sys; from gapscope.cli import run; sys.argv[1:] = ['dos', '--help']\n"
        "try: run()\n"
        "except SystemExit: import matplotlib; print('imported')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "MPLBACKEND": "of_a_notebook"},
    )
    assert done.stdout.splitlines()[-1] == "imported", done.stderr


def test_every_public_name_is_there_and_listed() -> None:
    for name in gapscope.__all__:
        assert getattr(gapscope, name) is not None
    assert set(gapscope.__all__) <= set(dir(gapscope))
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        gapscope.nothing_of_this_name  # noqa: B018


@pytest.mark.parametrize(
    "first",
    [
        "pass",
        "import gapscope.simulation.maps",
        "import gapscope.cli.demo, gapscope.inference.refine",
    ],
)
def test_simulate_is_the_function_whatever_was_imported_before(first: str) -> None:
    code = f"{first}\nimport gapscope as gs\nassert type(gs.simulate).__name__ == 'function'\n"
    code += "from gapscope import simulate\nassert simulate is gs.simulate\n"
    code += "import gapscope.simulation.maps\nassert simulate is gs.simulate\n"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_import_is_seen() -> None:
    assert heavy_after("import gapscope; gapscope.Numerics; raise SystemExit(3)") >= {"numpy"}
