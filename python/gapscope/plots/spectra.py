"""Figures of the clean superconductor: density of states, spectral function."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from gapscope.plots.style import styled

DASHES = ("-", (0, (4, 4)), (4, (4, 4)), ":")
COLUMNS = 600
"""Columns of a picture of A(k, w)."""
DECADES = 3
"""Orders of magnitude below the largest A(k, w) that are told apart; a gap is two or three deep."""


def dos_figure(dos: xr.DataArray, title: str) -> Figure:
    """Density of states against energy; of orbitals (energy, orbital) each one's, and their sum.

    Equal ones show by their dashes.
    """
    with styled():
        figure = Figure(figsize=(5.2, 3.6), layout="constrained")
        axis = figure.subplots()
        by_orbital = "orbital" in dos.dims
        total = dos.sum("orbital") if by_orbital else dos
        axis.plot(dos.energy, total, color="black", linewidth=1.2, label="all")
        if by_orbital:
            for name, dashes in zip(dos.orbital.values, cycle(DASHES)):
                own = dos.sel(orbital=name)
                axis.plot(dos.energy, own, linewidth=1.2, linestyle=dashes, label=str(name))
            axis.legend()
        axis.set(
            xlabel=r"$\omega$ (meV)",
            ylabel="density of states (1/meV per cell)",
            title=title,
            ylim=(0, None),
        )
    return figure


def path_figure(spectral: xr.DataArray, corners: Sequence[str], title: str) -> Figure:
    """A(k, w) along a path whose lines all have the same number of points, against its length.

    A column of the picture shows the largest value of the k points that fall on it: bands are
    narrower than a column, and a sample beside one would hide it.
    """
    names = [r"$\Gamma$" if name == "Gamma" else name for name in corners]
    values = spectral.transpose("k", "energy").values
    count = len(values)
    starts = np.unique(np.linspace(0, count, min(count, COLUMNS), endpoint=False).astype(int))
    shown = np.log10(np.maximum.reduceat(values, starts, axis=0))
    place = np.hypot(np.diff(spectral.kx.values), np.diff(spectral.ky.values)).cumsum()
    place = np.concatenate([[0.0], place])
    edges = np.interp(np.append(starts, count) - 0.5, np.arange(count), place)
    high = float(np.quantile(shown, 0.999))
    energy = spectral.energy.values
    step = (energy[-1] - energy[0]) / max(len(energy) - 1, 1) or 1.0
    rows = np.append(energy - step / 2, energy[-1] + step / 2)
    with styled():
        figure = Figure(figsize=(6.0, 4.4), layout="constrained")
        axis = figure.subplots()
        mesh = axis.pcolormesh(
            edges,
            rows,
            shown.T,
            cmap="magma",
            vmin=high - DECADES,
            vmax=high,
            rasterized=True,
        )
        ticks = np.interp(np.linspace(0, count - 1, len(names)), np.arange(count), place)
        for tick in ticks[1:-1]:
            axis.axvline(tick, color="white", linewidth=0.5)
        axis.set_xticks(ticks, names)
        axis.set(ylabel=r"$\omega$ (meV)", title=title)
        figure.colorbar(
            mesh, ax=axis, extend="min", label=r"$\log_{10} A(\mathbf{k}, \omega)$ (1/meV)"
        )
    return figure
