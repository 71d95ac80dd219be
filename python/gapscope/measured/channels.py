"""Which of a measured file's channels is the image to look at."""

from __future__ import annotations

import re

import numpy as np
import xarray as xr

from gapscope.errors import MeasurementFileError

IMAGE = ("y", "x")
GRID = ("y", "x", "bias")
CONDUCTANCE = re.compile(r"d[iI]\W?/?d[uUvV]|conductance|lock.?in|(?-i:^LI[ _XYR])", re.IGNORECASE)
"""Names by which instruments call the lock-in's dI/dV."""


def image_channels(dataset: xr.Dataset) -> list[str]:
    """Names of the channels with a map: conductance first, backward sweeps last."""

    def order(name: str) -> tuple[bool, bool]:
        return name.endswith("_backward"), CONDUCTANCE.search(name) is None

    names = [str(name) for name, one in dataset.data_vars.items() if one.dims in (IMAGE, GRID)]
    return sorted(names, key=order)


def image_of(dataset: xr.Dataset, channel: str | None = None, bias: float = 0.0) -> xr.DataArray:
    """One map (y, x) of a measured dataset.

    Parameters
    ----------
    channel : its name; the first of :func:`image_channels` where not given.
    bias : mV; of a grid of spectra, the map measured nearest to it.

    Raises
    ------
    MeasurementFileError : no maps, no such channel, a bias outside of the spectra, or a map with
        pixels that were not measured.
    """
    names = image_channels(dataset)
    if not names:
        raise MeasurementFileError(
            "A QPI image is made of a map over x and y.",
            f"channels {', '.join(map(str, dataset.data_vars)) or 'none'}",
            "Use a file with an image or a grid of spectra.",
        )
    if channel is not None and channel not in names:
        raise MeasurementFileError(
            f"The maps of this file are {', '.join(names)}.", channel, "Name one of them."
        )
    image = dataset[channel or names[0]]
    if image.dims == GRID:
        measured = image["bias"].values
        if not measured.min() <= bias <= measured.max():
            raise MeasurementFileError(
                f"The spectra were measured from {measured.min():g} to {measured.max():g} mV.",
                f"bias = {bias:g} mV",
                "Choose a bias between.",
            )
        image = image.sel(bias=bias, method="nearest")
    if not np.isfinite(image.values).all():
        raise MeasurementFileError(
            "All pixels of a map were measured.",
            f"{image.name}: {int((~np.isfinite(image.values)).sum())} of {image.size} were not",
            'Cut the map to the finished lines, as dataset.dropna("y") does, or choose another'
            " channel.",
        )
    return image
