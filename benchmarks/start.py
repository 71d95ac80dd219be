"""CPU seconds of commands as a shell sees them, with the kernel compiled ahead and without.

python benchmarks/start.py [--repeat 3]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile

SIMULATE = (
    "simulate --irrep Eg --gap 1.0 --theta 0.3 --eps0 20 --impurity 50 --energy 0 "
    "--broadening 0.1 --window 128 --accuracy 0.005 -o map.nc"
)
COMMANDS = {
    "import gapscope": ["-c", "import gapscope"],
    "gapscope --help": ["--help"],
    "gapscope predict nothere.nc": ["predict", "nothere.nc"],
    "gapscope simulate": SIMULATE.split(),
    "gapscope simulate --figure": [*SIMULATE.split(), "--figure", "map.png"],
}


def cpu_seconds(arguments: list[str], folder: str, image: str) -> float:
    """Return the user and system time of one command and of all that it started."""
    code = [] if arguments[0] == "-c" else ["-c", "from gapscope.cli import run; run()"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *code, *arguments],
        cwd=folder,
        env={**os.environ, "GAPSCOPE_IMAGE": image},
        capture_output=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Print the least of several CPU times of each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    repeat = parser.parse_args().repeat
    print(f"{'':<30}{'compiled ahead':>16}{'not':>8}{'ratio':>8}   (CPU s, least of {repeat})")
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in COMMANDS.items():
            ahead, anew = (
                min(cpu_seconds(arguments, folder, image) for _ in range(repeat))
                for image in ("", "no")
            )
            print(f"{name:<30}{ahead:>16.2f}{anew:>8.2f}{anew / ahead:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
