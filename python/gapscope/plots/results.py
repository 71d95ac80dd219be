"""Figures of the results page: errors by parameter, noise, smallest errors, reliability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike, NDArray

from gapscope.plots.maps import irrep_label
from gapscope.plots.style import styled
from gapscope.problem.paper import predicted_problem

BINS = 10
"""Largest number of bins."""
LEVELS = (0.5, 0.9)
FEWEST = 5
"""Samples in a bin without which it is not drawn."""


def absolute_errors(predictions: xr.Dataset, name: str) -> NDArray[np.float64]:
    """|predicted - true| of an unknown in its unit, on a circle the shorter way round."""
    predicted = np.asarray(predictions[name].values, dtype=np.float64)
    truth = np.asarray(predictions[f"true_{name}"].values, dtype=np.float64)
    return predicted_problem(predictions.attrs).unknown(name).error(predicted, truth)


def binned_quantiles(
    x: ArrayLike, y: ArrayLike, edges: ArrayLike, levels: Sequence[float] = LEVELS
) -> NDArray[np.float64]:
    """Quantiles (levels, bins) of y over the samples whose x lies between two edges.

    A bin holds low <= x < high, the last one its upper edge too; samples with NaN are left out, and
    bins with fewer than FEWEST samples are NaN.
    """
    x, y, edges = (np.asarray(v, dtype=np.float64) for v in (x, y, edges))
    number = np.where(x == edges[-1], len(edges) - 2, np.searchsorted(edges, x, "right") - 1)
    known = ~(np.isnan(x) | np.isnan(y))
    result = np.full((len(levels), len(edges) - 1), np.nan)
    for index in range(len(edges) - 1):
        inside = y[known & (number == index)]
        if len(inside) >= FEWEST:
            result[:, index] = np.quantile(inside, levels)
    return result


def errors_figure(predictions: xr.Dataset) -> Figure:
    """Absolute errors of each unknown (rows) against each of them (columns), by true class.

    Lines are medians, dashes the errors that 90 % stay below, in bins of the true parameter.
    """
    problem = predicted_problem(predictions.attrs)
    truth = predictions["true_label"].values
    bins = min(BINS, max(1, len(truth) // (2 * FEWEST * len(problem.classes))))
    count = len(problem.shown)
    with styled():
        figure = Figure(figsize=(3.4 * count, 2.8 * count), layout="constrained")
        axes = figure.subplots(count, count, sharex="col", sharey="row", squeeze=False)
        for row, error in zip(axes, problem.shown, strict=True):
            errors = absolute_errors(predictions, error.name)
            for axis, against in zip(row, problem.shown, strict=True):
                x = predictions[f"true_{against.name}"].values
                edges = np.linspace(np.nanmin(x), np.nanmax(x), bins + 1)
                for index, label in enumerate(problem.labels):
                    chosen = truth == index
                    lines = binned_quantiles(x[chosen], errors[chosen], edges)
                    _draw_quantiles(axis, edges, lines, f"C{index}", label)
                axis.set_yscale("log")
                if error == problem.shown[-1]:
                    axis.set_xlabel(f"true {against.label}")
            row[0].set_ylabel(f"error of {error.label}")
        _class_legend(figure, axes[0, 0])
    return figure


def noise_figure(scores: xr.Dataset) -> Figure:
    """Hit rate (with intervals) and mean gap error by class against the signal-to-noise ratio.

    ``scores``: hit, hit_low, hit_high in % and gap in meV over (noise, snr, class).
    """
    with styled():
        kinds = scores["noise"].values.tolist()
        figure = Figure(figsize=(4.6 * len(kinds), 6.4), layout="constrained")
        axes = figure.subplots(2, len(kinds), sharex=True, sharey="row", squeeze=False)
        for column, kind in zip(axes.T, kinds, strict=True):
            for index, label in enumerate(scores["class"].values.tolist()):
                one = scores.sel({"noise": kind, "class": label})
                style = {"color": f"C{index}", "label": irrep_label(label)}
                column[0].plot(one.snr, one.hit, "o-", markersize=4, **style)
                column[0].fill_between(
                    one.snr, one.hit_low, one.hit_high, color=f"C{index}", alpha=0.15
                )
                column[1].loglog(one.snr, one.gap, "o-", markersize=4, **style)
            column[0].set(title=kind, xscale="log", ylim=(0, 102))
            column[1].set(xlabel="signal-to-noise ratio")
            column[1].set_xticks(scores.snr.values, [f"{s:g}" for s in scores.snr.values])
            column[1].xaxis.set_minor_locator(NullLocator())
        axes[0, 0].set_ylabel("hit (%)")
        axes[1, 0].set_ylabel(r"mean error of $\Delta$ (meV)")
        _class_legend(figure, axes[0, 0])
    return figure


def limits_figure(limits: xr.Dataset, name: str = "theta") -> Figure:
    """The network's error of an unknown against the smallest standard error, a point per state.

    ``limits``: bound_NAME and network_NAME over (state, snr), ``label`` (state), and the problem
    among the attributes; without, the paper's.
    """
    problem = predicted_problem(limits.attrs)
    unknown, ratios = problem.unknown(name), limits["snr"].values
    with styled():
        figure = Figure(figsize=(3.6 * len(ratios), 3.9), layout="constrained")
        axes = figure.subplots(1, len(ratios), sharex=True, sharey=True, squeeze=False)[0]
        for axis, snr in zip(axes, ratios, strict=True):
            at = limits.sel(snr=snr)
            for index, label in enumerate(problem.labels):
                one = at.isel(state=(limits["label"] == index).values)
                if np.isnan(one[f"network_{name}"]).all():  # a class without it
                    continue
                (points,) = axis.loglog(one[f"bound_{name}"], one[f"network_{name}"], ".")
                points.set(color=f"C{index}", label=irrep_label(label))
            axis.axline((0.1, 0.1), (1, 1), color="0.6", linewidth=0.8, zorder=0)
            axis.set(xlabel=f"smallest error of {unknown.label}", title=f"SNR {snr:g}")
        axes[0].set_ylabel(f"network's error of {unknown.label}")
        _class_legend(figure, axes[0])
    return figure


def reliability_figure(curves: Mapping[str, xr.Dataset]) -> Figure:
    """Accuracy against stated probability, one curve per name, and how many maps stand behind it.

    Each curve: confidence, accuracy, samples over ``bin``; empty bins are NaN.
    """
    with styled():
        figure = Figure(figsize=(4.6, 5.6), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        above.axline((0, 0), slope=1, color="0.6", linewidth=0.8, zorder=0)
        for number, (name, curve) in enumerate(curves.items()):
            filled = curve.isel(bin=(curve["samples"] > 0).values)
            colour = f"C{number}"
            above.plot(filled.confidence, filled.accuracy, "o-", color=colour, label=name)
            below.step(filled.confidence, filled.samples, where="mid", color=colour)
        above.set(ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02))
        above.legend()
        below.set(xlabel="probability of the predicted irrep", ylabel="maps", yscale="log")
    return figure


def _draw_quantiles(
    axis: Axes, edges: NDArray[np.float64], lines: NDArray[np.float64], colour: str, label: str
) -> None:
    middles = (edges[1:] + edges[:-1]) / 2
    median, high = lines
    axis.plot(middles, median, ".-", color=colour, label=irrep_label(label))
    axis.plot(middles, high, ".--", color=colour, linewidth=0.9)


def _class_legend(figure: Figure, axis: Axes) -> None:
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
