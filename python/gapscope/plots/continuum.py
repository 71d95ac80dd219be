"""Figures of continuum maps: drho(x, y) at the tip, and its Fourier transform beyond the zone."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gapscope.physics.lattice import Lattice
from gapscope.plots.maps import brillouin_zone, caption, map_colour_bar, signed_norm
from gapscope.plots.style import MAP_COLOURS, styled

CELLS_SHOWN = 8
"""Half width, in lattice constants, of the real-space panels."""
ZONES_SHOWN = 2.2
"""Half width of the panel of momenta, in the largest coordinate of the Brillouin zone."""


def continuum_figure(dataset: xr.Dataset) -> Figure:
    """Host, change of the density of states, and Re rho(q) of every energy of continuum maps."""
    lattice = Lattice.from_dict(dataset.attrs)
    energies = dataset.energy.values
    tip = json.loads(dataset.attrs["tip"])
    orbital = " + ".join(tip["orbital"])
    with styled():
        figure = Figure(figsize=(13.5, 3.9 * len(energies) + 0.5), layout="constrained")
        axes = figure.subplots(len(energies), 3, squeeze=False)
        for row, energy in zip(axes, range(len(energies)), strict=True):
            one = dataset.isel(energy=energy)
            at = rf"$\omega$ = {energies[energy]:g} meV"
            _host(figure, row[0], one, lattice)
            row[0].set_title(rf"$\rho(\mathbf{{r}})$ of the host, {at}")
            draw_change(figure, row[1], one, lattice)
            row[1].set_title(rf"$\delta\rho(\mathbf{{r}})$, {at}")
            draw_momenta(figure, row[2], one, lattice)
            row[2].set_title(rf"Re $\rho(\mathbf{{q}})$, {at}")
        title = f"{orbital} tip at z = {tip['height']:g} Å, {dataset.attrs['wannier_functions']}"
        figure.suptitle(f"{caption(dataset)}\n{title}")
    return figure


def _cut(one: xr.Dataset, lattice: Lattice, name: str) -> tuple[NDArray[np.float64], ...]:
    """x, y and values of the pixels around r = 0."""
    half = one.sizes["p1"] // 2
    reach = min(half, 2 * CELLS_SHOWN * int(one.attrs["pixels"]))
    middle = slice(half - reach, half + reach)
    part = one.isel(p1=middle, p2=middle)
    return part["x"].values, part["y"].values, part[name].values


def _framed(axis: Axes, x: NDArray[np.float64], y: NDArray[np.float64], lattice: Lattice) -> None:
    reach = min(CELLS_SHOWN * lattice.constant, float(np.abs(y).max()))
    axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    axis.set(xlabel="x (Å)", ylabel="y (Å)")


def _host(figure: Figure, axis: Axes, one: xr.Dataset, lattice: Lattice) -> None:
    x, y, values = _cut(one, lattice, "ldos_clean")
    mesh = axis.pcolormesh(x, y, values, cmap="gray", shading="nearest", rasterized=True)
    figure.colorbar(mesh, ax=axis, shrink=0.75, pad=0.02).set_label("1/meV/Å³")
    _framed(axis, x, y, lattice)


def draw_change(
    figure: Figure, axis: Axes, one: xr.Dataset, lattice: Lattice, *, colour_bar: bool = True
) -> None:
    """The change of the density of states on pixels, at one energy of continuum maps."""
    x, y, values = _cut(one, lattice, "ldos_change")
    norm = signed_norm(values)[0]
    axis.pcolormesh(x, y, values, norm=norm, cmap=MAP_COLOURS, shading="nearest", rasterized=True)
    if colour_bar:
        map_colour_bar(figure, axis, norm, "1/meV/Å³")
    _framed(axis, x, y, lattice)


def draw_momenta(
    figure: Figure, axis: Axes, one: xr.Dataset, lattice: Lattice, *, colour_bar: bool = True
) -> None:
    """Re rho(q) beyond the first Brillouin zone, at one energy of continuum maps."""
    zone = brillouin_zone(lattice)
    reach = ZONES_SHOWN * float(np.abs(zone).max())
    x, y, values = one["qx"].values, one["qy"].values, one["qpi_re"].values
    near = np.hypot(x, y) < 2 * reach
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    cut = np.ix_(rows, columns)
    norm = signed_norm(values[cut])[0]
    axis.pcolormesh(
        x[cut], y[cut], values[cut], norm=norm, cmap=MAP_COLOURS, shading="nearest", rasterized=True
    )
    if colour_bar:
        map_colour_bar(figure, axis, norm, "1/meV/Å³")
    closed = np.vstack([zone, zone[:1]])
    axis.plot(closed[:, 0], closed[:, 1], color="black", linewidth=0.9)
    axis.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    axis.set(xlabel=r"$q_x$ (1/Å)", ylabel=r"$q_y$ (1/Å)")
