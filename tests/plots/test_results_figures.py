"""Figures of the results page show the numbers they are given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from gapscope.physics import LABELS
from gapscope.plots.results import (
    FEWEST,
    absolute_errors,
    binned_quantiles,
    errors_figure,
    limits_figure,
    noise_figure,
    reliability_figure,
)
from pictures import said, written


def predictions(samples: int, rng: np.random.Generator) -> xr.Dataset:
    """gap off by 0.1 meV, theta by 0.2 rad across the branch, eps0 by 3 meV."""
    truth = np.arange(samples) % len(LABELS)
    theta = np.where(truth == LABELS.index("A12u"), np.nan, rng.uniform(0, np.pi, samples))
    gap, eps0 = rng.uniform(0.3, 1.5, samples), rng.uniform(-300, 100, samples)
    values = {"true_gap": gap, "gap": gap - 0.1, "true_eps0": eps0, "eps0": eps0 + 3}
    values |= {"true_theta": theta, "theta": (np.nan_to_num(theta) + 0.2) % np.pi}
    return xr.Dataset({n: ("sample", v) for n, v in {**values, "true_label": truth}.items()})


def test_quantiles_are_those_of_each_bin() -> None:
    x = np.repeat([0.5, 1.5, 3.0], [10, FEWEST - 1, 20])
    y = np.concatenate([np.arange(10.0), np.full(FEWEST - 1, 7.0), np.arange(20.0)])
    made = binned_quantiles(x, y, [0, 1, 2, 3])
    np.testing.assert_allclose(made[:, 0], np.quantile(np.arange(10), [0.5, 0.9]))
    assert np.isnan(made[:, 1]).all()  # too few samples
    np.testing.assert_allclose(made[:, 2], np.quantile(np.arange(20), [0.5, 0.9]))  # upper edge


def test_samples_without_a_truth_stand_in_no_bin() -> None:
    x, y = np.full(20, 0.5), np.arange(20.0)
    x[10:15], y[15:] = np.nan, np.nan
    np.testing.assert_allclose(binned_quantiles(x, y, [0, 1], [0.5]), [[4.5]])


def test_errors_of_theta_are_distances_on_the_circle(rng: np.random.Generator) -> None:
    made = predictions(200, rng)
    errors = absolute_errors(made, "theta")
    np.testing.assert_allclose(errors[~np.isnan(made["true_theta"])], 0.2)
    np.testing.assert_allclose(absolute_errors(made, "gap"), 0.1)


def test_the_error_figure_draws_medians_of_each_error(
    rng: np.random.Generator, tmp_path: Path
) -> None:
    figure = errors_figure(predictions(500, rng))
    axes = np.array(figure.axes).reshape(3, 3)
    for row, error in zip(axes, (0.1, 0.2, 3.0), strict=True):
        for axis in row:
            drawn = np.concatenate([np.asarray(line.get_ydata(), float) for line in axis.lines])
            known = drawn[~np.isnan(drawn)]
            assert len(known) >= 40
            np.testing.assert_allclose(known, error)
    units = [r"$\Delta$ (meV)", r"$\theta$ (rad)", r"$\varepsilon_0$ (meV)"]
    assert [labels[1] for labels in said(figure)[6:]] == [f"true {one}" for one in units]
    assert [labels[2] for labels in said(figure)[::3]] == [f"error of {one}" for one in units]
    written(figure, tmp_path / "figure.png")


def test_the_noise_figure_has_a_curve_for_each_class_and_kind(tmp_path: Path) -> None:
    kinds, ratios = ["Gaussian", "1/f"], [30.0, 3.0, 1.0]
    hit = np.arange(2 * 3 * len(LABELS), dtype=float).reshape(2, 3, len(LABELS))
    axes = ("noise", "snr", "class")
    scores = xr.Dataset(
        {"hit": (axes, hit), "hit_low": (axes, hit - 1), "hit_high": (axes, hit + 1)},
        {"noise": kinds, "snr": ratios, "class": list(LABELS)},
    ).assign(gap=(axes, hit + 0.5))
    figure = noise_figure(scores)
    above, below = np.array(figure.axes).reshape(2, 2)
    for number, kind in enumerate(kinds):
        assert above[number].get_title() == kind
        for index, (one, other) in enumerate(
            zip(above[number].lines, below[number].lines, strict=True)
        ):
            np.testing.assert_array_equal(one.get_xdata(), ratios)
            np.testing.assert_array_equal(one.get_ydata(), hit[number, :, index])
            np.testing.assert_array_equal(other.get_ydata(), hit[number, :, index] + 0.5)
    assert [labels[2] for labels in said(figure)] == [
        *("hit (%)", ""),
        *(r"mean error of $\Delta$ (meV)", ""),
    ]
    written(figure, tmp_path / "figure.png")


def test_classes_without_an_angle_have_no_points_among_the_limits(tmp_path: Path) -> None:
    label = np.repeat(np.arange(len(LABELS)), 4)
    network = np.where(label == LABELS.index("A12u"), np.nan, 0.1)[:, None] * [[3.0, 1.0]]
    limits = xr.Dataset(
        {
            "label": ("state", label),
            "bound_theta": (("state", "snr"), 0.1 * network),
            "network_theta": (("state", "snr"), network),
        },
        {"snr": [3.0, 10.0]},
    )
    figure = limits_figure(limits)
    for axis, error in zip(figure.axes, (0.3, 0.1), strict=True):
        points = [line for line in axis.lines if line.get_marker() == "."]
        assert len(points) == len(LABELS) - 1
        for one in points:
            np.testing.assert_allclose(one.get_ydata(), error)
            np.testing.assert_allclose(one.get_xdata(), 0.1 * error)
    assert said(figure) == [
        ("SNR 3", r"smallest error of $\theta$ (rad)", r"network's error of $\theta$ (rad)"),
        ("SNR 10", r"smallest error of $\theta$ (rad)", ""),
    ]
    written(figure, tmp_path / "figure.png")


def test_empty_bins_are_left_out_of_the_reliability_figure(tmp_path: Path) -> None:
    curve = xr.Dataset(
        {
            "confidence": ("bin", [np.nan, 0.5, 0.9]),
            "accuracy": ("bin", [np.nan, 0.4, 1.0]),
            "samples": ("bin", [0, 3, 5]),
        }
    )
    figure = reliability_figure({"before": curve, "after": curve})
    above, below = figure.axes
    drawn = [line for line in above.lines if line.get_marker() == "o"]
    assert [line.get_label() for line in drawn] == ["before", "after"]
    np.testing.assert_array_equal(drawn[0].get_ydata(), [0.4, 1.0])
    np.testing.assert_array_equal(below.lines[0].get_ydata(), [3, 5])
    assert said(figure) == [
        ("", "", "accuracy"),
        ("", "probability of the predicted irrep", "maps"),
    ]
    written(figure, tmp_path / "figure.png")


def test_figures_of_a_single_class_are_drawn(rng: np.random.Generator) -> None:
    made = predictions(300, rng)
    eg = made.isel(sample=made["true_label"].values == LABELS.index("Eg"))
    figure = errors_figure(eg)
    drawn = [np.asarray(line.get_ydata(), float) for line in figure.axes[0].lines]
    assert sum(not np.isnan(line).all() for line in drawn) == 2  # median and 90 %
