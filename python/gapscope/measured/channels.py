"""Which of a measured file's channels is the image to look at."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from gapscope.errors import MeasurementFileError
from gapscope.measured.readers.finished import was_measured
from gapscope.measured.readers.limits import MILLIVOLTS
from gapscope.measured.readers.recording import BACKWARD, GRID, IMAGE

CONDUCTANCE = re.compile(
    r"d[iI][ _\W]?/?d[uUvV]|conductance|lock.?in|(?-i:(?<![A-Za-z])LI(A(?![A-Za-z])|[ _XYR]))",
    re.IGNORECASE,
)
"""Names by which instruments call the lock-in's dI/dV: dI/dV, Lock-in X, LIX, LI Demod 1 X, LIA."""
SECOND = re.compile(
    r"d(2|²|\^2)|(?<!\d)(2nd|3rd)|second|third|(?<![A-Za-z0-9])([2-9]|n)[ _]?(f|ω|omega|harm)"
    r"|demod[ _]?[2-9]|LI[XYR][ _][2-9n]|harm\w*[ _]?[2-9]",
    re.IGNORECASE,
)
"""Names of higher harmonics and derivatives, and of a second demodulator."""
QUADRATURES = re.compile(r"(?:^|[ _.-])(?:LI)?(X|Y|R|phi|phase|theta)(?![A-Za-z])", re.IGNORECASE)
ANGLES = ("phi", "phase", "theta")
BACKWARDS = re.compile(r"(?<![A-Za-z])(backwards?|bwd|bkwd|retrace)(?![A-Za-z])", re.IGNORECASE)
"""Names of backward sweeps in files whose readers leave names as they are."""
SINGLE = re.compile(r"\[\d+\]")
"""One of several sweeps, beside their average: LI Demod 1 X [00001]."""


def image_channels(dataset: xr.Dataset) -> list[str]:
    """Names of the channels with a map, the one that is usually meant first.

    Forward sweeps come before backward ones; the lock-in's dI/dV before heights and currents; its
    first harmonic before others; X before R before Y; an average before its single sweeps; phases,
    and the bias that was applied, come last. What is alike in all this stays in the file's order.
    """

    def order(name: str) -> tuple[bool, bool, bool, bool, int, bool]:
        about, quadrature = dataset[name].attrs, _quadrature(name)
        conductance = _is_conductance(name, about)
        return (
            _is_backward(name),
            quadrature in ANGLES
            or (name.lower().startswith("bias") and about.get("units") in MILLIVOLTS),
            not conductance,
            conductance and _is_higher(name, about),
            {"R": 1, "Y": 2}.get(quadrature, 0) if conductance else 0,
            SINGLE.search(name) is not None,
        )

    names = [str(name) for name, one in dataset.data_vars.items() if one.dims in (IMAGE, GRID)]
    return sorted(names, key=order)


def said(dataset: xr.Dataset, name: str) -> str:
    """What a channel is taken for, in words such as ``dI/dV, first harmonic, X, forward``."""
    direction = "backward" if _is_backward(name) else "forward"
    if not _is_conductance(name, dataset[name].attrs):
        return f"not dI/dV, {direction}"
    higher = _is_higher(name, dataset[name].attrs)
    which = "the lock-in's higher harmonic" if higher else "dI/dV, first harmonic"
    return ", ".join(word for word in (which, _quadrature(name), direction) if word)


def _is_backward(name: str) -> bool:
    return name.endswith(BACKWARD) or BACKWARDS.search(name) is not None


def _is_conductance(name: str, about: Mapping[Hashable, Any]) -> bool:
    """Whether a channel is the lock-in's, by its name, and its harmonic the first where known."""
    known = about.get("harmonic", 1) == 1
    return known and CONDUCTANCE.search(name) is not None and _quadrature(name) not in ANGLES


def _is_higher(name: str, about: Mapping[Hashable, Any]) -> bool:
    """Whether a lock-in channel's name says that it is of a higher harmonic, and the file not."""
    return "harmonic" not in about and SECOND.search(name) is not None


def _quadrature(name: str) -> str:
    """X, R, Y, phi, ... of a lock-in channel's name, empty where it has none."""
    found = QUADRATURES.search(name.removesuffix(BACKWARD))
    if found is None:
        return ""
    return found[1].lower() if found[1].lower() in ANGLES else found[1].upper()


def image_of(
    dataset: xr.Dataset,
    channel: str | None = None,
    bias: float | None = None,
    *,
    usual: float = 0.0,
    interpolate: bool = False,
) -> xr.DataArray:
    """One map (y, x) of a measured dataset, with the coordinate bias (mV) where it is known.

    Parameters
    ----------
    channel : its name; the first of :func:`image_channels` where not given.
    bias : mV; of a grid of spectra, the map measured nearest to it; of an image, what it was taken
        at, instead of what the file says of it or of all its channels.
    usual : mV, of a grid where no bias is given.
    interpolate : of a grid, the map at the bias itself, linear between the two measured around it.

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
        measured, bias = image["bias"].values, usual if bias is None else bias
        if not measured.min() <= bias <= measured.max():
            raise MeasurementFileError(
                f"{file}The spectra were measured from {measured.min():g} to"
                f" {measured.max():g} mV.",
                f"bias = {bias:g} mV",
                "Choose a bias between, by --bias.",
            )
        near = image.sel(bias=bias, method="nearest")
        image = _between(image, bias) if interpolate else near
    else:
        if bias is None:
            bias = image.attrs.get("bias", dataset.attrs.get("bias"))
        if bias is not None:
            image = image.assign_coords(bias=((), float(bias), {"units": "mV"}))
    missing = ~was_measured(image.values)
    if missing.any():
        remedy = "Choose another channel, or interpolate these pixels in a copy."
        if not missing.all(axis=1).all() and not missing.any(axis=1).all():
            remedy = (
                "Keep the finished lines, by --finished or open(path, finished=True), or choose"
                " another channel."
            )
        raise MeasurementFileError(
            f"{file}All pixels of a map were measured.",
            f"{image.name}: {int(missing.sum())} of {image.size} were not, on"
            f" {int(missing.any(axis=1).sum())} of {len(missing)} lines"
            + ("" if np.isnan(image.values).any() else ", which all hold one value alone"),
            remedy,
        )
    return image


def _between(grid: xr.DataArray, bias: float) -> xr.DataArray:
    """The map of a grid of spectra at a bias, linear between the two measured around it."""
    above = int(np.searchsorted(grid["bias"].values, bias))
    two = grid.isel(bias=slice(max(above - 1, 0), above + 1))
    low, high = two["bias"].values[[0, -1]]
    share = (bias - low) / (high - low) if high > low else 0.0
    values = (1 - share) * two.values[..., 0] + share * two.values[..., -1]
    found = two.isel(bias=-1).copy(data=values)
    return found.assign_coords(bias=((), bias, {"units": "mV"}))
