"""What runs, and what is said, on a machine without TensorFlow or Keras."""

from __future__ import annotations

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
main()
"""


def run(
    missing: tuple[str, ...], *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command where packages are missing."""
    code = WITHOUT.format(missing=missing, arguments=list(arguments))
    known = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**known, "KERAS_HOME": "/nonexistent", **environment},
    )


@pytest.mark.parametrize("missing", [("tensorflow",), ("tensorflow", "keras")])
@pytest.mark.parametrize(
    "command",
    [
        ["train", "data", "-o", "run"],
        ["calibrate", "run", "data"],
        ["evaluate", "run", "data"],
        ["export", "run", "-o", "model"],
        ["predict", __file__],
    ],
)
def test_what_needs_networks_says_what_to_install(
    missing: tuple[str, ...], command: list[str], tmp_path: Path
) -> None:
    place = {"-o": str(tmp_path / "out")}
    if "-o" in command:
        command = [*command[:-1], place["-o"]]
    done = run(missing, *command)
    assert done.returncode == 1
    assert "Remedy: Run `pip install keras tensorflow`." in done.stderr
    assert "Traceback" not in done.stderr


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
    code = WITHOUT.format(missing=("tensorflow", "keras"), arguments=["--help"])
    code = code.replace("from gapscope.cli", imports + "from gapscope.cli")
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
