"""Files of Green's functions, and what must hold of one before maps are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gapscope.errors import MapFileError, SchemaVersionError
from gapscope.physics.impurity import Impurity
from gapscope.physics.material import Material
from gapscope.physics.pairing import Pairing
from gapscope.physics.specification import Specification
from gapscope.simulation.numerics import Converged, Grid, Numerics
from gapscope.support.memory import available_memory
from gapscope.support.netcdf import MOST_VALUES, UNREADABLE, load_netcdf, with_complex
from gapscope.support.reading import parse_json

GREEN_SCHEMA = 1
GREEN_DIMS = ("energy", "r1", "r2", "row", "column")
VERSIONS = ("gapscope_version", "kernel_version", "julia_version", "julia_runtime")
REMEDY = "Use what gapscope.green_function returned, or a file written by gapscope green."


@dataclass(frozen=True, eq=False)
class KnownGreen:
    """A Green's function that was checked.

    Parameters
    ----------
    specification, numerics : whose it is, and how it was computed; the window is that of the maps
        that it was computed for.
    values, error : (energies, 2s + 1, 2s + 1, d, d) per meV; error None where it is not known.
    rows : rows of k points of each energy, where they are known.
    computed_by : versions.
    """

    specification: Specification
    numerics: Numerics
    values: NDArray[np.complex128]
    error: NDArray[np.complex128] | None
    rows: NDArray[np.int64] | None
    computed_by: Mapping[str, str]

    @property
    def sites(self) -> int:
        """s, the largest r1 and r2."""
        return len(self.values[0]) // 2


def read_green(path: str | Path) -> xr.Dataset:
    """Read a file of a Green's function, as :func:`gapscope.write_netcdf` writes it, into memory.

    Raises
    ------
    MapFileError : not such a file, a damaged one, or one that does not fit into memory.
    SchemaVersionError : written by a newer version.
    """
    try:
        # Two values of 8 bytes are a complex number; both lie in memory while they are joined.
        most = max(MOST_VALUES, int(available_memory() / 32))
        dataset = with_complex(load_netcdf(path, most), ("green", "green_error"))
    except UNREADABLE as error:
        raise MapFileError(
            "A file of a Green's function is netCDF4/HDF5 as written by gapscope green.",
            f"{path}: {error}",
            "Check the path, or compute it again.",
        ) from error
    require_green(dataset, str(path))
    return dataset


def require_green(green: xr.Dataset, where: str = "green") -> KnownGreen:
    """The Green's function of a dataset.

    Raises
    ------
    MapFileError : no dataset, or one of another layout.
    SchemaVersionError : written by a newer version.
    """
    if not isinstance(green, xr.Dataset):
        raise MapFileError(
            "A Green's function is an xarray.Dataset.",
            f"{green!r:.80} ({type(green).__name__})",
            "Read a file by gapscope.read_green(path), or give all that gapscope.green_function"
            " returned.",
        )
    try:
        schema = int(green.attrs["schema"])
        if schema > GREEN_SCHEMA and "green" in green:
            raise SchemaVersionError(
                f"This version reads Green's functions of schema {GREEN_SCHEMA}.",
                f"{where}: {schema}",
                "Update gapscope.",
            )
        return _known(green)
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise MapFileError(
            f"A Green's function is complex over {', '.join(GREEN_DIMS)}, with its specification"
            " and numerics.",
            f"{where}: {error}",
            REMEDY,
        ) from error


def _known(green: xr.Dataset) -> KnownGreen:
    content = parse_json(str(green["specification"].item()))
    specification = Specification(
        Material.from_dict(content["material"]),
        Pairing.from_dict(content["pairing"]),
        Impurity.scalar(0.0),
        float(content["eps0"]),
    )
    values = _values(green, "green")
    attrs = green.attrs
    method: Grid | Converged = (
        Grid(int(attrs["kgrid"]))
        if attrs["method"] == "grid"
        else (Converged(float(attrs["accuracy"]), int(attrs["budget"])))
    )
    numerics = Numerics(
        green["energy"].values.tolist(), float(attrs["broadening"]), int(attrs["window"]), method
    )
    count, side = len(numerics.energies), values.shape[1]
    d = 4 * specification.material.orbitals
    sites = np.arange(-(side // 2), side // 2 + 1)
    if values.shape != (count, side, side, d, d) or not all(
        np.array_equal(green[name].values, sites) for name in ("r1", "r2")
    ):
        raise ValueError(
            f"shape {values.shape}, where sites run from -s to s and {d} components are expected"
        )
    error = _values(green, "green_error") if "green_error" in green else None
    if error is not None and error.shape != values.shape:
        raise ValueError(f"an error of shape {error.shape} for values of shape {values.shape}")
    rows = green["rows"].values if "rows" in green else None
    computed_by = {name: str(attrs[name]) for name in VERSIONS if name in attrs}
    return KnownGreen(specification, numerics, values, error, rows, computed_by)


def _values(green: xr.Dataset, name: str) -> NDArray[Any]:
    found = green[name]
    if found.dims != GREEN_DIMS:
        raise ValueError(
            f"{name} over ({', '.join(map(str, found.dims))}); one energy is kept with its axis by"
            " sel(energy=[w])"
        )
    values = np.asarray(found.values)
    if values.dtype.kind != "c" or not np.isfinite(values).all():
        raise ValueError(f"{name} of {values.dtype}, where finite complex numbers are expected")
    return values.astype(np.complex128, copy=False)
