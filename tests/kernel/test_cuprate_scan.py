"""A simulated map of a d-wave cuprate, scanned, turned, strained and prepared, comes back."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import gapscope as gs
from gapscope.instrument.image import render
from gapscope.measured.default import prepare_for_network
from gapscope.measured.preparation import Steps
from gapscope.physics.lattice import symmetric_window

PIXELS, WIDTH = 256, 12.0
"""Pixels and nm, along each side of the scan."""
STRAIN = np.array([[1.02, 0.015], [-0.01, 0.98]])
PLACE = np.array([6.3, 5.8])
"""Place of the impurity; nm."""
SIZE = 20


@pytest.fixture(scope="module")
def truth() -> NDArray[np.float64]:
    """drho at 10 meV around a scalar impurity in Bi2212, (96, 96), of unit standard deviation."""
    bi2212 = gs.material("bi2212")
    gap, impurity = gs.Pairing.of(bi2212, "B1g", 35.0), gs.Impurity.scalar(100.0)
    state = gs.Specification(bi2212, gap, impurity)
    values = gs.simulate(state, gs.Numerics([10.0], 4.0, 96)).ldos_change[0].values
    return np.asarray(values / values.std())


def scan(truth: NDArray[np.float64], degrees: float) -> xr.DataArray:
    """Atoms, three times as high as the interference on them, with noise."""
    lattice = gs.material("bi2212").lattice
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    vectors = 0.1 * lattice.constant * lattice.vectors @ np.array([[c, s], [-s, c]])
    step = WIDTH / PIXELS
    along = step * np.arange(PIXELS)
    points = (np.stack(np.meshgrid(along, along), axis=-1) - PLACE) @ np.linalg.inv(STRAIN).T
    atoms = np.cos(points @ (2 * np.pi * np.linalg.inv(vectors))).sum(axis=-1)
    values = render(truth, points, vectors, 0.3, lattice) + 1.5 * atoms
    values += 0.1 * np.random.default_rng(0).standard_normal(values.shape)
    coords = {axis: (axis, along, {"units": "nm"}) for axis in ("y", "x")}
    return xr.DataArray(values, coords, ("y", "x"), "dIdV", {"units": "nS"})


@pytest.mark.parametrize("degrees", [12.0, -38.0])
def test_a_cuprates_map_comes_back(truth: NDArray[np.float64], degrees: float) -> None:
    lattice = gs.material("bi2212").lattice
    # At -38 degrees interference lies at q_x = 0, where line noise does.
    steps = Steps(mask_bragg=True, wavevector=None)
    prepared, _ = prepare_for_network(scan(truth, degrees), lattice, steps)
    assert float(prepared.lattice.orientation.value) == pytest.approx(degrees, abs=1.5)
    assert float(prepared.final_lattice.anisotropy.value) == pytest.approx(1, abs=2e-3)
    centre = prepared.site(prepared.corrected(PLACE.tolist()))
    sites = prepared.network_input(SIZE, centre)
    away = symmetric_window(lattice, SIZE)
    # The impurity's own sites outshine all others: both maps are compared without them.
    r = np.arange(SIZE) - SIZE // 2
    away &= np.abs(r)[:, None] + np.abs(r) > 3
    middle = slice(48 - SIZE // 2, 48 + SIZE // 2)
    seen, true = sites.ldos_change.values[away], truth[middle, middle][away]
    assert np.corrcoef(seen, true)[0, 1] > 0.98
