"""From the bytes that the browser sends to an image, through a private file that is deleted."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import xarray as xr

from gapscope.errors import MeasurementFileError
from gapscope.inference.kinds import kind_of
from gapscope.measured import open as open_measured
from gapscope.measured.channels import image_channels
from gapscope.measured.readers.limits import MAX_BYTES
from gapscope.measured.readers.recording import GRID, IMAGE
from gapscope.simulation.mapfile import read_map


def require_size(size: int) -> None:
    """Raise MeasurementFileError for more bytes than a measured file may have."""
    if size > MAX_BYTES:
        raise MeasurementFileError(
            f"A measured file has 1 to {MAX_BYTES} bytes.", size, "Export a part of it."
        )


def open_bytes(
    name: str, content: bytes, width: float | None = None, height: float | None = None
) -> xr.Dataset:
    """The channels of a file that was dropped on the page, or a simulated map.

    The bytes lie in a folder that nobody else can read while :func:`gapscope.measured.open` reads
    them, under a harmless version of the name.

    Raises
    ------
    MeasurementFileError : see :func:`gapscope.measured.open`; or more than MAX_BYTES.
    MapFileError, SchemaVersionError : see :func:`gapscope.simulation.mapfile.read_map`.
    """
    require_size(len(content))
    with tempfile.TemporaryDirectory(prefix="gapscope-") as folder:
        path = Path(folder) / safe_name(name)
        path.write_bytes(content)
        if kind_of(path) == "map":
            return read_map(path)
        return open_measured(path, width=width, height=height)


def is_simulated(dataset: xr.Dataset) -> bool:
    """Whether a file holds a map as ``gapscope simulate`` writes it."""
    return "ldos_change" in dataset


def safe_name(name: str) -> str:
    """A file name of letters, digits, dots, dashes and underscores; its ending is kept."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[-60:].lstrip(".") or "file"


def channels(dataset: xr.Dataset) -> list[str]:
    """Names of the channels: images with the conductance first, then spectra."""
    images = image_channels(dataset)
    return images + [str(name) for name in dataset.data_vars if name not in images]


def topographs(dataset: xr.Dataset, channel: str) -> list[str]:
    """Channels of the same scan in which the lattice may be looked for instead."""
    images = [name for name in image_channels(dataset) if dataset[name].dims == IMAGE]
    return [name for name in images if name != channel]


def biases(dataset: xr.Dataset, channel: str) -> list[float]:
    """The biases in mV of a grid of spectra, none of an image."""
    if dataset[channel].dims != GRID:
        return []
    return [float(bias) for bias in dataset["bias"].values]
