"""Figures of learning: confusion matrix, true against predicted parameters, training history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gapscope.physics import LABELS
from gapscope.plots.maps import irrep_label
from gapscope.plots.style import styled

AXES: dict[str, str] = {
    "gap": r"$\Delta$ (meV)",
    "theta": r"$\theta$ (rad)",
    "eps0": r"$\epsilon_0$ (meV)",
}
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
    names = [irrep_label(label) for label in LABELS]
    with styled():
        figure = Figure(figsize=(4.6, 4.2), layout="constrained")
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
    counts = np.zeros((len(LABELS), len(LABELS)), dtype=np.int64)
    np.add.at(counts, (predictions["true_label"].values, predictions["label"].values), 1)
    return counts


def parameters_figure(predictions: xr.Dataset) -> Figure:
    """Predicted against true gap, theta and eps0, a column per true class.

    theta is drawn on the branch next to the truth, as theta and theta + pi are one state.
    """
    truth = predictions["true_label"].values
    with styled():
        figure = Figure(figsize=(11.0, 6.6), layout="constrained")
        axes = figure.subplots(len(AXES), len(LABELS), sharex="row", sharey="row")
        for (name, units), row in zip(AXES.items(), axes, strict=True):
            for index, axis in enumerate(row):
                _scatter(axis, predictions.isel(sample=truth == index), name)
                axis.set_xlabel(f"true {units}")
            row[0].set_ylabel(f"predicted {units}")
        for label, axis in zip(LABELS, axes[0], strict=True):
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


def _scatter(axis: Axes, predictions: xr.Dataset, name: str) -> None:
    true, predicted = predictions[f"true_{name}"].values, predictions[name].values
    known = ~np.isnan(true)
    if not known.any():
        axis.text(0.5, 0.5, "no angle", transform=axis.transAxes, ha="center", va="center")
        return
    true, predicted = true[known], predicted[known]
    if name == "theta":
        predicted = true + (predicted - true + np.pi / 2) % np.pi - np.pi / 2
    axis.axline((true[0], true[0]), slope=1, color="0.6", linewidth=0.8, zorder=0)
    axis.plot(true, predicted, ".", markersize=4, alpha=0.6, color=TRAINING)
