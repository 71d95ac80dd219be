"""Figures of learning for another crystal's classes and unknowns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import gapscope as gs
from gapscope.physics.lattice import Lattice, window_coordinates
from gapscope.plots.comparison import comparison_figure
from gapscope.plots.learning import confusion_figure, parameters_figure
from gapscope.plots.maps import irrep_label
from gapscope.plots.results import absolute_errors, errors_figure
from gapscope.problem.classes import Member
from gapscope.problem.define import Named, define
from gapscope.problem.draft import Draft
from gapscope.problem.problem import Problem, merged
from gapscope.problem.quantities import quantity
from pictures import said, written

LABELS = ("A1g/B1g", "Eu")


@pytest.fixture(scope="module")
def problem() -> Problem:
    """A cuprate's, two classes; an angle that one has, and a width on a logarithmic scale."""
    draft = Draft(gs.material("bi2212"), 5.0, 100.0)
    ranges = {"broadening": (1.0, 10.0), "gap": (10.0, 50.0), "theta": (0.0, np.pi)}
    unknowns = [quantity(name).unknown(name, *ends) for name, ends in ranges.items()]
    named = [Named("A1g"), Named("B1g"), Named("Eu")]
    made = define(draft, named, unknowns, {})
    return merged(made, [[Member("A1g"), Member("B1g", 2.0)], [Member("Eu")]])


@pytest.fixture
def predictions(problem: Problem) -> xr.Dataset:
    """Gap off by 2 meV, broadening by a tenth, theta by 0.2 rad across the branch."""
    rng = np.random.default_rng(2)
    truth = np.repeat([0, 1], 60)
    true = {u.name: np.array([u.drawn(x) for x in rng.random(120)]) for u in problem.unknowns}
    true["theta"][truth == 0] = np.nan
    found = {
        "gap": true["gap"] + 2.0,
        "broadening": 1.1 * true["broadening"],
        "theta": (true["theta"] + 0.2) % np.pi,
    }
    values = {f"true_{name}": value for name, value in true.items()} | found
    values |= {"true_label": truth, "label": np.where(np.arange(120) < 15, 1, truth)}
    dataset = xr.Dataset({name: ("sample", value) for name, value in values.items()})
    return dataset.assign_attrs(problem=json.dumps(problem.to_dict()))


def test_names_of_irreps_are_set_as_such_and_others_are_left_alone() -> None:
    assert irrep_label("A1g/B1g") == "$A_{1g}$/$B_{1g}$"
    assert [irrep_label(one) for one in ("E'", "A12u", "Best")] == ["$E'$", "$A_{12u}$", "Best"]


def test_confusion_has_the_problems_classes(predictions: xr.Dataset) -> None:
    axis = confusion_figure(predictions).axes[0]
    assert [text.get_text() for text in axis.texts] == ["75", "25", "0", "100"]
    names = [text.get_text() for text in axis.get_xticklabels()]
    assert names == ["$A_{1g}$/$B_{1g}$", "$E_{u}$"]


def test_parameters_have_a_row_each_on_their_own_scale(
    predictions: xr.Dataset, tmp_path: Path
) -> None:
    figure = parameters_figure(predictions)
    axes = np.array(figure.axes).reshape(3, 2)
    assert [row[0].get_ylabel() for row in axes] == [
        r"predicted $\Delta$ (meV)",
        r"predicted $\theta$ (rad)",
        r"predicted $\delta$ (meV)",
    ]
    assert [row[1].get_yscale() for row in axes] == ["linear", "linear", "log"]
    assert axes[1, 0].texts[0].get_text() == "no angle"
    (points,) = (line for line in axes[1, 1].lines if line.get_marker() == ".")
    x, y = np.asarray(points.get_data(), dtype=float)
    np.testing.assert_allclose(y - x, 0.2, atol=1e-9)
    written(figure, tmp_path / "figure.png")


def test_what_a_class_has_not_is_said_within_its_panel(predictions: xr.Dataset) -> None:
    own = predictions["true_broadening"].where(predictions["true_label"] == 1)
    words = "angle of the moment from z"
    problem = predictions.attrs["problem"].replace('"broadening", "low"', f'"{words}", "low"')
    figure = parameters_figure(
        predictions.assign(true_broadening=own).assign_attrs(problem=problem)
    )
    axis = figure.axes[4]
    figure.draw_without_rendering()
    assert axis.texts[0].get_text().split() == f"no {words}".split()
    inside, box = axis.get_window_extent(), axis.texts[0].get_window_extent()
    assert inside.x0 < box.x0 < box.x1 < inside.x1


def test_errors_are_those_of_the_unknowns(predictions: xr.Dataset) -> None:
    eu = predictions.isel(sample=slice(60, None))
    np.testing.assert_allclose(absolute_errors(eu, "theta"), 0.2)
    axes = np.array(errors_figure(predictions).axes).reshape(3, 3)
    (median, *_) = axes[0, 1].lines[2:]
    drawn = np.asarray(median.get_ydata(), float)
    np.testing.assert_allclose(drawn[~np.isnan(drawn)], 2.0)
    assert axes[2, 2].get_xlabel() == r"true $\delta$ (meV)"


def test_nearest_maps_are_told_by_their_unknowns(problem: Problem) -> None:
    r = window_coordinates(8)
    image = (("q1", "q2"), np.eye(8))
    own = xr.Dataset({"qpi_re": image}, {"q1": r / 8, "q2": r / 8})
    own.attrs |= Lattice("square", 3.8).to_dict()
    over = ("sample", "rank")
    nearest = {"gap": [20.0, 30.0], "theta": [np.nan, 1.25], "broadening": [2.0, 3.0]}
    known = {f"nearest_{name}": (over, [values]) for name, values in nearest.items()}
    predictions = xr.Dataset(
        {
            **known,
            "nearest_label": (over, [[0, 1]]),
            "nearest_setpoint": (over, [[np.nan, -30.0]]),
            "nearest_distance": (over, [[0.2, 0.5]]),
        },
        attrs={"problem": json.dumps(problem.to_dict())},
    )
    images = xr.Dataset({"qpi_re": ((*over, "q1", "q2"), np.stack([[np.eye(8)] * 2]))})
    titles = [one[0] for one in said(comparison_figure([own], predictions, images, ["scan"]))]
    assert titles == [
        "scan\nnetwork not calibrated",
        "$A_{1g}$/$B_{1g}$, $\\Delta$ = 20.00 meV\n$\\delta$ = 2.00 meV, 20 % apart",
        "$E_{u}$, $\\Delta$ = 30.00 meV\n$\\theta$ = 1.25, $\\delta$ = 3.00 meV\n50 % apart"
        "\nconstant current at -30 mV",
    ]
