"""The figure of a simulated measurement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope.instrument.image import Field
from gapscope.plots.measurement import measurement_figure
from pictures import said, written


@pytest.fixture
def scan(rng: np.random.Generator) -> xr.Dataset:
    field = Field(8.0, 6.0, 80, 60)
    names = ("conductance", "topograph")
    images = {n: field.image(rng.standard_normal((60, 80)), n, "nm", n) for n in names}
    x, y = [4.0, 1.0, 9.5], [3.0, 2.0, 1.0]
    attrs = {
        "irrep": "A1u", "gap": 1.0, "eps0": 20.0, "bias": 0.0, "temperature": 0.35,
        "lattice_constant": 3.44,
    }  # fmt: skip
    return xr.Dataset(
        {**images, "impurity_x": ("impurity", x), "impurity_y": ("impurity", y)}, attrs=attrs
    )


def test_impurities_are_ringed_where_they_stand(scan: xr.Dataset, tmp_path: Path) -> None:
    figure = measurement_figure(scan)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[:3] == ["conductance", "topograph", r"$|\rho(\mathbf{q})|$"]
    rings = next(c for c in figure.axes[0].collections if c.get_label() == "impurities")
    # The third lies outside of the field.
    np.testing.assert_allclose(rings.get_offsets(), [[4.0, 3.0], [1.0, 2.0]])
    assert "3 impurities" in figure.get_suptitle()
    written(figure, tmp_path / "figure.png")
    space, momenta = ("x (nm)", "y (nm)"), ("$q_x$ (1/nm)", "$q_y$ (1/nm)")
    assert [labels[1:] for labels in said(figure)[:3]] == [space, space, momenta]
    shown = figure.axes[0].collections[0].get_array()
    np.testing.assert_array_equal(shown, scan.conductance)


def test_without_a_topograph_there_are_two_panels(scan: xr.Dataset) -> None:
    bare = scan.drop_vars("topograph")
    figure = measurement_figure(bare, "a title")
    assert len([axis for axis in figure.axes if axis.get_title()]) == 2
    masked = measurement_figure(bare, masked=bare.conductance.rename("masked"))
    titles = [axis.get_title() for axis in masked.axes if axis.get_title()]
    assert titles[1] == "conductance without Bragg peaks"
    assert figure.get_suptitle() == "a title"
    circle = next(axis.lines[0] for axis in figure.axes if axis.lines)
    radius = np.hypot(*circle.get_data())
    np.testing.assert_allclose(radius, 4 * np.pi / np.sqrt(3) / 0.344)
