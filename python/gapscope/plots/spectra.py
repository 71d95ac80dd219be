"""Figures of the clean superconductor: density of states, spectral function."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from gapscope.plots.style import styled


def dos_figure(dos: xr.DataArray, title: str) -> Figure:
    """Density of states against energy."""
    with styled():
        figure = Figure(figsize=(5.2, 3.6), layout="constrained")
        axis = figure.subplots()
        axis.plot(dos.energy, dos, color="black", linewidth=1.2)
        axis.set(
            xlabel=r"$\omega$ (meV)",
            ylabel="density of states (1/meV per site)",
            title=title,
            ylim=(0, None),
        )
    return figure


def path_figure(spectral: xr.DataArray, corners: Sequence[str], title: str) -> Figure:
    """A(k, w) along a path whose lines all have the same number of points."""
    names = [r"$\Gamma$" if name == "Gamma" else name for name in corners]
    with styled():
        figure = Figure(figsize=(6.0, 4.4), layout="constrained")
        axis = figure.subplots()
        steps = np.arange(spectral.sizes["k"])
        mesh = axis.pcolormesh(
            steps,
            spectral.energy,
            np.log10(spectral.values.T),
            cmap="magma",
            shading="nearest",
            rasterized=True,
        )
        ticks = np.linspace(0, steps[-1], len(names))
        for tick in ticks[1:-1]:
            axis.axvline(tick, color="white", linewidth=0.5)
        axis.set_xticks(ticks, names)
        axis.set(ylabel=r"$\omega$ (meV)", title=title)
        figure.colorbar(mesh, ax=axis, label=r"$\log_{10} A(\mathbf{k}, \omega)$ (1/meV)")
    return figure
