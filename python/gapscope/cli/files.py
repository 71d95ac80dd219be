"""``gapscope files``: what measured files hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gapscope.cli.measured import AXES
from gapscope.errors import MeasurementFileError


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--width", type=float, help="nm, for files without a scale.")
@click.option("--height", type=float, help="nm, where their pixels are not square.")
@click.option("--variable", help="Variable to read from files with several sizes, or of MATLAB.")
@click.option("--axes", help=AXES)
@click.option("--finished", is_flag=True, help="Keep only finished lines of stopped scans.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list with one entry a file.")
def files(files: tuple[Path, ...], as_json: bool, **given: Any) -> None:
    """Say what each of the measured FILES holds, and what gapscope would take for what.

    Format, sizes, settings and channels, with units and with what the file states of each; the
    channel that `prepare` and `predict` take where none is named. A file that is refused is named
    with the reason; the exit status is then 1, after all files.
    """
    from gapscope.measured import open as open_measured
    from gapscope.measured.contents import contents, table

    told: list[dict[str, Any]] = []
    for path in files:
        try:
            told.append(contents(open_measured(path, **given)))
        except MeasurementFileError as error:
            refused = {key: str(getattr(error, key)) for key in ("rule", "received", "remedy")}
            told.append({"file": path.name, "refused": refused})
            if not as_json:
                click.echo(f"{error}\n")
            continue
        if not as_json:
            click.echo(f"{table(told[-1])}\n")
    if as_json:
        click.echo(json.dumps(told, indent=2))
    if any("refused" in one for one in told):
        click.get_current_context().exit(1)
