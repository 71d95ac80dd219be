"""``gapscope continuum``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gapscope.cli.options import (
    FILE,
    WHOLE,
    figure_option,
    is_given,
    numerics_options,
    output_option,
    require_undecided,
    told_warnings,
)
from gapscope.cli.outputs import require_outputs
from gapscope.cli.scatterer import files, impurity_options, scatterers
from gapscope.cli.state import specification, state_options
from gapscope.errors import SettingError
from gapscope.physics import Material
from gapscope.simulation.numerics import Numerics, choose_method

if TYPE_CHECKING:
    from gapscope.simulation.continuum.wannier_functions import WannierFunctions

ALLOWED = {
    *("green", "impurity", "moment", "orbital_weights", "also", "impurity_file", "window"),
    *("tip_height", "tip_orbital", "vacuum", "decay", "wannier", "gaussian", "pixels"),
    *("output", "figure"),
}
"""Options beside ``--green``."""


@click.command()
@state_options
@impurity_options
@click.option(
    "--green", type=FILE, help="File of gapscope green, instead of the superconductor's options."
)
@numerics_options
@click.option(
    "--tip-height",
    type=float,
    required=True,
    help="z of the tip in Angstrom, counted as the orbitals' heights (z = 0 where they have none).",
)
@click.option(
    "--tip-orbital",
    type=click.Choice(["s", "px", "py", "pz"]),
    default="s",
    show_default=True,
    help="Orbital that the tip ends with.",
)
@click.option(
    "--vacuum",
    type=float,
    help="z in Angstrom of the plane from which Wannier functions are continued into the vacuum"
    "  [default: they are taken at the tip]",
)
@click.option(
    "--decay",
    type=float,
    help="Decay of the vacuum in 1/Angstrom, sqrt(2 m phi)/hbar  [default: 1.09, for 4.5 eV]",
)
@click.option(
    "--wannier",
    type=FILE,
    multiple=True,
    help="Wannier function of an orbital, .xsf or .cube; once for each, in their order  [default:"
    " Slater orbitals by the material's characters, with the vacuum's decay]",
)
@click.option(
    "--gaussian", type=float, help="Gaussian orbitals of this width in Angstrom, instead."
)
@click.option("--pixels", type=WHOLE, default=8, show_default=True, help="Per lattice vector.")
@output_option
@figure_option
@click.pass_context
def continuum(
    context: click.Context,
    /,
    green: Path | None,
    energies: tuple[float, ...],
    broadening: float,
    window: int,
    method: str,
    accuracy: float | None,
    kgrid: int | None,
    tip_height: float,
    tip_orbital: str,
    vacuum: float | None,
    decay: float | None,
    wannier: tuple[Path, ...],
    gaussian: float | None,
    pixels: int,
    output: Path,
    figure: Path | None,
    **options: Any,
) -> None:
    """Map on pixels what a tip above the crystal sees of impurities.

    The density of states between the atoms, by the orbitals' Wannier functions at the tip.
    """
    from gapscope.simulation.continuum.maps import continuum as continuum_maps
    from gapscope.simulation.continuum.tip import Tip
    from gapscope.simulation.greenfile import read_green, require_green
    from gapscope.support.netcdf import write_netcdf

    read = [*files(options), *wannier, *([] if green is None else [green])]
    require_outputs(output, figure, read)
    impurity = scatterers(options)
    given = {} if decay is None else {"decay": decay}
    tip = Tip(tip_height, tip_orbital, vacuum, **given)
    shared: dict[str, Any] = {"tip": tip, "pixels": pixels}
    with told_warnings():
        if green is not None:
            require_undecided(context, ALLOWED)
            known = read_green(green)
            material = require_green(known).specification.material
            found = continuum_maps(
                known,
                impurity=impurity,
                window=window if is_given(context, "window") else None,
                functions=_functions(material, wannier, gaussian),
                **shared,
            )
        else:
            chosen = choose_method(method, accuracy=accuracy, kgrid=kgrid)
            numerics = Numerics(energies or (0.0,), broadening, window, chosen)
            state = specification(options, impurity)
            functions = _functions(state.material, wannier, gaussian)
            found = continuum_maps(state, numerics, functions=functions, progress=True, **shared)
    click.echo(found.attrs["wannier_functions"])
    if "relative_error" in found:
        click.echo(f"estimated relative error {float(found['relative_error'].max()):.2g}")
    click.echo(f"wrote {write_netcdf(found, output)}")
    if figure is not None:
        from gapscope.plots.continuum import continuum_figure
        from gapscope.plots.style import save_figure

        click.echo(f"wrote {save_figure(continuum_figure(found), figure)}")


def _functions(
    material: Material, paths: tuple[Path, ...], width: float | None
) -> WannierFunctions | None:
    """The Wannier functions that were asked for; None where nothing was."""
    from gapscope.simulation.continuum.wannier_functions import WannierFunctions

    if paths and width is not None:
        raise SettingError(
            "Wannier functions are those of files, or Gaussian orbitals.",
            f"{len(paths)} files, and a width of {width}",
            "Leave out --wannier or --gaussian.",
        )
    if paths:
        return WannierFunctions.from_files(material, paths)
    return None if width is None else WannierFunctions.gaussian(material, width)
