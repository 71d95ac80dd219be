"""``gapscope dataset recipe | build | status | verify | card | inspect``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gapscope.cli.outputs import require_outputs

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def dataset() -> None:
    """Datasets of maps with their parameters."""


@dataset.command()
@click.argument("material", metavar="MATERIAL")
@click.option(
    "--gap", type=(float, float), required=True, metavar="LOW HIGH", help="Range of the gap in meV."
)
@click.option(
    "--shells", type=int, default=1, show_default=True, help="Last shell that gaps are taken from."
)
@click.option(
    "--maps", type=click.IntRange(10), default=1000, show_default=True, help="To train on."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Recipe to write (.toml).",
)
def recipe(material: str, gap: tuple[float, float], shells: int, maps: int, output: Path) -> None:
    """Write a recipe to begin with: one gap of each irrep that MATERIAL allows.

    MATERIAL is the name of a shipped material or a material's TOML file, which
    `gapscope symmetry X_hr.dat --symmetrised X.toml` makes of a Wannier90 Hamiltonian.
    """
    from gapscope.dataset.suggest import suggest_recipe
    from gapscope.simulation.materials import material as find
    from gapscope.support.storage import require_output, write_whole

    require_output(output, (".toml",), [Path(material)])
    path = Path(material)
    named = os.path.relpath(path, output.parent) if path.is_file() else material
    made = suggest_recipe(find(material), named, gap, shells=shells, maps=maps)
    for reason in made.left_out:
        click.echo(f"left out: {reason}")
    click.echo(f"wrote {write_whole(output, made.text.encode())}")


@dataset.command()
@click.argument("recipe")
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder of the dataset.")
@click.option(
    "--workers",
    type=int,
    help="Worker processes on this machine; by default one for each core, as far as memory goes.",
)
@click.option("--scheduler", help="Address of a running Dask scheduler, tcp://host:port.")
def build(recipe: str, output: Path, workers: int | None, scheduler: str | None) -> None:
    """Build the dataset of RECIPE (a TOML file or a shipped recipe's name).

    An interrupted build goes on where it stopped; finished shards are kept.
    """
    from gapscope.dataset.build import build as build_dataset
    from gapscope.support.resources import find_recipe

    folder = build_dataset(find_recipe(recipe), output, workers=workers, scheduler=scheduler)
    click.echo(f"dataset {folder}")


@dataset.command()
@click.argument("folder", type=FOLDER)
def status(folder: Path) -> None:
    """Show how much of a dataset is done."""
    from gapscope.dataset.verify import status as dataset_status

    state = dataset_status(folder)
    click.echo(
        f"{state.done} of {state.total} samples, {state.shards_done} of {state.shards_total} shards"
    )


@dataset.command()
@click.argument("folder", type=FOLDER)
def verify(folder: Path) -> None:
    """Check checksums, finite values, balance and splits; print a digest of all arrays."""
    from gapscope.dataset.verify import verify as verify_dataset

    result = verify_dataset(folder)
    click.echo(f"{result.samples} samples in {result.shards} shards are sound")
    for split, counts in result.counts.items():
        click.echo(f"{split:<11}" + "  ".join(f"{name} {n}" for name, n in counts.items()))
    click.echo(f"digest {result.digest}")


@dataset.command()
@click.argument("folder", type=FOLDER)
def card(folder: Path) -> None:
    """Print a dataset card (Markdown): equation, ranges, sizes, digest."""
    from gapscope.dataset.card import card as dataset_card

    click.echo(dataset_card(folder), nl=False)


@dataset.command()
@click.argument("folder", type=FOLDER)
@click.option("--per-class", type=int, default=4, show_default=True, help="Maps of each class.")
@click.option(
    "--figure",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Figure to write (.png, .pdf, .svg).",
)
def inspect(folder: Path, per_class: int, figure: Path) -> None:
    """Draw a sheet of maps, some of each class."""
    from gapscope.dataset.load import DatasetReader
    from gapscope.plots.dataset import sheet
    from gapscope.plots.style import save_figure

    require_outputs(None, figure)
    with DatasetReader(folder) as reader:
        click.echo(f"wrote {save_figure(sheet(reader, per_class), figure)}")
