"""Figures of an evaluation show the numbers they are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope.physics import LABELS
from gapscope.plots.learning import (
    confusion,
    confusion_figure,
    evaluation_figures,
    history_figure,
    parameters_figure,
)
from pictures import said, written

TRUE = [0, 0, 0, 0, 1, 1, 2, 3, 4]
LABEL = [0, 0, 0, 2, 1, 4, 2, 3, 4]


@pytest.fixture
def predictions() -> xr.Dataset:
    count = len(TRUE)
    theta = np.where(np.array(TRUE) == 1, np.nan, np.linspace(0.01, 3.1, count))
    gap, eps0 = np.linspace(0.3, 1.5, count), np.linspace(-300, 100, count)
    values = {
        "true_label": TRUE,
        "label": LABEL,
        "true_theta": theta,
        "theta": (np.nan_to_num(theta) - 0.05) % np.pi,
        "true_gap": gap,
        "gap": gap + 0.1,
        "true_eps0": eps0,
        "eps0": eps0 - 5,
    }
    return xr.Dataset({name: ("sample", value) for name, value in values.items()})


def test_the_confusion_matrix_counts_true_classes_in_rows(predictions: xr.Dataset) -> None:
    counts = confusion(predictions)
    assert counts[0].tolist() == [3, 0, 1, 0, 0]
    assert counts[1].tolist() == [0, 1, 0, 0, 1]
    assert counts.sum() == len(TRUE)


def test_the_confusion_figure_prints_percent_of_each_true_class(predictions: xr.Dataset) -> None:
    axis = confusion_figure(predictions).axes[0]
    printed = [text.get_text() for text in axis.texts]
    assert printed[:5] == ["75", "0", "25", "0", "0"]
    assert "(4)" in axis.get_yticklabels()[0].get_text()


def test_predicted_theta_is_drawn_on_the_branch_next_to_the_truth(predictions: xr.Dataset) -> None:
    axes = np.array(parameters_figure(predictions).axes).reshape(3, len(LABELS))
    for column in (0, 2, 3, 4):
        (points,) = (line for line in axes[1, column].lines if line.get_marker() == ".")
        x, y = np.asarray(points.get_data(), dtype=float)
        np.testing.assert_allclose(y - x, -0.05, atol=1e-9)
    assert axes[1, 1].texts[0].get_text() == "no angle"


def test_a_class_without_samples_leaves_its_panels_empty(predictions: xr.Dataset) -> None:
    figure = parameters_figure(predictions.isel(sample=slice(0, 4)))
    assert len(figure.axes) == 3 * len(LABELS)


def test_every_figure_of_an_evaluation_has_a_name_and_can_be_written(
    predictions: xr.Dataset, tmp_path: Path
) -> None:
    figures = evaluation_figures(predictions)
    assert set(figures) == {"confusion", "parameters"}
    for name, figure in figures.items():
        written(figure, tmp_path / f"{name}.png")
    assert said(figures["confusion"])[0] == ("irreps", "predicted", "true (maps)")
    first = [labels[1:] for labels in said(figures["parameters"])[:: len(LABELS)]]
    units = [r"$\Delta$ (meV)", r"$\theta$ (rad)", r"$\varepsilon_0$ (meV)"]
    assert first == [(f"true {one}", f"predicted {one}") for one in units]


def test_the_history_figure_has_training_and_validation(tmp_path: Path) -> None:
    history = [
        {"epoch": n, "loss": 3 / n, "val_loss": 4 / n, "irrep_hit": n / 10, "val_irrep_hit": n / 11}
        for n in range(1, 6)
    ]
    figure = history_figure(history)
    losses, hits = figure.axes
    np.testing.assert_allclose(losses.lines[1].get_ydata(), [4 / n for n in range(1, 6)])
    np.testing.assert_allclose(hits.lines[0].get_ydata(), [n / 10 for n in range(1, 6)])
    assert said(figure) == [("loss", "epoch", ""), ("accuracy", "epoch", "")]
    written(figure, tmp_path / "history.png")
