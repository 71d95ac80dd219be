"""Windowed Fourier transform of a measured map.

    rho(q) = sum_r w(r) f(r) exp(-i q.(r - c)) / sum_r w(r),   q in 1/nm with the factor 2 pi,

with Hann's window w(r) = sin^2(pi (j + 1/2) / N) along x and y, and c the centre of the map or a
point of choice. A wave A cos(q.r) has a peak of height A/2, in the units of the map.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from gapscope.measured.preparation.found import FoundLattice
from gapscope.measured.preparation.grid import grid_of, values_of
from gapscope.measured.preparation.window import window_along


def fourier_transform(
    image: xr.DataArray,
    *,
    window: str = "hann",
    centre: Sequence[float] | None = None,
    lattice: FoundLattice | None = None,
) -> xr.DataArray:
    """Complex rho(q), dims ("qy", "qx"), q = 0 in the middle; its abs() is |rho(q)|.

    Parameters
    ----------
    window : "hann" or "none".
    centre : point (x, y) in nm where phases are zero; the middle of the map where not given.
    lattice : adds the coordinates m1, m2 over (qy, qx), q = m1 b1 + m2 b2 of the found lattice.

    Raises
    ------
    PreparationError : not a map, or an unknown window.
    """
    grid, values = grid_of(image), values_of(image)
    weights = (window_along(len(grid.y), window), window_along(len(grid.x), window))
    spectrum = np.fft.fft2(values * weights[0][:, None] * weights[1])
    spectrum /= weights[0].sum() * weights[1].sum()
    qx, qy = (
        np.fft.fftshift(2 * np.pi * np.fft.fftfreq(len(along), step))
        for along, step in zip((grid.x, grid.y), grid.step, strict=True)
    )
    origin = grid.middle if centre is None else np.asarray(centre, dtype=np.float64)
    phase = np.exp(1j * qy * (origin[1] - grid.y[0]))[:, None] * np.exp(
        1j * qx * (origin[0] - grid.x[0])
    )
    units = {"units": "1/nm"}
    transform = xr.DataArray(
        np.fft.fftshift(spectrum) * phase,
        {"qy": ("qy", qy, units), "qx": ("qx", qx, units)},
        ("qy", "qx"),
        "rho",
        {
            "long_name": "windowed Fourier transform",
            "units": image.attrs.get("units", "1"),
            "window": window,
            "centre": origin.tolist(),
        },
    )
    if lattice is None:
        return transform
    reduced = lattice.reduced(np.stack(np.meshgrid(qx, qy), axis=-1))
    return transform.assign_coords(
        m1=(("qy", "qx"), reduced[..., 0], {"units": "b1"}),
        m2=(("qy", "qx"), reduced[..., 1], {"units": "b2"}),
    )
