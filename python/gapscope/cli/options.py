"""Options that several commands share, and what they are made of."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from gapscope.cli.whole import WholeNumber
from gapscope.errors import ConvergenceWarning, MaterialWarning, SettingError
from gapscope.simulation.numerics import Converged

WHOLE = WholeNumber()
FILE = click.Path(dir_okay=False, path_type=Path)


def adding(options: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """Decorator that adds options to a command, shown in their order."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


broadening_option = click.option(
    "--broadening", type=float, default=0.1, show_default=True, help="delta in meV."
)
window_option = click.option(
    "--window", type=WHOLE, default=128, show_default=True, help="Sites per side (even)."
)
accuracy_option = click.option(
    "--accuracy",
    type=float,
    show_default=f"{Converged.accuracy:g}",
    help="Largest relative error (method converged).",
)
kgrid_option = click.option("--kgrid", type=WHOLE, help="k points per side (method grid).")
numerics_options = adding(
    [
        click.option(
            "--energy",
            "energies",
            type=float,
            multiple=True,
            help="meV; several as 0,0.5 or repeated.",
        ),
        broadening_option,
        window_option,
        click.option(
            "--method",
            type=click.Choice(["converged", "grid"]),
            default="converged",
            show_default=True,
        ),
        accuracy_option,
        kgrid_option,
    ]
)
"""What a map's ``Numerics`` are made of."""
output_option = click.option(
    "-o", "--output", type=FILE, required=True, help="netCDF file to write."
)
figure_option = click.option("--figure", type=FILE, help="Figure to write (.png, .pdf, .svg).")


def is_given(context: click.Context, name: str) -> bool:
    """Whether an option stands on the command line, and not by its default."""
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def require_undecided(context: click.Context, allowed: Iterable[str]) -> None:
    """Raise SettingError where options say what the file of ``--green`` has decided."""
    decided = [name for name in context.params if name not in allowed and is_given(context, name)]
    if decided:
        named = ", ".join("--" + name.replace("_", "-") for name in decided)
        raise SettingError(
            "The file of --green says which superconductor it is of, and how it was computed.",
            named,
            f"Leave out {named}, or --green.",
        )


@contextmanager
def told_warnings() -> Iterator[None]:
    """Warnings of convergence and of materials as lines for the terminal."""
    with warnings.catch_warnings(record=True) as caught:
        for kind in (ConvergenceWarning, MaterialWarning):
            warnings.simplefilter("always", kind)
        yield
    for warning in caught:
        click.secho(f"warning: {warning.message}", fg="yellow", err=True)
