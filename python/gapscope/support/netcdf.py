"""netCDF4 files on HDF5: written whole or not at all, and read within bounds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import h5py
import xarray as xr

from gapscope.errors import printable
from gapscope.support.hdf5_storage import attributes_fault, link_fault, storage_fault
from gapscope.support.storage import NETCDF, require_output, write_whole

MOST_VALUES = 2**28
"""Most values of a file's arrays: small compressed files may claim to hold any number."""
UNREADABLE = (OSError, ValueError, KeyError, TypeError, RuntimeError)
"""What xarray, h5netcdf and h5py raise for a file that is damaged or of another kind."""


def write_netcdf(dataset: xr.Dataset | xr.DataTree, path: str | Path) -> Path:
    """Write a dataset, or a tree of them; the file appears under its name when it is complete.

    It is laid out in memory: HDF5 cannot go on where a disk is full. Complex variables, which
    netCDF does not have, become two each, NAME_re and NAME_im.

    Raises
    ------
    StorageError : see :func:`gapscope.support.storage.require_output`, or the disk is full.
    """
    require_output(path, NETCDF)
    made = dataset if isinstance(dataset, xr.DataTree) else without_complex(dataset)
    return write_whole(path, made.to_netcdf(engine="h5netcdf"))


def without_complex(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset with NAME_re and NAME_im in place of every complex variable NAME."""
    for name, values in dataset.data_vars.items():
        if values.dtype.kind == "c":
            real = {f"{name}_re": values.real, f"{name}_im": values.imag}
            for part, words in zip(real.values(), ("real", "imaginary"), strict=True):
                told = f"{words} part of {values.attrs.get('long_name', name)}"
                part.attrs = {**values.attrs, "long_name": told}
            dataset = dataset.drop_vars(str(name)).assign(real)
    return dataset


def with_complex(dataset: xr.Dataset, names: Iterable[str]) -> xr.Dataset:
    """The dataset with NAME in place of NAME_re and NAME_im, for those names that are there."""
    for name in names:
        parts = [f"{name}_re", f"{name}_im"]
        if parts[0] in dataset:
            real, imaginary = (dataset[part] for part in parts)
            joined = real + 1j * imaginary
            told = str(real.attrs.get("long_name", "")).removeprefix("real part of ")
            joined.attrs = {**real.attrs, "long_name": told}
            dataset = dataset.drop_vars(parts).assign({name: joined})
    return dataset


def load_netcdf(path: str | Path, most: int = MOST_VALUES) -> xr.Dataset:
    """All of a netCDF4/HDF5 file in memory, control characters of its texts as escapes.

    Raises one of UNREADABLE, also for what is no regular file, leads to other files, has more
    values than ``most``, or unpacks to more than it declares.
    """
    _require_loadable(Path(path), most)
    dataset = xr.load_dataset(path, engine="h5netcdf")
    _make_printable(dataset)
    return dataset


def load_tree(path: str | Path, most: int = MOST_VALUES) -> xr.DataTree:
    """All groups of a file in memory; as :func:`load_netcdf`."""
    _require_loadable(Path(path), most)
    with xr.open_datatree(path, engine="h5netcdf") as opened:
        tree = opened.load()
    for node in tree.subtree:
        _make_printable(node.dataset)
    return tree


def _require_loadable(path: Path, most: int) -> None:
    if path.exists() and not path.is_file():
        raise ValueError("a folder or a device, and no regular file")
    with h5py.File(path, "r") as file:
        fault = _fault(file, most)
    if fault is not None:
        raise ValueError(fault)


def _make_printable(dataset: xr.Dataset) -> None:
    for about in (dataset.attrs, *(one.attrs for one in dataset.variables.values())):
        for key, text in about.items():
            if isinstance(text, str):
                about[key] = printable(text, "\n\t")


def _fault(file: h5py.File, most: int) -> str | None:
    """Why a file is not loaded, before anything of it is unpacked; None where it may be."""
    found = link_fault(file) or attributes_fault(file)
    values, size = 0, 0

    def look(name: str, entry: h5py.Dataset | h5py.Group) -> str | None:
        nonlocal values, size
        if isinstance(entry, h5py.Dataset):
            values += int(entry.size or 0)
            size += int(entry.size or 0) * entry.dtype.itemsize
            if values > most or size > 8 * most:
                return f"{values} values, where {most} are read at most"
        return attributes_fault(entry)

    def unpack(name: str, entry: h5py.Dataset | h5py.Group) -> str | None:
        fault = storage_fault(entry) if isinstance(entry, h5py.Dataset) else None
        return None if fault is None else f"{name[:80]}: {fault}"

    return found or file.visititems(look) or file.visititems(unpack)
