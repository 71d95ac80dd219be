"""The clean superconductor of a command: a material and its gap."""

from __future__ import annotations

from typing import Any

import click

from gapscope.cli.material import MATERIAL_HELP, given_material, wannier_options
from gapscope.cli.options import WHOLE, adding
from gapscope.errors import SpecificationError
from gapscope.physics import IRREPS, Impurity, Material, Pairing, Specification
from gapscope.physics.gaps.mixture import FunctionTerm
from gapscope.physics.gaps.pair_space import CHANNELS
from gapscope.physics.group.found import EXACT

ANGLES = ("theta", "phi", "theta_s", "phi_s", "theta_t", "phi_t")
ONE_FUNCTION = ("shell", "channel", "copy")

state_options = adding(
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
            "--function",
            "functions",
            multiple=True,
            metavar="CHANNEL:SHELL[:COPY][=C[,C]]",
            help="One basis function of a mixture with its coefficient (of each partner), complex"
            " as in 0.3-0.2j; repeat for several. --gap is the size of all coefficients together.",
        ),
        click.option(
            "--tolerance",
            type=float,
            default=EXACT,
            show_default=True,
            help="meV to which the material's symmetry holds.",
        ),
        *(
            click.option(
                f"--{angle.replace('_', '-')}",
                type=float,
                help="Angle in radians, where the irrep has it.",
            )
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
    missing = [f"--{name}" for name in ("irrep", "gap") if options[name] is None]
    if missing and not options["normal"]:
        words = f"Missing option {' and '.join(missing)}; the normal state is --normal."
        raise click.UsageError(words)
    found = given_material(options)
    pairing = _pairing(options, found)
    if pairing.terms:
        names = [
            f"{one.channel} of shell {one.shell}" + (f" (copy {one.copy})" if one.copy > 1 else "")
            for one in pairing.terms
        ]
        click.echo(f"{pairing.irrep} of {pairing.terms[0].group}: {' + '.join(names)}")
    return Specification(found, pairing, impurity, options["eps0"])


def title(spec: Specification) -> str:
    """Title of a figure of it."""
    from gapscope.plots.maps import state_text
    from gapscope.simulation.map_dataset import parameters

    return state_text(parameters(spec))


def _pairing(options: dict[str, Any], material: Material) -> Pairing:
    angles = {name: options[name] for name in ANGLES}
    which = {name: options[name] for name in ONE_FUNCTION}
    functions = options["functions"]
    if options["normal"]:
        given = {"irrep": options["irrep"], "gap": options["gap"], **which, **angles}
        given["function"] = " ".join(functions) or None
        _require_without(given, "The normal state has no gap, and so neither irrep nor angles.")
        return Pairing.normal()
    if not functions:
        return Pairing.of(
            material,
            options["irrep"],
            options["gap"],
            **which,
            **angles,
            tolerance=options["tolerance"],
        )
    _require_without(which, "A mixture names shell, channel and copy of each function itself.")
    return Pairing.mixture(
        material,
        options["irrep"],
        options["gap"],
        [FunctionTerm.parse(text) for text in functions],
        **angles,
        tolerance=options["tolerance"],
    )


def _require_without(given: dict[str, Any], rule: str) -> None:
    there = {name: value for name, value in given.items() if value is not None}
    if there:
        raise SpecificationError(
            rule,
            ", ".join(f"{name} = {value}" for name, value in there.items()),
            f"Leave out {', '.join('--' + name.replace('_', '-') for name in there)}.",
        )
