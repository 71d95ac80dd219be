"""Reads one variable of an HDF5 file in a process of its own, started by ``hdf5``.

libhdf5 follows the pointers of a damaged file: it may turn in a loop for ever, fill the memory, or
crash. Here it can be ended. Imports nothing of gapscope, so that it starts at once.

The file comes on the standard input; the request is JSON in the first argument. The answer is a
line of JSON, which has ``refused`` (rule, received, remedy) or ``failed`` where there are no
values, and then the values, rows first, as float64.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import resource
import sys
import zlib
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

MAX_DATASETS = 1000
CHECKSUM = 4
"""Bytes that the fletcher32 filter adds to a chunk."""


class Refused(Exception):
    """Rule, received and remedy of the error that the caller raises."""


def extract(file: h5py.File, request: dict[str, Any]) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """The variable asked for, unpacked, with its name, units and dimension scales."""
    found = choose(file, request["variable"])
    rows, columns = found.shape
    if max(rows, columns) > request["max_side"] or rows * columns > request["max_values"]:
        raise Refused(
            f"An image has at most {request['max_side']} pixels a side.",
            f"{rows} x {columns}",
            "Cut the image.",
        )
    values = unpacked(found, request["max_values"])
    about = {
        "name": str(found.name).strip("/"),
        "units": text(found.attrs.get("units", "")),
        "shape": [rows, columns],
        "scales": [scale(found, axis, request["max_values"]) for axis in (0, 1)],
    }
    return about, values


def choose(file: h5py.File, variable: str | None) -> h5py.Dataset:
    """The variable asked for, or the only image. Links out of the file are not followed."""
    images: dict[str, h5py.Dataset] = {}
    seen = 0

    def visit(name: str, item: object) -> object:
        nonlocal seen
        seen += 1
        if isinstance(item, h5py.Dataset) and item.ndim == 2 and item.dtype.kind in "iuf":
            images[name] = item
        return True if seen >= MAX_DATASETS else None

    file.visititems(visit)
    names = [variable.strip("/")] if variable is not None else list(images)
    if len(names) != 1 or names[0] not in images:
        raise Refused(
            "One variable of the file is chosen, real and with two dimensions.",
            f"{variable or 'none chosen'} of {', '.join(images) or 'none'}"[:200],
            "open(path, variable=...)",
        )
    return images[names[0]]


def unpacked(found: h5py.Dataset, most: int) -> NDArray[np.float64]:
    """Values by the conventions of netCDF: fill values, scale_factor and add_offset."""
    check_storage(found, most)
    values = np.asarray(found[...], dtype=np.float64)
    for key in ("_FillValue", "missing_value"):
        if key in found.attrs:
            values[values == float(np.ravel(found.attrs[key])[0])] = np.nan
    factor, offset = (
        float(np.ravel(found.attrs.get(key, default))[0])
        for key, default in (("scale_factor", 1.0), ("add_offset", 0.0))
    )
    return values * factor + offset


def check_storage(found: h5py.Dataset, most: int) -> None:
    """Refuse what lies in other files, and chunks that do not unpack to what they declare."""
    pipeline = found.id.get_create_plist()
    filters = {pipeline.get_filter(i)[0] for i in range(pipeline.get_nfilters())}
    known = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
    size = math.prod(found.chunks or (0,)) * found.dtype.itemsize
    if found.external or found.is_virtual or filters - known or size > most:
        raise Refused(
            "HDF5 data lie in the file, plain or with gzip, in chunks of moderate size.",
            f"filters {sorted(filters)}, external {bool(found.external)}, chunks of {size} bytes",
            "Save them again, with compression gzip or none.",
        )
    if h5py.h5z.FILTER_DEFLATE not in filters:
        return
    for i in range(found.id.get_num_chunks()):
        skipped, packed = found.id.read_direct_chunk(found.id.get_chunk_info(i).chunk_offset)
        whole = size + CHECKSUM
        if not skipped and len(zlib.decompressobj().decompress(packed, whole + 1)) > whole:
            raise Refused(
                "A chunk unpacks to the size it declares.",
                f"more than {size} bytes",
                "The file is damaged: save it again.",
            )


def scale(found: h5py.Dataset, axis: int, most: int) -> dict[str, Any] | None:
    """Name, units and values of a dimension's scale; None without one of its length."""
    dimension = found.dims[axis]
    if len(dimension) == 0:
        return None
    scale = dimension[0]
    if scale.shape != (found.shape[axis],) or scale.dtype.kind not in "iuf":
        return None
    check_storage(scale, most)
    return {
        "name": str(scale.name).rsplit("/", 1)[-1],
        "units": text(scale.attrs.get("units", "")),
        "values": np.asarray(scale[...], dtype=np.float64).tolist(),
    }


def text(value: object) -> str:
    """An attribute that is a text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def answer(content: bytes, request: dict[str, Any]) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """What is said of the file, and its values; no values where it is refused or cannot be read."""
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            return extract(file, request)
    except Refused as error:
        return {"refused": error.args}, np.empty(0)
    except Exception as error:  # noqa: BLE001  (whatever a stranger's file makes h5py raise)
        return {"failed": f"{type(error).__name__}: {error}"[:200]}, np.empty(0)


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
    sys.stdout.buffer.write(values.tobytes())


if __name__ == "__main__":
    main()
