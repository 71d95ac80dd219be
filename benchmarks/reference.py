"""``make reference``: the shipped network from nothing, and all that docs/results.md tells of it.

    python benchmarks/reference.py FOLDER [RUN ...]

Datasets are built (recipes data/recipes/nbse2-*.toml) and the networks of RUNS trained in FOLDER;
those that see maps of the reference dataset's kind are calibrated and scored on fresh ones too.
``vgg16-large``, which goes on from ``vgg16-s1`` with four times as many states, becomes
data/models/nbse2-vgg16, ``vgg16-measured`` data/models/nbse2-measured, ``vgg16-measured-one``
data/models/nbse2-measured-one, and the cards of the datasets go to data/recipes. What an earlier
command finished is kept: an interrupted one goes on, within a training after its last epoch.

On two cores with bfloat16 a dataset of 5500 maps takes 4 minutes and a training of a VGG16, alone
on the machine, less than an hour. ``benchmarks/results.py`` turns FOLDER into docs/results.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gapscope.dataset.build import build
from gapscope.dataset.card import card
from gapscope.dataset.recipe import load_recipe
from gapscope.support.resources import (
    GRID_MODEL,
    MEASURED_MODEL,
    SHIPPED_MODEL,
    find_recipe,
    share_folder,
)
from gapscope.support.storage import write_whole

if TYPE_CHECKING:
    from gapscope.learning.model_folder.run import RunFolder
    from gapscope.learning.network.config import TrainingConfig

REFERENCE, CALIBRATION, FRESH = "reference", "calibration", "fresh"


@dataclass(frozen=True)
class Plan:
    """How a run differs from the others.

    ``start`` names the run that it goes on from; its surfaces learn from that one's maps too.
    ``compared`` says that its maps are those of the reference dataset's kind, so that calibration
    and fresh maps are for it too. ``measured``: it learns from maps as a measurement leaves them,
    as the recipe of its dataset says, and is calibrated with those of that; ``energies`` are those
    that it sees, in meV, all where not given.
    """

    dataset: str = REFERENCE
    backbone: str = "vgg16"
    seed: int = 1
    epochs: int = 30
    start: str | None = None
    compared: bool = True
    measured: bool = False
    energies: tuple[float, ...] | None = None

    def training(self) -> TrainingConfig:
        """Options of the training: the recipe's, or the defaults, with strong noise now and then,
        and its length."""
        from gapscope.learning.network.config import NetworkConfig, TrainingConfig
        from gapscope.learning.network.options import training_config

        if self.measured:
            seen = {} if self.energies is None else {"energies": list(self.energies)}
            own = load_recipe(find_recipe(recipe_name(self.dataset))).training
            return training_config(own, {"network": seen})
        return TrainingConfig(
            network=NetworkConfig(backbone=self.backbone),
            epochs=self.epochs,
            gaussian_noise=0.4,
            pink_noise=0.4,
            seed=self.seed,
        )


SEEDS = ("vgg16-s1", "vgg16-s2", "vgg16-s3")
LARGE, MEASURED, MEASURED_ONE = "vgg16-large", "vgg16-measured", "vgg16-measured-one"
RUNS = {
    **{name: Plan(seed=n) for n, name in enumerate(SEEDS, 1)},
    "convnext": Plan(backbone="convnext"),
    LARGE: Plan("large", epochs=6, start=SEEDS[0]),
    "vgg16-grid1024": Plan("grid1024", epochs=15, compared=False),
    MEASURED: Plan("measured-open", compared=False, measured=True),
    MEASURED_ONE: Plan("measured-open", compared=False, measured=True, energies=(0.5,)),
    "vgg16-five-energies": Plan("five-energies", epochs=15, compared=False),
}
SHIPPED = {LARGE: SHIPPED_MODEL, MEASURED: GRID_MODEL, MEASURED_ONE: MEASURED_MODEL}
"""Names in data/models of the runs that are given away."""


def recipe_name(dataset: str) -> str:
    """The shipped recipe of a dataset."""
    return f"nbse2-{dataset}"


@cache
def make_dataset(folder: Path, name: str) -> Path:
    """Build a dataset and write its card, once per command; the reference one's with a baseline."""
    from gapscope.learning.evaluation.baseline import nearest_neighbour
    from gapscope.learning.evaluation.metrics import table
    from gapscope.learning.evaluation.tables import table_text
    from gapscope.problem.paper import predicted_problem

    recipe = find_recipe(recipe_name(name))
    data = build(recipe, folder / name)
    text = card(data)
    if name == REFERENCE:
        size = Plan().training().network.input_size
        text += f"\n## Baseline: the nearest training map, window {size}\n\n```\n"
        found = nearest_neighbour(data, size)
        problem = predicted_problem(found.attrs)
        text += table_text(table(found), problem) + "\n```\n"
    write_whole(recipe.with_suffix(".md"), text.encode())
    print(f"dataset {data}", flush=True)
    return data


def train_network(folder: Path, name: str) -> RunFolder:
    """Train one network, with the dataset and the run that it needs."""
    from gapscope.learning.training.train import train

    plan = RUNS[name]
    data = make_dataset(folder, plan.dataset)
    if plan.start is None:
        return train(data, folder / name, plan.training())
    start = train_network(folder, plan.start)
    also = [make_dataset(folder, RUNS[plan.start].dataset)]
    return train(data, folder / name, plan.training(), start=start.path, also=also)


def make_network(folder: Path, name: str) -> RunFolder:
    """Train, calibrate and evaluate one network, with all that it needs."""
    from gapscope.learning.training.fit_calibration import calibrate
    from gapscope.learning.uncertainty.calibration import CALIBRATION as FILE

    plan = RUNS[name]
    run = train_network(folder, name)
    scored = {"test": plan.dataset, **({FRESH: FRESH} if plan.compared else {})}
    if plan.measured:
        # Now, as long as there is no calibration by this very split.
        show(folder, name, scored)
    calibration = plan.dataset if plan.measured else CALIBRATION if plan.compared else None
    if calibration is not None and not (run.path / FILE).is_file():
        data = make_dataset(folder, calibration)
        calibrate(run.path, data, "test", training=folder / plan.dataset)
    if not plan.measured:
        show(folder, name, scored)
    return run


def show(folder: Path, name: str, scored: Mapping[str, str]) -> None:
    """Evaluate a run on datasets, by the names of their results, where it was not; print tables."""
    from gapscope.learning.evaluation.evaluate import evaluate

    for results, dataset in scored.items():
        table = folder / name / results / "table.txt"
        if not table.is_file():
            evaluate(folder / name, make_dataset(folder, dataset)).write(table.parent)
        print(f"\n{name} on {dataset}\n{table.read_text(encoding='utf-8')}", flush=True)


def main() -> None:
    """Make everything that is not there yet."""
    from gapscope.learning.model_folder.trained import export

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", nargs="*", metavar="RUN", help=f"[all] {', '.join(RUNS)}")
    options = parser.parse_args()
    unknown = [name for name in options.runs if name not in RUNS]
    if unknown:
        parser.error(f"runs are {', '.join(RUNS)}, not {', '.join(unknown)}")
    for name in options.runs or RUNS:
        run = make_network(options.folder, name)
        if name in SHIPPED:
            print(f"wrote {export(run.path, share_folder() / 'data' / 'models' / SHIPPED[name])}")


if __name__ == "__main__":
    # Dask's worker processes import this module again: everything starts behind this line.
    main()
