"""WSxM images: where their corner is, and what their values span."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from measured_files import check_frame, upright
from reader_contract import check_contract
from refusals import refused
from wsxm_files import wsxm


def opened(folder: Path, content: bytes) -> xr.Dataset:
    path = folder / "scan.stp"
    path.write_bytes(content)
    found = measured.open(path)
    check_contract(found)
    return found


@pytest.mark.parametrize("kind", ["short", "float", "double", "none"])
def test_an_image_spans_its_amplitude(tmp_path: Path, kind: str) -> None:
    counts = np.round(1000 * upright())
    content = wsxm(counts, {"Image Data Type": "short" if kind == "none" else kind})
    if kind == "none":
        content = content.replace(b"    Image Data Type: short\r\n", b"")
    found = opened(tmp_path, content)
    check_frame(found)
    heights = found["Topography"]
    np.testing.assert_allclose(heights, counts * 2.5 / np.ptp(counts), rtol=1e-14)
    assert heights.attrs["units"] == "nm"
    assert found.attrs["bias"] == -45.0
    assert found.attrs["current"] == pytest.approx(450.0)
    assert found.attrs["scan_angle"] == 0.0


def test_what_a_header_says_otherwise(tmp_path: Path) -> None:
    changes = {"X scanning direction": "Backward", "Set Point": "-0.3 V", "Angle": "30"}
    found = opened(tmp_path, wsxm(upright(), {**changes, "Z Amplitude": "2 V"}))
    assert list(found) == ["Topography_backward"]
    assert found["Topography_backward"].attrs["units"] == "V"
    assert {"current", "scan_angle"}.isdisjoint(found.attrs)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"Number of rows": "5"}, "as much data"),
        ({"Number of rows": "1e99"}, "2 to"),
        ({"Number of columns": "7.5"}, "whole number"),
        ({"Image Data Type": "long"}, "short, float, double"),
        ({"Z Amplitude": "none"}, "a number and its unit"),
        ({"X Amplitude": "8 V"}, "a length in"),
        ({"Y Amplitude": "0 nm"}, "nm long"),
    ],
)
def test_what_a_header_cannot_mean_is_refused(
    tmp_path: Path, changes: dict[str, str], rule: str
) -> None:
    path = tmp_path / "scan.stp"
    path.write_bytes(wsxm(upright(), changes))
    refused(path, rule)


def test_images_without_contrast_or_an_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scan.top"
    path.write_bytes(wsxm(np.ones((6, 8))))
    refused(path, "so that they differ")
    path.write_bytes(wsxm(np.full((6, 8), np.nan)))
    refused(path, "so that they differ")
    path.write_bytes(wsxm(upright())[:300])
    refused(path, "Header end")
