"""``gapscope explore``."""

from __future__ import annotations

import importlib.util

import click

from gapscope.cli.finite import FiniteRange
from gapscope.cli.inputs import require_learning
from gapscope.errors import SettingError
from gapscope.explore.address import LOCAL, free_port
from gapscope.support.resources import MEASURED_MODEL, SHIPPED_MODEL, find_model


@click.command()
@click.option("--port", type=int, default=5006, show_default=True, help="0 takes any that is free.")
@click.option("--browser/--no-browser", default=True, help="Open the page in the browser.")
@click.option(
    "--material",
    help="Name of a shipped material, or a file; a network answers for its own alone."
    "  [default: that of --model]",
)
@click.option(
    "--gap",
    type=FiniteRange(min=0, min_open=True),
    help="meV; sliders of gap, energy and broadening are made for it.  [default: one that --model"
    " has learned, else 1]",
)
@click.option(
    "--model",
    default=SHIPPED_MODEL,
    show_default=True,
    help="Name of a shipped model, or the folder of a run or a model.",
)
@click.option(
    "--measured-model",
    default=MEASURED_MODEL,
    show_default=True,
    help="The same for measured files.",
)
@click.option(
    "--address",
    default=LOCAL,
    show_default=True,
    help="Address to listen on; any other than this one lets others in who know the token, under"
    " exactly that address.",
)
def explore(
    port: int,
    browser: bool,
    material: str | None,
    gap: float | None,
    model: str,
    measured_model: str,
    address: str,
) -> None:
    """Open a page with a superconductor on sliders, its maps, and the network's answer.

    Measured files can be dropped on it. The page is served to this machine only, and only to those
    who open it by the address printed, which holds a token.
    """
    require_extra()
    require_learning(models=[model, measured_model])
    free_port(address, port)
    from gapscope.explore.judge import known_of
    from gapscope.learning.model_folder.run import RunFolder

    first = known_of(RunFolder(find_model(model)).config()).first(material, gap)
    if address != LOCAL:
        click.secho(
            f"warning: whoever listens in the network of {address} sees this page, its token and"
            " the files given to it",
            fg="yellow",
            err=True,
        )
    click.echo(f"loading {model}, {measured_model} and the kernel ...")
    from gapscope.explore.serve import make_server, silence

    silence()
    server, opened = make_server(
        model, measured_model, address=address, port=port, browser=browser, first=first
    )
    click.echo(f"{opened}  (Ctrl-C ends it)")
    server.start()
    server.io_loop.start()


def require_extra() -> None:
    """Raise SettingError unless Panel is installed."""
    if importlib.util.find_spec("panel") is None:
        raise SettingError(
            "The page needs Panel.", "no package panel", "Run `pip install panel bokeh contourpy`."
        )
