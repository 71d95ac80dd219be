"""Layout of a dataset folder: files, variables with dtypes, dimensions and units, and its version.

    manifest.json           recipe, material, versions; finished shards and their checksums
    shards/shard-00000.h5   all variables of shard_size samples, in the order of sample ids
    dataset.h5              netCDF4 layout: parameters stored, maps as virtual datasets over shards

One chunk holds one image. Numbers are little-endian on every machine, so that checksums agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import SchemaVersionError
from gapscope.problem.unknown import Unknown, in_tables

SCHEMA_VERSION = 2
SHARD_SCHEMA = 1
SPLITS = ("train", "validation", "test")
MANIFEST = "manifest.json"
DATASET = "dataset.h5"

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Variable:
    """One array of a dataset; its first dimension is ``sample`` unless it is a coordinate."""

    name: str
    dtype: str
    dims: tuple[str, ...]
    units: str
    long_name: str

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return tuple(sizes[dim] for dim in self.dims)


SAMPLE = Variable("sample", "<i8", ("sample",), "1", "sample id")
COORDINATES = (
    SAMPLE,
    Variable("energy", "<f8", ("energy",), "meV", "energy w from the Fermi level"),
    Variable("r1", "<i8", ("r1",), "1", "site along a1, impurity at 0"),
    Variable("r2", "<i8", ("r2",), "1", "site along a2, impurity at 0"),
)
SETPOINT = Variable("setpoint", "<f8", ("setpoint",), "meV", "bias eV0 of the feedback")
RESOLUTION = Variable(
    "resolution", "<f8", ("resolution",), "meV", "standard deviation of the energy resolution"
)
CANDIDATE = {1: "irrep", 2: "candidate"}
"""Column of the candidate, by schema; the attribute of its names is the plural."""
OWN_GAP = {1: "printed_gap", 2: "own_gap"}
"""Column of the gap in the candidate's own normalisation."""
LDOS_CHANGE = ("sample", "energy", "r1", "r2")
DOS = Variable("dos", "<f8", ("sample", "energy"), "1/meV", "density of states per site")


COMPONENTS = (
    Variable("row", "<i8", ("row",), "1", "Nambu component i, electrons first, spin major, at r"),
    Variable("column", "<i8", ("column",), "1", "Nambu component j, at r = 0"),
)
GREEN = ("sample", "energy", "r1", "r2", "row", "column")


def coordinates(setpoints: bool, resolutions: bool, green: bool = False) -> tuple[Variable, ...]:
    """Coordinates of a dataset with or without setpoints, energy resolutions, G instead of maps."""
    further = (SETPOINT,) * setpoints + (RESOLUTION,) * resolutions
    return COORDINATES + further + COMPONENTS * green


def maps(
    dtype: str, setpoints: bool, resolutions: bool, green: bool = False
) -> tuple[Variable, ...]:
    """Variables that the kernel computes; images, or G, are stored in the recipe's dtype."""
    stored = np.dtype(dtype).newbyteorder("<").str
    if green:
        whole = "G_ij(r) of the clean superconductor"
        return (
            Variable("green_re", stored, GREEN, "1/meV", f"real part of {whole}"),
            Variable("green_im", stored, GREEN, "1/meV", f"imaginary part of {whole}"),
            DOS,
        )
    images = Variable(
        "ldos_change", stored, LDOS_CHANGE, "1/meV", "change of the local density of states"
    )
    name = "change of the density of states integrated up to the setpoint, over the clean one"
    integrals = Variable("integral_change", stored, ("sample", "setpoint", "r1", "r2"), "1", name)
    over = ("sample", "resolution")
    broadened = (
        Variable(
            "broadened_change", stored, (*over, "r1", "r2"), "1/meV", "ldos_change, broadened"
        ),
        Variable("broadened_dos", "<f8", over, "1/meV", "dos, broadened"),
    )
    return (images, DOS) + (integrals,) * setpoints + broadened * resolutions


def parameters(unknowns: Sequence[Unknown], version: int) -> tuple[Variable, ...]:
    """Variables that were drawn: class, candidate, unknowns in the order of tables, split."""
    over = ("sample",)
    candidate = CANDIDATE[version]
    columns = [
        Variable("label", "|i1", over, "1", "class, index into the attribute labels"),
        Variable(
            candidate, "|i1", over, "1", f"{candidate}, index into the attribute {candidate}s"
        ),
    ]
    for one in in_tables(unknowns):
        columns.append(
            Variable(one.name, "<f8", over, one.unit, f"{one.long_name}, NaN where none")
        )
        if one.name == "gap":
            own = "gap in the normalisation of the candidate, not of its class"
            columns.append(Variable(OWN_GAP[version], "<f8", over, one.unit, own))
    return (*columns, Variable("split", "|i1", over, "1", "split, index into the attribute splits"))


def shard_name(index: int) -> str:
    """Path of a shard relative to the dataset folder."""
    return f"shards/shard-{index:05d}.h5"


def require_readable(version: int, what: str) -> None:
    """Raise SchemaVersionError if a file is newer than this version of gapscope."""
    if version > SCHEMA_VERSION:
        raise SchemaVersionError(
            f"This version of gapscope reads schema {SCHEMA_VERSION} and older.",
            f"{what} of schema {version}",
            "Update gapscope.",
        )
