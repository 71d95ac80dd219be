"""A second map of a scan goes through the steps of the first one."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from gapscope.errors import PreparationError
from gapscope.measured.preparation import Steps, prepare
from gapscope.measured.preparation.pipeline import prepare_alike


def bent(points: int = 160) -> xr.DataArray:
    """Atoms of a lattice of 3.44 Angstrom, sheared and crept, with a defect and a slope."""
    places = 0.05 * np.arange(points)
    x, y = np.meshgrid(places, places)
    u, v = x + 0.02 * y + 0.04 * np.sin(y / 3), y - 0.01 * x
    length = 4 * np.pi / np.sqrt(3) / 0.344
    angles = np.radians([30, 90, 150])
    atoms = sum(np.cos(length * (np.cos(a) * u + np.sin(a) * v)) for a in angles)
    defect = np.exp(-((x - 4) ** 2 + (y - 3) ** 2))
    axes = {axis: (axis, places, {"units": "nm"}) for axis in ("y", "x")}
    return xr.DataArray(atoms + 0.5 * defect + 0.1 * x, axes, ("y", "x"), "didv")


@pytest.mark.parametrize(
    "steps",
    [
        Steps(mask_bragg=True),
        Steps(mask_bragg=True, phase=6.0),
        Steps(lines="median", drift=False),
    ],
)
def test_the_same_map_comes_out_the_same(steps: Steps) -> None:
    image = bent()
    first = prepare(image, 3.44, steps)
    again = prepare_alike(first, image)
    assert list(again.images) == list(first.images)
    for name, one in first.images.items():
        np.testing.assert_array_equal(again.images[name], one)
    assert again.site((4.0, 3.0)) == first.site((4.0, 3.0))


def test_another_map_takes_lattice_and_atoms_from_the_first() -> None:
    image = bent()
    first = prepare(image, 3.44, Steps(mask_bragg=True, phase=6.0))
    other = prepare_alike(first, image.copy(data=np.random.default_rng(1).normal(size=image.shape)))
    assert other.final_lattice is first.final_lattice
    assert other.site((4.0, 3.0)) == first.site((4.0, 3.0))
    assert other.final.shape == first.final.shape


def test_a_map_on_other_pixels_is_refused() -> None:
    first = prepare(bent(), 3.44, Steps())
    with pytest.raises(PreparationError, match="same pixels"):
        prepare_alike(first, bent(159))
