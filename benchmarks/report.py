"""Run the benchmarks one after another and write what they print to docs/benchmarks.md.

    python benchmarks/report.py [NAME ...]

With names (maps, accuracy, ...) only these run; the other parts of the report stay as they are.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
REPORT = HERE.parent / "docs" / "benchmarks.md"
FIGURE = HERE.parent / "docs" / "images" / "converge-a1u.png"
STUDY = ["converge", "--irrep", "A1u", "--gap", "1.0", "--eps0", "20", "--impurity", "50"]

SCRIPTS = {
    "maps": "One map on a grid against the obvious NumPy code (benchmarks/obvious.py)",
    "accuracy": "Method converged against brute force, and what grids leave",
    "damage": "What the error estimate says of damage done on purpose",
    "orbitals": "Many orbitals",
    "scaling": "How the time of a converged map grows",
    "peers": "Two public codes with the same physics",
    "throughput": "Training against plain Keras",
}
COMMANDS = {
    "damage": ("damage.py", "damage.py --orbitals", "damage.py --orbitals --seed 11"),
    "orbitals": ("orbitals.py", "orbitals_dataset.py"),
    "peers": ("peers.py", "peers_continuum.py"),
}
"""Commands of parts that are not one script of their name."""
NOTES = {
    "peers": """
At an equal k-grid all codes carry the same error; neither peer warns of it. To be fair: calcQPI has
MPI and GPU versions and more kinds of tunnelling, and is timed here by its CPU build, in the first
table on the least that it can do. pyqula's time is that of its general path for hoppings beyond
neighbouring cells; its adaptive decimation, for one site, is accurate.
""",
    "throughput": """
A VGG16 is convolutions, which bound the ratio: the last row of the table shows how far. One
AVX-512 instruction multiplies twice as many pairs in bfloat16 as in float32; the ratio for matrices
is what that gives on this machine. See [decision 8](decisions/0008-reference-network.md).
""",
}
ROWS = ["-m", "gapscope.kernel.provision", "--run", str(HERE / "rows.jl")]
BOUND = """
A row must at least be sampled and transformed: that is the floor. Following the roots, removing
their aliases and keeping account of errors come on top; roots take the largest share. A map is some
thousand rows per block, on all threads, and their spreading, which grows with the window's area.
"""

HEAD = f"""# Benchmarks

Written by `make bench`: every number was printed by the script named above it, on one machine
({platform.system()}, {platform.machine()}); what is compared ran side by side.
The machine is shared: read ratios and errors before seconds.
"""


def printed(command: list[str]) -> str:
    """What a command prints; its errors go to the terminal."""
    done = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout, flush=True)
    return done.stdout.rstrip()


def script_part(name: str, title: str) -> str:
    """Heading, and of each script its command and output."""
    text = f"## {title}\n"
    for command in COMMANDS.get(name, (f"{name}.py",)):
        output = printed([sys.executable, *command.split()])
        text += f"\n`python benchmarks/{command}`\n\n```\n{output}\n```\n"
    return text + NOTES.get(name, "")


def rows_part() -> str:
    """What the steps of a row cost."""
    output = printed([sys.executable, *ROWS]).split("\n", 1)[1]
    return (
        "## What a row costs, one thread\n\n`python -m gapscope.kernel.provision --run"
        f" benchmarks/rows.jl`\n\n```\n{output}\n```\n{BOUND}"
    )


def study_part() -> str:
    """Error against time for one state, with its figure."""
    gapscope = str(Path(sys.executable).with_name("gapscope"))
    output = printed([gapscope, *STUDY, "--figure", str(FIGURE)])
    table = "\n".join(line for line in output.splitlines() if not line.startswith("wrote"))
    return (
        f"## Error against time for one state\n\n`gapscope {' '.join(STUDY)}`\n\n"
        f"```\n{table}\n```\n"
        f"\n![Error against time of both methods](images/{FIGURE.name})\n"
    )


def written_parts() -> dict[str, str]:
    """The parts of the report as it is, by their headings."""
    if not REPORT.is_file():
        return {}
    _, *parts = REPORT.read_text(encoding="utf-8").split("\n## ")
    return {part.splitlines()[0]: f"## {part}" for part in parts}


def main() -> None:
    makers: dict[str, Callable[[], str]] = {
        name: lambda name=name, title=title: script_part(name, title)  # type: ignore[misc]
        for name, title in SCRIPTS.items()
    }
    makers |= {"rows": rows_part, "study": study_part}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *makers], metavar="NAME")
    chosen = parser.parse_args().names or list(makers)
    parts = written_parts()
    for name in chosen:
        part = makers[name]()
        parts[part.splitlines()[0].removeprefix("## ")] = part
    order = [*SCRIPTS.values(), "What a row costs, one thread", "Error against time for one state"]
    text = "\n".join(parts[title].rstrip("\n") + "\n" for title in order if title in parts)
    REPORT.write_text(f"{HEAD}\n{text}", encoding="utf-8")
    print(f"wrote {REPORT}")


if __name__ == "__main__":
    main()
