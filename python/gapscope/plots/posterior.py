"""Corner plot of a posterior."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from gapscope.errors import MapFileError
from gapscope.plots.maps import irrep_label
from gapscope.plots.style import styled
from gapscope.problem.problem import Problem
from gapscope.problem.unknown import Unknown

Array = NDArray[np.float64]
BINS = 30
SHARES = (0.9, 0.5)
"""Parts of the weight whose densest regions are outlined."""


def corner_figure(tree: xr.DataTree, label: str | None = None) -> Figure:
    """Densities of every unknown of a class and of all pairs of them.

    Circles are cut opposite to the mean direction.

    Parameters
    ----------
    tree : result of :func:`gapscope.posterior`.
    label : class; by default the most probable one.

    Raises
    ------
    MapFileError : a class that is not there, was not sampled, or has no unknowns.
    """
    problem = Problem.from_dict(json.loads(tree.attrs["problem"]))
    summary = tree.to_dataset()
    sampled = [str(one) for one in summary["class"].values[summary["sampled"].values]]
    chosen = label or str(summary["class"].values[int(summary["probability"].values.argmax())])
    if chosen not in sampled:
        raise MapFileError(
            "A corner plot is of a class that was sampled.",
            chosen,
            f"Choose among {', '.join(sampled)}.",
        )
    number = problem.labels.index(chosen)
    weighted = tree["weighted"].to_dataset()
    own = weighted.isel(sample=weighted["label"].values == number)
    weights = np.exp(own["log_weight"].values - float(own["log_weight"].max()))
    has = problem.classes[number].unknowns
    unknowns = [one for one in problem.shown if one.name in has]
    if not unknowns:
        raise MapFileError(
            "A corner plot is of a class with unknowns.",
            chosen,
            "Leave the figure out, or choose another class.",
        )
    values = [_unwound(own[one.name].values, weights, one) for one in unknowns]
    limits = [_limits(one, weights) for one in values]
    count = len(unknowns)
    with styled():
        figure = Figure(figsize=(1.6 * count + 1.2, 1.6 * count + 1.0), layout="constrained")
        axes = figure.subplots(count, count, squeeze=False)
        for row in range(count):
            for column in range(count):
                axis = axes[row, column]
                if column > row:
                    axis.axis("off")
                    continue
                if row == column:
                    axis.hist(
                        values[row], BINS, range=limits[row], weights=weights, histtype="step"
                    )
                    axis.set_yticks([])
                else:
                    box = (limits[column], limits[row])
                    _draw_pair(axis, values[column], values[row], weights, box)
                    axis.set_ylim(*limits[row])
                axis.set_xlim(*limits[column])
                axis.tick_params(labelsize=7)
                axis.locator_params(nbins=3)
                axis.ticklabel_format(useOffset=False)  # which would stand on the label
                axis.tick_params(axis="x", rotation=45)
                if row == count - 1:
                    axis.set_xlabel(unknowns[column].label)
                else:
                    axis.set_xticklabels([])
                if column == 0 and row:
                    axis.set_ylabel(unknowns[row].label)
                elif row != column:
                    axis.set_yticklabels([])
        probability = float(summary["probability"].values[number])
        figure.suptitle(f"{irrep_label(chosen)}, probability {probability:.3g}")
    return figure


def _unwound(values: Array, weights: Array, unknown: Unknown) -> Array:
    if not unknown.circular:
        return values
    turn = 2 * np.pi / unknown.period
    direction = float(np.angle(weights @ np.exp(1j * turn * values)) / turn)
    away = values - direction
    middle = float(unknown.on_circle(np.array(direction)))
    return np.asarray(middle + away - unknown.period * np.round(away / unknown.period))


def _limits(values: Array, weights: Array) -> tuple[float, float]:
    """Ends that hold all but 2e-4 of the weight, and a little more."""
    order = np.argsort(values)
    total = np.cumsum(weights[order]) / weights.sum()
    low, high = (float(values[order][np.searchsorted(total, x)]) for x in (1e-4, 1 - 1e-4))
    margin = 0.08 * (high - low) or 1e-9 * max(1.0, abs(high))
    return low - margin, high + margin


def _draw_pair(
    axis: Axes,
    x: Array,
    y: Array,
    weights: Array,
    box: tuple[tuple[float, float], tuple[float, float]],
) -> None:
    counts, x_edges, y_edges = np.histogram2d(x, y, BINS, range=box, weights=weights)
    smooth = gaussian_filter(counts, 1.5)
    order = np.sort(smooth.ravel())[::-1]
    total = np.cumsum(order) / order.sum()
    levels = [float(order[np.searchsorted(total, share)]) for share in SHARES]
    middles = [(edges[1:] + edges[:-1]) / 2 for edges in (x_edges, y_edges)]
    colours = [*sorted(set(levels)), float(smooth.max()) * 1.001]
    if len(colours) > 1 and colours[-1] > colours[-2]:
        axis.contourf(*middles, smooth.T, levels=colours, cmap="Blues", alpha=0.8)
