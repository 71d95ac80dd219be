"""The kernel's own tests, in Julia."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROVISION = [sys.executable, "-m", "gapscope.kernel.provision"]


def test_the_kernel_passes_its_tests_in_julia() -> None:
    """What the image does not hold is compiled for these tests alone: quickly (-O0)."""
    done = subprocess.run(
        [*PROVISION, "--run", "-O0", "julia/test/runtests.jl"],
        cwd=ROOT,
        env=os.environ | {"GAPSCOPE_THREADS": "2"},  # tasks side by side, whatever the machine
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(done.stdout)
    assert done.returncode == 0
    assert "Test Summary" in done.stdout
