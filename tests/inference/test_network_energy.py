"""A network is given the map of a grid at its own energy, where no other is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import gapscope as gs
from gapscope.errors import PreparationError
from gapscope.inference import measured_files

BIASES = np.array([-10.0, 0.0, 10.0, 20.0])


@pytest.mark.parametrize(
    ("given", "taken"),
    [({}, 20.0), ({"bias": 4.0}, 0.0), ({"interpolate": True}, 16.0)],
)
def test_the_map_at_the_energy_of_the_network_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, float], taken: float
) -> None:
    places = {axis: (axis, np.arange(8.0), {"units": "nm"}) for axis in ("y", "x")}
    values = np.random.default_rng(1).normal(size=(4, 8, 8))
    grid = xr.Dataset(
        {"didv": (("bias", "y", "x"), values)},
        {"bias": ("bias", BIASES, {"units": "mV"}), **places},
    )
    grid.to_netcdf(tmp_path / "grid.nc", engine="h5netcdf")
    seen: list[xr.DataArray] = []

    def prepare(image: xr.DataArray, *_: object, **__: object) -> None:
        seen.append(image)
        raise PreparationError("The test ends here.", "", "")

    monkeypatch.setattr(measured_files, "prepare_for_network", prepare)
    with pytest.raises(PreparationError, match="ends here"):
        gs.predict([tmp_path / "grid.nc"], "bi2212", **given)  # trained at 16 meV
    assert float(seen[0]["bias"]) == taken
