"""The shipped networks of further problems from nothing, and docs/problem-results.md.

    python benchmarks/problems.py FOLDER [NAME ...]

For each NAME, a recipe of data/recipes, the dataset is built in FOLDER, the network trained with
the options of the recipe, calibrated with the split ``validation``, scored on the split ``test``,
and exported to data/models/NAME. ``nbse2-open-one`` has nbse2-open's dataset and options of its own
(benchmarks/one_energy.toml). Its section of the page is written anew, the others stay. What an
earlier command finished is kept: an interrupted one goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gapscope.dataset.build import build
from gapscope.dataset.card import card
from gapscope.dataset.load import DatasetReader
from gapscope.dataset.recipe import Recipe, load_recipe
from gapscope.plots.dataset import sheet
from gapscope.plots.style import save_figure
from gapscope.problem.told import told
from gapscope.support.resources import find_recipe, share_folder
from gapscope.support.storage import write_whole

if TYPE_CHECKING:
    from gapscope.learning.model_folder.run import RunFolder

STATES_OF = {"nbse2-open-one": "nbse2-open"}
OPTIONS_OF = {"nbse2-open-one": Path(__file__).with_name("one_energy.toml")}
"""Recipes and options of the networks that have not those of their own name."""
NAMES = ("bi2212", "nbse2-substrate", "nbs2", "nbse2-open", *OPTIONS_OF)
FINER, STATES, SEED = 3, 50, 4711
"""How much finer a grid, how many states, and whence, to see whether the recipe's grid matters."""
PAGE = Path("docs") / "problem-results.md"

HEAD = """# Results of the further networks

Written by `python benchmarks/problems.py FOLDER`: every number and figure comes from that command.
Maps are clean, of states that no network has seen; irreps, units and labels are those of
[conventions.md](conventions.md).
"""


def recipe_name(name: str) -> str:
    """The recipe of a network's maps."""
    return STATES_OF.get(name, name)


def make_network(folder: Path, name: str) -> RunFolder:
    """Build, train, calibrate, evaluate and export one, as far as it has not been done."""
    from gapscope.learning.evaluation.evaluate import evaluate
    from gapscope.learning.model_folder.trained import export
    from gapscope.learning.network.options import training_config
    from gapscope.learning.training.fit_calibration import calibrate
    from gapscope.learning.training.train import train
    from gapscope.learning.uncertainty.calibration import CALIBRATION
    from gapscope.plots.learning import evaluation_figures

    states = recipe_name(name)
    recipe = find_recipe(states)
    data = build(recipe, folder / f"{states}-data")
    write_whole(recipe.with_suffix(".md"), card(data).encode())
    own = training_config(OPTIONS_OF[name]) if name in OPTIONS_OF else None
    run = train(data, folder / name, own)
    if not (run.path / CALIBRATION).is_file():
        calibrate(run.path, data, "validation")
    results = run.path / "test"
    if not (results / "table.txt").is_file():
        found = evaluate(run.path, data)
        found.write(results)
        for title, figure in evaluation_figures(found.predictions).items():
            save_figure(figure, results / f"{title}.png")
    print(f"\n{name}\n{(results / 'table.txt').read_text(encoding='utf-8')}", flush=True)
    print(f"wrote {export(run.path, share_folder() / 'data' / 'models' / name)}", flush=True)
    return run


def on_a_finer_grid(folder: Path, name: str, run: RunFolder) -> str:
    """A line on maps of other states by a grid that is FINER times as fine; none if converged."""
    from gapscope.learning.evaluation.evaluate import evaluate

    table = load_recipe(find_recipe(recipe_name(name))).to_dict()
    if table["method"]["name"] != "grid":
        return ""
    kgrid = FINER * table["method"]["kgrid"]
    own = {
        "seed": SEED,
        "method": {"name": "grid", "kgrid": kgrid},
        "splits": {"train": 0, "validation": 0, "test": STATES},
    }
    data = build(Recipe.from_dict(table | own), folder / f"{name}-finer")
    found = evaluate(run.path, data)
    foreign = int(found.predictions["unlike_training"].sum())
    return (
        f"- Maps of {STATES} other states on a grid of {kgrid}, {FINER} times as fine as the"
        f" recipe's:\n  {found.accuracy:.0%} are read rightly, and {foreign} are called unlike.\n"
    )


def section(folder: Path, name: str, run: RunFolder) -> str:
    """What the page says of one network; its figure is written beside."""
    states = recipe_name(name)
    with DatasetReader(folder / f"{states}-data") as reader:
        merges = "".join(f"- {line}.\n" for line in told(reader.problem))
        counts = reader.recipe["splits"]
        image = Path("docs") / "images" / f"problem-{states}.png"
        sheet(reader, 2).savefig(image, dpi=70, pil_kwargs={"optimize": True})
    config, history = run.config(), run.history()
    backbone = config.training.network.backbone
    finer = on_a_finer_grid(folder, name, run)
    minutes = sum(epoch["seconds"] for epoch in history) / 60
    model = share_folder() / "data" / "models" / name
    size = sum(file.stat().st_size for file in model.iterdir()) / 1e6
    text = (run.path / "test" / "table.txt").read_text(encoding="utf-8")
    covered = (run.path / "test" / "coverage.txt").read_text(encoding="utf-8")
    return f"""
## {name}

- Maps: {counts["train"]} to learn from, {counts["validation"]} to calibrate with,
  {counts["test"]} to judge by ([recipe](../data/recipes/{states}.toml),
  [card of the dataset](../data/recipes/{states}.md)).
{merges}- Network: {backbone}, {len(history)} epochs in {minutes:.0f} minutes
  ({config.precision}); its folder has {size:.1f} MB ([card](../data/models/{name}/MODEL_CARD.md)).
{finer}
![Maps of every class](images/problem-{states}.png)

```
{text.rstrip()}
```

```
{covered.rstrip()}
```
"""


def sections(page: str) -> dict[str, str]:
    """The parts of the page by their headings."""
    return {part.split("\n", 1)[0]: f"\n## {part}" for part in page.split("\n## ")[1:]}


def main() -> None:
    """Make everything that is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"[all] {', '.join(NAMES)}")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in NAMES]:
        parser.error(f"names are {', '.join(NAMES)}, not {', '.join(unknown)}")
    runs = {name: make_network(options.folder, name) for name in options.names or NAMES}
    made = {name: section(options.folder, name, run) for name, run in runs.items()}
    parts = sections(PAGE.read_text(encoding="utf-8")) | made
    write_whole(PAGE, (HEAD + "".join(parts[name] for name in NAMES if name in parts)).encode())
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    # Dask's worker processes import this module again: everything starts behind this line.
    main()
