"""The results page of the reference network, docs/results.md, made by one command.

    python benchmarks/results.py --data FOLDER --runs FOLDER [--output docs/results.md]

Both folders are that of `make reference` (benchmarks/reference.py), which makes datasets and runs.
What is absent is named on the page, with the command that makes it. Predictions and maps are kept
in a cache folder, so that the command may be interrupted; what they depend on is part of their
names.
--quick shrinks every count of samples, to look at the page before hours of work.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import keras

from gapscope.simulation.provenance import versions
from reference import LARGE
from results_grid import grid_part
from results_limits import limits_part
from results_page import Page
from results_refinement import refinement_part
from results_robustness import robustness_part
from results_table import confusion_part, table_part
from results_uncertainty import uncertainty_part

PARTS = {
    "table": table_part,
    "confusion": confusion_part,
    "robustness": robustness_part,
    "grid": grid_part,
    "limits": limits_part,
    "refinement": refinement_part,
    "uncertainty": uncertainty_part,
}
HEAD = """# Results of the reference network

Written by `python benchmarks/results.py`: every number and figure comes from that command. The
paper is Hložný et al., whose Table I this page repeats; irreps, units and labels are those of
[conventions.md](conventions.md).
"""


def page_text(page: Page, names: list[str]) -> str:
    """The whole page, or some of its parts."""
    parts = [HEAD]
    if page.quick:
        parts.append("**Made with --quick: few samples, for a look at the page only.**\n")
    for name in names:
        start = time.monotonic()
        if name == "table" or (page.has_run(page.reference) and page.has_dataset(page.largest)):
            parts.append(PARTS[name](page) + "\n")
        elif not page.has_run(page.reference):
            parts.append(f"## {name}\n\n{page.absent_run(page.reference)}\n")
        else:
            parts.append(f"## {name}\n\n{page.absent_dataset(page.largest)}\n")
        print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)
    made = ", ".join(f"{k} {v}" for k, v in versions().items())
    parts.append(f"Keras {keras.__version__} ({keras.backend.backend()}); {made}.\n")
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of datasets")
    parser.add_argument("--runs", type=Path, required=True, help="folder of runs")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parents[1] / "docs/results.md"
    )
    parser.add_argument("--cache", type=Path, help="folder of kept work [RUNS/results-cache]")
    parser.add_argument("--reference", default=LARGE, help="the run that the page looks into")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="few samples")
    options = parser.parse_args()
    page = Page(
        data=options.data,
        runs=options.runs,
        cache=options.cache or options.runs / "results-cache",
        images=options.output.parent / "images",
        reference=options.reference,
        quick=options.quick,
    )
    text = page_text(page, options.parts)
    options.output.write_text(text, encoding="utf-8")
    print(f"wrote {options.output}")


if __name__ == "__main__":
    main()
