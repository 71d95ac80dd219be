"""Scans of GXSM 4 in netCDF-4, in the process of ``hdf5_child``; ``gxsm`` says what they mean."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

if __package__:
    from gapscope.measured.readers.hdf5_common import (
        MAX_DATASETS,
        Arrays,
        Refused,
        Request,
        check_storage,
        text,
        unpacked,
    )
else:
    from hdf5_common import (  # type: ignore[import-not-found,no-redef]
        MAX_DATASETS,
        Arrays,
        Refused,
        Request,
        check_storage,
        text,
        unpacked,
    )

FIELD, AXES, RANGES = "FloatField", ("value", "dimy", "dimx"), ("rangey", "rangex")
MAX_TEXT = 4096
"""Most letters of a text that is stored as an array of them."""


def is_scan(file: h5py.File, variable: str | None) -> bool:
    """Whether a file has the variables of GXSM, and the one that is asked for is its image."""
    asked = variable is None or variable.strip("/") == FIELD
    return asked and all(
        isinstance(file.get(key, getlink=True), h5py.HardLink)
        and isinstance(file.get(key), h5py.Dataset)
        for key in (FIELD, *AXES, *RANGES)
    )


def extract(file: h5py.File, request: Request) -> tuple[dict[str, Any], Arrays]:
    """The image, the places of its pixels, and all numbers and texts that lie beside it."""
    field = file[FIELD]
    places = {axis: file[axis] for axis in AXES}
    for one in (field, *places.values()):
        if one.dtype.kind not in "iuf" or one.size > request["max_values"]:
            raise Refused(
                "An image of GXSM has real values, over places that are numbers.",
                f"{one.name} ({' x '.join(map(str, one.shape))}) of {one.dtype}",
                "Use a file that GXSM saved.",
            )
    about: dict[str, Any] = {
        "shape": list(field.shape),
        "places": {axis: np.ravel(unpacked(one, 2**20)).tolist() for axis, one in places.items()},
        "numbers": {},
        "units": {FIELD: "", "value": ""},
        "texts": {key: text(field.attrs.get(key, "")) for key in ("ZLabel",)},
    }
    for name in list(file)[:MAX_DATASETS]:
        one = file.get(name) if isinstance(file.get(name, getlink=True), h5py.HardLink) else None
        if not isinstance(one, h5py.Dataset):
            continue
        if one.size == 1 and one.dtype.kind in "iuf":
            check_storage(one, MAX_TEXT)
            number = float(np.ravel(one[()])[0])
            if np.isfinite(number):
                about["numbers"][name] = number
        elif one.dtype == "S1" and 1 <= one.size <= MAX_TEXT:
            check_storage(one, MAX_TEXT)
            about["texts"][name] = text(np.asarray(one[()]).tobytes())
        about["units"][name] = text(one.attrs.get("var_unit", one.attrs.get("unit", "")))
    return {"gxsm": about}, [unpacked(field, request["max_values"])]
