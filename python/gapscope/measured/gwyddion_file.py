"""Maps written for Gwyddion, .gwy: one channel a map, rows from the top.

Layout: gwyddion.net, user guide, Gwyddion Native File Format.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from gapscope.measured.preparation.grid import grid_of
from gapscope.support.storage import require_output, write_whole

ENDINGS = (".gwy",)
MAGIC = b"GWYP"
PREFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "k": 3, "M": 6, "G": 9}
ANGSTROM = {"Å", "\u212b", "Ang", "Angstrom", "angstrom"}
FACTOR = re.compile(f"([{''.join(PREFIXES)}]?)(m|A|V|S|Hz|s|N|W|Ohm|Ω)(?:\\^?(-?[1-9]))?")
"""A unit with its prefix and power."""


def write_gwyddion(
    maps: Mapping[str, xr.DataArray], path: str | Path, about: Mapping[str, str] | None = None
) -> Path:
    """Write maps as the channels of a Gwyddion file; it appears when it is complete.

    Values are in units without prefixes, such as A for pA and S for nS, since Gwyddion ignores the
    prefixes of a file's units; what is no such unit is kept. Lengths are in m.

    Parameters
    ----------
    maps : dims ("y", "x"), coordinates in nm, y upwards, by the titles of the channels.
    about : metadata of every channel.

    Raises
    ------
    PreparationError : no map on a grid, or values that are not finite.
    StorageError : see :func:`gapscope.support.storage.require_output`, or the disk is full.
    """
    require_output(path, ENDINGS)
    items = b""
    for number, (title, image) in enumerate(maps.items()):
        key = f"/{number}"
        items += _object_item(f"{key}/data", _field(image))
        items += _text(f"{key}/data/title", title) + _item(f"{key}/data/visible", "b", b"\1")
        if about:
            told = b"".join(_text(name, value) for name, value in about.items())
            items += _object_item(f"{key}/meta", _object("GwyContainer", told))
    return write_whole(path, MAGIC + _object("GwyContainer", items))


def without_prefixes(unit: str) -> tuple[int, str]:
    """The power of ten and the unit that one with prefixes is, such as -9, "A/V" of "nA/V"."""
    power, plain = 0, []
    for number, part in enumerate(unit.split("/")):
        found = FACTOR.fullmatch("m" if part in ANGSTROM else part)
        if found is None:
            return 0, unit
        exponent = int(found[3] or 1) * (-1 if number else 1)
        power += exponent * (-10 if part in ANGSTROM else PREFIXES.get(found[1], 0))
        plain.append(found[0][len(found[1]) :])
    return power, "/".join(plain)


def _field(image: xr.DataArray) -> bytes:
    width, height = 1e-9 * grid_of(image).field
    power, unit = without_prefixes(str(image.attrs.get("units", "")))
    rows, columns = image.shape
    values = np.ascontiguousarray(image.values[::-1] * 10.0**power, dtype="<f8")
    return _object(
        "GwyDataField",
        _item("xres", "i", struct.pack("<i", columns))
        + _item("yres", "i", struct.pack("<i", rows))
        + _item("xreal", "d", struct.pack("<d", width))
        + _item("yreal", "d", struct.pack("<d", height))
        + _object_item("si_unit_xy", _object("GwySIUnit", _text("unitstr", "m")))
        + _object_item("si_unit_z", _object("GwySIUnit", _text("unitstr", unit)))
        + _item("data", "D", struct.pack("<I", values.size) + values.tobytes()),
    )


def _item(name: str, kind: str, value: bytes) -> bytes:
    return name.encode() + b"\0" + kind.encode() + value


def _text(name: str, value: str) -> bytes:
    return _item(name, "s", value.replace("\0", " ").encode() + b"\0")


def _object_item(name: str, value: bytes) -> bytes:
    return _item(name, "o", value)


def _object(name: str, items: bytes) -> bytes:
    return name.encode() + b"\0" + struct.pack("<I", len(items)) + items
