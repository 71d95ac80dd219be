"""Run the benchmarks one after another and write what they print to docs/benchmarks.md.

python benchmarks/report.py
"""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
REPORT = HERE.parent / "docs" / "benchmarks.md"
FIGURE = HERE.parent / "docs" / "images" / "converge-a1u.png"
STUDY = ["converge", "--irrep", "A1u", "--gap", "1.0", "--eps0", "20", "--impurity", "50"]

SECTIONS = (
    ("maps.py", "One map on a grid against the obvious NumPy code (benchmarks/obvious.py)"),
    ("accuracy.py", "Method converged against brute force, and what grids leave"),
    ("scaling.py", "How the time of a converged map grows"),
)
ROWS = ["-m", "gapscope.kernel.provision", "--run", str(HERE / "rows.jl")]
BOUND = """
A row must at least be sampled and transformed: that is the floor. Following the roots, removing
their aliases and keeping account of errors come on top; roots take the largest share. A map is some
thousand rows per block, on all threads, and their spreading, which grows with the window's area.
"""

HEAD = """# Benchmarks

Written by `make bench`: every number was printed by the script named above it, in one run on one
machine ({machine}). The machine is shared: read ratios and errors before seconds.
"""


def printed(command: list[str]) -> str:
    """What a command prints; its errors go to the terminal."""
    done = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout, flush=True)
    return done.stdout.rstrip()


def main() -> None:
    parts = [HEAD.format(machine=f"{platform.system()}, {platform.machine()}")]
    for script, title in SECTIONS:
        output = printed([sys.executable, script])
        parts.append(f"## {title}\n\n`python benchmarks/{script}`\n\n```\n{output}\n```\n")
    output = printed([sys.executable, *ROWS]).split("\n", 1)[1]
    parts.append(
        "## What a row costs, one thread\n\n`python -m gapscope.kernel.provision --run"
        f" benchmarks/rows.jl`\n\n```\n{output}\n```\n{BOUND}"
    )
    gapscope = str(Path(sys.executable).with_name("gapscope"))
    output = printed([gapscope, *STUDY, "--figure", str(FIGURE)])
    table = "\n".join(line for line in output.splitlines() if not line.startswith("wrote"))
    parts.append(
        f"## Error against time for one state\n\n`gapscope {' '.join(STUDY)}`\n\n"
        f"```\n{table}\n```\n"
        f"\n![Error against time of both methods](images/{FIGURE.name})\n"
    )
    REPORT.write_text("\n".join(parts), encoding="utf-8")
    print(f"wrote {REPORT}")


if __name__ == "__main__":
    main()
