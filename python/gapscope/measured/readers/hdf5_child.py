"""Reads the maps of an HDF5 file in a process of its own, started by ``hdf5``.

libhdf5 follows the pointers of a damaged file: it may turn in a loop for ever, fill the memory, or
crash. Here it can be ended. Imports of gapscope ``hdf5_storage`` and what lies beside it alone, so
that it starts at once.

The file comes on the standard input; the request is JSON in the first argument. The answer is a
line of JSON, which has ``refused`` (rule, received, remedy) or ``failed`` where there are no
values, and then the values of one variable after the other, rows first, as float64.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import resource
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

if __package__:
    from gapscope.measured.readers import hdf5_gxsm, hdf5_matlab, hdf5_usid
    from gapscope.measured.readers.hdf5_common import (
        CONDITIONS,
        STATED,
        Arrays,
        Refused,
        Request,
        check_storage,
        datasets,
        require_measured,
        stated,
        text,
        units_of,
        unpacked,
    )
else:  # as a process of its own, without the packages and what they import
    here = Path(__file__).resolve()
    sys.path += [str(here.parent), str(here.parents[2] / "support")]
    import hdf5_gxsm  # type: ignore[import-not-found,no-redef]
    import hdf5_matlab  # type: ignore[import-not-found,no-redef]
    import hdf5_usid  # type: ignore[import-not-found,no-redef]
    from hdf5_common import (  # type: ignore[import-not-found,no-redef]
        CONDITIONS,
        STATED,
        Arrays,
        Refused,
        Request,
        check_storage,
        datasets,
        require_measured,
        stated,
        text,
        units_of,
        unpacked,
    )

MAX_SCALE = 2**20
"""Bytes of a chunk of a scale."""


class Variable:
    """A real variable with two or three dimensions, and the axes it lies on.

    Attributes
    ----------
    scales : scale of each dimension, if it has one of its length.
    sweep : which of three dimensions is the bias, by the units of its scale; None if not one is.
    lateral : the other dimensions; a map has two of them.
    scaled : whether it is a map over two lengths.
    kept : the dimensions of the file that make a map, see :func:`kept_axes`.
    shape : numbers of points along these; the other attributes count these alone.
    """

    def __init__(self, data: h5py.Dataset, request: Request) -> None:
        self.data = data
        self.kept = kept_axes(data, request["biases"])
        self.shape = tuple(data.shape[axis] for axis in self.kept)
        self.scales: list[Any] = [scale_of(data, axis) for axis in self.kept]
        units = ["" if scale is None else units_of(scale) for scale in self.scales]
        swept = [axis for axis, unit in enumerate(units) if unit in request["biases"]]
        self.sweep = swept[0] if len(self.shape) == 3 and len(swept) == 1 else None
        self.lateral = [axis for axis in range(len(self.shape)) if axis != self.sweep]
        self.scaled = len(self.lateral) == 2 and all(
            units[axis] in request["lengths"] for axis in self.lateral
        )

    @property
    def frame(self) -> tuple[object, ...]:
        """What maps on the same pixels share: the places along y and x, or their numbers."""
        if not self.scaled:
            return tuple(self.shape[axis] for axis in self.lateral)
        scales = [self.scales[axis] for axis in self.lateral]
        places, short = [places_of(one) for one in scales], [name_of(one).lower() for one in scales]
        return tuple(reversed(places) if short == ["x", "y"] else places)

    @property
    def bias(self) -> Any:
        """The scale of the bias of a grid of spectra, None of an image."""
        return None if self.sweep is None else self.scales[self.sweep]

    @property
    def told(self) -> str:
        """Numbers of points along the axes, and what these are, for an error."""
        axes = zip(self.shape, self.scales, strict=True)
        words = (
            f"{points} {name_of(scale)} in {units_of(scale) or 'no unit'}" if scale else str(points)
            for points, scale in axes
        )
        return f"({', '.join(words)})"


def extract(file: h5py.File, request: Request) -> tuple[dict[str, Any], Arrays]:
    """The maps asked for, unpacked, with their names, units and dimension scales."""
    data, wanted = variables(file, request), request["variable"]
    if wanted is not None and wanted.strip("/") in data:
        data = {wanted.strip("/"): data[wanted.strip("/")]}
    found = {name: Variable(one, request) for name, one in data.items()}
    if wanted is None:
        chosen = choose(file, found, request)
    elif wanted.strip("/") in found:
        chosen = list(found)
    else:
        raise Refused(
            "One variable of the file is chosen, real and with two or three dimensions.",
            f"{wanted[:80]} of {listing(found)}",
            "Name one of them.",
        )
    check_size([found[name].data for name in chosen], request)
    values = [unpacked(found[name].data, request["max_values"]) for name in chosen]
    scales = {scale.name: scale for name in chosen for scale in found[name].scales if scale}
    # A dataset of measured.open, or of a simulated scan, that was saved.
    known = "source_format" in file.attrs
    about = {
        "variables": [
            {
                "name": name,
                "units": units_of(found[name].data) or text(found[name].data.attrs.get("unit", "")),
                "shape": list(found[name].shape),
                "axes": [None if scale is None else scale.name for scale in found[name].scales],
                "conditions": stated(found[name].data, CONDITIONS) if known else {},
            }
            for name in chosen
        ],
        "scales": {name: described(scale, request) for name, scale in scales.items()},
        "left_out": [name for name in found if name not in chosen],
        "stated": stated(file, STATED) if known else {},
    }
    return about, values


def variables(file: h5py.File, request: Request) -> dict[str, h5py.Dataset]:
    """Real variables with two or three dimensions, those of length one apart."""
    return datasets(
        file,
        lambda _, item: (
            item.dtype.kind in "iuf" and len(kept_axes(item, request["biases"])) in (2, 3)
        ),
    )


def choose(file: h5py.File, found: dict[str, Variable], request: Request) -> list[str]:
    """Names of the maps on the same axes: all images, and the grids of spectra that go with them.

    Of a file with a width given, the maps without a scale. Grids on other axes than the images, and
    such as cannot be read, are left out.
    """
    maps = {name: one for name, one in found.items() if len(one.lateral) == 2}
    scaled = {name: one for name, one in maps.items() if one.scaled}
    bare = {name: one for name, one in maps.items() if not one.scaled}
    maps = (bare or scaled) if request["bare"] else (scaled or bare)
    images = {name: one for name, one in maps.items() if one.sweep is None}
    grids = {name: one for name, one in maps.items() if one.sweep is not None}
    if not maps:
        raise Refused(
            "A map is a real variable over two lengths, or over two lengths and a bias.",
            listing(found) if found else shapes(file),
            'Give the coordinates of such a variable their attributes units, as "nm" and "mV".'
            if found
            else "Save every image as a variable of its own over y and x.",
        )
    frames = {one.frame for one in (images or grids).values()}
    if len(frames) > 1 or (not images and len(biases(grids)) > 1):
        raise Refused(
            "Variables on the same axes are opened together.",
            listing(maps),
            "open(path, variable=...), or --variable",
        )
    if not images:
        return list(grids)
    chosen = list(images)
    beside = {name: one for name, one in grids.items() if one.frame in frames}
    for name, one in beside.items() if len(biases(beside)) == 1 else ():
        with contextlib.suppress(Refused):
            check_beside(one, request)
            check_size([found[other].data for other in [*chosen, name]], request)
            chosen.append(name)
    return chosen


def biases(grids: dict[str, Variable]) -> set[object]:
    """The biases that grids of spectra are at."""
    return {places_of(one.bias) for one in grids.values()}


def places_of(scale: h5py.Dataset) -> object:
    """What scales of one name and the same values share; its path where these cannot be read.

    NSID has scales of its own for every dataset.
    """
    try:
        return name_of(scale), units_of(scale), unpacked(scale, MAX_SCALE).tobytes()
    except Refused:
        return scale.name


def listing(found: dict[str, Variable]) -> str:
    """Names, sizes and axes, for an error."""
    told = ", ".join(f"{name} {one.told}" for name, one in found.items())
    return told[:400] or "no variable with two or three dimensions"


def shapes(file: h5py.File) -> str:
    """Names and sizes of the first variables, for an error where none is a map."""
    told: list[str] = []

    def visit(name: str, item: object) -> object:
        if isinstance(item, h5py.Dataset):
            told.append(f"{name[:40]} ({' x '.join(map(str, item.shape or ()))})")
        return True if len(told) >= 10 else None

    file.visititems(visit)
    return ", ".join(told)[:400] or "no variable"


def check_beside(grid: Variable, request: Request) -> None:
    """Refuse a grid that could not be read, where its file has images that can."""
    check_storage(grid.data, request["max_values"])
    steps = np.diff(described(grid.bias, request)["values"])
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise Refused("The bias rises or falls from point to point.", name_of(grid.bias), "")


def check_size(chosen: Iterable[h5py.Dataset], request: Request) -> None:
    """Refuse sides that no map has, and more values than a file may have in all."""
    sizes = 0
    for one in chosen:
        sizes += math.prod(one.shape)
        if not 1 <= min(one.shape) <= max(one.shape) <= request["max_side"]:
            raise Refused(
                f"An image has at most {request['max_side']} pixels a side.",
                " x ".join(map(str, one.shape)),
                "Cut the image.",
            )
    if sizes > request["max_values"]:
        raise Refused(
            f"A file has at most {request['max_values']} values that are read together.",
            f"{sizes} values",
            "open(path, variable=...), or --variable; cut a larger image.",
        )


def kept_axes(found: h5py.Dataset, biases: Iterable[str]) -> list[int]:
    """The dimensions that make a map: of more than two, those longer than one and a bias."""
    scales = [
        scale_of(found, axis) if found.shape[axis] == 1 else None for axis in range(found.ndim)
    ]
    return [
        axis
        for axis, scale in enumerate(scales)
        if found.ndim <= 2
        or found.shape[axis] != 1
        or (scale is not None and units_of(scale) in biases)
    ]


def scale_of(found: h5py.Dataset, axis: int) -> h5py.Dataset | None:
    """A dimension's scale; None without one of its length."""
    dimension = found.dims[axis]
    if len(dimension) == 0:
        return None
    scale = dimension[0]
    right = scale.shape == (found.shape[axis],) and scale.dtype.kind in "iuf"
    return scale if right else None


def described(scale: h5py.Dataset, request: Request) -> dict[str, Any]:
    """Name, units and values of a scale."""
    return {
        "name": name_of(scale),
        "units": units_of(scale),
        "values": unpacked(scale, request["max_values"]).tolist(),
    }


def name_of(scale: h5py.Dataset) -> str:
    """The last part of its path."""
    return str(scale.name).rsplit("/", 1)[-1]


def answer(content: bytes, request: Request) -> tuple[dict[str, Any], Arrays]:
    """What is said of the file, and its values; no values where it is refused or cannot be read."""
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            if "wanted" in request:
                return hdf5_matlab.extract(file, request)
            if hdf5_gxsm.is_scan(file, request["variable"]):
                return hdf5_gxsm.extract(file, request)
            require_measured(file)
            if mains := hdf5_usid.main_datasets(file):
                return hdf5_usid.extract(file, mains, request)
            return extract(file, request)
    except Refused as error:
        return {"refused": error.args}, []
    except Exception as error:  # noqa: BLE001  (whatever a stranger's file makes h5py raise)
        return {"failed": f"{type(error).__name__}: {error}"[:200]}, []


def main() -> None:
    """Answer the request of the first argument about the file on the standard input."""
    request = json.loads(sys.argv[1])
    for kind, limit in (
        (resource.RLIMIT_AS, request["memory"]),
        (resource.RLIMIT_CPU, request["seconds"]),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (limit, limit))
    np.seterr(all="ignore")
    about, values = answer(sys.stdin.buffer.read(), request)
    sys.stdout.buffer.write(json.dumps(about).encode() + b"\n")
    for one in values:
        sys.stdout.buffer.write(one.data)


if __name__ == "__main__":
    main()
