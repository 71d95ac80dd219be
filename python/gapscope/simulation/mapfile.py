"""Map files: what ``simulate`` returns, as netCDF4 on HDF5."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from gapscope.errors import MapFileError, SchemaVersionError
from gapscope.support.netcdf import UNREADABLE, load_netcdf

MAP_SCHEMA = 1
VARIABLES = ("ldos_change", "qpi_re", "qpi_im", "dos")


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
