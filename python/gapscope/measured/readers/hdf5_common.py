"""What every way of reading an HDF5 file in a process of its own shares, see ``hdf5_child``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

if __package__:
    from gapscope.support.hdf5_storage import storage_fault
else:  # as a process of its own, whose path ``hdf5_child`` has set
    from hdf5_storage import storage_fault  # type: ignore[import-not-found,no-redef]

MAX_DATASETS = 1000
FILL = {
    **dict.fromkeys(("f4", "f8"), 9.969209968386869e36),
    "i2": -32767,
    "u2": 65535,
    "i4": -2147483647,
    "u4": 4294967295,
    "i8": -9223372036854775806,
    "u8": 18446744073709551614,
}
"""What netCDF fills a variable of a type with where nothing else is said (netcdf.h, NC_FILL)."""

SIMULATED = {
    "green_re": "Make maps of it: gapscope simulate --green FILE --impurity 50 -o map.nc.",
    "ldos_clean": "A scan as a microscope records it, of the same tip, is made by"
    " gapscope.instrument.scan.simulate_measurement(..., tip=...).",
    "ldos_change": "gapscope predict FILE reads it.",
}
"""What a variable of gapscope's own files says they are, and what is done with them."""

STATED = ("bias", "current", "feedback", "scan_angle", "temperature", "recorded", "segments")
CONDITIONS = ("harmonic", "pass", "bias", "current", "feedback", "height_offset")
"""What ``gapscope.measured.open`` states of a file, and of a channel."""
WORDS = ("feedback", "recorded", "segments")

Request = dict[str, Any]
Arrays = list[NDArray[np.float64]]


class Refused(Exception):
    """Rule, received and remedy of the error that the caller raises."""


def require_measured(file: h5py.File) -> None:
    """Refuse what gapscope has simulated, whose axes are no lengths."""
    held = next((name for name in SIMULATED if name in file), None)
    if held is not None and "specification" in file and "schema" in file.attrs:
        received = text(file.attrs.get("title", ""))[:80] or held
        raise Refused(
            "A measured file holds maps or spectra of a microscope.", received, SIMULATED[held]
        )


def stated(item: h5py.File | h5py.Dataset, keys: Sequence[str]) -> dict[str, float | str]:
    """Settings of a file, or of a channel, among its attributes: words where they are, numbers."""
    found: dict[str, float | str] = {}
    for key in keys:
        value = item.attrs.get(key)
        if key in WORDS and isinstance(value, (str, bytes)):
            found[key] = text(value)
        number = np.ravel(np.asarray(value))
        if key not in WORDS and number.dtype.kind in "iuf" and number.size == 1:
            found[key] = float(number[0]) + 0.0  # an angle of -0.0 is 0
    return found


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
    """Values by the conventions of netCDF: what is missing, scale_factor and add_offset."""
    check_storage(found, most)
    stored = found[...]
    values = np.asarray(stored, dtype=np.float64)
    values[missing(found, stored)] = np.nan
    factor, offset = (
        float(np.ravel(found.attrs.get(key, default))[0])
        for key, default in (("scale_factor", 1.0), ("add_offset", 0.0))
    )
    values *= factor
    values += offset
    return values


def missing(found: h5py.Dataset, stored: NDArray[Any]) -> NDArray[np.bool_]:
    """Where values are missing, by the attributes of netCDF, which speak of them as stored.

    What was never written holds netCDF's own fill value, which no measurement has; of whole
    numbers, which may have it, only where the library has given it to HDF5.
    """
    none: list[Any] = []
    for key in ("_FillValue", "missing_value"):
        none += np.ravel(found.attrs.get(key, [])).tolist()
    own = FILL.get(found.dtype.str[1:])
    told = "_FillValue" in found.attrs or found.fillvalue != own
    if own is not None and (found.dtype.kind == "f" or not told):
        none.append(own)
    gaps: NDArray[np.bool_] = np.zeros(stored.shape, dtype=bool)
    for one in none:
        gaps |= stored == np.asarray(one).astype(found.dtype)
    low, high = found.attrs.get("valid_range", (None, None))
    for key, given, outside in (("valid_min", low, np.less), ("valid_max", high, np.greater)):
        bound = found.attrs.get(key, given)
        if bound is not None:
            gaps |= outside(stored, np.ravel(bound)[0])
    return gaps


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
