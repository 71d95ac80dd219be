"""Figures of learning: confusion matrix, true against predicted parameters, training history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gapscope.plots.maps import irrep_label
from gapscope.plots.style import styled
from gapscope.problem.paper import predicted_problem
from gapscope.problem.unknown import Unknown

PANEL = 2.2
"""Inches of a panel's side."""
LETTERS = 16
"""In a line of a panel's text."""
TRAINING, VALIDATION = "tab:blue", "tab:orange"


def evaluation_figures(predictions: xr.Dataset) -> dict[str, Figure]:
    """All figures of an evaluation's predictions, by name."""
    return {
        "confusion": confusion_figure(predictions),
        "parameters": parameters_figure(predictions),
    }


def confusion_figure(predictions: xr.Dataset) -> Figure:
    """Predicted against true class, in % of each true class, of an evaluation's predictions."""
    counts = confusion(predictions)
    samples = counts.sum(axis=1, keepdims=True)
    share = 100 * counts / np.maximum(samples, 1)
    names = [irrep_label(label) for label in predicted_problem(predictions.attrs).labels]
    side = max(4.2, 0.8 * len(names))
    with styled():
        figure = Figure(figsize=(side + 0.4, side), layout="constrained")
        axis = figure.subplots()
        image = axis.imshow(share, cmap="Blues", vmin=0, vmax=100)
        for (row, column), percent in np.ndenumerate(share):
            colour = "white" if percent > 55 else "black"
            axis.text(column, row, f"{percent:.0f}", ha="center", va="center", color=colour)
        true_names = [f"{name} ({n})" for name, n in zip(names, samples[:, 0], strict=True)]
        axis.set_xticks(range(len(names)), names)
        axis.set_yticks(range(len(names)), true_names)
        axis.set(xlabel="predicted", ylabel="true (maps)", title="irreps")
        axis.spines[:].set_visible(False)
        figure.colorbar(image, ax=axis, shrink=0.8, label="% of the true irrep's maps")
    return figure


def confusion(predictions: xr.Dataset) -> NDArray[np.int64]:
    """Number of samples by true class (rows) and predicted class (columns)."""
    classes = len(predicted_problem(predictions.attrs).classes)
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (predictions["true_label"].values, predictions["label"].values), 1)
    return counts


def parameters_figure(predictions: xr.Dataset) -> Figure:
    """Predicted against true unknowns, a row each, and a column per true class.

    On a circle the prediction is drawn on the branch next to the truth.
    """
    problem = predicted_problem(predictions.attrs)
    truth = predictions["true_label"].values
    shape = (len(problem.shown), len(problem.classes))
    with styled():
        size = (PANEL * shape[1], PANEL * shape[0])
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(*shape, sharex="row", sharey="row", squeeze=False)
        for unknown, row in zip(problem.shown, axes, strict=True):
            if unknown.scale == "logarithmic":
                row[0].set(xscale="log", yscale="log")
            for index, axis in enumerate(row):
                _scatter(axis, predictions.isel(sample=truth == index), unknown)
                axis.set_xlabel(f"true {unknown.label}")
            row[0].set_ylabel(f"predicted {unknown.label}")
        for label, axis in zip(problem.labels, axes[0], strict=True):
            axis.set_title(irrep_label(label))
    return figure


def history_figure(history: Sequence[Mapping[str, float]]) -> Figure:
    """Losses and accuracies of a run, epoch by epoch (``RunFolder.history()``)."""
    epochs = [entry["epoch"] for entry in history]
    with styled():
        figure = Figure(figsize=(8.4, 3.4), layout="constrained")
        for axis, (name, title) in zip(
            figure.subplots(1, 2), (("loss", "loss"), ("irrep_hit", "accuracy")), strict=True
        ):
            axis.plot(epochs, [e[name] for e in history], color=TRAINING, label="training")
            axis.plot(
                epochs, [e[f"val_{name}"] for e in history], color=VALIDATION, label="validation"
            )
            axis.set(xlabel="epoch", title=title)
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.legend()
        losses, hits = figure.axes
        losses.set_yscale("log")
        losses.yaxis.set_major_formatter("{x:g}")
        losses.yaxis.set_minor_formatter("{x:g}")
        hits.set_ylim(0, 1.02)
    return figure


def _scatter(axis: Axes, predictions: xr.Dataset, unknown: Unknown) -> None:
    true, predicted = predictions[f"true_{unknown.name}"].values, predictions[unknown.name].values
    known = ~np.isnan(true)
    if not known.any():
        words = "no angle" if unknown.circular else f"no {unknown.long_name}"
        lines = fill(words, LETTERS)
        axis.text(0.5, 0.5, lines, transform=axis.transAxes, ha="center", va="center")
        return
    true, predicted = true[known], predicted[known]
    if unknown.circular:
        half = unknown.period / 2
        predicted = true + (predicted - true + half) % unknown.period - half
    axis.axline((true[0], true[0]), (true[0] + 1, true[0] + 1), color="0.6", lw=0.8, zorder=0)
    axis.plot(true, predicted, ".", markersize=4, alpha=0.6, color=TRAINING)
