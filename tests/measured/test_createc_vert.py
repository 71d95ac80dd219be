"""Createc spectra: sweeps to and fro, what the columns are, and their scales."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from measured_files import BIASES
from reader_contract import check_contract
from refusals import refused
from vert_files import vert

AMPERES = 20 / 2**20 / 1e9
"""One count of 20 bits over 20 V behind a preamplifier of 1e9 V/A."""
TABLE = np.stack(
    [
        [*BIASES, *BIASES[::-1]],
        *([0, 1, 2, 3, 4, 4, 3, 2, 1, 0], [*range(-500, 500, 100)], np.arange(10.0) ** 2),
    ],
    axis=-1,
)
"""Bias in mV, Z, current and dI/dV in counts, forward and backward."""


def opened(folder: Path, content: bytes) -> xr.Dataset:
    path = folder / "A180524.133727.VERT"
    path.write_bytes(content)
    found = measured.open(path)
    check_contract(found)
    return found


def test_sweeps_have_their_direction_and_channels_their_scale(tmp_path: Path) -> None:
    found = opened(tmp_path, vert(TABLE))
    np.testing.assert_array_equal(found["bias"], BIASES)
    assert list(found) == [
        *("Z", "I", "dI_dV", "Z_backward", "I_backward", "dI_dV_backward"),
    ]
    np.testing.assert_allclose(found["I"], AMPERES * TABLE[:5, 2])
    np.testing.assert_allclose(found["I_backward"], AMPERES * TABLE[:4:-1, 2])
    np.testing.assert_array_equal(found["dI_dV"], [0, 1, 4, 9, 16])
    np.testing.assert_array_equal(found["dI_dV_backward"], [81, 64, 49, 36, 25])
    # 1 mV at 9.5 Angstrom per volt
    np.testing.assert_allclose(found["Z"], 9.5e-13 * np.arange(5))
    assert [found[name].attrs["units"] for name in ("Z", "I", "dI_dV")] == ["m", "A", "DAC"]
    assert found.attrs["bias"] == 45.0
    assert found.attrs["current"] == 450.0


def test_one_sweep_downwards_with_more_columns(tmp_path: Path) -> None:
    down = np.insert(TABLE[5:], 2, 7.0, axis=1)
    changes = {"VertSpecBack": "0", "Vertmangain": "none"}
    found = opened(tmp_path, vert(down, changes, selected=1 | 1 << 10, kind="[ParVERT32]"))
    assert list(found) == ["Z", "X", "I", "dI_dV_Y"]
    np.testing.assert_allclose(found["I"], 10 * AMPERES * TABLE[:4:-1, 2])
    np.testing.assert_array_equal(found["X"], [7.0] * 5)


def test_channels_that_no_reader_knows_have_their_number(tmp_path: Path) -> None:
    found = opened(tmp_path, vert(TABLE[:5], {"VertSpecBack": "0"}, selected=1 | 1 << 20))
    assert list(found) == ["Z", "I", "channel 20"]
    np.testing.assert_array_equal(found["channel 20"], [0, 1, 4, 9, 16])


def test_where_parts_of_a_sweep_meet_the_mean_is_taken(tmp_path: Path) -> None:
    twice = np.repeat(TABLE[:5], [1, 1, 2, 1, 1], axis=0)
    twice[2, 2], twice[3, 2] = 10.0, 20.0
    found = opened(tmp_path, vert(twice, {"VertSpecBack": "0"}))
    np.testing.assert_array_equal(found["bias"], BIASES)
    np.testing.assert_allclose(found["I"], AMPERES * np.array([-500, -400, 15, -200, -100]))


def test_commas_are_decimal_marks(tmp_path: Path) -> None:
    """In the header, too: whoever writes the table with commas has Windows write all so."""
    found = opened(tmp_path, vert(TABLE).replace(b".", b","))
    xr.testing.assert_identical(found, opened(tmp_path, vert(TABLE)))


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (vert(TABLE, points=11), "as much data"),
        (vert(TABLE)[:-9], "table of whole lines"),
        (vert(TABLE)[: -len(b"9\t2.25E+01\r\n")].rpartition(b"\n")[0] + b"\n", "as much data"),
        (vert(TABLE)[: 2**14 + 20], "table of whole lines"),
        (vert(TABLE, selected=7), "column for each channel"),
        (vert(TABLE, selected=2**32), "Four numbers"),
        (vert(TABLE, {"VertSpecBack": "2"}), "whole number by which 10"),
        (vert(TABLE, {"VertSpecBack": "0"}), "rises or falls"),
        (vert(TABLE, {"DAC-Type": "none"}), "number of bits"),
        (vert(TABLE, {"Vertmangain": "400"}), "power of ten"),
        (vert(TABLE * [0, 1, 1, 1]), "rises or falls"),
        (vert(TABLE + np.repeat([0.0, 30.0], 5)[:, None] * [1, 0, 0, 0]), "same biases"),
        (vert(TABLE)[:100], "table of whole lines"),
    ],
)
def test_what_is_no_sweep_of_the_bias_is_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    path = tmp_path / "spectrum.VERT"
    path.write_bytes(content)
    refused(path, rule)
