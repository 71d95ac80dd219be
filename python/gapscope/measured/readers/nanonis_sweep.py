"""The bias axis of Nanonis spectra, of what the header says and of what the file holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import MAX_SIDE, missing, number
from gapscope.measured.readers.recording import label_and_unit

SEGMENTS = "Segment Start"
COLUMNS = ("Segment Start", "Segment End", "Steps")
MODULE = "Bias Spectroscopy>Sweep"
MAX_SEGMENTS = 1000
AGREEMENT = 1e-3
"""Part of their range by which two statements of a sweep differ at most."""


@dataclass(frozen=True)
class Sweep:
    """Bias values in order, in ``unit``, and which of a file's points are means of two.

    Parameters
    ----------
    values : without repetitions.
    points : as the file has them; one more for each of ``twice``.
    twice : first of two points, in order, that were taken at one bias, where segments meet.
    order : the file's points in the order of the bias, where segments overlap; else empty.
    segments : start and end of each, where the header lists them.
    """

    values: NDArray[np.float64]
    unit: str
    points: int
    twice: tuple[int, ...] = ()
    order: tuple[int, ...] = ()
    segments: tuple[tuple[float, float], ...] = ()

    @property
    def stated(self) -> dict[str, str]:
        """``segments`` as words such as ``-100 to 0, 0 to 100 V``; empty where there are none."""
        if not self.segments:
            return {}
        told = ", ".join(f"{start:g} to {end:g}" for start, end in self.segments)
        return {"segments": f"{told} {self.unit}"}

    @property
    def measured(self) -> list[float]:
        """The bias of every point of the file."""
        values: list[float] = self.values.tolist()
        for first in self.twice:
            values.insert(first + 1, values[first])
        back = np.argsort(self.order) if self.order else range(len(values))
        return [values[i] for i in back]

    def merged(self, spectra: NDArray[Any]) -> NDArray[Any]:
        """Spectra over their last axis, points at one bias replaced by their mean."""
        if self.order:
            spectra = spectra[..., list(self.order)]
        if not self.twice:
            return spectra
        merged, first = np.array(spectra, dtype=np.float64), np.array(self.twice)
        merged[..., first] = 0.5 * (merged[..., first] + merged[..., first + 1])
        return np.delete(merged, first + 1, axis=-1)


def segmented(header: Mapping[str, str], points: int) -> Sweep:
    """The sweep of segments that a header lists: ``Segment Start (V), Segment End (V), ...``.

    Segments that meet share the point where they do, or measure it twice: the number of points
    tells. Where segments in one direction overlap, their points are put in order.

    Raises
    ------
    MeasurementFileError : no such entry, segments that are none, or another number of points.
    """
    key = next((key for key in header if SEGMENTS in key), None)
    if key is None:
        raise MeasurementFileError(
            "The header of a multi-segment sweep lists its segments.",
            f"no entry with {SEGMENTS}",
            "Use a file as Nanonis saved it, whose header is complete.",
        )
    names = key[key.index(SEGMENTS) :].split(",")
    at = [next((i for i, one in enumerate(names) if word in one), None) for word in COLUMNS]
    rows = [row.split(",") for row in header[key].split(";") if row.strip()]
    if None in at or not 1 <= len(rows) <= MAX_SEGMENTS:
        raise missing(header, key, f"{', '.join(COLUMNS)} of up to {MAX_SEGMENTS} segments")
    pieces = []
    for row in rows:
        words = [row[i] if i is not None and i < len(row) else "" for i in at]
        start, end, steps = (number({key: word}, key) for word in words)
        if not 1 <= steps <= MAX_SIDE or not float(steps).is_integer():
            raise missing({key: words[2]}, key, f"segments of 1 to {MAX_SIDE} whole steps")
        pieces.append(np.linspace(start, end, int(steps)))
    ends = np.cumsum([len(piece) for piece in pieces])
    near = AGREEMENT * max(float(np.ptp(np.concatenate(pieces))), 1e-30) / max(int(ends[-1]), 1)
    meet = [
        int(end) - 1
        for end, one, following in zip(ends, pieces, pieces[1:], strict=False)
        if abs(one[-1] - following[0]) <= near
    ]
    values = np.delete(np.concatenate(pieces), np.array(meet, dtype=int) + 1)
    if points not in (len(values), int(ends[-1])):
        raise MeasurementFileError(
            "The segments of a sweep have as many points as the spectra.",
            f"{int(ends[-1])} steps, of which {len(meet)} are where segments meet, and {points}"
            " points",
            "One of them is wrong: take the measurement's notes, and correct the header's steps in"
            " a copy of the file.",
        )
    twice = tuple(meet) if points == int(ends[-1]) else ()
    order: tuple[int, ...] = ()
    ways = np.sign([piece[-1] - piece[0] for piece in pieces if len(piece) > 1])
    if len(ways) and np.all(ways == ways[0]) and np.any(np.diff(values) * ways[0] <= 0):
        held = np.concatenate(pieces) if twice else values
        order = tuple(np.argsort(held * ways[0], kind="stable").tolist())
        held = held[list(order)]
        twice = tuple(np.flatnonzero(np.abs(np.diff(held)) <= near).tolist())
        values = np.delete(held, np.array(twice, dtype=int) + 1)
    ends_of = tuple((float(piece[0]), float(piece[-1])) for piece in pieces)
    return Sweep(values, label_and_unit(names[0])[1], points, twice, order, ends_of)


def stated(header: Mapping[str, str]) -> tuple[float, float] | None:
    """Start and end in V of the sweep that the module parameters name; None without."""
    try:
        ends = tuple(number(header, f"{MODULE} {end} (V)") for end in ("Start", "End"))
    except MeasurementFileError:
        return None
    return ends[0], ends[1]


def check_ends(told: tuple[float, float], held: tuple[float, float]) -> None:
    """Raise MeasurementFileError unless a header's sweep starts and ends as the file's points."""
    near = AGREEMENT * max(abs(told[1] - told[0]), abs(held[1] - held[0]))
    if not all(abs(one - other) <= near for one, other in zip(told, held, strict=True)):
        raise disagreement(told, held)


def disagreement(told: tuple[float, float], held: tuple[float, float]) -> MeasurementFileError:
    """The error for a sweep of which the header and the data say different things."""
    return MeasurementFileError(
        "The header and the data of a file have the same sweep.",
        f"{told[0]:g} to {told[1]:g} V in the header, {held[0]:g} to {held[1]:g} V with the data",
        "One of them is wrong: take the measurement's notes, and correct the header in a copy of"
        " the file.",
    )
