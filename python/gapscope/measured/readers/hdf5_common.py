"""What every way of reading an HDF5 file in a process of its own shares, see ``hdf5_child``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

if __package__:
    from gapscope.support.hdf5_storage import storage_fault
else:  # as a process of its own, whose path ``hdf5_child`` has set
    from hdf5_storage import storage_fault  # type: ignore[import-not-found,no-redef]

MAX_DATASETS = 1000

Request = dict[str, Any]
Arrays = list[NDArray[np.float64]]


class Refused(Exception):
    """Rule, received and remedy of the error that the caller raises."""


def datasets(
    file: h5py.File, wanted: Callable[[str, h5py.Dataset], bool]
) -> dict[str, h5py.Dataset]:
    """Datasets of a kind by their paths, among the first MAX_DATASETS objects of a file.

    Links out of the file are not followed.
    """
    found: dict[str, h5py.Dataset] = {}
    seen = 0

    def visit(name: str, item: object) -> object:
        nonlocal seen
        seen += 1
        if isinstance(item, h5py.Dataset) and wanted(name, item):
            found[name] = item
        return True if seen >= MAX_DATASETS else None

    file.visititems(visit)
    return found


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
    values *= factor
    values += offset
    return values


def check_storage(found: h5py.Dataset, most: int) -> None:
    """Refuse what lies in other files, and chunks that do not unpack to what they declare."""
    fault = storage_fault(found, most)
    if fault is not None:
        raise Refused(
            "HDF5 data lie in the file, plain or with gzip, in chunks of moderate size that unpack"
            " to what they declare.",
            fault,
            "Save them again, with compression gzip or none.",
        )


def units_of(found: h5py.Dataset) -> str:
    """The attribute units, empty without one."""
    return text(found.attrs.get("units", ""))


def text(value: object) -> str:
    """An attribute that is a text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
