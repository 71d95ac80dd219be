"""The impurity of a command."""

from __future__ import annotations

from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import click

from gapscope.cli.options import FILE, adding
from gapscope.errors import SpecificationError
from gapscope.physics import Impurity

impurity_options = adding(
    [
        click.option("--impurity", type=float, help="Scalar strength v in meV, on r = 0."),
        click.option("--moment", type=(float, float, float), help="Moment Jx Jy Jz in meV."),
        click.option("--orbital-weights", help="Comma-separated weights, one per orbital."),
        click.option(
            "--also",
            type=(float, int, int),
            multiple=True,
            metavar="V R1 R2",
            help="A further scalar impurity: v in meV, on the site (r1, r2); repeat for several.",
        ),
        click.option(
            "--impurity-file",
            type=FILE,
            help="TOML file of [[terms]]: matrices between orbitals, on bonds, in the gap.",
        ),
    ]
)
"""Options that specify the scatterers."""


def scatterers(options: dict[str, Any], *, required: bool = True) -> Impurity:
    """The impurity that :data:`impurity_options` describe; they are taken out of the options.

    Raises
    ------
    SpecificationError : none where it is required, or weights that are no numbers.
    """
    names = ("impurity", "moment", "orbital_weights", "also", "impurity_file")
    strength, moment, written, also, file = (options.pop(name) for name in names)
    weights = None if written is None else _numbers(written)
    terms = [] if strength is None else [Impurity.scalar(strength, weights)]
    if moment is not None:
        terms.append(Impurity.magnetic(moment, weights))
    terms += [Impurity.scalar(v, weights, site=(r1, r2)) for v, r1, r2 in also]
    if weights is not None and not terms:
        raise SpecificationError(
            "Orbital weights belong to --impurity, --moment or --also.",
            f"orbital-weights = {written}",
            "Give a strength; in an impurity's file write orbitals = [...] beside it.",
        )
    if file is not None:
        terms.append(Impurity.from_toml(file))
    if not terms and not required:
        return Impurity.scalar(0.0)
    if not any(term.scatters for term in terms):
        raise SpecificationError(
            "A map shows what an impurity changes: it needs a strength.",
            f"impurity = {strength}, moment = {moment}",
            "Give --impurity (meV), --moment, --also or --impurity-file.",
        )
    return reduce(add, terms)


def files(options: dict[str, Any]) -> list[Path]:
    """The files that a command with these options reads."""
    given = options.get("impurity_file")
    return [Path(options["material"]), *([] if given is None else [Path(given)])]


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise SpecificationError(
            "Weights are numbers separated by commas.", text, "Write for example 1,0,0."
        ) from error
