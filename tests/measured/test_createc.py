"""Createc images: sizes, scales, sweeps and lines that were not measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from createc_files import ENTRIES, createc
from gapscope import measured
from measured_files import check_frame, upright
from reader_contract import check_contract
from refusals import refused

IMAGES = np.stack([upright(seed)[::-1] for seed in range(4)])
Z, CURRENT = 20 / 2**20 * 10 * 19.2e-10, 20 / 2**20 / 1e9
"""Metres, and amperes behind a preamplifier of 1e9 V/A, of one count of 20 bits over 20 V."""


def opened(folder: Path, content: bytes) -> xr.Dataset:
    path = folder / "A200913.122640.dat"
    path.write_bytes(content)
    found = measured.open(path)
    check_contract(found)
    return found


@pytest.mark.parametrize("kind", ["[Paramco32]", "[Paramet32]"])
@pytest.mark.parametrize("header", [2**14, 1200])
def test_images_have_their_size_their_scale_and_their_sweep(
    tmp_path: Path, kind: str, header: int
) -> None:
    found = opened(tmp_path, createc(IMAGES, kind=kind, header=header))
    check_frame(found)
    assert list(found) == ["Z", "Current", "Z_backward", "Current_backward"]
    for seed, (name, factor) in enumerate(zip(found, (Z, CURRENT, Z, CURRENT), strict=True)):
        np.testing.assert_allclose(found[name], factor * upright(seed), rtol=1e-12)
    assert [one.attrs["units"] for one in found.values()] == ["m", "A", "m", "A"]
    assert found.attrs["bias"] == 45.0
    assert found.attrs["current"] == 450.0
    assert found.attrs["scan_angle"] == 0.0


def test_integers_of_older_files(tmp_path: Path) -> None:
    images = np.arange(96.0).reshape(2, 6, 8) - 40
    changes = {"Channels / Channels": "2", "DAC-Type": "16bit"}
    found = opened(tmp_path, createc(images, changes, "[Parameter]"))
    assert list(found) == ["Z", "Current"]
    np.testing.assert_allclose(found["Z"], 16 * Z * images[0, ::-1], rtol=1e-12)


def test_other_channels_are_counts(tmp_path: Path) -> None:
    found = opened(tmp_path, createc(IMAGES, {"Channelselectval / Channelselectval": "129"}))
    assert list(found) == ["Z", "Aux6", "Z_backward", "Aux6_backward"]
    np.testing.assert_array_equal(found["Aux6"], upright(1))
    assert found["Aux6"].attrs["units"] == "DAC"
    unknown = opened(tmp_path, createc(IMAGES, {"Channelselectval / Channelselectval": "7"}))
    assert list(unknown) == [f"channel {i}" for i in (1, 2, 3, 4)]
    np.testing.assert_array_equal(unknown["channel 3"], upright(2))


def test_commas_are_decimal_marks_of_headers(tmp_path: Path) -> None:
    keys = ("Length x[\xc5]", "Length y[A]", "ZPiezoconst", "Rotation / Rotation", "FBLogIset")
    commas = {key: ENTRIES[key].replace(".", ",") for key in keys}
    xr.testing.assert_identical(
        opened(tmp_path, createc(IMAGES, commas)), opened(tmp_path, createc(IMAGES))
    )


def test_lines_that_were_not_measured_are_missing(tmp_path: Path) -> None:
    stopped = IMAGES.copy()
    stopped[:, 4:] = 0.0
    for content in (
        createc(IMAGES, {"ImageYPosMax": "5"}),
        createc(stopped, {"ImageYPosMax": "none"}),
    ):
        found = opened(tmp_path, content)
        assert found["Z"][:2].isnull().all()
        assert found["Z"][2:].notnull().all()
        kept = measured.open(tmp_path / "A200913.122640.dat", finished=True)
        np.testing.assert_allclose(kept["Z"], Z * upright(0)[2:], rtol=1e-12)
        assert kept.attrs["unfinished_lines"] == 2


@pytest.mark.parametrize("last", ["none", "5", "7"])
def test_a_scan_upwards_that_was_stopped_lacks_its_upper_lines(tmp_path: Path, last: str) -> None:
    """Rows are stored from above whichever way they were measured."""
    stopped = IMAGES.copy()
    stopped[:, :2] = 0.0
    found = opened(tmp_path, createc(stopped, {"ImageYPosMax": last, "ScanYMode": "2"}))
    assert found["Z"][4:].isnull().all()
    np.testing.assert_allclose(found["Z"][:4], Z * upright(0)[:4], rtol=1e-12)


def test_a_feedback_that_does_not_hold_the_current_states_none(tmp_path: Path) -> None:
    off = opened(tmp_path, createc(IMAGES, {"FBOff": "1"})).attrs
    assert off["feedback"] == "off"
    assert "current" not in off
    height = opened(tmp_path, createc(IMAGES, {"CHMode / CHMode": "1"})).attrs
    assert height["feedback"] == "off"
    assert {"current", "bias"}.isdisjoint(height)
    for changes in ({"FBChannel": "4"}, {"FBLogIset": "0.00000000"}):
        assert "current" not in opened(tmp_path, createc(IMAGES, changes)).attrs


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"Num.X / Num.X": "12"}, "as much data"),
        ({"Num.X / Num.X": "16000", "Num.Y / Num.Y": "8000"}, "at most|as much data"),
        ({"Channels / Channels": "2.5"}, "whole number"),
        ({"ScanmodeSine / ScanmodeSine": "1"}, "pixels of one size"),
        ({"DAC-Type": "none"}, "number of bits"),
        ({"Length y[A]": "none"}, "finite number"),
        ({"Length y[A]": "-3"}, "nm long"),
        ({"ImageYPosMax": "0"}, "with measured values"),
    ],
)
def test_what_a_header_cannot_mean_is_refused(
    tmp_path: Path, changes: dict[str, str], rule: str
) -> None:
    path = tmp_path / "scan.dat"
    path.write_bytes(createc(IMAGES, changes))
    refused(path, rule)


def test_packed_data_that_are_cut_off_are_refused(tmp_path: Path) -> None:
    whole = createc(IMAGES)
    path = tmp_path / "scan.dat"
    path.write_bytes(whole[:-100])
    refused(path, "as much data")
    path.write_bytes(whole[: 2**14] + b"\0" + whole[2**14 :])
    refused(path, "can be unpacked")
