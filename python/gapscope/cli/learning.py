"""``gapscope train``, ``calibrate``, ``evaluate``, ``export`` and ``predict``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gapscope.cli.inputs import require_learning, require_some_map
from gapscope.cli.measured import scan_options
from gapscope.cli.outputs import require_outputs, require_report
from gapscope.errors import GapscopeError, MapFileError, PreparationError, printable
from gapscope.inference.kinds import kind_of, require_one_kind, require_options
from gapscope.support.resources import MEASURED_MODEL, SHIPPED_MODEL
from gapscope.support.storage import require_folder

if TYPE_CHECKING:
    import xarray as xr

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
BACKBONES = ("vgg16", "vgg16-half", "vgg16-quarter", "vgg16-eighth", "convnext")
PRECISIONS = ("auto", "float32", "mixed_bfloat16")
"""As gapscope.learning knows them, which is imported when they are used."""


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
    type=click.FloatRange(0, min_open=True),
    help="Largest learning rate of AdamW.",
)
@click.option("--weight-decay", type=click.FloatRange(0))
@click.option("--ema-momentum", type=SHARE, help="Average the weights with this momentum.")
@click.option("--irrep-weight", type=click.FloatRange(0), help="w_IR of the paper's eq. 16.")
@click.option("--parameter-weight", type=click.FloatRange(0), help="w_param of the paper's eq. 16.")
@click.option("--symmetry/--no-symmetry", default=None, help="Augment by the crystal's symmetry.")
@click.option(
    "--gaussian-noise", type=click.FloatRange(0), help="Largest noise in units of the map's own."
)
@click.option("--pink-noise", type=click.FloatRange(0), help="The same for 1/f noise.")
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
    from gapscope.learning.training.train import dataset_options
    from gapscope.learning.training.train import train as train_network

    given = _given(options)
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
    not to be used to judge them.
    """
    require_learning([run], [dataset] if training is None else [dataset, training])

    from gapscope.learning.training.fit_calibration import calibrate as calibrate_run
    from gapscope.learning.uncertainty.calibration import CALIBRATION

    made = calibrate_run(run, dataset, split, training=training)
    click.echo(f"{len(made)} maps, temperature {made.temperature:.3f}")
    click.echo(f"wrote {run / CALIBRATION}")


@click.command()
@click.argument("run", type=FOLDER)
@click.argument("dataset", type=FOLDER)
@click.option(
    "--split", type=click.Choice(["train", "validation", "test"]), default="test", show_default=True
)
@click.option("-o", "--output", type=FOLDER, help="Folder of the results  [default: RUN/SPLIT]")
@click.option(
    "--signal-to-noise",
    type=click.FloatRange(0, min_open=True),
    help="White noise on every map: the map's standard deviation over the noise's.",
)
@LEVEL
@SYMMETRY
def evaluate(run: Path, dataset: Path, split: str, output: Path | None, **options: Any) -> None:
    """Print the paper's Table I for RUN on DATASET; write predictions and figures.

    RUN is the folder of a run or of an exported model. A calibrated one also gets a table of how
    often its sets and intervals hold the truth.
    """
    folder = output or run / split
    if output is not None or run.is_dir():
        require_folder(folder)
    require_learning([run], [dataset])

    from gapscope.learning.evaluation.evaluate import evaluate as evaluate_run
    from gapscope.plots.learning import evaluation_figures
    from gapscope.plots.style import save_figure

    result = evaluate_run(run, dataset, split, **_given(options))
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


@click.command()
@click.argument("maps", type=FILE, nargs=-1, required=True)
@click.option(
    "--model",
    help="Name of a shipped model, or the folder of a run or a model."
    f"  [default: {SHIPPED_MODEL}, for measured maps {MEASURED_MODEL}]",
)
@click.option("--refine", is_flag=True, help="Follow simulated maps from the network's answer.")
@click.option("-o", "--output", type=FILE, help="netCDF file for the predictions.")
@click.option("--posterior", type=FILE, help="netCDF file for the posterior of one simulated map.")
@click.option(
    "--noise",
    type=click.FloatRange(0, min_open=True),
    help="Standard deviation of the map's noise in 1/meV, for --posterior.",
)
@click.option(
    "--figure",
    type=FILE,
    help="Measured maps beside the nearest simulated ones, or a corner plot of --posterior.",
)
@click.option("--report", type=FILE, help="PDF file for a logbook (.pdf), a page for each map.")
@LEVEL
@SYMMETRY
@click.option("--unit", type=float, help="Factor from map units to LDOS (1/meV).")
@scan_options
def predict(
    maps: tuple[Path, ...],
    model: str | None,
    refine: bool,
    output: Path | None,
    posterior: Path | None,
    noise: float | None,
    figure: Path | None,
    report: Path | None,
    unit: float | None,
    level: float | None,
    symmetry: bool | None,
    **scan: Any,
) -> None:
    """Predict irrep and unknowns of MAPS: simulated, prepared, or as the STM wrote them.

    First of all it says whether a map is like those that the network has learned from. Brackets
    hold intervals. With --refine, simulated maps are fitted to each map from there; chi is what
    the best one leaves unexplained, relative to the map. Their material is the one that the model's
    recipe names; where that file is not found, give it with --material.

    With --posterior, the probabilities of all irreps and how far off the unknowns may be follow
    from some hundred simulated maps, in about a minute.

    Options from --unit on are for measured files. These are prepared by the default steps; for
    others, give `gapscope prepare` the file, and this command what it wrote. The nearest simulated
    maps are listed, with the relative distance of their images.
    """
    require_outputs(output, figure, maps)
    require_outputs(posterior, None, maps)
    require_report(report, figure, maps)
    _require_one_posterior(maps, posterior, noise, output)
    of_measured = _given({"unit": unit, **scan})
    compared = "--refine" if refine else "--posterior" if posterior else ""
    drawn = _given({"figure": figure}) if posterior is None else {}
    measured = _all_measured(maps, compared, {**of_measured, **drawn}, simulates=report is not None)
    crystal = of_measured.get("material")
    if not (measured or refine):
        of_measured.pop("material", None)
    model = model or (MEASURED_MODEL if measured else SHIPPED_MODEL)
    require_learning(models=[model])
    if not measured:
        require_some_map(maps, _tell)

    from gapscope.cli.report import Collected, conditions_of, write_report
    from gapscope.inference.predict import predict as predict_maps

    collected = Collected()

    def tell_left_out(name: str, error: GapscopeError) -> None:
        collected.forget()
        _tell(Path(name), error)

    conditions = None
    if report is not None and not measured:
        conditions = conditions_of(model, crystal)
    result = predict_maps(
        maps,
        model,
        refine=refine,
        left_out=tell_left_out,
        used=collected.maps.append if figure is not None or report is not None else None,
        seen=collected.seen,
        tell=collected.tell,
        **_given({"level": level, "symmetry": symmetry}),
        **of_measured,
    )
    from gapscope.inference.measured_maps import departures
    from gapscope.learning.evaluation.listing import nearest_text, prediction_text, refinement_text

    names = [printable(Path(str(file)).name) for file in result["file"].values]
    click.echo(prediction_text(result, names))
    if measured:
        for name, notes in zip(names, departures(result), strict=True):
            for note in notes:
                click.echo(f"{name} was {note}.")
    if "nearest_label" in result:
        click.echo(f"\n{nearest_text(result, names)}")
    if refine:
        click.echo(f"\n{refinement_text(result, names)}")
    tree = None
    if posterior is not None:
        tree = _write_posterior(maps[0], model, noise, crystal, posterior, figure)
    elif figure is not None:
        from gapscope.inference.nearest import nearest_maps
        from gapscope.plots.comparison import comparison_figure
        from gapscope.plots.style import save_figure

        beside = comparison_figure(collected.maps, result, nearest_maps(result, model), names)
        click.echo(f"wrote {save_figure(beside, figure)}")
    if report is not None:
        click.echo(f"wrote {write_report(report, collected, result, model, conditions, tree)}")
    if output is not None:
        from gapscope.support.netcdf import write_netcdf

        click.echo(f"wrote {write_netcdf(result, output)}")
    left_out = len(maps) - len(names)
    if left_out:
        fault = PreparationError if measured else MapFileError
        raise fault(
            "Every map is opened, has a contrast and, if measured, is prepared.",
            f"{left_out} of {len(maps)} were not, and are not among the predictions",
            "See above what is wrong with each.",
        )


def _require_one_posterior(
    maps: Sequence[Path], posterior: Path | None, noise: float | None, output: Path | None
) -> None:
    """Raise MapFileError where --posterior does not go with the maps or the predictions' file, or
    --noise without it."""
    if posterior is None and noise is not None:
        raise MapFileError("--noise is for --posterior.", f"{noise:g}", "Give both, or neither.")
    if posterior is not None and len(maps) > 1:
        raise MapFileError(
            "--posterior takes one map.",
            f"{len(maps)} maps",
            "Give each to a command of its own.",
        )
    if posterior is not None and output is not None and posterior.resolve() == output.resolve():
        raise MapFileError(
            "Predictions and the posterior are two files.",
            str(posterior),
            "Give one of them another name.",
        )


def _write_posterior(
    file: Path,
    model: str,
    noise: float | None,
    crystal: str | None,
    output: Path,
    figure: Path | None,
) -> xr.DataTree:
    from gapscope.inference.posterior.ask import posterior
    from gapscope.inference.posterior.words import posterior_text
    from gapscope.support.netcdf import write_netcdf

    tree = posterior(file, model, noise=noise, material=crystal, progress=True)
    click.echo(f"\n{posterior_text(tree)}")
    click.echo(f"wrote {write_netcdf(tree, output)}")
    if figure is not None:
        from gapscope.plots.posterior import corner_figure
        from gapscope.plots.style import save_figure

        click.echo(f"wrote {save_figure(corner_figure(tree), figure)}")
    return tree


def _tell(path: Path, error: GapscopeError) -> None:
    """What is wrong with a map that is left out."""
    click.echo(f"{printable(path.name)}: {type(error).__name__}\n{error}\n", err=True)


def _all_measured(
    maps: Sequence[Path], compared: str, measured: dict[str, Any], *, simulates: bool
) -> bool:
    """Whether maps are measured; raises MapFileError where that does not go with the options.

    Parameters
    ----------
    compared : option that compares simulated maps with them, "" for none.
    measured : options for measured maps.
    simulates : whether maps are simulated all the same, so that a material may be named.
    """
    absent = [str(path) for path in maps if not path.exists()]
    if absent:
        raise MapFileError(
            "The maps are files that exist.",
            f"{', '.join(absent)}, which {'does' if len(absent) == 1 else 'do'} not",
            "Check the path.",
        )
    empty = [str(path) for path in maps if not path.stat().st_size]
    if empty:
        raise MapFileError(
            "The maps are files that are not empty.",
            f"{', '.join(empty)} of 0 bytes",
            "Copy them again from the instrument, or simulate them again.",
        )
    kinds = {path.name: kind_of(path) for path in maps}
    require_one_kind(kinds)
    given = [name for name in measured if not ((compared or simulates) and name == "material")]
    options = [f"--{name.replace('_', '-')}" for name in given]
    require_options(kinds, options, compared)
    return "map" not in kinds.values()


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given; the others take the defaults of the functions."""
    return {name: value for name, value in options.items() if value is not None}
