"""``gapscope predict``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gapscope.cli.finite import FiniteRange
from gapscope.cli.inputs import require_learning, require_some_map
from gapscope.cli.learning import FILE, LEVEL, SYMMETRY, USUAL_MODEL, given_options
from gapscope.cli.measured import SCAN, scan_options
from gapscope.cli.outputs import require_outputs, require_report
from gapscope.errors import GapscopeError, MapFileError, PreparationError, printable
from gapscope.inference.choice import usual_model
from gapscope.inference.kinds import (
    kind_of,
    require_one_kind,
    require_options,
    usual_measured_model,
)
from gapscope.support.resources import GRID_MODEL, MEASURED_MODEL

if TYPE_CHECKING:
    import xarray as xr


@click.command()
@click.argument("maps", type=FILE, nargs=-1, required=True)
@click.option(
    "--model",
    help="Name of a shipped model, or the folder of a run or a model."
    f"  [default: {USUAL_MODEL}; for measured ones {MEASURED_MODEL}, for grids of spectra there"
    f" {GRID_MODEL}]",
)
@click.option("--refine", is_flag=True, help="Follow simulated maps from the network's answer.")
@click.option("-o", "--output", type=FILE, help="netCDF file for the predictions.")
@click.option("--posterior", type=FILE, help="netCDF file for the posterior of one simulated map.")
@click.option(
    "--noise",
    type=FiniteRange(0, min_open=True),
    help="Standard deviation of the map's noise in 1/meV, for --posterior.",
)
@click.option(
    "--figure",
    type=FILE,
    help="Measured maps beside that of the answer and the nearest of the training, or a corner plot"
    " of --posterior.",
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
    of_measured = given_options({"unit": unit, **scan})
    compared = "--refine" if refine else "--posterior" if posterior else ""
    drawn = given_options({"figure": figure}) if posterior is None else {}
    measured = _all_measured(maps, compared, {**of_measured, **drawn}, simulates=report is not None)
    crystal = of_measured.get("material")
    if not (measured or refine):
        of_measured.pop("material", None)
    known = model is not None or measured  # else the answer says what was chosen, and why
    if model is None and measured:
        from gapscope.inference.measured_files import Scan

        model = usual_measured_model(maps, Scan(**{name: scan[name] for name in SCAN}))
    model = model or usual_model(maps)
    require_learning(models=[model])
    if not measured:
        require_some_map(maps, _tell)
    if posterior is not None:
        from gapscope.inference.posterior.ask import require_scale
        from gapscope.learning.model_folder.run import RunFolder
        from gapscope.support.resources import find_model

        require_scale(RunFolder(find_model(model)).config())

    from gapscope.cli.report import Collected, conditions_of, write_report
    from gapscope.inference.predict import predict as predict_maps

    collected = Collected()

    def tell_left_out(name: str, error: GapscopeError) -> None:
        collected.forget()
        _tell(Path(name), error)

    conditions = None
    if (report is not None and not measured) or posterior is not None:
        conditions = conditions_of(model, crystal)
    result = predict_maps(
        maps,
        model if known else None,
        refine=refine,
        left_out=tell_left_out,
        used=collected.maps.append if figure is not None or report is not None else None,
        seen=collected.seen,
        tell=collected.tell,
        **given_options({"level": level, "symmetry": symmetry}),
        **of_measured,
    )
    from gapscope.inference.measured_maps import departures
    from gapscope.learning.evaluation.listing import nearest_text, prediction_text, refinement_text

    names = [printable(Path(str(file)).name) for file in result["file"].values]
    if "chosen" in result.attrs:
        click.echo(result.attrs["chosen"])
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
        from gapscope.inference.posterior.ask import posterior_from

        assert conditions is not None
        tree = posterior_from(
            result.isel(sample=0), collected.windows[0], conditions, noise=noise, progress=True
        )
        _write_posterior(tree, posterior, figure)
    elif figure is not None:
        from gapscope.inference.nearest import nearest_maps, with_answers
        from gapscope.plots.comparison import comparison_figure
        from gapscope.plots.style import save_figure

        shown = with_answers(result)
        beside = comparison_figure(collected.maps, shown, nearest_maps(shown, model), names)
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


def _write_posterior(tree: xr.DataTree, output: Path, figure: Path | None) -> None:
    from gapscope.inference.posterior.words import posterior_text
    from gapscope.support.netcdf import write_netcdf

    click.echo(f"\n{posterior_text(tree)}")
    click.echo(f"wrote {write_netcdf(tree, output)}")
    if figure is not None:
        from gapscope.plots.posterior import corner_figure
        from gapscope.plots.style import save_figure

        click.echo(f"wrote {save_figure(corner_figure(tree), figure)}")


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
