"""Windows that let a map fade out towards its edges before it is transformed."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gapscope.errors import PreparationError
from gapscope.measured.preparation.grid import Real, values_of

WINDOWS = ("hann", "none")


def window_along(size: int, window: str = "hann") -> Real:
    """Weights of the pixels along one axis, symmetric around the middle.

    Raises
    ------
    PreparationError : an unknown window.
    """
    if window not in WINDOWS:
        raise PreparationError(
            f"A window is one of {', '.join(WINDOWS)}.", window, "Choose one of them."
        )
    if window == "none":
        return np.ones(size)
    return np.asarray(np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2)


def windowed(image: xr.DataArray) -> tuple[Real, Real, Real]:
    """Map times Hann's window, less its weighted mean, and the weights along y and x (sums 1)."""
    values = values_of(image)
    wy, wx = (window_along(size) for size in values.shape)
    wy, wx = wy / wy.sum(), wx / wx.sum()
    return (values - wy @ values @ wx) * wy[:, None] * wx, wy, wx
