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


def image_of(
    dataset: xr.Dataset, channel: str | None = None, bias: float | None = None
) -> xr.DataArray:
    """One map (y, x) of a measured dataset, with the coordinate bias (mV) where it is known.

    Parameters
    ----------
    channel : its name; the first of :func:`image_channels` where not given.
    bias : mV; of a grid of spectra, the map measured nearest to it, or to 0 where not given; of an
        image, what it was taken at, instead of what the file says.

    Raises
    ------
    MeasurementFileError : no maps, no such channel, a bias outside of the spectra, or a map with
        pixels that were not measured.
    """
    names = image_channels(dataset)
    file = f"{dataset.attrs['file']}: " if "file" in dataset.attrs else ""
    if not names:
        raise MeasurementFileError(
            f"{file}A QPI image is made of a map over x and y.",
            f"channels {', '.join(map(str, dataset.data_vars)) or 'none'}",
            "Use a file with an image or a grid of spectra.",
        )
    if channel is not None and channel not in names:
        left_out = dataset.attrs.get("left_out")
        others = f" Left out were {left_out}." if left_out else ""
        raise MeasurementFileError(
            f"{file}The maps of this file are {', '.join(names)}.{others}",
            channel,
            "Name one of them" + (", or open one alone: --variable." if left_out else "."),
        )
    image = dataset[channel or names[0]]
    if image.dims == GRID:
        measured, bias = image["bias"].values, bias or 0.0
        if not measured.min() <= bias <= measured.max():
            raise MeasurementFileError(
                f"{file}The spectra were measured from {measured.min():g} to"
                f" {measured.max():g} mV.",
                f"bias = {bias:g} mV",
                "Choose a bias between.",
            )
        image = image.sel(bias=bias, method="nearest")
    else:
        bias = dataset.attrs.get("bias") if bias is None else bias
        if bias is not None:
            image = image.assign_coords(bias=((), float(bias), {"units": "mV"}))
    missing = ~np.isfinite(image.values)
    if missing.any():
        raise MeasurementFileError(
            f"{file}All pixels of a map were measured.",
            f"{image.name}: {int(missing.sum())} of {image.size} were not, on"
            f" {int(missing.any(axis=1).sum())} of {len(missing)} lines",
            "Keep the finished lines, by --finished or open(path, finished=True), or choose another"
            " channel.",
        )
    return image
