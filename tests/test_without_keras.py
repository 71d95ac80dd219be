"""What runs, and what is said, on a machine without TensorFlow or Keras."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
sys.argv[1:] = {arguments!r}
from gapscope.cli import main
{then}
"""
EACH = """import json
from click.testing import CliRunner
for line in sys.argv[1:]:
    ended = CliRunner().invoke(main, json.loads(line))
    print(json.dumps([ended.exit_code, ended.stderr, type(ended.exception).__name__]))
"""
"""Runs a command by each argument, the JSON of its own."""
NEED_NETWORKS = (
    ["train", "data", "-o", "run"],
    ["calibrate", "run", "data"],
    ["evaluate", "run", "data"],
    ["export", "run", "-o", "model"],
    ["predict", __file__],
)


def run(
    missing: tuple[str, ...],
    *arguments: str,
    then: str = "main()",
    folder: Path | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command, or what follows, where packages are missing."""
    code = WITHOUT.format(missing=missing, arguments=list(arguments), then=then)
    known = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**known, "KERAS_HOME": "/nonexistent", **environment},
    )


@pytest.mark.parametrize("missing", [("tensorflow",), ("tensorflow", "keras")])
def test_what_needs_networks_says_what_to_install(missing: tuple[str, ...], tmp_path: Path) -> None:
    done = run(missing, *map(json.dumps, NEED_NETWORKS), then=EACH, folder=tmp_path)
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(ends) == len(NEED_NETWORKS), done.stderr
    for command, (code, said, how) in zip(NEED_NETWORKS, ends, strict=True):
        assert (code, how) == (1, "SystemExit"), command
        assert "Remedy: Run `pip install keras tensorflow`." in said, command
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("backend", "remedy"),
    [("jax", "`pip install keras jax`"), ("abacus", "KERAS_BACKEND to one of tensorflow, jax")],
)
def test_a_missing_backend_is_named(backend: str, remedy: str) -> None:
    done = run(("jax",), "predict", __file__, KERAS_BACKEND=backend)
    assert done.returncode == 1
    assert f"here {backend}." in done.stderr
    assert remedy in done.stderr
    assert "Traceback" not in done.stderr


def test_simulations_datasets_and_measured_files_need_no_keras(tmp_path: Path) -> None:
    simulate = ["simulate", "--irrep", "A1g", "--gap", "1", "--theta", "0", "--impurity", "50"]
    simulate += ["--window", "8", "--accuracy", "0.1"]
    file = tmp_path / "map.nc"
    done = run(
        ("tensorflow", "keras"), *simulate, "-o", str(file), "--figure", str(tmp_path / "map.png")
    )
    assert done.returncode == 0, done.stderr
    assert file.is_file()
    imports = "import gapscope.dataset.build, gapscope.dataset.verify, gapscope.dataset.load\n"
    imports += "import gapscope.measured, gapscope.measured.default, gapscope.inference.refine\n"
    code = WITHOUT.format(missing=("tensorflow", "keras"), arguments=["--help"], then="main()")
    code = code.replace("from gapscope.cli", imports + "from gapscope.cli")
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
