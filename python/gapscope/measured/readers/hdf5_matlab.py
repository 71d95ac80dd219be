"""Arrays of a MATLAB file of version 7.3, which is HDF5, in the process of ``hdf5_child``.

MATLAB's first index is the last of HDF5. Arrays of structures and cells are references to others,
and are not followed.
"""

from __future__ import annotations

import math
from typing import Any

import h5py

if __package__:
    from gapscope.measured.readers.hdf5_common import (
        Arrays,
        Refused,
        Request,
        datasets,
        text,
        unpacked,
    )
else:
    from hdf5_common import (  # type: ignore[import-not-found,no-redef]
        Arrays,
        Refused,
        Request,
        datasets,
        text,
        unpacked,
    )

OWN = "#"
"""How the names begin under which MATLAB keeps what others refer to."""

WORDS = ("char", "cell")
"""Classes of MATLAB that are stored as numbers, too."""


def extract(file: h5py.File, request: Request) -> tuple[dict[str, Any], Arrays]:
    """Name, size and kind of all numeric arrays, and the values of those that are wanted."""
    found = numeric(file)
    about = {
        name: {"shape": list(reversed(one.shape)), "real": one.dtype.kind in "iuf"}
        for name, one in found.items()
    }
    wanted = [found[name] for name in request["wanted"]]
    if sum(math.prod(one.shape) for one in wanted) > request["max_values"]:
        raise Refused(
            f"A file has at most {request['max_values']} values that are read together.",
            ", ".join(request["wanted"])[:200],
            "Cut the map.",
        )
    return {"arrays": about}, [unpacked(one, request["max_values"]) for one in wanted]


def numeric(file: h5py.File) -> dict[str, h5py.Dataset]:
    """Numeric arrays by names as MATLAB writes them: ``s.map``."""
    found = datasets(
        file,
        lambda name, item: (
            not name.startswith(OWN)
            and (item.dtype.kind in "iuf" or item.dtype.names == ("real", "imag"))
            and text(item.attrs.get("MATLAB_class", "")) not in WORDS
            and "MATLAB_empty" not in item.attrs
            and bool(item.shape)
        ),
    )
    return {name.replace("/", "."): item for name, item in found.items()}
