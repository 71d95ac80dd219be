"""NanoScope files: corners, sweeps, and scales by the sensitivities of other lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from measured_files import check_frame, upright
from nanoscope_files import Image, nanoscope
from reader_contract import check_contract
from refusals import refused

COUNTS = np.round(2**12 * upright()).astype(np.int64)
BACK = np.round(2**12 * upright(1)).astype(np.int64)


def opened(folder: Path, content: bytes, **given: object) -> xr.Dataset:
    path = folder / "scan.000"
    path.write_bytes(content)
    found = measured.open(path, **given)  # type: ignore[arg-type]
    check_contract(found)
    return found


def test_images_have_their_corner_their_sweep_and_their_scale(tmp_path: Path) -> None:
    current = "V [Sens. CurrentSens] (0.0152588 mV/LSB) 1000.000 mV"
    found = opened(
        tmp_path,
        nanoscope(
            Image(COUNTS),
            Image(BACK, entries={"Line Direction": "Retrace"}),
            Image(COUNTS, "Current", current),
            Image(BACK, "Phase", "V [Sens. Phase] (0.005493164 \xb0/LSB) 360.0000 \xb0"),
            Image(BACK, "Potential", "V (0.3051758 mV/LSB) 20000.00 mV"),
        ),
    )
    check_frame(found)
    assert list(found) == ["Height", "Height_backward", "Current", "Phase", "Potential"]
    # 5 V at 20 nm/V, 1000 mV at 10 nA/V, 360 degrees and 20 V, each over 16 bits
    for name, counts, span, unit in (
        ("Height", COUNTS, 100.0, "nm"),
        ("Height_backward", BACK, 100.0, "nm"),
        ("Current", COUNTS, 10.0, "nA"),
        ("Phase", BACK, 360.0, "\xb0"),
        ("Potential", BACK, 20000.0, "mV"),
    ):
        np.testing.assert_allclose(found[name], counts * span / 2**16, rtol=1e-12, atol=1e-15)
        assert found[name].attrs["units"] == unit
    assert found.attrs["recorded"] == "2015-05-06T14:03:59"
    assert found.attrs["scan_angle"] == 0.0
    assert {"bias", "current"}.isdisjoint(found.attrs)


@pytest.mark.parametrize("stated", [2, 4])
def test_stored_integers_may_be_longer_than_their_scale(tmp_path: Path, stated: int) -> None:
    """From version 9.2 all are of 32 bits, and the header's number of bytes makes the scale."""
    counts = COUNTS * 2**10
    content = nanoscope(Image(counts, bytes_each=4, entries={"Bytes/pixel": str(stated)}))
    found = opened(tmp_path, content)
    np.testing.assert_allclose(found["Height"], counts * 100.0 / 256**stated, rtol=1e-12)


@pytest.mark.parametrize("version", ["0x05300001", "none", "9.2"])
def test_half_the_lines_are_no_longer_integers(tmp_path: Path, version: str) -> None:
    """Lists of images of version 5.3 were seen with another number of lines than their data."""
    whole = nanoscope(Image(COUNTS), version=version)
    np.testing.assert_allclose(opened(tmp_path, whole)["Height"], COUNTS * 100.0 / 2**16)
    half = nanoscope(Image(COUNTS, entries={"Number of lines": "3"}), version=version)
    (tmp_path / "scan.000").write_bytes(half)
    refused(tmp_path / "scan.000", "2 bytes for each of 8 x 3 pixels")


@pytest.mark.parametrize("prefix", ["@3", "@4"])
def test_names_and_scales_may_have_other_prefixes(tmp_path: Path, prefix: str) -> None:
    one = Image(
        COUNTS,
        entries={
            "@2:Image Data": "none",
            "@2:Z scale": "none",
            f"{prefix}:Image Data": 'S [Input1] "Input1"',
            f"{prefix}:Z scale": "V (0.3051758 mV/LSB) 20000.00 mV",
        },
    )
    found = opened(tmp_path, nanoscope(one))
    np.testing.assert_allclose(found["Input1"], COUNTS * 20000.0 / 2**16, rtol=1e-12)


def test_old_files_name_one_side_of_a_square(tmp_path: Path) -> None:
    found = opened(tmp_path, nanoscope(Image(COUNTS[:, :6], entries={"Scan Size": "9 nm"})))
    for axis in ("x", "y"):
        np.testing.assert_allclose(found[axis], 1.5 * np.arange(6))


def test_images_of_several_sizes_are_read_by_name(tmp_path: Path) -> None:
    content = nanoscope(Image(COUNTS), Image(BACK[:5], "Small"))
    found = opened(tmp_path, content, variable="Small")
    np.testing.assert_allclose(found["Small"], BACK[:5] * 100 / 2**16, rtol=1e-12)
    error = refused(tmp_path / "scan.000", "Images of one size")
    assert "Small 8 x 5" in str(error.received)
    assert "--variable" in error.remedy
    refused(tmp_path / "scan.000", "Images of one size", variable="none")


@pytest.mark.parametrize(
    ("entries", "rule"),
    [
        ({"Number of lines": "5"}, "2 or 4 bytes"),
        ({"Number of lines": "1e9"}, "whole number up to"),
        ({"Samps/line": "none"}, "finite number"),
        ({"Data offset": "4097"}, "as much data"),
        ({"Data length": "1e300"}, "whole number up to"),
        ({"Bytes/pixel": "3"}, "2 or 4 bytes"),
        ({"Scan Size": "16 nm"}, "width, height and a unit"),
        ({"Scan Size": "0 9 nm"}, "nm long"),
        ({"Aspect Ratio": "4:1"}, "aspect ratio"),
        ({"@2:Image Data": "none"}, "name in quotes"),
        ({"@2:Z scale": "5 V"}, "range unit"),
        ({"@2:Z scale": "V [Sens. None] (1 V/LSB) 5.0 V"}, "V, a number and a unit"),
        ({"@2:Z scale": "V [Sens. Zsens] (1 Hz/LSB) 5.0 Hz"}, "unit for each Hz"),
        ({"@2:Z scale": "V [Sens. Zsens] (1 V/LSB) nan V"}, "finite number"),
    ],
)
def test_what_a_header_cannot_mean_is_refused(
    tmp_path: Path, entries: dict[str, str], rule: str
) -> None:
    path = tmp_path / "scan.spm"
    path.write_bytes(nanoscope(Image(COUNTS, entries=entries)))
    refused(path, rule)


def test_files_without_images_or_an_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.spm"
    path.write_bytes(nanoscope())
    refused(path, "1 to 1000 images")
    path.write_bytes(nanoscope().replace(b"\\*File list\r", b"\\*Force file list\r", 1))
    refused(path, "1 to 1000 images")
    path.write_bytes(nanoscope(Image(COUNTS))[:100])
    refused(path, "File list end")
    path.write_bytes(nanoscope(Image(COUNTS))[:-1])
    refused(path, "as much data")
