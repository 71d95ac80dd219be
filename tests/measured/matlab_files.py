"""Writes MATLAB files: version 5 by scipy, version 7.3 as MATLAB lays out HDF5."""

from __future__ import annotations

import io
from typing import Any

import h5py
import numpy as np
import scipy.io
from numpy.typing import NDArray


def mat5(variables: dict[str, Any], packed: bool = True) -> bytes:
    """A file of version 5; structures are dictionaries."""
    file = io.BytesIO()
    scipy.io.savemat(file, variables, do_compression=packed)
    return file.getvalue()


def big_endian(name: str, values: NDArray[np.float64]) -> bytes:
    """One array in a file of version 5 of the other byte order."""

    def element(kind: int, data: bytes) -> bytes:
        size = np.array([kind, len(data)], ">u4").tobytes()
        return size + data + bytes(-len(data) % 8)

    body = element(6, np.array([6, 0], ">u4").tobytes())
    body += element(5, np.array(values.shape, ">i4").tobytes()) + element(1, name.encode())
    body += element(9, values.astype(">f8").tobytes(order="F"))
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI" + element(14, body)


def mat73(variables: dict[str, Any]) -> bytes:
    """A file of version 7.3: HDF5 behind a block of text, indices in the opposite order."""
    file = io.BytesIO()
    with h5py.File(file, "w", userblock_size=512) as whole:
        _fill(whole, variables)
        whole["#refs#/a"] = np.ones((3, 4))
    start = b"MATLAB 7.3 MAT-file, Platform: none".ljust(116) + bytes(8) + b"\x00\x02IM"
    return start + file.getvalue()[128:]


def _fill(group: h5py.Group, variables: dict[str, Any]) -> None:
    for name, value in variables.items():
        if isinstance(value, dict):
            made: h5py.Group | h5py.Dataset = group.create_group(name)
            _fill(made, value)
            kind = "struct"
        elif isinstance(value, str):
            made = group.create_dataset(name, data=np.array([[*value.encode()]], np.uint16).T)
            kind = "char"
        else:
            stored = np.atleast_2d(value).T
            packed = {"compression": "gzip"} if stored.size > 9 else {}
            if np.iscomplexobj(stored):
                pairs = np.dtype([("real", "f8"), ("imag", "f8")])
                stored = np.ascontiguousarray(stored, dtype=complex).view(pairs)
            made = group.create_dataset(name, data=stored, **packed)
            kind = "double"
        made.attrs["MATLAB_class"] = np.bytes_(kind)
