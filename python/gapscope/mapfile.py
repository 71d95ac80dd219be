"""Map files: what ``simulate`` returns, as netCDF4 on HDF5, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import h5py
import xarray as xr

from gapscope.errors import MapFileError, SchemaVersionError
from gapscope.storage import NETCDF, require_output, write_whole

MAP_SCHEMA = 1
VARIABLES = ("ldos_change", "qpi_re", "qpi_im", "dos")
MOST_VALUES = 2**28
"""Of all arrays of a file: small compressed files may claim to hold any number."""
UNREADABLE = (OSError, ValueError, KeyError, TypeError, RuntimeError)
"""What xarray, h5netcdf and h5py raise for a file that is damaged or of another kind."""


def write_netcdf(dataset: xr.Dataset, path: str | Path) -> Path:
    """Write a dataset; the file appears under its name when it is complete.

    It is laid out in memory: HDF5 cannot go on where a disk is full.

    Raises
    ------
    StorageError : see :func:`gapscope.storage.require_output`, or the disk is full.
    """
    require_output(path, NETCDF)
    return write_whole(path, dataset.to_netcdf(engine="h5netcdf"))


def load_netcdf(path: str | Path) -> xr.Dataset:
    """All of a netCDF4/HDF5 file in memory; raises one of UNREADABLE, also if it is too large."""
    values = 0

    def count(_: str, entry: h5py.Dataset | h5py.Group) -> None:
        nonlocal values
        values += int(entry.size) if isinstance(entry, h5py.Dataset) else 0

    with h5py.File(path, "r") as file:
        file.visititems(count)
    if values > MOST_VALUES:
        raise ValueError(f"{values} values, where {MOST_VALUES} are read at most")
    return xr.load_dataset(path, engine="h5netcdf")


def read_map(path: str | Path) -> xr.Dataset:
    """Read a map file into memory.

    Raises
    ------
    MapFileError : not an HDF5 file, or without the variables of a map.
    SchemaVersionError : written by a newer version.
    """
    try:
        dataset = load_netcdf(path)
        schema = int(dataset.attrs.get("schema", 0))
    except UNREADABLE as error:
        raise MapFileError(
            "A map file is netCDF4/HDF5 as written by gapscope simulate.",
            f"{path}: {error}",
            "Check the path, or simulate the map again.",
        ) from error
    missing = [name for name in VARIABLES if name not in dataset]
    if missing:
        raise MapFileError(
            f"A map file has the variables {', '.join(VARIABLES)}.",
            f"{path} without {', '.join(missing)}",
            "Use a file written by gapscope simulate.",
        )
    if not 1 <= schema <= MAP_SCHEMA:
        raise SchemaVersionError(
            f"This version reads map schema {MAP_SCHEMA}.", f"{path}: {schema}", "Update gapscope."
        )
    return dataset
