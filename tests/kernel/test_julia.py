"""The kernel's own tests, in Julia."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_kernel_passes_its_tests_in_julia() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gapscope.kernel.provision", "--run", "julia/test/runtests.jl"],
        cwd=ROOT,
        env=os.environ | {"GAPSCOPE_THREADS": "2"},  # tasks side by side, whatever the machine
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(done.stdout)
    assert done.returncode == 0
    assert "Test Summary" in done.stdout
