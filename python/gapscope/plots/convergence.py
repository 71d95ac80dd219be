"""Figure of a convergence study: error against time."""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from gapscope.plots.style import styled


def convergence_figure(study: xr.Dataset, title: str) -> Figure:
    """Error of both methods against the time of one map; grids are labelled with their size."""
    with styled():
        figure = Figure(figsize=(5.6, 4.2), layout="constrained")
        axis = figure.subplots()
        axis.loglog(
            study.grid_seconds, study.grid_error, "o-", color="tab:gray", label="grid, true error"
        )
        for kgrid in study.kgrid.values:
            one = study.sel(kgrid=kgrid)
            axis.annotate(
                f"{kgrid}²",
                (float(one.grid_seconds), float(one.grid_error)),
                xytext=(5, 4),
                textcoords="offset points",
                fontsize=8,
            )
        axis.loglog(
            study.converged_seconds,
            study.converged_error,
            "s-",
            color="tab:blue",
            label="converged, true error",
        )
        axis.loglog(
            study.converged_seconds,
            study.converged_estimate,
            "s:",
            color="tab:blue",
            markerfacecolor="white",
            label="converged, its own estimate",
        )
        axis.set(
            xlabel="time for one map (s)", ylabel="relative error (r = 0 left out)", title=title
        )
        axis.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.legend(fontsize=8)
    return figure
