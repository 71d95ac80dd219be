"""Writes netCDF as GXSM does: one image, its pixels' places, and settings beside it.

Classic netCDF up to version 3, and netCDF-4 of version 4, which h5py writes."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

TIME = 1_600_000_000
TYPES = {"S1": 2, "i2": 3, "i4": 4, "f4": 5, "f8": 6}


@dataclass(frozen=True)
class Scan:
    """What is written; values (row, column) or (layer, row, column) as stored."""

    stored: NDArray[np.float64]
    kind: str = "f4"
    version: int = 1
    down: bool = True
    left: bool = False
    unit: str = "nm"
    dz: float = 0.25
    alpha: float = 0.0
    values: Sequence[float] = (-0.045,)
    saved: str = "/data/scan-Xp-Topo.nc"
    span: float = 140.0
    uneven: bool = False
    field: str = "FloatField"
    bias: float | str = -0.045
    axes: Sequence[str] = ("time", "value", "dimy", "dimx")


def gxsm(scan: Scan) -> bytes:
    """A file of 8 x 6 pixels of 2 x 1.5 nm: ranges are those between the outer pixels."""
    layers = scan.stored.reshape(-1, *scan.stored.shape[-2:])
    rows, columns = layers.shape[1:]
    x, y = 20.0 * np.arange(columns) - 70, 15.0 * np.arange(rows) - 37.5
    if scan.uneven:
        x[3] += 5.0
    sizes = {"time": 1, "value": len(layers), "dimx": columns, "dimy": rows, "y": rows}
    sizes["basename"] = max(len(scan.saved), 1)
    bias = "S1" if isinstance(scan.bias, str) else "f8"
    variables: list[tuple[str, Sequence[str], str, ArrayLike, dict[str, str]]] = [
        (scan.field, scan.axes, scan.kind, layers[None], {"ZLabel": "Z", "unit": scan.unit}),
        ("value", ("value",), "f4", np.resize(scan.values, len(layers)), {"unit": "V"}),
        ("dimx", ("dimx",), "f4", x[::-1] if scan.left else x, {}),
        ("dimy", ("dimy",), "f4", y[::-1] if scan.down else y, {}),
        ("rangex", (), "f8", scan.span, {"var_unit": "Ang", "unit": "nm"}),
        ("rangey", (), "f8", 75.0, {"var_unit": "Ang", "unit": "nm"}),
        ("dz", (), "f8", scan.dz, {"unit": scan.unit}),
        ("alpha", (), "f8", scan.alpha, {"unit": "Grad"}),
        ("t_start", (), "i4", TIME, {}),
        ("sranger_mk2_hwi_bias", (), bias, scan.bias, {"var_unit": "V"}),
    ]
    if scan.saved:
        text = np.frombuffer(scan.saved.encode(), "S1")
        variables.append(("basename", ("basename",), "S1", text, {}))
    return classic(sizes, variables, scan.version)


def gxsm4(scan: Scan, *, mode: float = 3.0, label: str = "ZS-Topo") -> bytes:
    """The same as version 4 writes it, its feedback on (mode 1), with a logarithm (3), or off."""
    layers = scan.stored.reshape(-1, *scan.stored.shape[-2:])
    rows, columns = layers.shape[1:]
    x, y = 20.0 * np.arange(columns) - 70, 15.0 * np.arange(rows) - 37.5
    if scan.uneven:
        x[3] += 5.0
    places = {"time": [1790.0], "value": np.resize(scan.values, len(layers))}
    places |= {"dimy": y[::-1] if scan.down else y, "dimx": x[::-1] if scan.left else x}
    numbers = {
        "rangex": (scan.span, "Å"),
        "rangey": (75.0, "Å"),
        "dz": (scan.dz, scan.unit),
        "alpha": (scan.alpha, ""),
        "t_start": (TIME, ""),
        "rpspmc_hwi_Bias": (scan.bias, "V"),
        "rpspmc_hwi_Z_Servo_SetPoint": (0.012, "nA"),
        "rpspmc_hwi_Z_Servo_Transfer_Mode": (mode, "BC"),
        "JSON_RedPACPALL_SPMC_SIGNAL_MONITOR": (np.nan, "V"),
    }
    file = io.BytesIO()
    with h5py.File(file, "w") as whole:
        field = whole.create_dataset("FloatField", data=layers[None].astype(scan.kind))
        field.attrs.update({"unit": "AA", "var_unit": scan.unit, "ZLabel": label})
        for axis, (name, values) in enumerate(places.items()):
            whole[name] = np.asarray(values, "f4")
            whole[name].attrs["var_unit"] = "V" if name == "value" else "Å"
            whole[name].make_scale(name)
            field.dims[axis].attach_scale(whole[name])
        for name, (value, unit) in numbers.items():
            whole[name] = value
            whole[name].attrs["var_unit"] = unit
        whole["basename"] = np.frombuffer(scan.saved.encode() + b"\0", "S1")
        whole["Event_User_I_Set_Point_adjust"] = np.zeros((2, 20))
    return file.getvalue()


def classic(
    sizes: dict[str, int],
    variables: Sequence[tuple[str, Sequence[str], str, ArrayLike, dict[str, str]]],
    version: int = 1,
) -> bytes:
    """A netCDF file without records (netCDF User's Guide, The NetCDF Classic Format)."""
    names = list(sizes)
    data = [padded(np.asarray(one, f">{kind}").tobytes()) for _, _, kind, one, _ in variables]
    offset = ">q" if version == 2 else ">i"

    def header(start: int) -> bytes:
        head = b"CDF" + bytes([version]) + struct.pack(">i", 0)
        head += struct.pack(">ii", 10, len(sizes))
        head += b"".join(counted(name) + struct.pack(">i", size) for name, size in sizes.items())
        head += bytes(8) + struct.pack(">ii", 11, len(variables))
        for (name, axes, kind, _, about), one in zip(variables, data, strict=True):
            head += counted(name) + struct.pack(">i", len(axes))
            head += b"".join(struct.pack(">i", names.index(axis)) for axis in axes)
            head += struct.pack(">ii", 12 if about else 0, len(about))
            for key, words in about.items():
                head += counted(key) + struct.pack(">i", 2) + counted(words)
            head += struct.pack(">ii", TYPES[kind], len(one)) + struct.pack(offset, start)
            start += len(one)
        return head

    return header(len(header(0))) + b"".join(data)


def counted(words: str) -> bytes:
    return struct.pack(">i", len(words.encode())) + padded(words.encode())


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 4)
