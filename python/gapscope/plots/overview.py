"""Figure of one state: rho(q), drho(r), A(k) with the Fermi surface, density of states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gapscope.physics.lattice import Lattice
from gapscope.plots.maps import brillouin_zone, caption, draw_maps
from gapscope.plots.style import styled

SPECTRAL_COLOURS = "Purples"
DECADES = 3
"""Decades of A(k) below its largest values that are told apart."""
Real = NDArray[np.float64]


def overview_figure(
    maps: xr.Dataset,
    spectral: Real,
    reach: float,
    fermi_surface: Sequence[Real],
    dos: xr.DataArray,
) -> Figure:
    """Four panels of one state at one energy.

    Parameters
    ----------
    maps : maps of one energy, as ``simulate`` gives them.
    spectral : A(k) in 1/meV on square pixels (n, n), kx first, edges at -reach and reach.
    reach : largest |k| along an axis, in 1/Angstrom.
    fermi_surface : lines (n, 2) in 1/Angstrom.
    dos : density of states in 1/meV, (energy).
    """
    lattice = Lattice.from_dict(maps.attrs)
    energy = float(maps.energy[0])
    with styled():
        figure = Figure(figsize=(9.6, 8.2), layout="constrained")
        top, bottom = figure.subplots(2, 2)
        draw_maps(figure, top, maps.isel(energy=0), lattice)
        _draw_spectral(figure, bottom[0], spectral, reach, fermi_surface, lattice)
        bottom[0].set_title(rf"$A(\mathbf{{k}})$, $\omega$ = {energy:g} meV, and Fermi surface")
        bottom[1].plot(dos.energy, dos, color="black", linewidth=1.2)
        bottom[1].axvline(energy, color="tab:red", linewidth=1.0)
        bottom[1].set(
            xlabel=r"$\omega$ (meV)",
            ylabel="density of states (1/meV per cell)",
            title="clean superconductor",
            ylim=(0, None),
        )
        figure.suptitle(caption(maps))
    return figure


def spectral_limits(values: Real) -> tuple[float, float]:
    """Ends of the logarithmic scale of A(k)."""
    high = float(np.quantile(values, 0.999)) or 1.0
    return high / 10**DECADES, high


def _draw_spectral(
    figure: Figure,
    axis: Axes,
    values: Real,
    reach: float,
    fermi_surface: Sequence[Real],
    lattice: Lattice,
) -> None:
    low, high = spectral_limits(values)
    for line in fermi_surface:
        axis.plot(*line.T, color="tab:orange", linewidth=0.7, zorder=3)
    image = axis.imshow(
        np.maximum(values.T, low),
        origin="lower",
        extent=(-reach, reach, -reach, reach),
        norm=LogNorm(low, high),
        cmap=SPECTRAL_COLOURS,
        interpolation="nearest",
    )
    zone = brillouin_zone(lattice)
    axis.plot(*np.vstack([zone, zone[:1]]).T, color="black", linewidth=0.9)
    axis.set(xlabel=r"$k_x$ (1/Å)", ylabel=r"$k_y$ (1/Å)", aspect="equal")
    figure.colorbar(image, ax=axis, shrink=0.75, pad=0.02, label="1/meV")
