"""``gapscope train``, ``calibrate``, ``evaluate`` and ``export``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gapscope.cli.finite import FiniteRange
from gapscope.cli.inputs import require_learning
from gapscope.support.networks import INDEX, require_network
from gapscope.support.resources import (
    OPEN_ENERGIES,
    OPEN_ENERGY,
    OPEN_MODEL,
    OPEN_ONE_MODEL,
    SHIPPED_MODEL,
    find_model,
)
from gapscope.support.storage import require_folder

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
SHARE = FiniteRange(0, 1, min_open=True, max_open=True)
BACKBONES = ("vgg16", "vgg16-half", "vgg16-quarter", "vgg16-eighth", "convnext")
PRECISIONS = ("auto", "float32", "mixed_bfloat16")
"""As gapscope.learning knows them, which is imported when they are used."""
_ENERGIES = ", ".join(f"{one:g}" for one in OPEN_ENERGIES)
USUAL_MODEL = (
    f"{OPEN_MODEL} for maps at {_ENERGIES} meV, else {OPEN_ONE_MODEL} for those at {OPEN_ENERGY:g}"
    f" meV, else {SHIPPED_MODEL}"
)
"""What answers for simulated maps where no model is named, in help texts."""


@click.command()
@click.argument("dataset", type=FOLDER)
@click.option("-o", "--output", type=FOLDER, required=True, help="Run folder.")
@click.option("--start", type=FOLDER, help="Run or model to begin with, not random weights.")
@click.option(
    "--also",
    type=FOLDER,
    multiple=True,
    help="Further dataset that the regression of --surfaces learns from; repeat for several.",
)
@click.option(
    "--options",
    "file",
    type=FILE,
    help="TOML file with a table [training]  [default: the one of DATASET's recipe]",
)
@click.option("--restart", is_flag=True, help="Replace the run in the folder, do not resume it.")
@click.option("--backbone", type=click.Choice(BACKBONES), help="Convolutional layers.")
@click.option(
    "--input-size", type=click.IntRange(2, 1024), help="Sites per side of the window it sees."
)
@click.option("--width", type=click.IntRange(1, 4096), help="Units of the aggregation layer.")
@click.option("--epochs", type=click.IntRange(1), help="Passes over the training split.")
@click.option("--batch-size", type=click.IntRange(1), help="Maps per step.")
@click.option(
    "--learning-rate",
    type=FiniteRange(0, min_open=True),
    help="Largest learning rate of AdamW.",
)
@click.option("--weight-decay", type=FiniteRange(0))
@click.option("--ema-momentum", type=SHARE, help="Average the weights with this momentum.")
@click.option("--irrep-weight", type=FiniteRange(0), help="w_IR of the paper's eq. 16.")
@click.option("--parameter-weight", type=FiniteRange(0), help="w_param of the paper's eq. 16.")
@click.option("--symmetry/--no-symmetry", default=None, help="Augment by the crystal's symmetry.")
@click.option(
    "--gaussian-noise", type=FiniteRange(0), help="Largest noise in units of the map's own."
)
@click.option("--pink-noise", type=FiniteRange(0), help="The same for 1/f noise.")
@click.option("--measured", is_flag=True, help="Learn from maps as a measurement leaves them.")
@click.option(
    "--surfaces/--no-surfaces", default=None, help="Learn clean maps' parameters by regression."
)
@click.option(
    "--precision", type=click.Choice(PRECISIONS), help="Floating-point precision of the training."
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1))
def train(
    dataset: Path,
    output: Path,
    start: Path | None,
    also: tuple[Path, ...],
    file: Path | None,
    restart: bool,
    measured: bool,
    **options: Any,
) -> None:
    """Train the two-head network on DATASET.

    An interrupted run goes on after its last finished epoch. Options that are not given here are
    those of the file, or of the dataset's recipe, and else the defaults of
    gapscope.learning.network.config.
    """
    require_folder(output)
    require_learning([] if start is None else [start], [dataset, *also])

    from gapscope.learning.network.options import training_config
    from gapscope.learning.training.begin import dataset_options
    from gapscope.learning.training.train import train as train_network

    given = given_options(options)
    given["network"] = {name: given.pop(name) for name in NETWORK_OPTIONS if name in given}
    if measured:
        given["measurement"] = {}
    config = training_config(dataset_options(dataset) if file is None else file, given)
    run = train_network(dataset, output, config, start=start, also=also, resume=not restart)
    click.echo(f"run {run.path}")


NETWORK_OPTIONS = ("backbone", "input_size", "width")


LEVEL = click.option(
    "--level", type=SHARE, help="Probability that sets and intervals hold the truth."
)
SYMMETRY = click.option(
    "--symmetry/--no-symmetry",
    default=None,
    help="Average over the symmetric copies of a map; without, a calibration is left aside.",
)


@click.command()
@click.argument("run", type=FOLDER)
@click.argument("dataset", type=FOLDER)
@click.option(
    "--split", type=click.Choice(["validation", "test"]), default="test", show_default=True
)
@click.option(
    "--training",
    type=FOLDER,
    help="Dataset that RUN was trained on, where it is not DATASET or beside it.",
)
def calibrate(run: Path, dataset: Path, split: str, training: Path | None) -> None:
    """Calibrate the network of RUN with maps of DATASET that it has not seen.

    Predictions then have calibrated probabilities, sets and intervals, and say whether a map is
    unlike the training maps. DATASET stands for the maps that predictions will be made for, and is
    not to be used to judge them. For a network of Green's functions it takes some minutes: what
    tells turned, mirrored and other changed maps is trained, too.
    """
    require_learning([run], [dataset] if training is None else [dataset, training])

    from gapscope.learning.training.fit_calibration import calibrate as calibrate_run
    from gapscope.learning.uncertainty.calibration import CALIBRATION

    made = calibrate_run(run, dataset, split, training=training)
    click.echo(f"{len(made)} maps, temperature {made.temperature:.3f}")
    click.echo(f"wrote {run / CALIBRATION}")


@click.command()
@click.argument("run")
@click.argument("dataset", type=FOLDER)
@click.option(
    "--split", type=click.Choice(["train", "validation", "test"]), default="test", show_default=True
)
@click.option(
    "-o",
    "--output",
    type=FOLDER,
    help="Folder of the results  [default: RUN/SPLIT; of a model MODEL-SPLIT, here]",
)
@click.option(
    "--signal-to-noise",
    type=FiniteRange(0, min_open=True),
    help="White noise on every map: the map's standard deviation over the noise's.",
)
@LEVEL
@SYMMETRY
def evaluate(run: str, dataset: Path, split: str, output: Path | None, **options: Any) -> None:
    """Print the paper's Table I for RUN on DATASET; write predictions and figures.

    RUN is the folder of a run or of an exported model; where there is none, the name of a shipped
    model. A calibrated one also gets a table of how often its sets and intervals hold the truth.
    """
    if output is not None:
        require_folder(output)
    require_learning(datasets=[dataset])
    network = Path(run) if Path(run).is_dir() else find_model(run)
    require_network(network)
    model = (network / INDEX).is_file()
    folder = output or (Path(f"{network.name}-{split}") if model else network / split)
    require_folder(folder)

    from gapscope.learning.evaluation.evaluate import evaluate as evaluate_run
    from gapscope.plots.learning import evaluation_figures
    from gapscope.plots.style import save_figure

    result = evaluate_run(network, dataset, split, **given_options(options))
    written = list(result.write(folder))
    for name, figure in evaluation_figures(result.predictions).items():
        written.append(save_figure(figure, folder / f"{name}.png"))
    click.echo(result.text)
    if result.uncertainty is not None:
        click.echo(f"\n{result.uncertainty}")
    for path in written:
        click.echo(f"wrote {path}")


@click.command()
@click.argument("run", type=FOLDER)
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder of the model.")
@click.option("--name", help="Name of the model  [default: that of its folder]")
def export(run: Path, output: Path, name: str | None) -> None:
    """Write the network of RUN as a model to give away: half precision, with a model card.

    The folder holds JSON, arrays and safetensors, and no code.
    """
    require_folder(output)
    require_learning([run])

    from gapscope.learning.model_folder.trained import export as export_model

    folder = export_model(run, output, name)
    size = sum(path.stat().st_size for path in folder.iterdir())
    click.echo(f"wrote {folder}, {size / 1e6:.1f} MB")


def given_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given; the others take the defaults of the functions."""
    return {name: value for name, value in options.items() if value is not None}
