"""Data files of Omicron and Scienta Matrix, ``NAME--RUN_CYCLE.CHANNEL_mtrx``.

A data file holds integers alone. What they mean stands in the parameter file of its experiment, or
in the chain ``NAME_0001.mtrx``, ``NAME_0002.mtrx``, ...
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.limits import ReadOptions, check_content
from gapscope.measured.readers.matrix_experiment import (
    MAGIC,
    damaged,
    experiment_at,
)
from gapscope.measured.readers.matrix_scan import image, spectra

DATA = MAGIC + b"TLKB"
HEAD = struct.Struct("<12x4sIQ4x4sI8s3I2I")
"""The block's bytes and time; description, its bytes, channel, bricklet, points meant, measured."""
START, FIXED = 28, 40
"""Where the content of the block begins, and that of the description."""
MAX_CHAIN = 1000


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a data file of Matrix does."""
    return head.startswith(DATA)


def beside(path: Path) -> Iterator[Path]:
    """The parameter files of a data file, in order; none that is not there."""
    stem, mark, _ = path.name.rpartition("--")
    for number in range(1, MAX_CHAIN):
        link = path.with_name(f"{stem}_{number:04d}.mtrx")
        if not mark or not link.is_file():
            return
        yield link


@dataclass(frozen=True)
class Recorded:
    """The integers of a data file, behind each other as they were measured, and where they belong.

    Parameters
    ----------
    channel : by which the parameter file knows it.
    written : time of the file, in seconds since 1970.
    """

    channel: bytes
    written: int
    counts: NDArray[np.int32]


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The image, spectrum or grid of spectra of a data file, its parameter files behind it.

    An image is scanned upwards, and then perhaps down again, which is a channel of its own, as is
    its backward sweep. Of a curve the ramp back is ``NAME retrace``. Points and lines down that
    were not measured are NaN. A scan that was stopped on its way up is read if ``given.finished``.

    Raises
    ------
    MeasurementFileError : no parameter file, one of another experiment, a curve against anything
        but the bias, or a scan of a kind that is not known.
    """
    given.refuse_scale()
    recorded, chain = _split(content)
    if not chain:
        raise MeasurementFileError(
            "A data file of Matrix is read with the parameter file of its experiment.",
            "no NAME_0001.mtrx beside the file NAME--RUN_CYCLE.CHANNEL_mtrx",
            "Copy the parameter file into the same folder, both with the names that Matrix gave"
            " them.",
        )
    held = experiment_at(chain, given.name, recorded.written)
    if recorded.channel not in held.channels:
        raise damaged(f"channel {recorded.channel.hex()}, of which no parameter file knows")
    number, name, unit = held.channels[recorded.channel]
    values = _values(recorded.counts, *held.transfers.get(number, ("", {})))
    attributes: dict[str, float | str] = _moment(recorded.written)
    if "(" not in name:
        return image(held, name, unit, values, given.finished, attributes)
    if "(V)" not in name:
        raise MeasurementFileError(
            "Spectra are taken against the bias, which Matrix calls CHANNEL(V).",
            name[:80],
            "Use a file of bias spectroscopy.",
        )
    return spectra(held, name, unit, values, given.finished, attributes)


def _split(content: bytes) -> tuple[Recorded, list[bytes]]:
    """A data file, and the parameter files that follow it."""
    if len(content) < HEAD.size:
        raise damaged(f"{len(content)} bytes")
    _, whole, time, name, described, channel, *_, points = HEAD.unpack_from(content)
    data, end = FIXED + described, START + whole
    if name != b"CSED" or FIXED + described < HEAD.size or data + 8 > min(end, len(content)):
        raise damaged(f"a description {name!r} of {described} bytes")
    kind, size = struct.unpack_from("<4sI", content, data)
    if kind != b"ATAD" or data + 8 + size != end:
        raise damaged(f"data {kind!r} of {size} bytes in a block of {whole}")
    check_content(min(len(content) - data - 8, size), size, "bytes")
    check_content(size, 4 * points, "bytes")
    counts = np.frombuffer(content, "<i4", points, data + 8)
    starts = [end]
    while starts[-1] < len(content):
        after = content.find(MAGIC, starts[-1] + 1)
        starts.append(after if after > 0 else len(content))
    chain = [content[one:next_] for one, next_ in pairwise(starts)]
    if any(not one.startswith(MAGIC) for one in chain):
        raise damaged(f"{chain[0][:16]!r} behind the data")
    return Recorded(channel, time, counts), chain


def _values(
    counts: NDArray[np.int32], function: str, given: dict[str, float | int | bool | str]
) -> NDArray[np.float64]:
    """Physical values of integers: (n - n0) / f, or (r - r0) (n - n0) / (f f0).

    Raises
    ------
    MeasurementFileError : another function, or one without its parameters.
    """
    names = {
        "TFF_Linear1D": ("Factor", "Offset"),
        "TFF_MultiLinear1D": ("NeutralFactor", "Offset", "PreFactor", "PreOffset", "Raw_1"),
    }.get(function)
    numbers = [given.get(name) for name in names or ()]
    found = [float(one) for one in numbers if isinstance(one, (int, float))]
    if names is None or len(found) != len(names) or not found[0]:
        raise damaged(f"the function {function[:40]!r} with {given} of a channel's values"[:200])
    factor, offset = found[:2]
    integers = counts.astype(np.float64)
    if len(found) == 2:
        return (integers - offset) / factor
    prefactor, preoffset, raw = found[2:]
    if not prefactor:
        raise damaged(f"the function {function} with PreFactor 0")
    return (raw - preoffset) * (integers - offset) / (factor * prefactor)


def _moment(seconds: int) -> dict[str, float | str]:
    """``recorded`` in UTC; empty where it is no time of a measurement."""
    if not 0 < seconds < 2**32:
        return {}
    return {"recorded": datetime.fromtimestamp(seconds, UTC).isoformat()}
