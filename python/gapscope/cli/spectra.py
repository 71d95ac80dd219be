"""``gapscope dos`` and ``spectrum``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gapscope.cli.options import (
    WHOLE,
    accuracy_option,
    figure_option,
    kgrid_option,
    output_option,
    told_warnings,
)
from gapscope.cli.outputs import require_outputs
from gapscope.cli.state import specification, state_options, title
from gapscope.physics import Impurity
from gapscope.simulation.numerics import choose_method


@click.command()
@state_options
@click.option(
    "--range",
    "bounds",
    type=(float, float),
    help="meV  [default: 4 meV, three gaps or ten broadenings, whichever is most, on both sides of"
    " zero]",
)
@click.option("--points", type=WHOLE, default=161, show_default=True, help="Number of energies.")
@click.option("--broadening", type=float, default=0.1, show_default=True, help="delta in meV.")
@click.option(
    "--method",
    type=click.Choice(["converged", "grid"]),
    show_default="grid if --kgrid is given, otherwise converged",
)
@accuracy_option
@kgrid_option
@click.option("--by-orbital", is_flag=True, help="Add the density of every orbital.")
@output_option
@figure_option
def dos(
    bounds: tuple[float, float] | None,
    points: int,
    broadening: float,
    method: str | None,
    accuracy: float | None,
    kgrid: int | None,
    by_orbital: bool,
    output: Path,
    figure: Path | None,
    **options: Any,
) -> None:
    """Density of states of the clean superconductor, over --range in meV."""
    import numpy as np

    from gapscope.simulation.spectrum import LONG_NAME, density_of_states
    from gapscope.support.netcdf import write_netcdf

    require_outputs(output, figure, [Path(options["material"])])
    chosen = choose_method(method, accuracy=accuracy, kgrid=kgrid)
    spec = specification(options, Impurity.scalar(0.0))
    reach = max(4.0, 3 * spec.pairing.gap, 10 * broadening)
    energies = np.linspace(*(bounds or (-reach, reach)), points).tolist()
    with told_warnings():
        values = density_of_states(
            spec, energies, broadening, method=chosen, by_orbital=by_orbital, progress=True
        )
    if "relative_error" in values.coords:
        click.echo(f"estimated relative error {float(values.relative_error.max()):.2g}")
    content = values.to_dataset()
    if by_orbital:
        content["dos"] = values.sum("orbital").assign_attrs(values.attrs, long_name=LONG_NAME)
    click.echo(f"wrote {write_netcdf(content, output)}")
    if figure is not None:
        from gapscope.plots.spectra import dos_figure
        from gapscope.plots.style import save_figure

        click.echo(f"wrote {save_figure(dos_figure(values, title(spec)), figure)}")


@click.command()
@state_options
@click.option(
    "--path",
    "corners",
    show_default="Gamma,M,K,Gamma on a triangular lattice",
    help="Points of symmetry, comma separated.",
)
@click.option("--steps", type=WHOLE, default=2000, show_default=True, help="k points per line.")
@click.option(
    "--range",
    "bounds",
    type=(float, float),
    help="meV  [default: six gaps, or ten broadenings where they are more, on both sides of zero]",
)
@click.option("--points", type=WHOLE, default=201, show_default=True, help="Number of energies.")
@click.option(
    "--broadening", type=float, help="delta in meV  [default: a tenth of the gap, at most 0.5]"
)
@output_option
@figure_option
def spectrum(
    corners: str | None,
    steps: int,
    bounds: tuple[float, float] | None,
    points: int,
    broadening: float | None,
    output: Path,
    figure: Path | None,
    **options: Any,
) -> None:
    """Spectral function A(k, w) along a path, over --range in meV."""
    import numpy as np

    from gapscope.physics.path import path, usual_path
    from gapscope.simulation.spectrum import spectral_function
    from gapscope.support.netcdf import write_netcdf

    require_outputs(output, figure, [Path(options["material"])])
    spec = specification(options, Impurity.scalar(0.0))
    lattice = spec.material.lattice
    names = usual_path(lattice) if corners is None else [c.strip() for c in corners.split(",")]
    momenta = path(lattice, names, steps)
    gap = spec.pairing.gap
    if broadening is None:
        broadening = min(gap / 10, 0.5) if gap else 0.5
    reach = max(6 * gap, 10 * broadening)
    energies = np.linspace(*(bounds or (-reach, reach)), points).tolist()
    values = spectral_function(spec, momenta, energies, broadening, progress=True)
    click.echo(f"wrote {write_netcdf(values.to_dataset(), output)}")
    if figure is not None:
        from gapscope.plots.spectra import path_figure
        from gapscope.plots.style import save_figure

        click.echo(f"wrote {save_figure(path_figure(values, names, title(spec)), figure)}")
