"""``gapscope train``, ``evaluate`` and ``predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("dataset", type=FOLDER)
@click.option("-o", "--output", type=FOLDER, required=True, help="Run folder.")
@click.option("--restart", is_flag=True, help="Replace the run in the folder, do not resume it.")
@click.option("--backbone", help="vgg16 or convnext.")
@click.option("--input-size", type=int, help="Sites per side of the window the network sees.")
@click.option("--width", type=int, help="Units of the aggregation layer.")
@click.option("--epochs", type=int, help="Passes over the training split.")
@click.option("--batch-size", type=int, help="Maps per step.")
@click.option("--learning-rate", type=float, help="Of AdamW, at its highest.")
@click.option("--weight-decay", type=float)
@click.option("--ema-momentum", type=float, help="Average the weights with this momentum.")
@click.option("--irrep-weight", type=float, help="w_IR of the paper's eq. 16.")
@click.option("--parameter-weight", type=float, help="w_param of the paper's eq. 16.")
@click.option("--symmetry/--no-symmetry", default=None, help="Augment by the operations of C3v.")
@click.option("--gaussian-noise", type=float, help="Largest noise in units of the map's own.")
@click.option("--pink-noise", type=float, help="The same for 1/f noise.")
@click.option("--precision", help="auto, float32 or mixed_bfloat16.")
@click.option("--seed", type=int)
def train(dataset: Path, output: Path, restart: bool, **options: Any) -> None:
    """Train the two-head network on DATASET.

    An interrupted run goes on after its last finished epoch. Options that are not given take the
    defaults of gapscope.learning.config.
    """
    from gapscope.learning.config import NetworkConfig, TrainingConfig
    from gapscope.learning.train import train as train_network

    given = {name: value for name, value in options.items() if value is not None}
    network = {name: given.pop(name) for name in NETWORK_OPTIONS if name in given}
    config = TrainingConfig(network=NetworkConfig(**network), **given)
    run = train_network(dataset, output, config, resume=not restart)
    click.echo(f"run {run.path}")


NETWORK_OPTIONS = ("backbone", "input_size", "width")


@click.command()
@click.argument("run", type=FOLDER)
@click.argument("dataset", type=FOLDER)
@click.option("--split", default="test", show_default=True, help="train, validation or test.")
@click.option("-o", "--output", type=FOLDER, help="Folder of the results  [default: RUN/SPLIT]")
def evaluate(run: Path, dataset: Path, split: str, output: Path | None) -> None:
    """Print the paper's Table I for RUN on DATASET; write predictions and figures."""
    from gapscope.learning.evaluate import evaluate as evaluate_run
    from gapscope.plots.learning import evaluation_figures
    from gapscope.plots.style import save_figure

    result = evaluate_run(run, dataset, split)
    folder = output or run / split
    written = list(result.write(folder))
    for name, figure in evaluation_figures(result.predictions).items():
        written.append(save_figure(figure, folder / f"{name}.png"))
    click.echo(result.text)
    for path in written:
        click.echo(f"wrote {path}")


@click.command()
@click.argument("run", type=FOLDER)
@click.argument("maps", type=FILE, nargs=-1, required=True)
@click.option("-o", "--output", type=FILE, help="netCDF file for the predictions.")
def predict(run: Path, maps: tuple[Path, ...], output: Path | None) -> None:
    """Predict irrep, gap, theta and eps0 of map files with the network of RUN."""
    from gapscope.learning.predict import predict as predict_maps
    from gapscope.mapfile import write_netcdf

    result = predict_maps(run, maps)
    labels = result.attrs["labels"]
    click.echo(
        f"{'map':<32}{'irrep':<7}{'prob.':>6}{'gap (meV)':>11}{'theta':>8}{'eps0 (meV)':>12}"
    )
    for sample in range(result.sizes["sample"]):
        one = result.isel(sample=sample)
        label = int(one["label"])
        theta = "/" if np.isnan(one["theta"]) else f"{float(one['theta']):.3f}"
        click.echo(
            f"{maps[sample].name:<32}{labels[label]:<7}{float(one['probability'][label]):>6.2f}"
            f"{float(one['gap']):>11.3f}{theta:>8}{float(one['eps0']):>12.1f}"
        )
    if output is not None:
        click.echo(f"wrote {write_netcdf(result, output)}")
