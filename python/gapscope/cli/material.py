"""The material of a command."""

from __future__ import annotations

from typing import Any

import click

from gapscope.cli.options import adding, told_warnings
from gapscope.physics import Material
from gapscope.physics.layers import SURFACES
from gapscope.physics.wannier_kind import SPINS
from gapscope.simulation.materials import material

MATERIAL_HELP = "Name of a shipped material, a material's TOML file, or a Wannier90 _hr.dat."
wannier_options = adding(
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
        click.option(
            "--surface",
            type=click.Choice(SURFACES),
            help="Side at which a bulk Wannier90 Hamiltonian is open, instead of --kz.",
        ),
    ]
)
"""What a Wannier90 file that is given as the material does not hold."""


def given_material(options: dict[str, Any]) -> Material:
    """The material that --material and :data:`wannier_options` name."""
    with told_warnings():
        found = material(
            options["material"],
            fermi_energy=options["fermi_energy"],
            filling=options["filling"],
            spin=options["spin"],
            lattice_constant=options["lattice_constant"],
            kz=options["kz"],
            surface=options["surface"],
        )
    if options["filling"] is not None or options["fermi_energy"] is not None:
        click.echo(found.description)  # what a Wannier90 file was taken for
    return found
