"""``make reference``: the shipped network from nothing, in one folder.

    python -m gapscope.reference FOLDER [--seeds N]

Datasets nbse2-reference, nbse2-calibration and nbse2-fresh are built, networks trained with seeds
1 .. N, calibrated and evaluated. The first network becomes data/models/nbse2-vgg16, and the cards
of the datasets go to data/recipes. Every step keeps what an earlier run finished: an interrupted
run goes on, within a training after its last epoch. On two cores with bfloat16 the datasets take a
quarter of an hour and each training, alone on the machine, an hour; `benchmarks/results.py` turns
the folder into docs/results.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gapscope.dataset.build import build
from gapscope.dataset.card import card
from gapscope.resources import find_recipe, share_folder

if TYPE_CHECKING:
    from gapscope.learning.config import TrainingConfig

DATASETS = ("reference", "calibration", "fresh")
MODEL = "nbse2-vgg16"


def training_config(seed: int) -> TrainingConfig:
    """Options of the reference networks: the defaults, strong noise now and then, more epochs."""
    from gapscope.learning.config import TrainingConfig

    return TrainingConfig(epochs=30, gaussian_noise=0.4, pink_noise=0.4, seed=seed)


def make_dataset(folder: Path, name: str) -> None:
    """Build a dataset; write its card, with the plainest reader's table where it has one."""
    from gapscope.learning.baseline import nearest_neighbour
    from gapscope.learning.metrics import table
    from gapscope.learning.report import table_text

    recipe = find_recipe(f"nbse2-{name}")
    data = build(recipe, folder / name)
    text = card(data)
    if name == "reference":
        size = training_config(1).network.input_size
        text += f"\n## Baseline: the nearest training map, window {size}\n\n```\n"
        text += table_text(table(nearest_neighbour(data, size))) + "\n```\n"
    recipe.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"dataset {data}", flush=True)


def make_network(folder: Path, seed: int) -> Path:
    """Train, calibrate and evaluate one network; returns its run folder."""
    from gapscope.learning.calibrate import calibrate
    from gapscope.learning.evaluate import evaluate
    from gapscope.learning.train import train

    run = train(folder / "reference", folder / f"vgg16-s{seed}", training_config(seed)).path
    calibrate(run, folder / "calibration", training=folder / "reference")
    for name in ("reference", "fresh"):
        result = evaluate(run, folder / name)
        result.write(run / ("test" if name == "reference" else name))
        print(f"\n{run.name} on {name}\n{result.text}", flush=True)
    return run


def main() -> None:
    """Make everything that is not there yet."""
    from gapscope.learning.model import export

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    for name in DATASETS:
        make_dataset(options.folder, name)
    for seed in range(1, options.seeds + 1):
        run = make_network(options.folder, seed)
        if seed == 1:
            print(f"wrote {export(run, share_folder() / 'data' / 'models' / MODEL)}")


if __name__ == "__main__":
    # Dask's worker processes import this module again: everything starts behind this line.
    main()
