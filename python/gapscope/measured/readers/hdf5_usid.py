"""Maps of Universal Spectroscopy and Imaging Data (USID), in the process of ``hdf5_child``.

A main dataset has a row for each position and a column for each point of a spectrum; four others,
which it refers to, say what these are. A map lies over two lengths, and over a bias where it has
spectra.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

if __package__:
    from gapscope.measured.readers.hdf5_common import (
        Arrays,
        Refused,
        Request,
        check_storage,
        datasets,
        text,
        units_of,
        unpacked,
    )
else:
    from hdf5_common import (  # type: ignore[import-not-found,no-redef]
        Arrays,
        Refused,
        Request,
        check_storage,
        datasets,
        text,
        units_of,
        unpacked,
    )

KEYS = tuple(
    f"{kind}_{what}" for kind in ("Position", "Spectroscopic") for what in ("Indices", "Values")
)


@dataclass(frozen=True)
class Axis:
    """A dimension with more than one point."""

    name: str
    units: str
    values: NDArray[np.float64]
    places: NDArray[np.intp]
    """Which of its values each row or column of the main dataset has."""

    @property
    def key(self) -> tuple[str, str, bytes]:
        """What the axes of maps on the same pixels share."""
        return self.name, self.units, self.values.tobytes()


@dataclass(frozen=True)
class Map:
    """A main dataset, its axes, two lengths and perhaps a bias."""

    data: h5py.Dataset
    axes: tuple[Axis, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of points along the axes."""
        return tuple(len(axis.values) for axis in self.axes)

    def values(self, most: int) -> NDArray[np.float64]:
        """The values over the axes, each at its place."""
        stored = unpacked(self.data, most)
        found = np.empty(self.shape)
        y, x = self.axes[0].places, self.axes[1].places
        if len(self.axes) == 3:
            found[y[:, None], x[:, None], self.axes[2].places[None, :]] = stored
        else:
            found[y, x] = stored[:, 0]
        return found


def main_datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """The main datasets of a file: none in one of another kind."""
    return datasets(
        file,
        lambda _, item: (
            all(key in item.attrs for key in KEYS)
            and all(isinstance(item.attrs[key], h5py.Reference) for key in KEYS)
        ),
    )


def extract(
    file: h5py.File, mains: dict[str, h5py.Dataset], request: Request
) -> tuple[dict[str, Any], Arrays]:
    """The maps on the same axes, or the one that is asked for; see ``hdf5_child.extract``."""
    wanted = request["variable"]
    maps, others = {}, {}
    for name, one in mains.items():
        if wanted is None or name == wanted.strip("/"):
            try:
                maps[name] = Map(one, axes_of(file, one, request))
            except Refused as error:
                others[name] = error.args[1]
    listing = ", ".join(
        [
            *(f"{name} ({' x '.join(map(str, one.shape))})" for name, one in maps.items()),
            *(f"{name}: {said}" for name, said in others.items()),
        ]
    )[:400]
    if not maps:
        raise Refused(
            "A map of a USID file lies over two lengths, or over two lengths and a bias.",
            f"{wanted[:80]} of {', '.join(mains)[:300]}" if not others else listing,
            "Name one of the maps: open(path, variable=...), or --variable."
            if not others
            else "Use a file with an image or a grid of spectra, every pixel once.",
        )
    frames = {tuple(axis.key for axis in one.axes[:2]) for one in maps.values()}
    biases = {one.axes[2].key for one in maps.values() if len(one.axes) == 3}
    if len(frames) > 1 or len(biases) > 1:
        raise Refused(
            "Variables on the same axes are opened together.",
            listing,
            "open(path, variable=...), or --variable",
        )
    if sum(math.prod(one.shape) for one in maps.values()) > request["max_values"]:
        raise Refused(
            f"A file has at most {request['max_values']} values that are read together.",
            listing,
            "open(path, variable=...), or --variable; cut a larger image.",
        )
    scales = {axis.name: axis for one in maps.values() for axis in one.axes}
    about = {
        "variables": [
            {
                "name": name,
                "units": units_of(one.data),
                "shape": list(one.shape),
                "sides": [],
                "factor": 1.0,
                "axes": [axis.name for axis in one.axes],
            }
            for name, one in maps.items()
        ],
        "scales": {
            name: {"name": name, "units": axis.units, "values": axis.values.tolist()}
            for name, axis in scales.items()
        },
        "left_out": list(others),
    }
    return about, [one.values(request["max_values"]) for one in maps.values()]


def axes_of(file: h5py.File, main: h5py.Dataset, request: Request) -> tuple[Axis, ...]:
    """The axes of two lengths and, of spectra, the bias; refused with what they are else."""
    if main.ndim != 2 or main.dtype.kind not in "iuf":
        raise Refused("", f"{main.dtype} of shape {main.shape}"[:80], "")
    positions = dimensions(file, main, "Position", request)
    sweeps = dimensions(file, main, "Spectroscopic", request)
    told = ", ".join(f"{one.name[:20]} in {one.units[:20]}" for one in (*positions, *sweeps))
    lateral = [one for one in positions if one.units in request["lengths"]]
    if (
        len(positions) != 2
        or len(lateral) != 2
        or len(sweeps) > 1
        or any(one.units not in request["biases"] for one in sweeps)
        or (not sweeps and main.shape[1] != 1)
    ):
        raise Refused("", f"over {told or 'no axis'}", "")
    y, x = lateral
    rows, columns = len(y.values), len(x.values)
    if not 1 <= max(rows, columns, main.shape[1]) <= request["max_side"]:
        raise Refused("", f"{rows} x {columns} x {main.shape[1]}", "")
    pixels = y.places * columns + x.places
    if main.shape[0] != rows * columns or len(np.unique(pixels)) < len(pixels):
        raise Refused("", f"{main.shape[0]} positions on {rows} x {columns} pixels", "")
    if sweeps and len(sweeps[0].values) != main.shape[1]:
        raise Refused("", f"{main.shape[1]} points at {len(sweeps[0].values)} biases", "")
    return (y, x, *sweeps)


def dimensions(file: h5py.File, main: h5py.Dataset, kind: str, request: Request) -> list[Axis]:
    """The dimensions of the positions or of the spectra that have more than one point."""
    indices, values = (file[main.attrs[f"{kind}_{what}"]] for what in ("Indices", "Values"))
    first = kind == "Position"
    points = main.shape[0 if first else 1]
    tables = []
    for one in (indices, values):
        if (
            not isinstance(one, h5py.Dataset)
            or one.ndim != 2
            or one.dtype.kind not in "iuf"
            or one.shape[0 if first else 1] != points
            or math.prod(one.shape) > request["max_values"]
        ):
            raise Refused("", f"no {kind.lower()} dimensions", "")
        check_storage(one, request["max_values"])
        table = np.asarray(one[...], dtype=np.float64)
        tables.append(table.T if first else table)
    labels, units = (
        [text(one) for one in np.ravel(values.attrs.get(key, []))] for key in ("labels", "units")
    )
    if not tables[0].shape == tables[1].shape or not len(labels) == len(units) == len(tables[0]):
        raise Refused("", f"{len(labels)} labels of {len(tables[0])} dimensions", "")
    found = []
    for label, unit, index, value in zip(labels, units, *tables, strict=True):
        _, at, places = np.unique(index, return_index=True, return_inverse=True)
        if len(at) > 1:
            found.append(Axis(label, unit, value[at], places.reshape(-1)))
            if not np.array_equal(value, value[at][places.reshape(-1)]):
                raise Refused("", f"{label[:20]} with several values at one index", "")
    return found
