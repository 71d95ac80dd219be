"""What is said of a crystal's symmetry: for JSON and in lines of text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from gapscope.physics.group.bands import band_operations
from gapscope.physics.group.crystal_group import CrystalGroup, time_reversal_violation
from gapscope.physics.group.found import EXACT, find_group
from gapscope.physics.group.irreps import Irrep
from gapscope.physics.group.operation import Operation
from gapscope.physics.material import Material


def symmetry_report(material: Material, tolerance: float = EXACT) -> dict[str, Any]:
    """Lattice, group, operations and violation of a material, for JSON.

    Where the orbitals are not known, ``group`` is None and ``operations`` are the operations of the
    lattice in the plane with what they do to the bands.
    """
    lattice = material.lattice
    report: dict[str, Any] = {
        "material": material.name,
        "lattice": {
            "name": lattice.name,
            "constant": lattice.constant,
            "vectors": lattice.vectors.tolist(),
        },
        "tolerance": tolerance,
        "time_reversal_violation": time_reversal_violation(material.bonds),
    }
    if material.basis is None:
        found = band_operations(material)
        report |= {
            "group": None,
            "operations": [
                {"name": planar.name, "lattice": w.tolist(), "band_violation": violation}
                for planar, w, violation in found
            ],
        }
        return report
    group = find_group(material, tolerance)
    return report | group_report(group)


def group_report(group: CrystalGroup) -> dict[str, Any]:
    """A group's names, operations and irreps, for JSON."""
    return {
        "group": group.schoenflies,
        "hermann_mauguin": group.hermann_mauguin,
        "axis": group.axis,
        "violation": group.violation,
        "operations": [_operation(one) for one in group.operations],
        "irreps": [_irrep(one) for one in group.irreps],
        "translations": [one.translation.tolist() for one in group.translations],
        "almost": [{"violation": v, "group": name} for v, name in group.almost],
    }


def symmetry_lines(report: dict[str, Any]) -> Iterator[str]:
    """The report in text."""
    lattice = report["lattice"]
    yield f"{report['material']}: {lattice['name']} lattice, {lattice['constant']:g} Angstrom"
    if report["group"] is None:
        yield from _band_lines(report)
        return
    yield f"point group {report['group']} ({report['hermann_mauguin']})," + _irrep_names(report)
    yield f"largest violation {report['violation']:.2g} meV; tolerance {report['tolerance']:g} meV"
    yield from reversal_lines(report)
    yield from almost_lines((one["violation"], one["group"]) for one in report["almost"])
    for t1, t2 in report["translations"]:
        yield f"the cell is not the smallest: {t1:.4g} a1 + {t2:.4g} a2 maps the crystal on itself"
    yield f"{'operation':<16}{'translation':<20}{'violation (meV)'}"
    for one in report["operations"]:
        t1, t2 = one["translation"]
        # Positions of eight digits leave translations of 1e-9.
        far = max(abs(t1), abs(t2)) > 1e-4
        moved = f"{round(t1, 4):g} a1 + {round(t2, 4):g} a2" if far else ""
        yield f"{one['name']:<16}{moved:<20}{one['violation']:.1e}"


def almost_lines(almost: Iterable[tuple[float, str]]) -> Iterator[str]:
    """Groups that hold less well, each with the tolerance from which it is taken."""
    for violation, name in almost:
        step = 10.0 ** (math.floor(math.log10(violation)) - 1)
        enough = math.ceil(violation / step * (1 + 1e-9)) * step
        yield f"{name} is broken by {violation:.2g} meV: --tolerance {enough:.2g} takes it"


def reversal_lines(report: dict[str, Any]) -> Iterator[str]:
    """A word where time reversal is broken."""
    broken = report["time_reversal_violation"]
    if broken > report["tolerance"]:
        yield f"time reversal is broken by {broken:.2g} meV"


def _irrep_names(report: dict[str, Any]) -> str:
    names = [
        one["irrep"] + ("" if one["irrep"] == one["mulliken"] else f" ({one['mulliken']})")
        for one in report["irreps"]
    ]
    return f" irreps {', '.join(names)}"


def _band_lines(report: dict[str, Any]) -> Iterator[str]:
    yield "The point group is not known: the material does not say what its orbitals are."
    yield "State them as [[atoms]] in its TOML file. What the bands E(k) alone tell, and nothing"
    yield "about z -> -z or inversion (time reversal makes E(-k) = E(k)):"
    yield f"{'operation':<16}{'bands change by (meV)'}"
    for one in report["operations"]:
        yield f"{one['name']:<16}{one['band_violation']:.1e}"
    yield from reversal_lines(report)


def _operation(one: Operation) -> dict[str, Any]:
    return {
        "name": one.planar.name,
        "lattice": one.lattice.tolist(),
        "cartesian": np.round(one.planar.cartesian, 15).tolist(),
        "translation": one.translation.tolist(),
        "orbitals": one.orbitals.tolist(),
        "violation": one.violation,
    }


def _irrep(one: Irrep) -> dict[str, Any]:
    return {
        "irrep": one.name,
        "mulliken": one.mulliken,
        "dimension": one.dimension,
        "partners": one.partners,
        "matrices": one.matrices.tolist(),
    }
