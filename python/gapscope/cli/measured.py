"""``gapscope prepare``, and what ``gapscope predict`` does with measured files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gapscope.cli.outputs import require_outputs
from gapscope.errors import GapscopeError, PreparationError, printable

if TYPE_CHECKING:
    import xarray as xr

    from gapscope.measured.preparation import Prepared, Steps
    from gapscope.measured.preparation.sought import Sought

FILE = click.Path(dir_okay=False, path_type=Path)


SCAN = (
    *("channel", "topograph", "bias", "material", "lattice_constant", "cell"),
    *("width", "height", "variable", "finished"),
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
            help="mV: of a grid of spectra, the map nearest to it  [default: 0]; of an image, what"
            " it was taken at  [default: as the file says]",
        ),
        click.option(
            "--material",
            help="Material that supplies the lattice, of any kind  [default: nbse2]",
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
            help="Variable to read from an HDF5, Gwyddion or RHK file with several sizes.",
        ),
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
def prepare(
    file: Path,
    centre: tuple[float, float] | None,
    lines: str | None,
    size: int | None,
    output: Path,
    figure: Path | None,
    **given: Any,
) -> None:
    """Prepare the measured map in FILE: level, find the lattice, correct the drift, transform.

    Prints the lattice that was found, with errors. Of the orientations that the lattice's rotations
    make of one another, the one nearest to a1 along x is chosen. The output holds the map before
    and after and its image rho(q) on lattice sites, which `gapscope predict` reads.
    """
    from gapscope.measured.centre import centre_site
    from gapscope.measured.preparation import Steps
    from gapscope.measured.preparation.report import prepared_dataset, report
    from gapscope.support.netcdf import write_netcdf

    scan = {name: given.pop(name) for name in SCAN}
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
    wanted = wanted_lattice(scan["material"], scan["lattice_constant"], scan["cell"])
    if wanted.lattice.name != "triangular":
        steps.setdefault("wavevector", None)  # 3 x 3 is the wave of NbSe2
    if steps.get("mask_wave") and steps.get("wavevector", ()) is None:
        raise PreparationError(
            "A density wave is taken out where one is looked for.",
            f"--mask-wave on a {wanted.lattice.name} lattice without --wave",
            "Name it, for example --wave 0.5 0.5, or leave --mask-wave out.",
        )
    prepared = prepared_file(file, Steps(**steps), fixed=fixed, **scan)
    click.echo(report(prepared))
    sites = prepared.network_input(size, centre_site(prepared, centre))
    x, y = sites.attrs["centre"]
    size = sites.sizes["r1"]
    click.echo(
        f"image               {size} x {size} lattice sites around ({x:.3f}, {y:.3f}) nm of the"
        " prepared map"
    )
    click.echo(f"wrote {write_netcdf(prepared_dataset(prepared, sites), output)}")
    if figure is not None:
        from gapscope.plots.preparation import preparation_figure
        from gapscope.plots.style import save_figure

        title = f"{file.name}, {prepared.images['raw'].name}"
        click.echo(f"wrote {save_figure(preparation_figure(prepared, title, sites), figure)}")


def prepared_file(
    file: Path,
    steps: Steps | None = None,
    *,
    fixed: bool = False,
    channel: str | None,
    topograph: str | None,
    bias: float | None,
    material: str | None,
    lattice_constant: float | None,
    cell: tuple[float, float, float] | None,
    width: float | None,
    height: float | None,
    variable: str | None,
    finished: bool | None,
) -> Prepared:
    """The map of a measured file that the options of :func:`scan_options` name, prepared.

    Unless the steps are ``fixed``, slow distortions are corrected, too, where that can be done.
    """
    from gapscope import measured
    from gapscope.measured.channels import image_channels, image_of, said
    from gapscope.measured.default import USUAL, prepare_for_network
    from gapscope.measured.preparation import prepare

    wanted = wanted_lattice(material, lattice_constant, cell)
    opened = measured.open(
        file, width=width, height=height, variable=variable, finished=bool(finished)
    )
    image = image_of(opened, channel, bias)
    others = [name for name in image_channels(opened) if name != image.name]
    chosen = ""
    if others and channel is None:
        chosen = f" ({said(opened, str(image.name))}; --channel names another: {', '.join(others)})"
    at = f" at {float(image['bias']):g} mV" if "bias" in image.coords else ""
    told = f"{opened.attrs['source_format']}, channel {image.name}{at}{chosen}"
    click.echo(f"{opened.attrs['file']}: {told}")
    if "left_out" in opened.attrs:
        click.echo(f"left out, see --variable: {opened.attrs['left_out']}")
    if "unfinished_lines" in opened.attrs:
        kept, y = opened.sizes["y"], opened["y"].values
        total = kept + opened.attrs["unfinished_lines"]
        click.echo(f"{kept} of {total} lines were finished, y = {y[0]:.4g} to {y[-1]:.4g} nm")
    steps = steps or USUAL
    reference = None if topograph is None else image_of(opened, topograph, bias)
    if fixed:
        return prepare(image, wanted, steps, topograph=reference)
    prepared, reason = prepare_for_network(image, wanted, steps, topograph=reference)
    if reason:
        click.echo(f"slow distortions are not corrected: {reason}")
    return prepared


def wanted_lattice(
    name: str | None,
    lattice_constant: float | None = None,
    cell: tuple[float, float, float] | None = None,
) -> Sought:
    """The lattice to look for: a cell's, or a material's, its constant perhaps another one.

    Raises
    ------
    PreparationError : a cell beside a material or a constant.
    SpecificationError : an unknown material, or a cell or a constant without meaning.
    """
    from gapscope.measured.preparation.sought import Sought, sought
    from gapscope.physics.cell import standard_cell
    from gapscope.physics.lattice import Lattice, cell_vectors
    from gapscope.simulation.materials import material

    if cell is not None:
        if name is not None or lattice_constant is not None:
            raise PreparationError(
                "A lattice is given by its cell, or by a material and its lattice constant.",
                "--cell beside --material or --lattice-constant",
                "Leave one of them out.",
            )
        standard = standard_cell(cell_vectors(*cell), keep=True)
        return Sought(Lattice.standard(standard), "that of --cell")
    of_material = None
    if name is not None or lattice_constant is None:
        of_material = sought(material(name or "nbse2"))
    if lattice_constant is not None:
        lattice = sought(lattice_constant).lattice
        if of_material is not None:
            lattice = replace(of_material.lattice, constant=lattice_constant)
        return Sought(lattice, "the constant of --lattice-constant")
    assert of_material is not None
    default = "" if name is not None else ", the default of --material"
    return Sought(of_material.lattice, of_material.source + default)


def kind_of(file: Path) -> str:
    """ "map" as ``gapscope simulate`` writes it, "prepared" as ``prepare`` does, else "measured".

    What is not there, or calls itself .nc and is not netCDF, is a map: a damaged one.
    """
    import h5py

    if not file.is_file():
        return "map"
    try:
        with h5py.File(file) as opened:
            if "prepared_schema" in opened.attrs:
                return "prepared"
            return "map" if "ldos_change" in opened else "measured"
    except OSError:
        return "map" if file.suffix == ".nc" and not _classic(file) else "measured"


def _classic(file: Path) -> bool:
    """Whether a file is netCDF-3, which ``gapscope simulate`` does not write."""
    with contextlib.suppress(OSError), file.open("rb") as opened:
        return opened.read(3) == b"CDF"
    return False


def predict_measurements(
    files: Sequence[Path], model: str, unit: float | None, scan: dict[str, Any], **options: Any
) -> tuple[xr.Dataset, dict[Path, xr.Dataset]]:
    """Predictions for measured and prepared files, and their maps on lattice sites.

    A file that cannot be opened or prepared is reported and skipped, unless it is the only one.
    ``scan`` are the options of :func:`scan_options`; prepared files need none.
    """
    from gapscope.measured.preparation import Prepared
    from gapscope.measured.preparation.report import read_prepared
    from gapscope.support.resources import find_model

    # Refused once, and not for every file.
    wanted = wanted_lattice(scan["material"], scan["lattice_constant"], scan["cell"])
    folder = find_model(model)
    if scan["material"] is not None or scan["cell"] is not None:
        _require_lattice_of(folder, wanted)
    scan = dict(scan)
    centre = scan.pop("centre")
    sites: dict[Path, xr.Dataset] = {}
    predictor = None

    def leave_out(file: Path, error: GapscopeError) -> None:
        if len(files) == 1 or (file == files[-1] and not sites):
            raise error
        click.echo(f"{printable(file.name)}: {type(error).__name__}\n{error}\n", err=True)

    for file in files:
        try:
            opened = (
                read_prepared(file) if kind_of(file) == "prepared" else prepared_file(file, **scan)
            )
        except GapscopeError as error:
            leave_out(file, error)
            continue
        if predictor is None:
            # The network takes seconds to load: it is for files that can be read.
            from gapscope.inference.measured_maps import network_window, predict_sites, sites_of
            from gapscope.learning.prediction.predictor import Predictor

            predictor = Predictor.load(folder, **options)
        try:
            found = (
                sites_of(opened, predictor.size, centre) if isinstance(opened, Prepared) else opened
            )
            _ = network_window(found, predictor)
        except GapscopeError as error:
            leave_out(file, error)
            continue
        sites[file] = found
    assert predictor is not None
    predictions = predict_sites(list(sites.values()), predictor, unit=unit)
    return predictions.assign_coords(file=("sample", [str(file) for file in sites])), sites


def _require_lattice_of(folder: Path, wanted: Sought) -> None:
    """Refuse maps of another lattice than the network's before they are prepared."""
    from gapscope.learning.model_folder.run import RunFolder

    known = RunFolder(folder).config().lattice
    if wanted.lattice.name != known:
        raise PreparationError(
            f"This network was trained on the {known} lattice.",
            str(wanted),
            "Use a network that was trained on such maps; gapscope prepare takes any lattice.",
        )
