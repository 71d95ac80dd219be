"""``gapscope prepare``, and the options for measured files that ``gapscope predict`` has too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gapscope.cli.outputs import require_outputs
from gapscope.errors import PreparationError
from gapscope.support.resources import DEFAULT_MATERIAL

FILE = click.Path(dir_okay=False, path_type=Path)
AXES = (
    "Dimensions of an array of a MATLAB file, in their order, such as 'y, x, bias=energies V' or"
    " 'y up, x, bias=-100:100 mV'."
)

SCAN = (
    *("channel", "topograph", "bias", "interpolate", "material", "lattice_constant", "cell"),
    *("width", "height", "variable", "axes", "finished"),
)


def scan_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say what to look at in a measured file."""
    options = [
        click.option(
            "--channel",
            help="Channel to read  [default: dI/dV, by its first harmonic, forward; else the first"
            " map]",
        ),
        click.option(
            "--topograph", help="Channel that shows the atoms, where the map itself does not."
        ),
        click.option(
            "--bias",
            type=float,
            help="mV: of a grid of spectra, the map nearest to it  [default: 0; of `predict`, the"
            " network's energy]; of an image, what it was taken at  [default: as the file says]",
        ),
        click.option(
            "--interpolate",
            is_flag=True,
            default=None,
            help="Of a grid of spectra, the map at the bias itself, between two measured ones.",
        ),
        click.option(
            "--material",
            help="Material that supplies the lattice, of any kind"
            f"  [default: {DEFAULT_MATERIAL}; of `predict`, the network's]",
        ),
        click.option(
            "--lattice-constant",
            type=float,
            help="Angstrom, instead of the material's; without --material of a triangular lattice.",
        ),
        click.option(
            "--cell",
            type=(float, float, float),
            metavar="A B ANGLE",
            help="Lattice of any kind instead of a material's: two lengths in Angstrom and the"
            " angle between in degrees, such as 3.8 3.8 90.",
        ),
        click.option(
            "--centre",
            type=(float, float),
            metavar="X Y",
            help="Near the impurity, in nm of the scan  [default: middle]",
        ),
        click.option("--width", type=float, help="nm, for a file without a scale."),
        click.option("--height", type=float, help="nm, where its pixels are not square."),
        click.option(
            "--variable",
            help="Variable to read from a file with several of them, such as HDF5, Gwyddion, RHK,"
            " Nanosurf, NanoScope, SCALA or MATLAB.",
        ),
        click.option("--axes", help=AXES),
        click.option(
            "--finished",
            is_flag=True,
            default=None,
            help="Keep only the finished lines of a scan that was stopped.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("file", type=FILE)
@scan_options
@click.option("--plane/--no-plane", default=True, show_default=True, help="Level a plane.")
@click.option("--lines", help='Level every scan line: "median", or the degree of a polynomial.')
@click.option("--line-noise/--no-line-noise", default=True, show_default=True)
@click.option("--drift/--no-drift", default=True, show_default=True, help="Affine correction.")
@click.option(
    "--phase",
    type=float,
    help="Lawler-Fujita smoothing length in lattice constants, 0 for none  [default: 6, where the"
    " lattice allows it]",
)
@click.option(
    "--mask-bragg/--keep-bragg",
    default=True,
    show_default=True,
    help="Take the lattice's peaks out of the map.",
)
@click.option("--mask-wave", is_flag=True, help="Take the density wave's peaks out of the map.")
@click.option(
    "--symmetry",
    metavar="GROUP",
    help="Average the image over a point group of the lattice: C2, C2v, C3, C3v, C4, C4v, C6, C6v;"
    " mirrors are those with x -> -x  [default: none]",
)
@click.option(
    "--scale",
    type=(float, float),
    help="Bounds of measured over true lengths  [default: 0.87 1.15]",
)
@click.option(
    "--wave",
    "wavevector",
    type=(float, float),
    help="Density wave in units of b1, b2  [default: 0.3333 0 on a triangular lattice; else none]",
)
@click.option("--size", type=int, help="Sites per side of the image  [default: all that fit]")
@click.option("-o", "--output", type=FILE, required=True, help="netCDF file to write.")
@click.option("--figure", type=FILE, help="Figure to write (.png, .pdf, .svg).")
@click.option("--gwyddion", type=FILE, help="Gwyddion file to write (.gwy): the map of each step.")
def prepare(
    file: Path,
    centre: tuple[float, float] | None,
    lines: str | None,
    size: int | None,
    output: Path,
    figure: Path | None,
    gwyddion: Path | None,
    **given: Any,
) -> None:
    """Prepare the measured map in FILE: level, find the lattice, correct the drift, transform.

    Prints the lattice that was found, with errors. Of the orientations that the lattice's rotations
    make of one another, the one nearest to a1 along x is chosen. The output holds the map before
    and after and its image rho(q) on lattice sites, which `gapscope predict` reads.
    """
    from gapscope.inference.measured_files import Scan, prepared_file
    from gapscope.measured.centre import centre_site
    from gapscope.measured.gwyddion_file import ENDINGS, write_gwyddion
    from gapscope.measured.preparation import Steps
    from gapscope.measured.preparation.report import prepared_dataset, report
    from gapscope.support.netcdf import write_netcdf
    from gapscope.support.storage import require_output

    scan = Scan(**{name: given.pop(name) for name in SCAN})
    steps = {name: value for name, value in given.items() if value is not None}
    if lines is not None:
        if lines != "median" and not lines.isdecimal():
            raise PreparationError(
                "Lines are levelled by their median or a polynomial.",
                f"--lines {lines}",
                "Give median, or a degree like 1.",
            )
        steps["lines"] = lines if lines == "median" else int(lines)
    fixed = "phase" in steps
    steps["phase"] = steps.get("phase") or None
    require_outputs(output, figure, [file])
    if gwyddion is not None:
        require_output(gwyddion, ENDINGS, [file])
    wanted = scan.wanted()
    if wanted.lattice.name != "triangular":
        steps.setdefault("wavevector", None)  # 3 x 3 is a wave of triangular lattices
    if steps.get("mask_wave") and steps.get("wavevector", ()) is None:
        raise PreparationError(
            "A density wave is taken out where one is looked for.",
            f"--mask-wave on a {wanted.lattice.name} lattice without --wave",
            "Name it, for example --wave 0.5 0.5, or leave --mask-wave out.",
        )
    prepared = prepared_file(file, scan, wanted, Steps(**steps), fixed=fixed, tell=click.echo)
    click.echo(report(prepared))
    sites = prepared.network_input(size, centre_site(prepared, centre))
    x, y = sites.attrs["centre"]
    size = sites.sizes["r1"]
    click.echo(
        f"image               {size} x {size} lattice sites around ({x:.3f}, {y:.3f}) nm of the"
        " prepared map"
    )
    click.echo(f"wrote {write_netcdf(prepared_dataset(prepared, sites), output)}")
    if gwyddion is not None:
        channel = str(prepared.images["raw"].name)
        maps = {f"{channel}, {step}": image for step, image in prepared.images.items()}
        told = {"source": file.name, "channel": channel, "prepared": report(prepared)}
        click.echo(f"wrote {write_gwyddion(maps, gwyddion, told)}")
    if figure is not None:
        from gapscope.plots.preparation import preparation_figure
        from gapscope.plots.style import save_figure

        title = f"{file.name}, {prepared.images['raw'].name}"
        click.echo(f"wrote {save_figure(preparation_figure(prepared, title, sites), figure)}")
