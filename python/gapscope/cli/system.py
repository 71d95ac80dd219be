"""``gapscope doctor`` and ``gapscope julia``."""

from __future__ import annotations

import click


@click.command()
def doctor() -> None:
    """Show what gapscope finds on this machine; exit status 1 if it cannot simulate."""
    from gapscope.kernel.doctor import findings, simulations_run

    found = findings()
    width = max(len(finding.name) for finding in found)
    for finding in found:
        mark = click.style("ok", fg="green") if finding.ok else click.style("--", fg="yellow")
        click.echo(f"{mark}  {finding.name:<{width}}  {finding.detail}")
    if not simulations_run(found):
        raise click.ClickException("no Julia runtime works here: run `gapscope julia install`")


@click.group()
def julia() -> None:
    """The Julia that computes."""


@julia.command()
def install() -> None:
    """Obtain a Julia if none is usable: juliapkg's, else Debian's packages in the cache folder."""
    from gapscope.kernel.provision import obtain

    obtain(report=click.echo)
