"""Maps per second of a build with 1, 2, ... workers, in turns.

    python benchmarks/workers.py [RECIPE] [--maps 160] [--turns 3]

Cores are shared out between the workers' kernels, so that each row uses all of them. The rate is
that of the shards after each worker's first one; what workers take to start stands beside it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from gapscope.dataset.build import build
from gapscope.dataset.recipe import load_recipe
from gapscope.kernel.client import default_threads
from gapscope.support.resources import find_recipe

SHARDS = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", nargs="?", default="nbse2-open")
    parser.add_argument("--maps", type=int, default=160)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    recipe = load_recipe(find_recipe(options.recipe))
    counts = [n for n in (1, 2, 4, 8, 16, 32) if n <= default_threads()]
    own = {"splits": {"train": options.maps, "validation": 0, "test": 0}}
    small = type(recipe).from_dict(
        recipe.to_dict() | own | {"shard_size": max(1, options.maps // SHARDS)}
    )
    rates: dict[int, list[float]] = {count: [] for count in counts}
    starts: dict[int, list[float]] = {count: [] for count in counts}
    with TemporaryDirectory() as folder:
        for turn in range(options.turns):
            for count in counts:
                own_folder = Path(folder) / f"{turn}-{count}"
                began = time.time()
                build(small, own_folder, workers=count, progress=False)
                ends = sorted(path.stat().st_mtime for path in (own_folder / "shards").glob("*.h5"))
                maps = options.maps / len(ends) * (len(ends) - count)
                rates[count].append(maps / (ends[-1] - ends[count - 1]))
                starts[count].append(ends[0] - began)
    print(f"{options.recipe}: {options.maps} maps in {SHARDS} shards, {default_threads()} cores")
    print(f"{'workers':>8}{'maps/s':>9}{'range':>16}{'first shard (s)':>17}")
    for count, own_rates in rates.items():
        spread = f"{min(own_rates):.1f} to {max(own_rates):.1f}"
        first = statistics.median(starts[count])
        print(f"{count:>8}{statistics.median(own_rates):>9.1f}{spread:>16}{first:>17.1f}")


if __name__ == "__main__":
    main()
