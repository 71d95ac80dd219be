"""Matrix: images up and down, spectra and grids of them, read with the state that held then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from measured_files import COLUMNS, ROWS, check_frame, grid, upright
from mtrx_files import (
    FACTOR,
    TIME,
    changed,
    channels,
    data_file,
    experiment,
    stored,
    written,
)
from reader_contract import check_contract
from refusals import refused

NAME = "2020Sep13-122640--1_1.Z_mtrx"
UP, BACK, DOWN, DOWN_BACK = (upright(seed) for seed in range(4))
IMAGE = np.concatenate(
    [
        np.stack([UP, BACK[:, ::-1]], axis=1).ravel(),
        np.stack([DOWN[::-1], DOWN_BACK[::-1, ::-1]], axis=1).ravel(),
    ]
)
SPECTRA = grid()[::3, ::2]
"""On every second pixel of every third line."""
RETRACE = -SPECTRA


def put(folder: Path, data: bytes, parameters: bytes, name: str = NAME) -> Path:
    stem, _, _ = name.rpartition("--")
    (folder / f"{stem}_0001.mtrx").write_bytes(parameters)
    (folder / name).write_bytes(data)
    return folder / name


def opened(
    folder: Path, data: bytes, parameters: bytes, name: str = NAME, **given: bool
) -> xr.Dataset:
    found = measured.open(put(folder, data, parameters, name), **given)  # type: ignore[arg-type]
    check_contract(found)
    return found


def test_the_sweeps_of_an_image_lie_alike(tmp_path: Path) -> None:
    found = opened(tmp_path, data_file(IMAGE), experiment(channels("Z", "m"), written(NAME)))
    check_frame(found)
    for name, values in (
        ("Z", UP),
        ("Z_backward", BACK),
        ("Z down", DOWN),
        ("Z down_backward", DOWN_BACK),
    ):
        np.testing.assert_array_equal(found[name], stored(values))
        assert found[name].attrs["units"] == "m"
    assert found.attrs["bias"] == pytest.approx(45.0)
    assert found.attrs["current"] == pytest.approx(450.0)
    assert found.attrs["scan_angle"] == 30.0
    assert found.attrs["recorded"] == "2020-09-13T12:26:40+00:00"


def test_parameters_are_those_at_the_time_of_the_file(tmp_path: Path) -> None:
    later = changed("GapVoltageControl.Voltage", 0.9, "Volt")
    parameters = experiment(
        channels("Z", "m", ("TFF_Linear1D", {"Factor": 1.0, "Offset": 0.0})),
        changed("GapVoltageControl.Voltage", -0.2, "Volt"),
        written("another_mtrx", TIME - 60),
        channels("Z", "m"),
        changed("GapVoltageControl.Voltage", 0.1, "Volt"),
        written(NAME),
        later,
        channels("I", "A", ("TFF_Linear1D", {"Factor": 1.0, "Offset": 0.0})),
        written("one_more_mtrx", TIME + 60),
    )
    found = opened(tmp_path, data_file(IMAGE), parameters)
    assert found.attrs["bias"] == pytest.approx(100.0)
    np.testing.assert_array_equal(found["Z"], stored(UP))
    moved = NAME.replace("1_1", "copy_of_1_1")
    renamed = opened(tmp_path, data_file(IMAGE), parameters, moved)
    xr.testing.assert_equal(renamed, found)
    assert renamed.attrs["bias"] == found.attrs["bias"]


def test_a_chain_of_parameter_files_is_one(tmp_path: Path) -> None:
    path = put(tmp_path, data_file(IMAGE), experiment(channels("Z", "m")))
    following = changed("GapVoltageControl.Voltage", 0.1, "Volt") + written(NAME)
    path.with_name("2020Sep13-122640_0002.mtrx").write_bytes(b"ONTMATRX0101" + following)
    assert measured.open(path).attrs["bias"] == pytest.approx(100.0)


def test_values_follow_both_functions(tmp_path: Path) -> None:
    function = {"NeutralFactor": 2.0, "Offset": 1.0, "PreFactor": 4.0, "PreOffset": -1.0}
    several = ("TFF_MultiLinear1D", {**function, "Raw_1": 3.0})
    parameters = experiment(channels("I", "A", several), written(NAME))
    counts = np.round(UP * FACTOR + 3.0)
    found = opened(tmp_path, data_file(IMAGE), parameters)
    np.testing.assert_allclose(found["I"], (3 + 1) * (counts - 1) / (2 * 4), rtol=1e-15)
    other = experiment(channels("I", "A", ("TFF_Other", {"Factor": 1.0})), written(NAME))
    refused(put(tmp_path, data_file(IMAGE), other), "values of known kinds")


def test_lines_without_a_way_back_and_scans_that_were_stopped(tmp_path: Path) -> None:
    parameters = experiment(
        channels("Z", "m"),
        written(NAME),
        XYScanner__X_Retrace=(False, "--"),
        Regulator__Feedback_Loop_Enabled=(False, "--"),
    )
    found = opened(tmp_path, data_file(UP), parameters)
    assert list(found) == ["Z"]
    np.testing.assert_array_equal(found["Z"], stored(UP))
    assert found.attrs["feedback"] == "off"
    assert "current" not in found.attrs
    down = np.concatenate([UP, DOWN[::-1][:2]]).ravel()
    partly = opened(tmp_path, data_file([*down, 0.0]), parameters)
    np.testing.assert_array_equal(partly["Z"], stored(UP))
    np.testing.assert_array_equal(partly["Z down"][-2:], stored(DOWN)[-2:])
    assert partly["Z down"][:-2].isnull().all()
    stopped = data_file(UP[:4].ravel())
    refused(put(tmp_path, stopped, parameters), "has all its lines")
    kept = opened(tmp_path, stopped, parameters, finished=True)
    np.testing.assert_array_equal(kept["Z"], stored(UP)[:4])
    assert kept.attrs["unfinished_lines"] == ROWS - 4
    np.testing.assert_allclose(kept.y, np.arange(4) * 1.5)


def test_what_backward_lines_were_taken_at_is_told_of_forward_ones_alone(tmp_path: Path) -> None:
    parameters = experiment(
        channels("Z", "m"),
        written(NAME),
        GapVoltageControl__Enable_Alternate_Voltage=(True, "--"),
        Regulator__Enable_Alternate_Setpoint_1=(True, "--"),
    )
    found = opened(tmp_path, data_file(IMAGE), parameters)
    assert {"bias", "current"}.isdisjoint(found.attrs)
    assert found["Z"].attrs["bias"] == pytest.approx(45.0)
    assert found["Z"].attrs["current"] == pytest.approx(450.0)
    assert {"bias", "current"}.isdisjoint(found["Z_backward"].attrs)


def test_a_spectrum_lies_over_the_bias_and_its_ramp_back_too(tmp_path: Path) -> None:
    name = NAME.replace("Z", "I(V)")
    curve, back = SPECTRA[0, 0], SPECTRA[1, 1]
    both = data_file([*curve, *back[::-1]])
    parameters = experiment(channels("I(V)", "A"), written(name))
    found = opened(tmp_path, both, parameters, name)
    np.testing.assert_allclose(found.bias, np.linspace(-250, 250, 5))
    np.testing.assert_array_equal(found["I(V)"], stored(curve))
    np.testing.assert_array_equal(found["I(V) retrace"], stored(back))
    assert "bias" not in found.attrs
    falling = {
        "Spectroscopy__Device_1_Start": (0.25, "Volt"),
        "Spectroscopy__Device_1_End": (-0.25, "Volt"),
    }
    turned = experiment(channels("I(V)", "A"), written(name), **falling)
    found = opened(tmp_path, both, turned, name)
    np.testing.assert_array_equal(found["I(V)"], stored(curve)[::-1])
    np.testing.assert_array_equal(found["I(V) retrace"], stored(back)[::-1])
    short = opened(tmp_path, data_file(curve[:3]), parameters, name)
    np.testing.assert_array_equal(short["I(V)"][:3], stored(curve)[:3])
    assert short["I(V)"][3:].isnull().all()
    refused(put(tmp_path, data_file(SPECTRA), parameters, name), "as many points as its sweep")
    distance = experiment(channels("I(Z)", "A"), written(name))
    refused(put(tmp_path, both, distance, name), "against the bias")


@pytest.mark.parametrize("match", [0, 1, 2])
def test_a_grid_of_spectra_lies_where_its_pixels_do(tmp_path: Path, match: int) -> None:
    name = NAME.replace("Z", "I(V)")
    line = np.stack([SPECTRA, RETRACE[..., ::-1]], axis=2)  # y, x, ramp, point
    turned = 2 * line[:, ::-1]
    lines = {0: np.stack([line, turned], axis=1), 1: line, 2: turned}[match]
    way = {0: ["", "_backward"], 1: [""], 2: ["_backward"]}[match]
    parameters = experiment(
        channels("I(V)", "A"),
        written(name),
        XYScanner__Enable_Subgrid=(True, "--"),
        XYScanner__Subgrid_Match_Mode=(match, "--"),
        XYScanner__Y_Retrace=(False, "--"),
    )
    found = opened(tmp_path, data_file(lines), parameters, name)
    assert list(found) == [f"I(V){ramp}{one}" for one in way for ramp in ("", " retrace")]
    for one in way:
        factor = 2 if one else 1
        np.testing.assert_array_equal(found[f"I(V){one}"], stored(factor * SPECTRA))
        np.testing.assert_array_equal(found[f"I(V) retrace{one}"], stored(factor * RETRACE))
    np.testing.assert_allclose(found.x, 4.0 * np.arange(COLUMNS // 2))
    np.testing.assert_allclose(found.y, 4.5 * np.arange(ROWS // 3))
    assert found.attrs["scan_angle"] == 30.0


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    whole = experiment(channels("Z", "m"), written(NAME))
    data = data_file(IMAGE)
    alone = tmp_path / "alone--1_1.Z_mtrx"
    alone.write_bytes(data)
    refused(alone, "with the parameter file")
    other = experiment(channels("Z", "m"), written("other_mtrx", TIME + 1))
    refused(put(tmp_path, data, other), "names its data files")
    refused(put(tmp_path, data, whole[:-30]), "names its data files|lie in the file")
    refused(put(tmp_path, data[:-8], whole), "lie in the file|as much data")
    refused(put(tmp_path, data_file([*IMAGE, *UP.ravel()]), whole), "at most all")
    parameters = experiment(channels("Z", "m"), written(NAME), XYScanner__Zoom=(2.0, "--"))
    refused(put(tmp_path, data, parameters), "not zoomed")
    feet = experiment(channels("Z", "m"), written(NAME), XYScanner__Width=(1.0, "Foot"))
    refused(put(tmp_path, data, feet), "lie in the file")
    without = experiment(written(NAME))
    refused(put(tmp_path, data, without), "lie in the file")
    refused(put(tmp_path, data, whole).with_name("2020Sep13-122640_0001.mtrx"), "is one of")
