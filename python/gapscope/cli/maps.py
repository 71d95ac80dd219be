"""``gapscope simulate``, ``green`` and ``converge``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gapscope.cli.options import (
    FILE,
    WHOLE,
    broadening_option,
    figure_option,
    is_given,
    numerics_options,
    output_option,
    require_undecided,
    told_warnings,
    window_option,
)
from gapscope.cli.outputs import require_outputs
from gapscope.cli.scatterer import files, impurity_options, scatterers
from gapscope.cli.state import specification, state_options, title
from gapscope.physics import Impurity
from gapscope.physics.irreps import both_gaps
from gapscope.simulation.numerics import Numerics, choose_method

if TYPE_CHECKING:
    import xarray as xr


@click.command()
@state_options
@impurity_options
@numerics_options
@click.option(
    "--convention",
    type=click.Choice(["ldos", "paper"]),
    default="ldos",
    show_default=True,
    help="rho(q) as the Fourier transform of drho(r), or eq. 12 of the paper.",
)
@click.option("--by-orbital", is_flag=True, help="Add the densities of every orbital.")
@click.option(
    "--green",
    type=FILE,
    help="File of gapscope green, instead of the superconductor and of how it is computed: maps of"
    " any impurity follow from it at once.",
)
@output_option
@figure_option
@click.pass_context
def simulate(
    context: click.Context,
    /,
    energies: tuple[float, ...],
    broadening: float,
    window: int,
    method: str,
    accuracy: float | None,
    kgrid: int | None,
    convention: Any,
    by_orbital: bool,
    green: Path | None,
    output: Path,
    figure: Path | None,
    **options: Any,
) -> None:
    """Simulate QPI maps of a superconductor with an impurity on r = 0, and others.

    Without --energy the map is computed at zero energy.
    """
    from gapscope.simulation.maps import simulate as simulate_maps

    require_outputs(output, figure, [*files(options), *([] if green is None else [green])])
    scatterer = scatterers(options)
    if green is not None:
        maps = _from_green(context, green, scatterer, window, convention, by_orbital)
        _told(maps, output, figure)
        return
    chosen = choose_method(method, accuracy=accuracy, kgrid=kgrid)
    numerics = Numerics(energies or (0.0,), broadening, window, chosen)
    if len(numerics.energies) > 1:
        click.echo(f"energies {', '.join(f'{w:g}' for w in numerics.energies)} meV")
    state = specification(options, scatterer)
    with told_warnings():
        maps = simulate_maps(state, numerics, convention, by_orbital=by_orbital, progress=True)
    if state.pairing.custom is None and (both := both_gaps(state.pairing.irrep, options["gap"])):
        click.echo(f"gap {options['gap']:g} meV of A2u = {both}")
    _told(maps, output, figure)


def _told(maps: xr.Dataset, output: Path, figure: Path | None) -> None:
    """Write maps and their figure, and say how accurate they are."""
    from gapscope.support.netcdf import write_netcdf

    if "relative_error" in maps.attrs:
        click.echo(f"estimated relative error {maps.attrs['relative_error'].max():.2g}")
    click.echo(f"wrote {write_netcdf(maps, output)}")
    if figure is not None:
        from gapscope.plots.maps import map_figure
        from gapscope.plots.style import save_figure

        click.echo(f"wrote {save_figure(map_figure(maps), figure)}")


OF_MAPS = {
    *("green", "impurity", "moment", "orbital_weights", "also", "impurity_file", "window"),
    *("convention", "by_orbital", "output", "figure"),
}
"""Options of a map whose Green's function is known."""


def _from_green(
    context: click.Context,
    path: Path,
    impurity: Impurity,
    window: int,
    convention: Any,
    by_orbital: bool,
) -> xr.Dataset:
    """Maps from a file of ``gapscope green``; what it decides cannot be given again."""
    from gapscope.simulation.from_green import simulate_from_green
    from gapscope.simulation.greenfile import read_green

    require_undecided(context, OF_MAPS)
    known = read_green(path)
    chosen = window if is_given(context, "window") else None
    with told_warnings():
        return simulate_from_green(known, impurity, chosen, convention, by_orbital=by_orbital)


@click.command()
@state_options
@impurity_options
@numerics_options
@click.option(
    "--reach",
    type=WHOLE,
    help="Lattice vectors beyond the window to which G is kept, for impurities up to that far from"
    " r = 0  [default: as far as the impurity given here]",
)
@output_option
def green(
    energies: tuple[float, ...],
    broadening: float,
    window: int,
    reach: int | None,
    method: str,
    accuracy: float | None,
    kgrid: int | None,
    output: Path,
    **options: Any,
) -> None:
    """Write the Green's function of a clean superconductor, from which maps follow.

    `gapscope simulate --green FILE --impurity V` makes maps of any impurities of it. With an
    impurity given here its map has the accuracy, otherwise the Green's function itself.
    """
    from gapscope.simulation.green import green_function
    from gapscope.support.memory import gigabytes
    from gapscope.support.netcdf import write_netcdf

    require_outputs(output, None, files(options))
    impurity = scatterers(options, required=False)
    chosen = choose_method(method, accuracy=accuracy, kgrid=kgrid)
    numerics = Numerics(energies or (0.0,), broadening, window, chosen)
    state = specification(options, impurity)
    with told_warnings():
        found = green_function(state, numerics, reach=reach, progress=True)
    if "relative_error" in found:
        click.echo(f"estimated relative error {float(found['relative_error'].max()):.2g}")
    click.echo(f"wrote {write_netcdf(found, output)} ({gigabytes(found.nbytes)})")


@click.command()
@state_options
@impurity_options
@click.option("--energy", type=float, default=0.0, show_default=True, help="meV.")
@broadening_option
@window_option
@click.option("--largest-kgrid", type=WHOLE, default=8192, show_default=True, help="Finest grid.")
@figure_option
def converge(
    energy: float,
    broadening: float,
    window: int,
    largest_kgrid: int,
    figure: Path | None,
    **options: Any,
) -> None:
    """Show error against time of both methods for one specification."""
    from gapscope.simulation.convergence import convergence_study

    require_outputs(None, figure, files(options))
    scatterer = scatterers(options)
    spec = specification(options, scatterer)
    smallest = min(512, largest_kgrid)
    doublings = max(largest_kgrid // smallest, 1).bit_length()
    study = convergence_study(
        spec,
        energy=energy,
        broadening=broadening,
        window=window,
        kgrids=[smallest * 2**n for n in range(doublings)],
        accuracies=[0.1, 0.03, 0.01, 0.005, 0.001],
        progress=True,
    )
    click.echo(f"{'method':<20}{'seconds':>9}{'error':>10}{'estimate':>10}")
    for kgrid in study.kgrid.values:
        one = study.sel(kgrid=kgrid)
        click.echo(
            f"{f'grid {kgrid}':<20}{float(one.grid_seconds):>9.3f}{float(one.grid_error):>10.1e}"
        )
    for accuracy in study.accuracy.values:
        one = study.sel(accuracy=accuracy)
        click.echo(
            f"{f'converged {accuracy:g}':<20}{float(one.converged_seconds):>9.3f}"
            f"{float(one.converged_error):>10.1e}{float(one.converged_estimate):>10.1e}"
        )
    if figure is not None:
        from gapscope.plots.convergence import convergence_figure
        from gapscope.plots.style import save_figure

        click.echo(f"wrote {save_figure(convergence_figure(study, title(spec)), figure)}")
