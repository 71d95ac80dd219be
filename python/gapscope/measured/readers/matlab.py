"""MATLAB files, .mat of versions 5 to 7.3: arrays whose axes and units the user names.

Version 5 (v6, v7) is read here, since scipy.io.loadmat makes objects and takes what a header asks
for; version 7.3 is HDF5 and read as such, in a process of its own.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers import hdf5
from gapscope.measured.readers.hdf5_map import Map, upright
from gapscope.measured.readers.limits import MAX_SIDE, MAX_VALUES, ReadOptions, check_pixels
from gapscope.measured.readers.matlab_axes import RANGE, Axis, axes, guess
from gapscope.measured.readers.matlab_file import HEADER, Held, arrays
from gapscope.measured.readers.recording import dataset

START, VERSION_5, VERSION_7 = b"MATLAB ", (b"\x00\x01IM", b"\x01\x00MI"), b"MATLAB 7.3"
VECTORS = 20
"""Most variables that are looked at for the energies."""

Arrays = dict[str, NDArray[np.float64]]


def recognises(head: bytes, suffix: str) -> bool:
    """Whether a file begins as a .mat of version 5 or 7.3 does."""
    marked = head[HEADER - 4 : HEADER] in VERSION_5
    return head.startswith(START) and (marked or head.startswith(VERSION_7))


def is_version_4(head: bytes, suffix: str) -> bool:
    """Whether a file may be a .mat of version 4, which is not read.

    It begins with the first array's type, size and length of name, as five whole numbers (MAT-File
    Format, MathWorks, appendix A).
    """
    for order in (">", "<") if suffix == ".mat" and len(head) >= 20 else ():
        kind, rows, columns, imaginary, name = struct.unpack_from(f"{order}5i", head)
        known = kind // 100 == 10 * (order == ">") and kind // 10 % 10 <= 5 and kind % 10 <= 2
        if known and min(rows, columns) >= 0 and imaginary in (0, 1) and 1 <= name <= 64:
            return True
    return False


def read(content: bytes, given: ReadOptions) -> xr.Dataset:
    """The variable that is named, over the axes that are named; see ``matlab_axes``.

    A file with one map takes no name of it, an image is over (y, x) where nothing else is said.
    Several names, with commas between, are read together: the axes are those of the first.
    Without places of the pixels, the caller gives the width, and the first row is the top one.

    Raises
    ------
    MeasurementFileError : variables or axes that are not named, with a guess; complex or sparse
        values; axes of another length; no scale; damaged.
    """
    file = _File(content)
    names = _chosen(file, given)
    shape = _sides(file.held[names[0]].shape)
    named = _axes(file, names[0], shape, given)
    check_pixels(*shape, most=MAX_VALUES // len(names))
    sources = [_source(file, axis, points) for axis, points in zip(named, shape, strict=True)]
    own = {name: _own_axes(file, name, names[0], named) for name in names}
    values = file.load([*names, *(source for source in sources if source)])
    maps = [
        _map(name, values[name].reshape(_sides(values[name].shape)), axes_of, values, given)
        for name, axes_of in own.items()
    ]
    bias = next((one.bias for one in maps if one.bias is not None), None)
    return dataset("matlab", [one.channel for one in maps], maps[0].x, maps[0].y, bias)


class _File:
    """The arrays of a file of either version."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.packed = content.startswith(VERSION_7)
        self.held: dict[str, Held] = {}
        if self.packed:
            for name, about in self._ask([])[0]["arrays"].items():
                self.held[name] = Held(tuple(about["shape"]), about["real"])
        else:
            self.held = arrays(content)

    @property
    def maps(self) -> list[str]:
        """Names of the arrays that may be an image or a grid of spectra."""
        sides = {name: _sides(one.shape) for name, one in self.held.items() if one.real}
        return [name for name, one in sides.items() if len(one) in (2, 3) and max(one) <= MAX_SIDE]

    @property
    def listing(self) -> str:
        """Names, sizes and kinds of the first arrays, for an error."""
        told = [
            f"{name[:40]} ({' x '.join(map(str, one.shape))}{'' if one.real else ', complex'})"
            for name, one in self.held.items()
        ]
        more = f", and {len(told) - VECTORS} more" if len(told) > VECTORS else ""
        return (", ".join(told[:VECTORS]) or "no numeric array") + more

    def load(self, names: Sequence[str]) -> Arrays:
        """Values of arrays, by their names."""
        distinct = list(dict.fromkeys(names))
        if not distinct:
            return {}
        if not self.packed:
            loads = {name: self.held[name].load for name in distinct}
            return {name: load() for name, load in loads.items() if load is not None}
        shapes = [self.held[name].shape for name in distinct]
        flat = np.split(self._ask(distinct)[1], np.cumsum([math.prod(one) for one in shapes])[:-1])
        return {
            name: one.reshape(shape, order="F")
            for name, one, shape in zip(distinct, flat, shapes, strict=True)
        }

    def vectors(self, lengths: Sequence[int]) -> Arrays:
        """The variables with one dimension of these lengths."""
        names = [
            name
            for name, one in self.held.items()
            if one.real and len(_sides(one.shape)) == 1 and math.prod(one.shape) in lengths
        ]
        return {name: one.reshape(-1) for name, one in self.load(names[:VECTORS]).items()}

    def _ask(self, wanted: list[str]) -> tuple[dict[str, Any], NDArray[np.float64]]:
        return hdf5.from_child(self.content, {"wanted": wanted})


def _sides(shape: Sequence[int]) -> tuple[int, ...]:
    """The sides that are longer than one point."""
    return tuple(side for side in shape if side != 1)


def _chosen(file: _File, given: ReadOptions) -> list[str]:
    """The variables that are read, the first of which has all the axes."""
    maps = file.maps
    names = maps if given.variable is None else [given.variable]
    if given.variable is not None and given.variable not in file.held:
        names = list(dict.fromkeys(one.strip() for one in given.variable.split(",")))
    if names and set(names) <= set(maps) and (given.variable is not None or len(maps) == 1):
        return names
    best = max(
        maps,
        key=lambda one: (len(_sides(file.held[one].shape)), math.prod(file.held[one].shape)),
        default=None,
    )
    remedy = "Save one image or one grid of spectra as a real, full array."
    if best is not None:
        remedy = f"One of them may be the map: {_advice(file, best, given)}"
    raise MeasurementFileError(
        "Of a MATLAB file one real array is read, over y and x, or over y, x and a bias, and others"
        " on the same pixels.",
        file.listing if given.variable is None else f"{given.variable[:80]} of {file.listing}",
        remedy,
    )


def _axes(file: _File, name: str, shape: tuple[int, ...], given: ReadOptions) -> list[Axis]:
    """The axes of a variable, as given; those of an image are known without, unless the lengths of
    the file's own x and y say otherwise."""
    if given.axes is None and len(shape) == 2 and guess(shape, file.vectors(shape)) == "y, x":
        return axes("y, x")
    if given.axes is None:
        raise MeasurementFileError(
            "The axes of an array of a MATLAB file are named, in the order of its dimensions.",
            f"{name} ({' x '.join(map(str, shape))}) of {file.listing}",
            f"A guess, to be checked: {_advice(file, name, given)}",
        )
    named = axes(given.axes)
    if len(named) != len(shape):
        raise MeasurementFileError(
            "Every dimension with more than one point has a name.",
            f"{given.axes[:80]!r} of {name} ({' x '.join(map(str, shape))})",
            f"A guess, to be checked: {_advice(file, name, given)}",
        )
    return named


def _own_axes(file: _File, name: str, first: str, named: Sequence[Axis]) -> list[Axis]:
    """Which of the axes of the first array another one has: all, or those without the bias."""
    shape, all_of = _sides(file.held[name].shape), _sides(file.held[first].shape)
    if shape == all_of:
        return list(named)
    sides = [side for side, axis in zip(all_of, named, strict=True) if axis.role != "bias"]
    if list(shape) != sides:
        raise MeasurementFileError(
            "Arrays that are read together lie on the same pixels, in the same order.",
            f"{name} ({' x '.join(map(str, shape))}) beside"
            f" {first} ({' x '.join(map(str, all_of))})",
            "Name the one with a bias first, or open them one by one.",
        )
    return [axis for axis in named if axis.role != "bias"]


def _source(file: _File, axis: Axis, points: int) -> str | None:
    """The variable with the values of an axis, None where no variable has them."""
    if axis.source is None or RANGE.fullmatch(axis.source):
        return None
    held = file.held.get(axis.source)
    if held is None or not held.real or math.prod(held.shape) != points:
        raise MeasurementFileError(
            "The values of an axis are a variable of the file, real and one for each point of its"
            " dimension.",
            f"{axis.role} with {points} points, {axis.source[:80]} of {file.listing}",
            "Name the axes in the order of the dimensions, as MATLAB's size has them; a bias may"
            " be FIRST:LAST, too.",
        )
    return axis.source


def _advice(file: _File, name: str, given: ReadOptions) -> str:
    """How a variable may be opened."""
    shape = _sides(file.held[name].shape)
    vectors = file.vectors(shape)
    text = guess(shape, {one: values for one, values in vectors.items() if one != name})
    ends = ""
    for one, values in vectors.items():
        if f"bias={one} " in text:
            ends = f" ({one} goes from {values[0]:g} to {values[-1]:g})"
    if "bias=-100:100" in text:
        ends = " (with the first and the last bias)"
    width = f"{given.width or 15.0:g}"
    return (
        f"open(path, variable={name!r}, axes={text!r}, width={width}), or --variable {name!r}"
        f' --axes "{text}" --width {width}{ends}; the width in nm is not in the file.'
    )


def _map(
    name: str,
    values: NDArray[np.float64],
    named: Sequence[Axis],
    held: Arrays,
    given: ReadOptions,
) -> Map:
    """An array with axes in any order, upright."""
    roles = [one.role for one in named]
    order = [roles.index(role) for role in ("y", "x", "bias") if role in roles]
    values = np.transpose(values, order)
    check_pixels(*values.shape)
    scales = [
        None
        if (axis := named[i]).source is None
        else {
            "name": axis.role,
            "units": axis.unit,
            "values": axis.values(side, held).tolist(),
        }
        for i, side in zip(order, values.shape, strict=True)
    ]
    if any(one.up for one in named):
        values = values[::-1]
    about = {"name": name, "units": "", "shape": values.shape}
    return upright(about, scales, values, given)
