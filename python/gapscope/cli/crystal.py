"""``gapscope symmetry`` and ``gaps``: what a crystal's symmetry is, and which gaps it allows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gapscope.cli.material import given_material, wannier_options
from gapscope.cli.options import FILE, WHOLE, figure_option
from gapscope.cli.outputs import require_outputs
from gapscope.physics.gaps.pair_space import CHANNELS
from gapscope.physics.group.crystal_group import symmetrised as made_symmetric
from gapscope.physics.group.found import EXACT, find_group
from gapscope.physics.material_writer import material_toml
from gapscope.support.storage import require_output, write_whole

material_argument = click.argument("material", metavar="MATERIAL")
tolerance_option = click.option(
    "--tolerance",
    type=float,
    default=EXACT,
    show_default=True,
    help="meV by which an operation may change an element of the Hamiltonian.",
)
json_option = click.option("--json", "output", type=FILE, help="JSON file to write.")


@click.command()
@material_argument
@wannier_options
@tolerance_option
@json_option
@click.option(
    "--symmetrised", type=FILE, help="TOML file to write: the material averaged over the group."
)
def symmetry(
    tolerance: float, output: Path | None, symmetrised: Path | None, **options: Any
) -> None:
    """Find the point group of MATERIAL: operations, names, and how well they hold.

    MATERIAL is the name of a shipped material, a material's TOML file, or a Wannier90 _hr.dat.
    """
    from gapscope.physics.group.report import symmetry_lines, symmetry_report

    _require_json(output, options)
    if symmetrised is not None:
        require_output(symmetrised, (".toml",), [Path(options["material"])])
    given = given_material(options)
    report = symmetry_report(given, tolerance)
    for line in symmetry_lines(report):
        click.echo(line)
    _write_json(output, report)
    if symmetrised is not None:
        made = made_symmetric(given, find_group(given, tolerance))
        click.echo(f"wrote {write_whole(symmetrised, material_toml(made).encode())}")


@click.command()
@material_argument
@click.option("--shells", type=WHOLE, required=True, help="Last shell of neighbours; 0 is on site.")
@click.option(
    "--channels", default=",".join(CHANNELS), show_default=True, help="Some of them, with commas."
)
@click.option("--irrep", help="One irrep instead of all.")
@click.option("--eps0", type=float, default=0.0, show_default=True, help="Onsite energy in meV.")
@wannier_options
@tolerance_option
@json_option
@figure_option
def gaps(
    shells: int,
    channels: str,
    irrep: str | None,
    eps0: float,
    tolerance: float,
    output: Path | None,
    figure: Path | None,
    **options: Any,
) -> None:
    """List the gaps that the symmetry of MATERIAL allows, irrep by irrep.

    MATERIAL is the name of a shipped material, a material's TOML file, or a Wannier90 _hr.dat. A
    channel is s (singlet), tz (triplet, d along z) or txy (triplet, d in the plane).
    """
    from gapscope.physics.gaps.report import GapReport

    _require_json(output, options)
    require_outputs(None, figure, [Path(options["material"])])
    names = [name.strip() for name in channels.split(",") if name.strip()]
    report = GapReport.of(given_material(options), shells, names, irrep, tolerance, eps0)
    if figure is not None:
        from gapscope.plots.gaps import require_panels

        require_panels(report.partners)
    for line in report.lines():
        click.echo(line)
    _write_json(output, report.to_dict() if output is not None else {})
    if figure is not None:
        from gapscope.plots.gaps import gap_figure
        from gapscope.plots.style import save_figure

        drawn = gap_figure(report.gaps, report.surface, report.material.lattice, report.title)
        click.echo(f"wrote {save_figure(drawn, figure)}")


def _require_json(output: Path | None, options: dict[str, Any]) -> None:
    if output is not None:
        require_output(output, inputs=[Path(options["material"])])


def _write_json(output: Path | None, content: dict[str, Any]) -> None:
    if output is not None:
        text = json.dumps(content, indent=1)
        click.echo(f"wrote {write_whole(output, text.encode())}")
