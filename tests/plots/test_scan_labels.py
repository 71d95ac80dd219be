"""What is written beside the colours of a measured map."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gapscope.plots.preparation import draw_scan


@pytest.mark.parametrize(
    ("units", "label"),
    [("nA", "nA"), ("1", "conductance"), ("", "arb. units"), (None, "arb. units")],
)
def test_colours_have_units_or_a_name_but_never_the_number_one(
    units: str | None, label: str
) -> None:
    image = xr.DataArray(
        np.arange(12.0).reshape(3, 4),
        {"y": np.arange(3.0), "x": np.arange(4.0)},
        name="conductance",
        attrs={} if units is None else {"units": units},
    )
    figure = Figure()
    axis = figure.subplots()
    draw_scan(figure, axis, image, "raw")
    assert axis.child_axes[0].get_ylabel() == label


def test_the_bar_of_colours_is_as_high_as_the_map() -> None:
    """In a wide place, too, such as a third of a page, where equal aspects shrink the map."""
    image = xr.DataArray(
        np.arange(12.0).reshape(3, 4), coords={"y": np.arange(3.0), "x": np.arange(4.0)}
    )
    figure = Figure(figsize=(8, 4))
    axis = figure.add_axes((0.1, 0.1, 0.3, 0.8))
    draw_scan(figure, axis, image, "")
    FigureCanvasAgg(figure).draw()
    (bar,) = axis.child_axes
    assert bar.get_window_extent().y0 == pytest.approx(axis.get_window_extent().y0)
    assert bar.get_window_extent().y1 == pytest.approx(axis.get_window_extent().y1)
