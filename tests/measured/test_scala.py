"""SCALA scans: their several files, scales, sweeps, and spectra on all or some of the pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from measured_files import check_frame, grid, upright
from reader_contract import check_contract
from refusals import refused
from scala_files import Part, par, written

COUNTS, BACK = (np.round(300 * upright(seed)).astype(int) for seed in (0, 1))
SPECTRA = np.round(300 * grid()).astype(int)
Z, ZB = Part(COUNTS), Part(BACK, "tb0", direction="Backward")
IV = Part(SPECTRA, "sf0", "I(V)", unit="nA")


def opened(path: Path, **given: object) -> xr.Dataset:
    found = measured.open(path, **given)  # type: ignore[arg-type]
    check_contract(found)
    return found


def scaled(counts: np.ndarray) -> np.ndarray:
    """-1000 to 1000 are -5 to 15."""
    return counts / 100 + 5.0


def test_the_files_of_a_scan_are_read_together(tmp_path: Path) -> None:
    found = opened(written(tmp_path, Z, ZB, IV))
    check_frame(found)
    assert list(found) == ["Z", "Z_backward", "I(V)"]
    np.testing.assert_allclose(found["Z"], scaled(COUNTS))
    np.testing.assert_allclose(found["Z_backward"], scaled(BACK))
    np.testing.assert_allclose(found["I(V)"], scaled(SPECTRA))
    np.testing.assert_allclose(found["bias"], np.linspace(-100, 100, 5))
    assert [one.attrs["units"] for one in found.values()] == ["nm", "nm", "nA"]
    assert found.attrs["bias"] == pytest.approx(45.0)
    assert found.attrs["current"] == pytest.approx(450.0)
    assert found.attrs["recorded"] == "2014-10-22T15:19:00"
    assert found.attrs["scan_angle"] == 0.0


def test_falling_sweeps_are_turned(tmp_path: Path) -> None:
    found = opened(written(tmp_path, Part(SPECTRA, "sf0", "I(V)", start=0.2, end=-0.2)))
    np.testing.assert_allclose(found["bias"], np.linspace(-200, 200, 5))
    np.testing.assert_allclose(found["I(V)"], scaled(SPECTRA)[..., ::-1])


def test_spectra_on_some_pixels_are_left_out_and_read_by_name(tmp_path: Path) -> None:
    some = Part(SPECTRA[::2, ::2], "sf0", "I(V)")
    changes = {
        **{f"Spectroscopy Grid Value in {axis}": "2" for axis in "XY"},
        "Spectroscopy Points in X": "4",
        "Spectroscopy Lines in Y": "3",
    }
    path = written(tmp_path, Z, some, changes=changes)
    found = opened(path)
    assert list(found) == ["Z"]
    assert found.attrs["left_out"] == "I(V)"
    alone = opened(path, variable="I(V)")
    np.testing.assert_allclose(alone["I(V)"], scaled(SPECTRA[::2, ::2]))
    np.testing.assert_allclose(alone.x, [0, 4, 8, 12])
    np.testing.assert_allclose(alone.y, [0, 3, 6])


def test_curves_and_spectra_over_z_are_no_grids(tmp_path: Path) -> None:
    other = Part(SPECTRA, "sf1", "I(Z)", parameter="Z")
    found = opened(written(tmp_path, Z, other))
    assert list(found) == ["Z"]
    points = written(tmp_path, Z, IV, changes={"Spectroscopy Lines in Y": "0"})
    assert list(opened(points)) == ["Z"]


def test_signs_of_sizes_are_ignored(tmp_path: Path) -> None:
    """As Gwyddion's omicron.c does: what they mean is not known."""
    signed = {"Image Size in X": "-8", "Field Y Size in nm": "-9.0"}
    found = opened(written(tmp_path, Z, changes=signed))
    xr.testing.assert_equal(found, opened(written(tmp_path, Z)))


def test_a_voltage_is_that_of_the_sample(tmp_path: Path) -> None:
    tip = opened(written(tmp_path, Z, changes={"VGAP Contact": "TIP"}))
    assert tip.attrs["bias"] == pytest.approx(-45.0)
    unknown = opened(written(tmp_path, Z, changes={"VGAP Contact": "none", "Scan Angle": "30"}))
    assert {"bias", "scan_angle"}.isdisjoint(unknown.attrs)
    dual = {"Dual mode": "On", "Gap Voltage": "0.02 ;[V]|0.03 ;[V] (Backward)"}
    dual |= {"Feedback Set": "0.1 ;[nA]|0.2 ;[nA]", "Date": "27.11.02 12:26"}
    both = opened(written(tmp_path, Z, ZB, changes=dual))
    assert both["Z"].attrs["bias"] == pytest.approx(20.0)
    assert both["Z_backward"].attrs["bias"] == pytest.approx(30.0)
    assert both["Z_backward"].attrs["current"] == pytest.approx(200.0)
    assert {"bias", "current"}.isdisjoint(both.attrs)
    assert both.attrs["recorded"] == "2002-11-27T12:26:00"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"Image Size in X": "9"}, "as much data"),
        ({"Image Size in X": "1e9"}, "whole number from 1"),
        ({"Image Size in Y": "none"}, "finite number"),
        ({"Field X Size in nm": "0"}, "nm long"),
        ({"Field Y Size in nm": "nan"}, "finite number"),
        ({"Gap Voltage": "x"}, "finite number"),
    ],
)
def test_what_a_header_cannot_mean_is_refused(
    tmp_path: Path, changes: dict[str, str], rule: str
) -> None:
    refused(written(tmp_path, Z, changes=changes), rule)


def test_files_that_are_not_there_or_not_whole_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, Z, ZB)
    (tmp_path / "m1.TB0").write_bytes(ZB.data[:-2])
    assert "m1.TB0" in str(refused(path, "as much data").received)
    (tmp_path / "m1.TB0").unlink()
    assert "m1.tb0" in str(refused(path, "lie beside it").received)
    (tmp_path / "m1.TB0").mkdir()
    refused(path, "lie beside it")
    refused(written(tmp_path), "1 to 1000 images")
    path.write_bytes(par(Z)[:-60])
    refused(path, "has all its lines")
    refused(written(tmp_path, Part(COUNTS, raw=(5, 5))), "above the raw minimum")
    others = IV, Part(SPECTRA, "sb0", "I(V)", "Backward", end=0.3)
    refused(written(tmp_path, Z), "read together", variable="none")
    assert "--variable" in refused(written(tmp_path, *others), "at the same biases").remedy


def test_data_files_may_have_names_of_experiments(tmp_path: Path) -> None:
    name = "default_2014 Sep (Z) #3.tf0"
    path = written(tmp_path, Z)
    (tmp_path / name).write_bytes(Z.data)
    path.write_bytes(par(Z).replace(b"m1.tf0", name.encode()))
    assert list(measured.open(path)) == ["Z"]


def test_no_file_outside_of_the_folder_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "scan"
    folder.mkdir()
    (tmp_path / "m1.tf0").write_bytes(Z.data)
    path = written(folder, Z)
    for name in ("../m1.tf0", "..\\m1.tf0", "c:m1.tf0", "/etc/passwd", "m1.par"):
        path.write_bytes(par(Z).replace(b"m1.tf0", name.encode()))
        refused(path, "lie beside it")
