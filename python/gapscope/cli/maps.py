"""``gapscope simulate``, ``dos`` and ``spectrum``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from gapscope.cli.outputs import require_outputs
from gapscope.cli.whole import WholeNumber
from gapscope.errors import ConvergenceWarning, SpecificationError
from gapscope.physics import IRREPS, Impurity, Material, Pairing, Specification
from gapscope.physics.gaps.pair_space import CHANNELS
from gapscope.physics.group.found import EXACT
from gapscope.physics.irreps import both_gaps
from gapscope.physics.wannier_kind import SPINS
from gapscope.simulation.materials import material
from gapscope.simulation.numerics import Converged, Numerics, choose_method

WHOLE = WholeNumber()
FILE = click.Path(dir_okay=False, path_type=Path)
ANGLES = ("theta", "phi", "theta-s", "phi-s", "theta-t", "phi-t")


def _adding(options: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """Decorator that adds options to a command, shown in their order."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


MATERIAL_HELP = "Name of a shipped material, a material's TOML file, or a Wannier90 _hr.dat."
wannier_options = _adding(
    [
        click.option(
            "--fermi-energy",
            type=float,
            help="eV; this or --filling goes with a Wannier90 _hr.dat.",
        ),
        click.option(
            "--filling",
            type=float,
            help="Electrons per cell, both spins, instead of --fermi-energy.",
        ),
        click.option(
            "--spin",
            type=click.Choice(SPINS),
            help="How a Wannier90 file holds spin, where it seems to.",
        ),
        click.option(
            "--lattice-constant",
            type=float,
            help="Angstrom; for a Wannier90 _hr.dat without its .win beside it.",
        ),
        click.option(
            "--kz",
            type=click.Choice(["Gamma", "Z"], case_sensitive=False),
            help="Plane of the zone at which a bulk Wannier90 Hamiltonian is cut.",
        ),
    ]
)
"""What a Wannier90 file that is given as the material does not hold."""


def given_material(options: dict[str, Any]) -> Material:
    """The material that --material and :data:`wannier_options` name."""
    found = material(
        options["material"],
        fermi_energy=options["fermi_energy"],
        filling=options["filling"],
        spin=options["spin"],
        lattice_constant=options["lattice_constant"],
        kz=options["kz"],
    )
    if options["filling"] is not None:
        click.echo(found.description)
    return found


state_options = _adding(
    [
        click.option("--material", default="nbse2", show_default=True, help=MATERIAL_HELP),
        wannier_options,
        click.option(
            "--irrep",
            help=f"An irrep of the material's point group ({', '.join(IRREPS)} of NbSe2); gapscope"
            " gaps lists them.",
        ),
        click.option("--gap", type=float, help="Gap magnitude in meV."),
        click.option("--normal", is_flag=True, help="No gap: the normal state."),
        click.option(
            "--shell", type=WHOLE, help="Shell of neighbours of the gap's bonds; 0 is on site."
        ),
        click.option(
            "--channel",
            type=click.Choice(CHANNELS),
            help="Singlet, or triplet with d along z or in the plane, where a shell has several.",
        ),
        click.option("--copy", type=WHOLE, help="Number of the basis function among several."),
        click.option(
            "--tolerance",
            type=float,
            default=EXACT,
            show_default=True,
            help="meV to which the material's symmetry holds.",
        ),
        *(
            click.option(f"--{angle}", type=float, help="Angle in radians, where the irrep has it.")
            for angle in ANGLES
        ),
        click.option(
            "--eps0", type=float, default=0.0, show_default=True, help="Onsite energy in meV."
        ),
    ]
)
"""Options that specify the clean superconductor."""


def specification(options: dict[str, Any], impurity: Impurity) -> Specification:
    """The superconductor that the options of :data:`state_options` describe."""
    angles = {name.replace("-", "_"): options[name.replace("-", "_")] for name in ANGLES}
    which = {name: options[name] for name in ("shell", "channel", "copy", "tolerance")}
    found = given_material(options)
    if options["normal"]:
        given = {"irrep": options["irrep"], "gap": options["gap"], **angles}
        if any(value is not None for value in given.values()):
            raise SpecificationError(
                "The normal state has neither irrep nor gap nor angles.",
                ", ".join(
                    f"{name} = {value}" for name, value in given.items() if value is not None
                ),
                "Leave them out, or leave out --normal.",
            )
        pairing = Pairing.normal()
    elif options["irrep"] is None or options["gap"] is None:
        raise click.UsageError("Missing option '--irrep' or '--gap'; a normal state is --normal.")
    else:
        pairing = Pairing.of(found, options["irrep"], options["gap"], **which, **angles)
    return Specification(found, pairing, impurity, options["eps0"])


accuracy_option = click.option(
    "--accuracy",
    type=float,
    show_default=f"{Converged.accuracy:g}",
    help="Largest relative error (method converged).",
)
kgrid_option = click.option("--kgrid", type=WHOLE, help="k points per side (method grid).")


@contextmanager
def told_warnings() -> Iterator[None]:
    """Warnings of convergence as lines for the terminal."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        yield
    for warning in caught:
        click.secho(f"warning: {warning.message}", fg="yellow", err=True)


@click.command()
@state_options
@click.option("--impurity", type=float, default=0.0, help="Scalar strength v in meV.")
@click.option("--moment", type=(float, float, float), help="Magnetic moment Jx Jy Jz in meV.")
@click.option("--orbital-weights", help="Comma-separated weights, one per orbital.")
@click.option(
    "--also",
    type=(float, int, int),
    multiple=True,
    metavar="V R1 R2",
    help="A further scalar impurity: v in meV, on the site (r1, r2); repeat for several.",
)
@click.option(
    "--energy", "energies", type=float, multiple=True, help="meV; several as 0,0.5 or repeated."
)
@click.option("--broadening", type=float, default=0.1, show_default=True, help="delta in meV.")
@click.option("--window", type=WHOLE, default=128, show_default=True, help="Sites per side (even).")
@click.option(
    "--method", type=click.Choice(["converged", "grid"]), default="converged", show_default=True
)
@accuracy_option
@kgrid_option
@click.option(
    "--convention",
    type=click.Choice(["ldos", "paper"]),
    default="ldos",
    show_default=True,
    help="rho(q) as the Fourier transform of drho(r), or eq. 12 of the paper.",
)
@click.option("--by-orbital", is_flag=True, help="Add the densities of every orbital.")
@click.option("-o", "--output", type=FILE, required=True, help="netCDF file to write.")
@click.option("--figure", type=FILE, help="Figure to write (.png, .pdf, .svg).")
def simulate(
    impurity: float,
    moment: tuple[float, float, float] | None,
    orbital_weights: str | None,
    also: tuple[tuple[float, int, int], ...],
    energies: tuple[float, ...],
    broadening: float,
    window: int,
    method: str,
    accuracy: float | None,
    kgrid: int | None,
    convention: Any,
    by_orbital: bool,
    output: Path,
    figure: Path | None,
    **options: Any,
) -> None:
    """Simulate QPI maps of a superconductor with an impurity on r = 0, and others.

    Without --energy the map is computed at zero energy.
    """
    from gapscope.simulation.maps import simulate as simulate_maps
    from gapscope.support.netcdf import write_netcdf

    require_outputs(output, figure, [Path(options["material"])])
    weights = None if orbital_weights is None else _numbers(orbital_weights)
    scatterer = Impurity.scalar(impurity, weights)
    if moment is not None:
        scatterer += Impurity.magnetic(moment, weights)
    for strength, r1, r2 in also:
        scatterer += Impurity.scalar(strength, weights, site=(r1, r2))
    if not any(scatterer.electron_matrix(len(weights or (1,)), r).any() for r in scatterer.sites):
        raise SpecificationError(
            "A map shows what an impurity changes: it needs a strength.",
            f"impurity = {impurity}, moment = {moment}",
            "Give --impurity (meV), --moment or --also.",
        )
    chosen = choose_method(method, accuracy=accuracy, kgrid=kgrid)
    numerics = Numerics(energies or (0.0,), broadening, window, chosen)
    if len(numerics.energies) > 1:
        click.echo(f"energies {', '.join(f'{w:g}' for w in numerics.energies)} meV")
    state = specification(options, scatterer)
    with told_warnings():
        maps = simulate_maps(state, numerics, convention, by_orbital=by_orbital, progress=True)
    if state.pairing.custom is None and (both := both_gaps(state.pairing.irrep, options["gap"])):
        click.echo(f"gap {options['gap']:g} meV of A2u = {both}")
    if "relative_error" in maps.attrs:
        click.echo(f"estimated relative error {maps.attrs['relative_error'].max():.2g}")
    click.echo(f"wrote {write_netcdf(maps, output)}")
    if figure is not None:
        from gapscope.plots.maps import map_figure
        from gapscope.plots.style import save_figure

        click.echo(f"wrote {save_figure(map_figure(maps), figure)}")


@click.command()
@state_options
@click.option("--range", "bounds", type=(float, float), default=(-4.0, 4.0), show_default=True)
@click.option("--points", type=WHOLE, default=161, show_default=True, help="Number of energies.")
@click.option("--broadening", type=float, default=0.1, show_default=True, help="delta in meV.")
@click.option(
    "--method",
    type=click.Choice(["converged", "grid"]),
    show_default="grid if --kgrid is given, otherwise converged",
)
@accuracy_option
@kgrid_option
@click.option("-o", "--output", type=FILE, required=True, help="netCDF file to write.")
@click.option("--figure", type=FILE, help="Figure to write (.png, .pdf, .svg).")
def dos(
    bounds: tuple[float, float],
    points: int,
    broadening: float,
    method: str | None,
    accuracy: float | None,
    kgrid: int | None,
    output: Path,
    figure: Path | None,
    **options: Any,
) -> None:
    """Density of states of the clean superconductor, over --range in meV."""
    import numpy as np

    from gapscope.simulation.spectrum import density_of_states
    from gapscope.support.netcdf import write_netcdf

    require_outputs(output, figure, [Path(options["material"])])
    chosen = choose_method(method, accuracy=accuracy, kgrid=kgrid)
    spec = specification(options, Impurity.scalar(0.0))
    energies = np.linspace(*bounds, points).tolist()
    with told_warnings():
        values = density_of_states(spec, energies, broadening, method=chosen, progress=True)
    if "relative_error" in values.coords:
        click.echo(f"estimated relative error {float(values.relative_error.max()):.2g}")
    click.echo(f"wrote {write_netcdf(values.to_dataset(), output)}")
    if figure is not None:
        from gapscope.plots.spectra import dos_figure
        from gapscope.plots.style import save_figure

        click.echo(f"wrote {save_figure(dos_figure(values, _title(spec)), figure)}")


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
@click.option("-o", "--output", type=FILE, required=True, help="netCDF file to write.")
@click.option("--figure", type=FILE, help="Figure to write (.png, .pdf, .svg).")
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

        click.echo(f"wrote {save_figure(path_figure(values, names, _title(spec)), figure)}")


@click.command()
@state_options
@click.option("--impurity", type=float, required=True, help="Scalar strength v in meV.")
@click.option("--energy", type=float, default=0.0, show_default=True, help="meV.")
@click.option("--broadening", type=float, default=0.1, show_default=True, help="delta in meV.")
@click.option("--window", type=WHOLE, default=128, show_default=True, help="Sites per side (even).")
@click.option("--largest-kgrid", type=WHOLE, default=8192, show_default=True, help="Finest grid.")
@click.option("--figure", type=FILE, help="Figure to write (.png, .pdf, .svg).")
def converge(
    impurity: float,
    energy: float,
    broadening: float,
    window: int,
    largest_kgrid: int,
    figure: Path | None,
    **options: Any,
) -> None:
    """Show error against time of both methods for one specification."""
    from gapscope.simulation.convergence import convergence_study

    require_outputs(None, figure, [Path(options["material"])])
    spec = specification(options, Impurity.scalar(impurity))
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

        click.echo(f"wrote {save_figure(convergence_figure(study, _title(spec)), figure)}")


def _title(spec: Specification) -> str:
    return f"{spec.material.name}, {spec.pairing.irrep}"


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise SpecificationError(
            "Weights are numbers separated by commas.", text, "Write for example 1,0,0."
        ) from error
