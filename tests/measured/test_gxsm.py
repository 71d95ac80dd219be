"""Scans of GXSM, classic and netCDF-4: places of the pixels, scales, directions and layers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from gxsm_files import Scan, gxsm, gxsm4
from measured_files import check_frame, grid, upright
from reader_contract import check_contract
from refusals import refused

Writer = Callable[[Scan], bytes]
BOTH = pytest.mark.parametrize("writer", [gxsm, gxsm4])


def opened(
    folder: Path, scan: Scan, writer: Writer = gxsm, name: str = "scan-Xp-Topo.nc"
) -> xr.Dataset:
    path = folder / name
    path.write_bytes(writer(scan))
    found = measured.open(path)
    check_contract(found)
    return found


@BOTH
def test_an_image_lies_where_its_places_say(tmp_path: Path, writer: Writer) -> None:
    down = opened(tmp_path, Scan(upright()[::-1]), writer)
    check_frame(down)
    np.testing.assert_allclose(down["Topo"], 0.1 * 0.25 * upright(), rtol=1e-15)
    assert down["Topo"].attrs["units"] == "nm"
    assert down.attrs["bias"] == -45.0
    assert down.attrs["scan_angle"] == 0.0
    assert down.attrs["recorded"] == "2020-09-13T12:26:40+00:00"
    up = opened(tmp_path, Scan(upright(), down=False), writer)
    np.testing.assert_array_equal(up["Topo"], down["Topo"])
    stored = upright(1)[::-1, ::-1]
    left = opened(tmp_path, Scan(stored, left=True, saved="scan-Xm-ADC1.nc"), writer)
    check_frame(left)
    np.testing.assert_allclose(left["ADC1_backward"], 0.1 * 0.25 * upright(1), rtol=1e-15)


@pytest.mark.parametrize("kind", ["f4", "f8", "i2"])
@pytest.mark.parametrize("version", [1, 2])
def test_values_are_those_stored_times_their_factor(
    tmp_path: Path, kind: str, version: int
) -> None:
    counts = np.round(100 * upright())
    scan = Scan(counts[::-1], kind=kind, version=version, unit="V", saved="a-Xp-LockIn.nc")
    found = opened(tmp_path, scan)["LockIn"]
    np.testing.assert_array_equal(found, 0.25 * counts)
    assert found.attrs["units"] == "V"
    plain = opened(tmp_path, Scan(counts[::-1], dz=0.0, unit="V", saved=""))
    np.testing.assert_array_equal(plain["Z"], counts)


@BOTH
def test_layers_at_several_biases_are_a_grid(tmp_path: Path, writer: Writer) -> None:
    layers = np.moveaxis(grid(), -1, 0)[:, ::-1]
    found = opened(tmp_path, Scan(layers, values=(0.2, 0.1, 0.0, -0.1, -0.2)), writer)
    np.testing.assert_allclose(found.bias, [-200, -100, 0, 100, 200], atol=1e-4)
    np.testing.assert_allclose(found["Topo"], 0.025 * grid()[..., ::-1], rtol=1e-15)
    assert "bias" not in found.attrs


def test_version_4_turns_backward_sweeps_itself(tmp_path: Path) -> None:
    """Places rise then, and the name of the file that was saved tells the direction."""
    found = opened(tmp_path, Scan(upright()[::-1], saved="/data/scan-Xm-Current.nc"), gxsm4)
    np.testing.assert_allclose(found["Current_backward"], 0.025 * upright(), rtol=1e-15)
    stale = Scan(upright()[::-1], saved="old-Xp-dFrequency.nc (*saved)")
    assert list(opened(tmp_path, stale, gxsm4)) == ["ZS-Topo"]
    assert list(opened(tmp_path, stale, gxsm4, "scan-Xm-x.nc")) == ["ZS-Topo_backward"]


def test_version_4_says_whether_the_feedback_is_on(tmp_path: Path) -> None:
    scan = Scan(upright()[::-1], unit="V")
    found = opened(tmp_path, scan, gxsm4)
    assert found.attrs["current"] == pytest.approx(12.0)
    assert found["Topo"].attrs["units"] == "V"
    off = opened(tmp_path, scan, partial(gxsm4, mode=2.0)).attrs
    assert off["feedback"] == "off"
    assert "current" not in off


def test_a_setting_that_is_no_number_is_none(tmp_path: Path) -> None:
    assert "bias" not in opened(tmp_path, Scan(upright(), bias="x")).attrs


def test_the_sense_of_an_angle_is_not_guessed(tmp_path: Path) -> None:
    assert "scan_angle" not in opened(tmp_path, Scan(upright(), alpha=40.0)).attrs


@pytest.mark.parametrize(
    ("scan", "rule"),
    [
        (Scan(upright(), span=32.0), "is that of its pixels' places"),
        (Scan(upright(), uneven=True), "lie on a grid"),
        (Scan(np.moveaxis(grid(), -1, 0), values=(0.0,) * 5), "rises or falls"),
        (Scan(upright(), field="Other", axes=("time", "value", "y", "dimx")), "holds one image"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, scan: Scan, rule: str) -> None:
    path = tmp_path / "scan.nc"
    path.write_bytes(gxsm(scan))
    refused(path, rule)
    if scan.field == "FloatField":
        path.write_bytes(gxsm4(scan))
        refused(path, rule)


def test_a_file_that_is_cut_off_or_has_a_scale_given_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.nc"
    path.write_bytes(gxsm(Scan(upright())))
    refused(path, "its own scale", width=16.0)
    path.write_bytes(gxsm4(Scan(upright())))
    refused(path, "its own scale", width=16.0)
    path.write_bytes(gxsm(Scan(upright())))
    path.write_bytes(gxsm(Scan(upright()))[:-20])
    refused(path, "can read the file")
