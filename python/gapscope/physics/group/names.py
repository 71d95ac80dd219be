"""Names of the 27 planar point groups, by Schoenflies and by Hermann and Mauguin.

A planar crystal's point group is one of the 27 crystallographic point groups that keep a direction
(z) up to its sign; the five cubic ones do not.
"""

from __future__ import annotations

from collections.abc import Sequence

from gapscope.physics.group.planar import PlanarOperation

HERMANN_MAUGUIN: dict[str, str] = {
    "C1": "1",
    "Ci": "-1",
    "C2": "2",
    "Cs": "m",
    "C2h": "2/m",
    "D2": "222",
    "C2v": "mm2",
    "D2h": "mmm",
    "C4": "4",
    "S4": "-4",
    "C4h": "4/m",
    "D4": "422",
    "C4v": "4mm",
    "D2d": "-42m",
    "D4h": "4/mmm",
    "C3": "3",
    "S6": "-3",
    "D3": "32",
    "C3v": "3m",
    "D3d": "-3m",
    "C6": "6",
    "C3h": "-6",
    "C6h": "6/m",
    "D6": "622",
    "C6v": "6mm",
    "D3h": "-6m2",
    "D6h": "6/mmm",
}


def schoenflies(operations: Sequence[PlanarOperation]) -> str:
    """Schoenflies symbol of a group of planar operations."""
    kinds = [operation.kind for operation in operations]
    n = kinds.count("C")
    inversion, horizontal, rotoreflection = ("i" in kinds), ("h" in kinds), ("S" in kinds)
    axes, mirrors = kinds.count("2"), kinds.count("v")
    if n == 1:
        if axes and mirrors:
            return "C2v" if horizontal else "C2h"
        if axes or mirrors or horizontal:
            return "C2" if axes else "Cs"
        return "Ci" if inversion else "C1"
    improper = horizontal or inversion or rotoreflection
    if not axes and not mirrors:
        if not improper:
            return f"C{n}"
        if horizontal:
            return f"C{n}h"
        return {2: "S4", 3: "S6"}[n]
    if axes and mirrors:
        return f"D{n}h" if horizontal else f"D{n}d"
    return f"D{n}" if axes else f"C{n}v"
