"""What is written beside the colours of a measured map."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
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
    draw_scan(figure, figure.subplots(), image, "raw")
    assert figure.axes[1].get_ylabel() == label
