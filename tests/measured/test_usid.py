"""USID files: every value at its position and its bias, and what is no map is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from measured_files import COLUMNS, ROWS, check_frame, grid, upright
from reader_contract import check_contract
from refusals import refused
from usid_files import BIASES, Main, usid

PLACES = ROWS * COLUMNS
SHUFFLED = np.random.default_rng(4).permutation(PLACES)


def opened(folder: Path, content: bytes, **given: object) -> xr.Dataset:
    path = folder / "map.h5"
    path.write_bytes(content)
    found = measured.open(path, **given)  # type: ignore[arg-type]
    check_contract(found)
    return found


def test_spectra_and_images_on_the_same_positions_are_opened_together(tmp_path: Path) -> None:
    found = opened(
        tmp_path,
        usid(
            {
                "M/raw": Main(grid(), SHUFFLED),
                "M/topo": Main(upright(9)),
                "M/other": Main(grid(), sweep=("Frequency", "Hz")),
            }
        ),
    )
    check_frame(found)
    np.testing.assert_allclose(found["bias"], 1e3 * BIASES)
    np.testing.assert_array_equal(found["M_raw"], grid())
    np.testing.assert_array_equal(found["M_topo"], upright(9))
    assert found["M_raw"].attrs["units"] == "nA"
    assert found.attrs["left_out"] == "M/other"


def test_y_is_the_axis_of_that_name(tmp_path: Path) -> None:
    """The first dimension may be X; a sweep may fall."""
    falling = {"Spectroscopic_Values": lambda table: table[:, ::-1]}
    main = Main(np.swapaxes(grid(), 0, 1), labels=("X", "Y"), changes=falling)
    found = opened(tmp_path, usid({"raw": main}))
    np.testing.assert_array_equal(found["raw"], grid()[..., ::-1])
    np.testing.assert_allclose(found.x, np.arange(COLUMNS) * 1.5)


def test_one_of_several_frames_is_chosen(tmp_path: Path) -> None:
    content = usid({"a": Main(grid()), "b": Main(upright()[:4])})
    assert opened(tmp_path, content, variable="/b")["b"].shape == (4, COLUMNS)
    error = refused(tmp_path / "map.h5", "same axes")
    assert "b (4 x 8)" in str(error.received)
    refused(tmp_path / "map.h5", "map of a USID file", variable="c")


@pytest.mark.parametrize(
    ("main", "told"),
    [
        (Main(grid(), units=("m", "s")), "X in s"),
        (Main(grid(), sweep=("Frequency", "Hz")), "Frequency in Hz"),
        (Main(grid()[:, :1]), "over"),
        (Main(upright().astype(complex)), "complex128"),
        (Main(grid(), np.zeros(PLACES, int)), "over"),
        (Main(grid(), np.repeat(np.arange(PLACES // 2), 2)), "positions on"),
        (Main(grid(), changes={"Position_Values": lambda one: one[:-1]}), "no position dim"),
        (Main(grid(), changes={"Position_Values": lambda one: one[:, :1]}), "labels of"),
        (
            Main(grid(), changes={"Position_Values": lambda one: np.roll(one, 1, 0)}),
            "several values",
        ),
        (Main(grid(), changes={"Spectroscopic_Indices": lambda one: one // 2}), "several values"),
    ],
)
def test_what_is_no_map_is_refused(tmp_path: Path, main: Main, told: str) -> None:
    path = tmp_path / "map.h5"
    path.write_bytes(usid({"raw": main}))
    assert told in str(refused(path, "map of a USID file").received)


def test_positions_on_a_diagonal_take_no_memory_for_the_square(tmp_path: Path) -> None:
    """Ten thousand rows and as many columns, of which the diagonal was measured."""
    places = np.arange(10_000)
    changes = {"Position_Indices": lambda one: np.stack([places, places], axis=-1)}
    changes["Position_Values"] = lambda one: 1e-9 * np.stack([places, places], axis=-1)
    path = tmp_path / "map.h5"
    path.write_bytes(usid({"raw": Main(np.zeros((100, 100)), changes=changes)}))
    error = refused(path, "map of a USID file")
    assert "10000 positions on 10000 x 10000 pixels" in str(error.received)


def test_values_that_cannot_be_an_axis_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.h5"
    uneven = {"Position_Values": lambda one: one**2}
    path.write_bytes(usid({"raw": Main(grid(), changes=uneven)}))
    refused(path, "coordinates of an image are uniform")
    flat = {"Spectroscopic_Values": lambda one: np.abs(one)}
    path.write_bytes(usid({"raw": Main(grid(), changes=flat)}))
    refused(path, "rises or falls")
