"""Scans that were stopped: their finished lines, where they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from gapscope.errors import MeasurementFileError
from gapscope.measured import finished_lines
from gapscope.measured.channels import image_of
from gapscope.measured.contents import contents
from gapscope.measured.readers.finished import was_measured
from measured_files import COLUMNS, HEIGHT, POINTS, ROWS, grid, sxm, three_ds, upright
from refusals import refused

STEP = HEIGHT / ROWS
EACH = 5 + 2 * POINTS
"""Values of a point of the grid: parameters, then two channels."""
NAN = np.float32(np.nan)


def scan(down: bool, lines: int, points: int = 0) -> bytes:
    """An .sxm that was stopped after so many lines and points of the next, forward and backward."""
    content = sxm(down)
    at = len(content) - 4 * 4 * ROWS * COLUMNS
    values = np.frombuffer(content[at:], ">f4").reshape(4, ROWS * COLUMNS).copy()
    values[:, lines * COLUMNS + points :] = NAN
    return content[:at] + values.tobytes()


def spectra(points: int, parameters: tuple[float, ...] = (NAN,) * 5) -> bytes:
    """A .3ds whose points after the first so many have these parameters and no values."""
    content = three_ds()
    at = len(content) - 4 * EACH * ROWS * COLUMNS
    values = np.frombuffer(content[at:], ">f4").reshape(ROWS * COLUMNS, EACH).copy()
    values[points:] = NAN
    values[points:, :5] = parameters
    return content[:at] + values.tobytes()


def write(tmp_path: Path, content: bytes) -> Path:
    (tmp_path / "stopped").write_bytes(content)
    return tmp_path / "stopped"


@pytest.mark.parametrize("down", [True, False])
def test_the_finished_lines_of_a_scan_stay_where_they_were(down: bool, tmp_path: Path) -> None:
    path = write(tmp_path, scan(down, lines=4, points=3))
    whole = measured.open(path)
    assert whole.sizes["y"] == ROWS
    with pytest.raises(MeasurementFileError, match="All pixels") as caught:
        image_of(whole, "Z")
    assert caught.value.received == "Z: 13 of 48 were not, on 2 of 6 lines"
    assert "--finished" in caught.value.remedy
    assert "open(path, finished=True)" in caught.value.remedy

    found = measured.open(path, finished=True)
    lines = slice(2, 6) if down else slice(0, 4)
    np.testing.assert_allclose(found.y, STEP * np.arange(ROWS)[lines])
    assert found.y.attrs == {"units": "nm"}
    np.testing.assert_array_equal(image_of(found, "Z"), upright(0)[lines])
    np.testing.assert_array_equal(found.Z_backward, upright(1)[lines])
    assert found.attrs["unfinished_lines"] == 2
    assert found.identical(finished_lines(whole))


def test_a_finished_scan_is_left_as_it_is(tmp_path: Path) -> None:
    for content in (sxm(), three_ds(), three_ds(rows=1)):
        path = write(tmp_path, content)
        assert measured.open(path, finished=True).identical(measured.open(path))


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize("held", [0.0, -3.5])
def test_lines_of_an_edge_that_hold_one_value_were_not_measured(
    down: bool, held: float, tmp_path: Path
) -> None:
    """As of programs that begin with an array of zeros."""
    content = scan(down, lines=3, points=2)
    path = write(
        tmp_path, content.replace(np.array(NAN, ">f4").tobytes(), np.array(held, ">f4").tobytes())
    )
    whole = measured.open(path)
    with pytest.raises(MeasurementFileError, match="All pixels") as caught:
        image_of(whole, "Z")
    assert (
        caught.value.received
        == "Z: 22 of 48 were not, on 3 of 6 lines, which all hold one value alone"
    )
    assert "--finished" in caught.value.remedy
    assert contents(whole)["channels"][0]["missing"] == 22
    found = measured.open(path, finished=True)
    lines = slice(3, 6) if down else slice(0, 3)
    np.testing.assert_array_equal(image_of(found, "Z"), upright(0)[lines])
    np.testing.assert_allclose(found.y, STEP * np.arange(ROWS)[lines])


def test_points_of_a_grid_that_are_zero_were_not_measured(tmp_path: Path) -> None:
    content = spectra(3 * COLUMNS + 2, (0.0,) * 5)
    path = write(tmp_path, content.replace(np.array(NAN, ">f4").tobytes(), bytes(4)))
    whole = measured.open(path)
    assert int(whole["Current"].isnull().sum()) == POINTS * (3 * COLUMNS - 2)
    kept = measured.open(path, finished=True)
    np.testing.assert_allclose(kept["Current"], grid()[:3], rtol=1e-6)


def test_one_line_or_a_whole_map_of_one_value_is_left() -> None:
    for values in (np.zeros((5, 4)), np.eye(5)[:, [1, 2, 3]], np.full((3, 3), np.nan)):
        np.testing.assert_array_equal(was_measured(values), np.isfinite(values))


def test_the_longest_run_of_lines_is_kept_that_all_channels_share() -> None:
    dataset = xr.Dataset(
        {
            "a": (("y", "x"), np.ones((9, 2))),
            "b": (("y", "x", "bias"), np.ones((9, 2, 3))),
            "never": (("y", "x"), np.full((9, 2), np.nan)),
            "curve": ("bias", [np.nan, 1.0, 1.0]),
        },
        {"y": np.arange(9.0)},
    )
    dataset["a"][1, 0] = np.nan
    dataset["b"][6, 1, 2] = np.nan
    before = dataset.copy(deep=True)
    found = finished_lines(dataset)
    assert found.y.values.tolist() == [2, 3, 4, 5]
    assert found.attrs["unfinished_lines"] == 5
    assert finished_lines(dataset[["a"]]).y.values.tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert finished_lines(dataset[["curve"]]).identical(dataset[["curve"]])
    assert dataset.identical(before)


def test_where_no_line_was_finished_there_is_no_map(tmp_path: Path) -> None:
    path = write(tmp_path, scan(down=True, lines=0, points=3))
    assert measured.open(path).Z.notnull().sum() == 3
    refused(path, "at least one finished line", finished=True)


@pytest.mark.parametrize("parameters", [(NAN,) * 5, (0.0,) * 5, (-0.25, 0.25, 1.0, 1.0, NAN)])
def test_points_of_a_grid_that_were_not_measured_are_nan(
    parameters: tuple[float, ...], tmp_path: Path
) -> None:
    path = write(tmp_path, spectra(3 * COLUMNS + 2, parameters))
    whole = measured.open(path)
    np.testing.assert_allclose(whole.bias, np.linspace(-250, 250, POINTS))
    values = grid().reshape(-1, POINTS)
    values[3 * COLUMNS + 2 :] = np.nan
    np.testing.assert_array_equal(whole.Current, values.reshape(ROWS, COLUMNS, POINTS))
    assert np.isnan(whole.Z.values.ravel()[3 * COLUMNS + 2 :]).all()
    np.testing.assert_array_equal(whole.Z[:3], upright(9)[:3])
    with pytest.raises(MeasurementFileError, match="--finished"):
        image_of(whole, "Current")
    found = measured.open(path, finished=True)
    np.testing.assert_array_equal(found.Current, grid()[:3])
    assert found.attrs["unfinished_lines"] == 3


@pytest.mark.parametrize("cut", [1, 4 * EACH, 4 * EACH * (2 * COLUMNS + 3)])
def test_a_grid_that_ends_early_is_read_up_to_its_last_whole_line(cut: int, tmp_path: Path) -> None:
    lines = ROWS - 1 - cut // (4 * EACH * COLUMNS)
    path = write(tmp_path, three_ds()[:-cut])
    error = refused(path, "as much data as its header says")
    assert f"{lines} of 6 lines" in str(error.received)
    assert "--finished" in error.remedy
    assert "open(path, finished=True)" in error.remedy
    found = measured.open(path, finished=True)
    np.testing.assert_array_equal(found.Current, grid()[:lines])
    np.testing.assert_array_equal(found.Z, upright(9)[:lines])
    np.testing.assert_allclose(found.y, STEP * np.arange(lines))
    assert found.attrs["unfinished_lines"] == ROWS - lines


def test_lines_that_end_early_and_lines_without_values_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, spectra(3 * COLUMNS)[: -4 * EACH])
    found = measured.open(path, finished=True)
    assert found.sizes["y"] == 3
    assert found.attrs["unfinished_lines"] == 3


def test_what_is_no_stopped_grid_stays_an_error(tmp_path: Path) -> None:
    whole = three_ds()
    almost_nothing = 4 * EACH * COLUMNS * (ROWS - 1) + 4
    for content in (whole + bytes(4), whole[:-almost_nothing], three_ds(rows=1)[:-4]):
        refused(write(tmp_path, content), "as much data as its header says", finished=True)
    refused(write(tmp_path, sxm()[:-4]), "as much data as its header says", finished=True)
    refused(write(tmp_path, spectra(0)), "points that were measured")


def test_other_sweeps_are_told(tmp_path: Path) -> None:
    content = bytearray(three_ds())
    content[-4 * EACH : -4 * EACH + 8] = np.array([-0.5, 0.5], ">f4").tobytes()
    error = refused(write(tmp_path, bytes(content)), "have the same sweep")
    assert "-0.25 to 0.25 at the first point, -0.5 to 0.5 at 1 of 48" in str(error.received)
