"""Maps per second of a build with 1, 2, ... workers, in turns, the start of workers included.

    python benchmarks/workers.py [RECIPE] [--maps 160] [--turns 3]

Cores are shared out between the workers' kernels, so that each row uses all of them.
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
    times: dict[int, list[float]] = {count: [] for count in counts}
    with TemporaryDirectory() as folder:
        for turn in range(options.turns):
            for count in counts:
                start = time.perf_counter()
                build(small, Path(folder) / f"{turn}-{count}", workers=count, progress=False)
                times[count].append(time.perf_counter() - start)
    print(f"{options.recipe}: {options.maps} maps in {SHARDS} shards, {default_threads()} cores")
    print(f"{'workers':>8}{'maps/s':>9}{'range':>16}")
    for count, seconds in times.items():
        rate, low, high = (
            options.maps / s for s in (statistics.median(seconds), max(seconds), min(seconds))
        )
        print(f"{count:>8}{rate:>9.1f}{f'{low:.1f} to {high:.1f}':>16}")


if __name__ == "__main__":
    main()
