"""WSxM images: where their corner is, and what their values span."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from measured_files import GIVEN, check_frame, upright
from reader_contract import check_contract
from refusals import refused
from wsxm_files import wsxm, wsxm_columns, wsxm_matrix


def opened(folder: Path, content: bytes) -> xr.Dataset:
    path = folder / "scan.stp"
    path.write_bytes(content)
    found = measured.open(path)
    check_contract(found)
    return found


@pytest.mark.parametrize("kind", ["short", "integer", "unsignedshort", "signedinteger", "none"])
def test_integers_span_the_amplitude(tmp_path: Path, kind: str) -> None:
    counts = np.round(1000 * upright()) + 30000 * (kind == "unsignedshort")
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


@pytest.mark.parametrize("kind", ["float", "simple", "double"])
def test_floats_are_in_the_unit_whatever_the_amplitude(tmp_path: Path, kind: str) -> None:
    """Z Amplitude is 1 nm for all floats in files of MyScanner, by a developer of WSxM."""
    found = opened(tmp_path, wsxm(upright(), {"Image Data Type": kind, "Z Amplitude": "1 nm"}))
    check_frame(found)
    np.testing.assert_array_equal(found["Topography"], upright())
    assert found["Topography"].attrs["units"] == "nm"


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
        ({"Image Data Type": "long"}, "short, integer"),
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
    path.write_bytes(wsxm(np.ones((6, 8)), {"Image Data Type": "short"}))
    refused(path, "so that they differ")
    path.write_bytes(wsxm(np.full((6, 8), np.nan)))
    refused(path, "with measured values")
    path.write_bytes(wsxm(upright())[:300])
    refused(path, "Header end")


@pytest.mark.parametrize("content", [wsxm_matrix(upright()), wsxm_columns(upright())])
def test_texts_have_the_scale_of_their_headers(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "image.txt"
    path.write_bytes(content)
    found = measured.open(path)
    check_contract(found)
    check_frame(found)
    np.testing.assert_array_equal(found["image"], upright())
    assert found["image"].attrs["units"] in ("pA", "nA")
    refused(path, "its own scale", width=16.0)


def test_the_example_of_the_format_is_read_alike_in_both_layouts(tmp_path: Path) -> None:
    """Two lines of three points, from the file specifications of WSxM's home."""
    columns = "0 0 0\n1 0 2\n2 0 3\n0 1 5\n1 1 8\n2 1 0\n"
    amplitudes = "".join(f"{axis} Amplitude: 1 a.u.\n" for axis in "XYZ")
    texts = {
        "XYZ": f"X[a.u.] Y[a.u.] Z[a.u.]\n{columns}",
        "Matrix": f"{amplitudes}3 2 0\n0 8 5\n",
    }
    for kind, text in texts.items():
        path = tmp_path / f"{kind}.txt"
        path.write_text(f"WSxM file copyright UAM\nWSxM ASCII {kind} file\n{text}")
        refused(path, "without a scale")
        found = measured.open(path, **GIVEN)["image"]
        np.testing.assert_array_equal(found, [[0, 2, 3], [5, 8, 0]])
        assert found.attrs["units"] == "a.u."


def test_texts_of_other_programs_and_headers_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "image.xyz"
    words = "WSxM ASCII XYZ file; obtained from elsewhere"
    other = wsxm_columns(upright(), ("nm", "nm", "nS")).replace(
        b"WSxM ASCII XYZ file", words.encode()
    )
    path.write_bytes(other.replace(b"Z[nS]", b"dIdV[nS]\n# copied: 1 2 3"))
    found = measured.open(path)
    assert found["dIdV"].attrs["units"] == "nS"
    assert float(found.x[1]) == 20.0
    path.write_bytes(other.replace(b"Y[nm]", b"nothing"))
    refused(path, "header of a text of WSxM")
    path.write_bytes(wsxm_matrix(upright()).replace(b"Y Amplitude", b"Amplitude"))
    refused(path, "header of a text of WSxM")
    path.write_bytes(wsxm_matrix(upright()).replace(b"9 nm", b"9e9e nm"))
    refused(path, "header of a text of WSxM")
    path.write_bytes(wsxm_columns(upright()).rsplit(b"\n", 2)[0])
    refused(path, "every place of their grid")
