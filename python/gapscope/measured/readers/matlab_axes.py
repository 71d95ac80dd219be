"""What the dimensions of an array are, as the user says, or as its file lets one guess."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import BIAS_UNITS, LENGTH_UNITS, MILLIVOLTS, NANOMETRES

AXIS = re.compile(r"(x|y|y up|bias)(?:\s*=\s*(\S+)\s+(\S+))?")
RANGE = re.compile(r"([-+.\deE]+):([-+.\deE]+)")
BIASES = re.compile(r"(^|[._])(e|en|ene|energy|energies|bias|biases|v|volts?|voltages?)$", re.I)
"""Names that the energies of a map have."""
VOLTS = 2.0
"""Largest bias that is guessed to be in V, and not in mV."""


@dataclass(frozen=True)
class Axis:
    """One dimension.

    Parameters
    ----------
    role : x, y or bias.
    source, unit : where its values come from: the name of a variable, or FIRST:LAST; None without.
    up : whether y rises with the index, where it has no values.
    """

    role: str
    source: str | None = None
    unit: str = ""
    up: bool = False

    def values(self, points: int, held: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Its values, of a variable or between the ends of a range."""
        ends = RANGE.fullmatch(str(self.source))
        if ends is not None:
            return np.linspace(float(ends[1]), float(ends[2]), points)
        return held[str(self.source)].reshape(-1)


def axes(text: str) -> list[Axis]:
    """The axes that a text such as ``y, x, bias=s.e V`` names.

    Raises
    ------
    MeasurementFileError : another text, an axis twice, or a unit of another kind.
    """
    found = [AXIS.fullmatch(part.strip()) for part in text.split(",")]
    named = [
        Axis("y" if one[1] == "y up" else one[1], one[2], one[3] or "", one[1] == "y up")
        for one in found
        if one is not None
    ]
    roles = sorted(one.role for one in named)
    laterals = [one for one in named if one.role != "bias"]
    if (
        len(named) != len(found)
        or roles not in (["x", "y"], ["bias", "x", "y"])
        or len({one.source is None for one in laterals}) != 1
        or any(one.source is None for one in named if one.role == "bias")
        or any(one.up and one.source is not None for one in named)
        or not all(_sensible(one) for one in named)
    ):
        raise MeasurementFileError(
            "Axes are named in the order of the dimensions, x and y both with places or neither, a"
            " bias with its values, each from a variable or FIRST:LAST, and a unit: 'y, x, bias=e"
            " V', 'x=r nm, y=r nm', or 'y up, x, bias=-100:100 mV'.",
            text[:200],
            f"Lengths are in {LENGTH_UNITS}, biases in {BIAS_UNITS}.",
        )
    return named


def _sensible(axis: Axis) -> bool:
    """Whether the unit is one of the axis' kind, and a range is one of two numbers."""
    if axis.source is None:
        return True
    ends = RANGE.fullmatch(axis.source)
    try:
        finite = ends is None or all(np.isfinite(float(end)) for end in ends.groups())
    except ValueError:
        return False
    return finite and axis.unit in (MILLIVOLTS if axis.role == "bias" else NANOMETRES)


def guess(shape: Sequence[int], vectors: Mapping[str, NDArray[np.float64]]) -> str:
    """Axes that a map of this size may have, as a text for :func:`axes`.

    Parameters
    ----------
    vectors : other variables with one dimension, among them perhaps the energies, and the places
        along x and y, which tell these apart where they are of two lengths.
    """
    pixels = _pixels(shape, vectors)
    if len(shape) == 2:
        return ", ".join(pixels)
    energies = {
        name: one
        for name, one in vectors.items()
        if one.size in shape and (np.all(np.diff(one) > 0) or np.all(np.diff(one) < 0))
    }
    named = [name for name in energies if BIASES.search(name)]
    # Of three sides two are those of the image, and mostly equal.
    odd = [i for i, side in enumerate(shape) if list(shape).count(side) == 1]
    at = odd[0] if len(odd) == 1 else 2
    for name in [*named, *energies]:
        places = [i for i, side in enumerate(shape) if side == energies[name].size]
        if at in places or name in named:
            at = at if at in places else places[-1]
            unit = "V" if np.abs(energies[name]).max() <= VOLTS else "mV"
            return _written(at, f"bias={name} {unit}", pixels)
    return _written(at, "bias=-100:100 mV", pixels)


def _pixels(shape: Sequence[int], vectors: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """The axes of the pixels, in their order."""
    last = {re.split(r"[._]", name)[-1].lower(): one.size for name, one in vectors.items()}
    across, up = last.get("x", 0), last.get("y", 0)
    sides = [side for side in shape if side in (across, up)]
    return ["x", "y"] if sides == [across, up] and across != up else ["y", "x"]


def _written(at: int, bias: str, pixels: Sequence[str]) -> str:
    others = list(pixels)
    others.insert(at, bias)
    return ", ".join(others)
