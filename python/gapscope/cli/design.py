"""``gapscope design``."""

from __future__ import annotations

from pathlib import Path

import click

from gapscope.cli.finite import FiniteRange
from gapscope.cli.inputs import require_learning
from gapscope.cli.learning import FILE, USUAL_MODEL
from gapscope.cli.options import WHOLE
from gapscope.cli.outputs import require_outputs
from gapscope.inference.choice import choice_words, usual_readers


@click.command()
@click.argument("map", type=FILE)
@click.option("--posterior", type=FILE, help="The map's own, as `gapscope predict` wrote it.")
@click.option(
    "--model",
    help=f"Name of a shipped model, or the folder of a run or a model.  [default: {USUAL_MODEL}]",
)
@click.option(
    "--energies",
    type=float,
    multiple=True,
    help="meV, of maps to consider; several as 0,0.5.  [default: up to the gap]",
)
@click.option("--window", type=WHOLE, help="Sites per side of a larger map.  [default: twice]")
@click.option(
    "--quieter", type=float, default=2.0, show_default=True, help="Times less noise than now."
)
@click.option(
    "--potential",
    type=(float, float),
    help="Least and largest of another defect in meV.  [default: as the model's, or -300 300]",
)
@click.option(
    "--moment",
    type=(float, float),
    default=(5.0, 50.0),
    show_default=True,
    help="Least and largest along z of a magnetic defect in meV.",
)
@click.option(
    "--noise",
    type=FiniteRange(0, min_open=True),
    help="Standard deviation of the map's noise in 1/meV, where the posterior is not given.",
)
@click.option(
    "--aim",
    default="all",
    show_default=True,
    help="What to sort by: all, irrep, or the name of an unknown.",
)
@click.option("--material", help="Name or file of the model's material, where it is not found.")
@click.option("-o", "--output", type=FILE, help="netCDF file to write.")
def design(
    map: Path,
    posterior: Path | None,
    model: str | None,
    energies: tuple[float, ...],
    window: int | None,
    quieter: float,
    potential: tuple[float, float] | None,
    moment: tuple[float, float],
    noise: float | None,
    aim: str,
    material: str | None,
    output: Path | None,
) -> None:
    """Rank what to measure next to a simulated MAP, by what it is expected to tell.

    Candidates are a map at another energy around the same impurity, maps around another scalar and
    another magnetic one, a larger field of view, and less noise. Each is simulated for the states
    that the map's posterior leaves, and analysed: the gain is the expected information about irrep
    and unknowns of the superconductor; beside it stand the expected entropy of the irrep, how
    probably that falls to a half, and the expected standard deviations.

    Without --posterior, it is computed first.
    """
    require_outputs(output, None, [map, *([posterior] if posterior else [])])
    from gapscope.simulation.mapfile import read_map

    maps = read_map(map)
    fitting = usual_readers([maps]) if model is None else []
    model = model or fitting[0]
    require_learning(models=[model])
    from gapscope.inference.design.ask import design as ranked
    from gapscope.inference.design.words import design_text

    result = ranked(
        maps,
        posterior,
        model,
        energies=energies or None,
        window=window,
        quieter=quieter,
        potential=potential,
        moment=moment,
        noise=noise,
        aim=aim,
        material=material,
        progress=True,
    )
    if fitting:
        click.echo(choice_words(fitting))
    click.echo(design_text(result))
    if output is not None:
        from gapscope.support.netcdf import write_netcdf

        click.echo(f"wrote {write_netcdf(result, output)}")
