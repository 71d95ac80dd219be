"""Write docs/posterior-results.md from what benchmarks/posterior.py and outside.py have found.

    python benchmarks/posterior_page.py [--folder benchmarks/results] [--page FILE]

Both keep their results line by line in a folder; the table of every file there becomes a section of
the page, those of other files stay. TARP is asked of its authors' package as well (`pip install
--group judge`).
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tarp import get_tarp_coverage

from outside import table
from posterior import Problem, shown
from problems import sections

Array = NDArray[np.float64]

OUTER = re.compile(r"outside-(?P<problem>.+)-(?P<ratio>[\d.]+)-\d+")
NAMED = re.compile(r"posterior-(?P<problem>.+)-(?P<ratio>[\d.]+)-(?P<noise>known|unknown)-\d+")
OUTSIDE = "Worlds that are not in the prior"
PAGE = """# How right posteriors are

Written by `python benchmarks/posterior_page.py` from what `python benchmarks/posterior.py` and
`python benchmarks/outside.py` have found; their docstrings say what is asked of each map. Maps are
fresh ones from the prior, with white noise; a ratio is that of a map's standard deviation to the
noise's. A p-value below 0.05 would say that ranks (SBC) or distances (TARP) are not uniform. Sets
of 50, 90 and 95 % are to hold the truth as often; of n independent numbers the share of a 90 % set
scatters by 30 % / sqrt(n), and the numbers of one map are not independent. The network
nbse2-open-one sees 0.5 meV alone.

A world that is not in the prior shows where its map differs from all maps of the model by more than
the noise hides. Other hoppings do so at a ratio of 1000, but hardly at 10, where onsite energy and
hopping scale make up for them; a moment along x besides the one along z may leave a map what
another moment along z would make of it.
"""


def asked_of(file: Path) -> tuple[str, str, list[str]] | None:
    """The problem's name, a headline, and the labels of its classes."""
    found = NAMED.fullmatch(file.stem)
    if found is None:
        return None
    noise = "noise stated" if found["noise"] == "known" else "noise not stated"
    labels = list(Problem(found["problem"]).conditions.problem.labels)
    return found["problem"], f"signal-to-noise ratio {found['ratio']}, {noise}", labels


def oracle(lines: list[dict]) -> str:
    """TARP by its authors' own code, from draws of equal weight."""
    lines = [one["standard"] for one in lines if "standard" in one]
    size = max(len(one["truth"]) for one in lines)

    def padded(values: list) -> Array:
        given = np.asarray(values, dtype=np.float64)
        return np.pad(given, [(0, 0)] * (given.ndim - 1) + [(0, size - given.shape[-1])])

    draws, truths, references = (
        np.stack([padded(one[name]) for one in lines]) for name in ("draws", "truth", "reference")
    )
    coverage, levels = get_tarp_coverage(
        draws.swapaxes(0, 1),
        truths,
        references=references,
        metric="euclidean",
        norm=False,
        num_alpha_bins=20,
    )
    nearer = ((draws - references[:, None]) ** 2).sum(axis=-1) < ((truths - references) ** 2).sum(
        axis=-1
    )[:, None]
    ours = (nearer.mean(axis=1)[:, None] < levels).mean(axis=0)
    largest = np.abs(coverage - levels).max()
    return (
        f"TARP by its authors' package, {len(lines)} maps: coverage at most {largest:.2f} from the"
        f" level, {np.abs(coverage - ours)[:-1].max():.3f} from ours"
    )


def section(title: str, text: str) -> dict[str, str]:
    """A part of the page by its heading."""
    return {title: f"\n## {title}\n\n```\n{text}\n```\n"}


def read(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--page", type=Path, default=Path("docs/posterior-results.md"))
    given = parser.parse_args()
    parts = sections(given.page.read_text()) if given.page.exists() else {}
    for file in sorted(given.folder.glob("posterior-*.jsonl")):
        if (asked := asked_of(file)) is None:
            continue
        problem, words, labels = asked
        lines = read(file)
        text = shown(f"{problem} at {words}", lines, labels) + "\n" + oracle(lines)
        parts |= section(f"{problem}, {words}", text)
        print(text, end="\n\n")
    for file in sorted(given.folder.glob("outside-*.jsonl")):
        if (outer := OUTER.fullmatch(file.stem)) is None:
            continue
        text = table(read(file))
        title = f"{OUTSIDE}: {outer['problem']}, signal-to-noise ratio {outer['ratio']}"
        parts |= section(title, text)
        print(text, end="\n\n")
    order = sorted(parts, key=lambda title: (title.startswith(OUTSIDE), title))
    given.page.write_text(PAGE + "".join(parts[title] for title in order))


if __name__ == "__main__":
    main()
