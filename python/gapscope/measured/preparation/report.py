"""What a preparation has found and made, as lines for people and as a dataset for a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from gapscope.errors import MapFileError, SchemaVersionError
from gapscope.mapfile import UNREADABLE, load_netcdf
from gapscope.measured.preparation.pipeline import Prepared

PREPARED_SCHEMA = 1
STRAINED = 1.1
"""Anisotropy that drift seldom reaches."""


def report(prepared: Prepared) -> str:
    """Lattice and density wave with their standard errors, a line each."""
    lattice, corrected = prepared.lattice, prepared.final_lattice
    lengths = ", ".join(
        f"{value:.4f} ± {error:.4f}"
        for value, error in zip(lattice.lengths.value, lattice.lengths.error, strict=True)
    )
    lines = [
        f"lattice constant    {lattice.constant:.4f} Å as scanned, material "
        f"{lattice.material_constant:.3f} Å",
        f"a1, a2, a2 - a1     {lengths} Å",
        f"angle of a1 and a2  {lattice.opening:.2f} degrees; of a1 and x {lattice.orientation:.2f}",
        f"anisotropy          {lattice.anisotropy:.4f}",
        f"steps               {', '.join(prepared.images)}",
        f"after them          {corrected.constant:.4f} Å, anisotropy {corrected.anisotropy:.4f}",
    ]
    if lattice.anisotropy.value > STRAINED:
        lines.append(
            "                    Such a distortion is rare. Is the material's lattice triangular, "
            "and are these its peaks?"
        )
    if prepared.wave is not None:
        for peak in prepared.wave.peaks:
            expected = "({:.3f}, {:.3f})".format(*peak.expected)
            if peak.found:
                found = ", ".join(
                    f"{value:.4f} ± {error:.4f}"
                    for value, error in zip(peak.position.value, peak.position.error, strict=True)
                )
                lines.append(f"density wave        {expected}: found at ({found})")
            else:
                lines.append(f"density wave        {expected}: not found")
    return "\n".join(lines)


def prepared_dataset(prepared: Prepared, sites: xr.Dataset) -> xr.Dataset:
    """The map before and after, and its image on lattice sites, for a file.

    Parameters
    ----------
    sites : made of it by ``network_input``.

    Returns
    -------
    xarray.Dataset with raw (y_raw, x_raw), prepared (y, x) and all of ``sites``; attributes say
    what lattice was found, in Angstrom and degrees, and which steps were done.
    """
    lattice = prepared.lattice
    raw = prepared.images["raw"].reset_coords(drop=True).rename(y="y_raw", x="x_raw")
    found = {
        f"{name}{kind}": float(getattr(one, part))
        for name, one in (
            ("lattice_constant_found", lattice.constant),
            ("lattice_orientation", lattice.orientation),
            ("lattice_opening", lattice.opening),
            ("lattice_anisotropy", lattice.anisotropy),
        )
        for kind, part in (("", "value"), ("_error", "error"))
    }
    made = sites.assign(raw=raw, prepared=prepared.final.reset_coords(drop=True))
    wave = prepared.wave
    return made.assign_attrs(
        prepared_schema=PREPARED_SCHEMA,
        channel=str(prepared.images["raw"].name or ""),
        steps=list(prepared.images),
        material_constant=lattice.material_constant,
        wave_found=int(wave is not None and wave.found),
        wave_momenta=np.empty(0) if wave is None else lattice.reduced(wave.momenta).ravel(),
        **found,
    )


def read_prepared(path: str | Path) -> xr.Dataset:
    """What :func:`prepared_dataset` made, from a file.

    Raises
    ------
    MapFileError : not such a file.
    SchemaVersionError : written by a newer version.
    """
    try:
        dataset = load_netcdf(path)
        schema, values = int(dataset.attrs["prepared_schema"]), dataset["ldos_change"]
        if values.dims != ("r1", "r2") or len({*values.shape}) != 1 or values.shape[0] % 2:
            raise ValueError(f"ldos_change {dict(values.sizes)}")
    except UNREADABLE as error:
        raise MapFileError(
            "A prepared map is netCDF4/HDF5 as written by gapscope prepare.",
            f"{path}: {error}",
            "Check the path, or prepare the measured file again.",
        ) from error
    if schema > PREPARED_SCHEMA:
        raise SchemaVersionError(
            f"This version reads prepared maps of schema {PREPARED_SCHEMA}.",
            f"{path}: {schema}",
            "Update gapscope.",
        )
    return dataset
