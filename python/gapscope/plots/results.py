"""Figures of the results page: errors by parameter, noise, smallest errors, reliability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike, NDArray

from gapscope.learning.data.targets import circular_error
from gapscope.physics import LABELS
from gapscope.plots.learning import AXES
from gapscope.plots.maps import irrep_label
from gapscope.plots.style import styled

BINS = 10
"""Largest number of bins."""
LEVELS = (0.5, 0.9)
FEWEST = 5
"""Samples in a bin without which it is not drawn."""
COLOURS = dict(zip(LABELS, ("C0", "C1", "C2", "C3", "C4"), strict=True))


def absolute_errors(predictions: xr.Dataset, name: str) -> NDArray[np.float64]:
    """|predicted - true| of gap or eps0 in meV, or the distance of theta in rad (period pi)."""
    predicted = np.asarray(predictions[name].values, dtype=np.float64)
    truth = np.asarray(predictions[f"true_{name}"].values, dtype=np.float64)
    return circular_error(predicted, truth) if name == "theta" else np.abs(predicted - truth)


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
    """Absolute errors of gap, theta, eps0 (rows) against each of them (columns), by true class.

    Lines are medians, dashes the errors that 90 % stay below, in bins of the true parameter.
    """
    truth = predictions["true_label"].values
    bins = min(BINS, max(1, len(truth) // (2 * FEWEST * len(LABELS))))
    with styled():
        figure = Figure(figsize=(10.0, 8.4), layout="constrained")
        axes = figure.subplots(len(AXES), len(AXES), sharex="col", sharey="row")
        for row, (error, error_units) in zip(axes, AXES.items(), strict=True):
            errors = absolute_errors(predictions, error)
            for axis, (against, units) in zip(row, AXES.items(), strict=True):
                x = predictions[f"true_{against}"].values
                edges = np.linspace(np.nanmin(x), np.nanmax(x), bins + 1)
                for index, label in enumerate(LABELS):
                    chosen = truth == index
                    lines = binned_quantiles(x[chosen], errors[chosen], edges)
                    _draw_quantiles(axis, edges, lines, label)
                axis.set_yscale("log")
                if error == list(AXES)[-1]:
                    axis.set_xlabel(f"true {units}")
            row[0].set_ylabel(f"error of {error_units}")
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
            for label in LABELS:
                one = scores.sel({"noise": kind, "class": label})
                style = {"color": COLOURS[label], "label": irrep_label(label)}
                column[0].plot(one.snr, one.hit, "o-", markersize=4, **style)
                column[0].fill_between(
                    one.snr, one.hit_low, one.hit_high, color=COLOURS[label], alpha=0.15
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


def limits_figure(limits: xr.Dataset) -> Figure:
    """The network's error of theta against the smallest standard error, one point per state.

    ``limits``: bound_theta and network_theta in rad over (state, snr), ``label`` (state).
    """
    ratios = limits["snr"].values
    with styled():
        figure = Figure(figsize=(3.6 * len(ratios), 3.9), layout="constrained")
        axes = figure.subplots(1, len(ratios), sharex=True, sharey=True, squeeze=False)[0]
        for axis, snr in zip(axes, ratios, strict=True):
            at = limits.sel(snr=snr)
            for index, label in enumerate(LABELS):
                one = at.isel(state=(limits["label"] == index).values)
                if np.isnan(one.network_theta).all():  # no angle
                    continue
                (points,) = axis.loglog(one.bound_theta, one.network_theta, ".")
                points.set(color=COLOURS[label], label=irrep_label(label))
            axis.axline((0.1, 0.1), (1, 1), color="0.6", linewidth=0.8, zorder=0)
            axis.set(xlabel=r"smallest error of $\theta$ (rad)", title=f"SNR {snr:g}")
        axes[0].set_ylabel(r"network's error of $\theta$ (rad)")
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
    axis: Axes, edges: NDArray[np.float64], lines: NDArray[np.float64], label: str
) -> None:
    middles = (edges[1:] + edges[:-1]) / 2
    median, high = lines
    axis.plot(middles, median, ".-", color=COLOURS[label], label=irrep_label(label))
    axis.plot(middles, high, ".--", color=COLOURS[label], linewidth=0.9)


def _class_legend(figure: Figure, axis: Axes) -> None:
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(LABELS))
