"""A recipe to begin with: candidates that a crystal's symmetry allows, and settings that fit it.

Energies and broadening follow from the gap, the impurity from the width of the bands; maps are
converged, however many the orbitals. Nothing of it is more than a beginning: the file says what
each number is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gapscope.errors import RecipeError
from gapscope.physics import Material
from gapscope.physics.gaps.alike import conserves_spin, nearly_alike
from gapscope.physics.gaps.basis_function import BasisFunction
from gapscope.physics.gaps.report import GapReport

SEEN = 0.05
"""Share of its largest value in the zone that a gap has on the Fermi surface, or is left out."""
CALIBRATING = 100
"""Maps that a network is calibrated with at least."""


@dataclass(frozen=True)
class Suggestion:
    """A recipe's text, and the irreps that are left out with the reason."""

    text: str
    left_out: tuple[str, ...]


def suggest_recipe(
    material: Material,
    path: str,
    gap: tuple[float, float],
    *,
    shells: int = 1,
    channels: Sequence[str] = ("s", "tz", "txy"),
    maps: int = 1000,
) -> Suggestion:
    """A recipe of schema 2 with one candidate of each irrep: its innermost gap.

    Parameters
    ----------
    path : name or file of the material, as the recipe names it.
    gap : range in meV.
    shells, channels : where candidates are looked for.
    maps : to train on; a fifth as many to validate, and to test, and as many as a calibration
        needs.

    Raises
    ------
    RecipeError : a range of gaps that is none, a crystal without a Fermi surface, or fewer than
        two irreps with a gap.
    SpecificationError : a crystal whose gaps cannot be classified.
    """
    low, high = gap
    if not 0 < low <= high < np.inf:
        raise RecipeError("A range of gaps rises from above zero, in meV.", gap, "Mend it.")
    report = GapReport.of(material, shells, channels)
    if not len(report.surface.momenta):
        raise RecipeError(
            "Candidates are chosen by their gaps on the Fermi surface, where bands cross zero.",
            f"{material.name}, no band of which does",
            "Move the zero of energy into a band, by the bonds on site of a material's file, or by"
            " its fermi_energy or filling where it is Wannier90's.",
        )
    chosen: dict[str, BasisFunction] = {}
    unseen: dict[str, float] = {}
    alike: dict[str, str] = {}
    spins_turn = conserves_spin(material.bonds)
    for function, values in report.gaps:
        name = function.irrep.name
        largest = max(value.maximum for value in values)
        if largest < SEEN:
            unseen[name] = max(largest, unseen.get(name, 0.0))
        elif name not in chosen:
            others = chosen.items() if spins_turn else ()
            twins = (n for n, one in others if nearly_alike(function, one, report.surface))
            if twin := next(twins, None):
                alike[name] = twin
            else:
                chosen[name] = function
    left_out = [
        f"{name}: its gap on the Fermi surface is at most {value:.2g} of that in the zone"
        for name, value in unseen.items()
        if name not in chosen | alike
    ]
    left_out += [
        f"{name}: on the Fermi surface its gap is that of {twin}, of another size and with all"
        " spins turned, and maps hardly tell them apart"
        for name, twin in alike.items()
        if name not in chosen
    ]
    known = chosen | unseen | alike
    missing = [one.name for one in report.group.irreps if one.name not in known]
    left_out += [f"{name}: no gap up to shell {shells}" for name in missing]
    if len(chosen) < 2:
        raise RecipeError(
            "A recipe has two candidates or more.",
            f"{', '.join(chosen) or 'none'} of {report.group.schoenflies} up to shell {shells}; "
            + "; ".join(left_out),
            "Look for gaps in more shells or channels.",
        )
    return Suggestion(_text(material, path, gap, list(chosen.values()), maps), tuple(left_out))


def _text(
    material: Material,
    path: str,
    gap: tuple[float, float],
    functions: Sequence[BasisFunction],
    maps: int,
) -> str:
    low, high = gap
    width = band_width(material)
    broadening = _rounded(low / 3)
    energies = sorted({_rounded(low), _rounded(np.sqrt(low * high))})
    count = len(functions)
    train, rest = (-(-n // count) * count for n in (maps, max(maps // 5, CALIBRATING)))
    turning = any(function.irrep.dimension > 1 for function in functions)
    theta = ['theta = "any" # between the partners of irreps of two dimensions'] if turning else []
    lines = [
        f"# A gap of each irrep of {functions[0].group}, to begin with.",
        "schema = 2",
        f"name = {json.dumps(material.name)}",
        "seed = 1",
        f"material = {json.dumps(path)}",
        f"energies = {json.dumps(energies)} # meV",
        f"broadening = {broadening:g} # meV",
        "window = 64 # sites per side",
        "shard_size = 50",
        "",
        "[impurity]",
        f"scalar = {_rounded(width / 10):g} # meV, a tenth of the bands' width",
        "",
        *(line for function in functions for line in _candidate(function)),
        "[unknowns]",
        f"gap = [{low:g}, {high:g}] # meV: the largest in the zone",
        *theta,
        f"eps0 = [{-low:g}, {low:g}] # meV",
        "",
        "[splits]",
        f"train = {train}",
        f"validation = {rest}",
        f"test = {rest}",
        "",
        "[training]",
        "epochs = 40",
        "",
        "[training.network]",
        'backbone = "vgg16-quarter"',
    ]
    return "\n".join(lines) + "\n"


def band_width(material: Material) -> float:
    """Distance in meV of the highest band from the lowest, on a grid."""
    m = np.arange(24) / 24
    grid = np.stack(np.meshgrid(m, m, indexing="ij"), axis=-1)
    return float(np.ptp(np.linalg.eigvalsh(material.bonds.at(grid))))


def _candidate(function: BasisFunction) -> list[str]:
    return [
        "[[candidates]]",
        f"irrep = {json.dumps(function.irrep.name)}",
        f"shell = {function.shell}",
        f"channel = {json.dumps(function.channel)}",
        f"copy = {function.copy}",
        "",
    ]


def _rounded(value: float) -> float:
    """Two figures."""
    return float(f"{value:.2g}")
