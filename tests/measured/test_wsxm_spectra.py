"""Curves and stacks of WSxM: biases, sweeps to and fro, corners and scales."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from measured_files import BIASES, check_frame, grid, upright
from reader_contract import check_contract
from refusals import refused
from wsxm_files import curve, stack

RAMP = [f"{bias * 1e-3:.4f} V" for bias in BIASES]
DOWN = RAMP[::-1]
COUNTS = np.round(100 * grid())
IV = np.stack([BIASES, BIASES**2, BIASES[::-1], 3 * BIASES[::-1]], axis=-1)
"""Current forward, then three times the bias backward."""


def opened(folder: Path, content: bytes) -> xr.Dataset:
    path = folder / "file.bin"
    path.write_bytes(content)
    found = measured.open(path)
    check_contract(found)
    return found


@pytest.mark.parametrize("kind", ["double", "float"])
def test_a_stack_holds_spectra_and_the_topography(tmp_path: Path, kind: str) -> None:
    found = opened(tmp_path, stack(grid(), upright(9), RAMP, {"Image Data Type": kind}))
    check_frame(found)
    np.testing.assert_allclose(found["bias"], BIASES)
    np.testing.assert_array_equal(found["Current"], grid())
    np.testing.assert_array_equal(found["Topography"], upright(9))
    assert found["Current"].attrs["units"] == "nA"
    assert found["Topography"].attrs["units"] == "nm"
    assert found.attrs["current"] == pytest.approx(450.0)


def test_integers_of_a_stack_have_their_factors(tmp_path: Path) -> None:
    changes = {"Image Data Type": "short", "Spectroscopy direction": "Backward"}
    found = opened(tmp_path, stack(COUNTS, np.round(99 * upright()), DOWN, changes))
    np.testing.assert_allclose(found["bias"], BIASES)
    np.testing.assert_allclose(found["Current_backward"], 3 - 2 * COUNTS[..., ::-1])
    assert found["Current_backward"].attrs["units"] == "pA"
    assert np.ptp(found["Topography"].values) == pytest.approx(2.5)
    own = {
        "ADC to V conversion factor": "0.5",
        "Conversion factor 0 for input channel": "-4 pA",
        "Conversion factor 1 for input channel": "5188.35 Hz",
    }
    bare = opened(tmp_path, stack(COUNTS, np.round(99 * upright()), DOWN, changes | own))
    xr.testing.assert_equal(bare, found)  # as WSxM itself writes them, without the V
    flat = opened(tmp_path, stack(COUNTS, np.zeros((6, 8)), DOWN, changes))
    assert list(flat) == ["Current_backward"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_curves_go_to_and_fro(tmp_path: Path, end: str) -> None:
    found = opened(tmp_path, curve(IV, end=end))
    np.testing.assert_array_equal(found["bias"], BIASES)
    np.testing.assert_array_equal(found["I"], BIASES**2)
    np.testing.assert_array_equal(found["I_backward"], 3 * BIASES)
    assert found["I"].attrs["units"] == "nA"
    other = opened(tmp_path, curve(IV, {"First Forward": "No"}))
    np.testing.assert_array_equal(other["I_backward"], BIASES**2)
    missing = opened(tmp_path, curve(IV).replace(b" 10000 ", b" 1.#QNAN "))
    assert missing["I"].isnull().sum() == 2


def test_curves_in_volts_have_the_conversion_of_their_header(tmp_path: Path) -> None:
    """As SciFiReaders reads those of the controller Dulcinea."""
    changes = {"Y axis unit": "V", "Conversion Factor 00": "2 nA/V"}
    changes |= {"Conversion Offset 00": "5 nA", "Channel is inverted": "Yes"}
    found = opened(tmp_path, curve(IV, changes))
    np.testing.assert_allclose(found["I"], 5 - 2 * BIASES**2)
    assert found["I"].attrs["units"] == "nA"
    bare = opened(tmp_path, curve(IV, {**changes, "Conversion Factor 00": "2 nA"}))
    xr.testing.assert_equal(bare, found)
    for other in ({"Y axis unit": "nA"}, {"Conversion Factor 00": "1"}):
        plain = opened(tmp_path, curve(IV, {**changes, **other, "Conversion Offset 00": "1 nA"}))
        np.testing.assert_array_equal(plain["I"], BIASES**2)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (curve(IV, {"Number of points": "6"}), "as much data"),
        (curve(IV, {"Number of lines": "1"}), "two columns"),
        (curve(IV, {"Number of lines": "0"}), "1 to 1000"),
        (curve(IV, {"X axis unit": "nm"}), "taken against the bias"),
        (curve(IV + np.array([0, 0, 1, 0])), "same biases"),
        (curve(IV)[:-2], "last line"),
        (curve(IV).replace(b"[Header end]", b"[end]"), "Header end"),
        (stack(grid(), upright(), RAMP)[:-8], "as much data"),
        (stack(grid(), upright(), RAMP, {"Number of points per ramp": "1e9"}), "1 to 16384"),
        (stack(grid(), upright(), RAMP, {"Image 002": "0 mV"}), "unit of all others"),
        (stack(grid(), upright(), RAMP, {"Image 002": "none"}), "number and its unit"),
        (stack(grid(), upright(), ["1 nm", *RAMP[1:]], {}), "unit of all others"),
        (stack(grid(), upright(), [f"{i} nm" for i in range(5)]), "taken against the bias"),
        (stack(grid(), upright(), ["0.001 V", "0.0010 V", *RAMP[2:]]), "biases of their own"),
        (stack(grid(), upright(), RAMP, {"Spectroscopy Amplitude": "none"}), "number and its"),
        (stack(grid(), upright(), RAMP, {"Image Data Type": "long"}), "short, integer"),
        (
            stack(
                COUNTS,
                upright(),
                RAMP,
                {
                    "Image Data Type": "short",
                    "Conversion factor 0 for input channel": "3 nA/Hz",
                },
            ),
            "unit for each V",
        ),
        (
            stack(
                COUNTS,
                upright(),
                RAMP,
                {"Image Data Type": "short", "ADC to V conversion factor": "1 mV"},
            ),
            "finite number",
        ),
    ],
)
def test_what_a_header_cannot_mean_is_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    refused(path, rule)
