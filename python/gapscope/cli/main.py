"""The group of all commands, and how their errors are shown."""

from __future__ import annotations

from typing import Any

import click

from gapscope.cli.continuum import continuum
from gapscope.cli.crystal import gaps, symmetry
from gapscope.cli.dataset import dataset
from gapscope.cli.design import design
from gapscope.cli.explore import explore
from gapscope.cli.files import files
from gapscope.cli.learning import calibrate, evaluate, export, train
from gapscope.cli.maps import converge, green, simulate
from gapscope.cli.measured import prepare
from gapscope.cli.outputs import TYPED
from gapscope.cli.prediction import predict
from gapscope.cli.several import spread
from gapscope.cli.spectra import dos, spectrum
from gapscope.cli.system import doctor, julia
from gapscope.errors import GapscopeError


class Commands(click.Group):
    """Shows an error made by the user as its message, without a traceback.

    Options of several numbers take them with commas, too.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments as they were typed: a report quotes them."""
        ctx.meta[TYPED] = list(args)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command and write its arguments as click wants them."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command, rest if command is None else spread(command, rest)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; exit status 1 and the message for a typed error."""
        try:
            return super().invoke(ctx)
        except GapscopeError as error:
            raise click.ClickException(f"{type(error).__name__}\n{error}") from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gapscope")
def main() -> None:
    """Pairing symmetry of superconductors from quasiparticle-interference (QPI) images."""


for command in (
    simulate,
    green,
    continuum,
    converge,
    dos,
    spectrum,
    symmetry,
    gaps,
    files,
    prepare,
    dataset,
    train,
    calibrate,
    evaluate,
    export,
    predict,
    design,
    explore,
    doctor,
    julia,
):
    main.add_command(command)
