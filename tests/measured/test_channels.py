"""Which channel of a measured file is looked at."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from gapscope.errors import MeasurementFileError
from gapscope.measured.channels import image_channels, image_of, said


@pytest.fixture
def scan() -> xr.Dataset:
    values = np.arange(12.0).reshape(3, 4)
    grid = values[..., None] + 100 * np.arange(3)
    return xr.Dataset(
        {
            "Z": (("y", "x"), values),
            "LIY_1_omega_backward": (("y", "x"), values),
            "LIY_1_omega": (("y", "x"), 2 * values),
            "grid": (("y", "x", "bias"), grid),
            "spectrum": ("bias", np.zeros(3)),
        },
        {"bias": [-1.0, 0.0, 1.0]},
    )


@pytest.mark.parametrize("name", ["dI/dV", "dIdV (nS)", "LIX 1", "Lock-in X", "Conductance", "LIY"])
def test_conductance_comes_first_and_backward_sweeps_last(name: str, scan: xr.Dataset) -> None:
    renamed = scan.rename(LIY_1_omega=name)
    assert image_channels(renamed) == [name, "Z", "grid", "LIY_1_omega_backward"]
    assert image_of(renamed).identical(renamed[name])


FIRST = {
    "first harmonic": ("LI Demod 2 X", "LI Demod 1 X"),
    "underscores": ("Z", "LI_Demod_2_X", "LI_Demod_1_Y", "LI_Demod_1_X"),
    "omega": ("LIY_n_omega", "LIX_n_omega", "LIY_1_omega", "LIX_1_omega"),
    "numbers": ("LIX 2", "LIX 1"),
    "X before R and Y": ("LI R 1 omega", "LIY 1 omega", "LIX 1 omega"),
    "RHK": ("Topography", "Current", "LIA Current"),
    "words": ("Lock-in 2nd harmonic", "Lock-in 1st harmonic"),
    "multiples": ("didv_2f", "didv_1f"),
    "second derivative": ("d2I/dV2", "dI_dV"),
    "phases": ("Lock-in phase", "LI phi 1 omega", "Topography"),
    "forward": ("LI Demod 1 X_backward", "Z"),
    "applied bias": ("Bias", "Current"),
    "passes": ("[P1]_Z", "[P1]_LI_Demod_1_X"),
    "average": ("LI Demod 1 X [00001]", "LI Demod 1 X [00002]", "LI Demod 1 X [AVG]"),
    "topograph": ("Z", "Current"),
}
"""Channels in a file's order; the last one is meant, and of heights and currents the first."""


@pytest.mark.parametrize("case", FIRST)
def test_the_first_harmonic_in_phase_is_looked_at(case: str) -> None:
    values = ("y", "x"), np.zeros((2, 2)), {"units": "V"}
    names = FIRST[case]
    meant = names[0] if case == "topograph" else names[-1]
    scan = xr.Dataset(dict.fromkeys(names, values))
    assert image_channels(scan)[0] == meant
    lock_in = case not in ("phases", "forward", "applied bias", "topograph")
    assert said(scan, meant).startswith("dI/dV, first harmonic" if lock_in else "not dI/dV")


def test_a_harmonic_that_the_file_states_counts_more_than_the_name() -> None:
    scan = xr.Dataset(
        {
            name: (("y", "x"), np.zeros((2, 2)), {"harmonic": harmonic})
            for name, harmonic in (("LI Demod 1 X", 2), ("Z", 1), ("LI Demod 2 X", 1))
        }
    )
    assert image_channels(scan) == ["LI Demod 2 X", "LI Demod 1 X", "Z"]


@pytest.mark.parametrize(
    "name", ["dIdV_bwd", "dI/dV [backward]", "Retrace dIdV", "LIX bkwd", "dIdV_Backward"]
)
def test_backward_sweeps_are_known_by_their_names(name: str) -> None:
    """Names of variables come in alphabetical order."""
    values = ("y", "x"), np.zeros((2, 2)), {"units": "V"}
    scan = xr.Dataset({name: values, "dIdV_fwd": values, "Z": values})
    assert image_channels(scan) == ["dIdV_fwd", "Z", name]
    assert said(scan, name).endswith("backward")
    assert said(scan, "dIdV_fwd").endswith("forward")


@pytest.mark.parametrize("name", ["Line", "Lift", "Limit"])
def test_not_all_that_begins_alike_is_conductance(name: str, scan: xr.Dataset) -> None:
    renamed = scan.rename(grid=name)
    assert image_channels(renamed)[0] == "LIY_1_omega"


def test_a_grid_of_spectra_gives_the_map_at_a_bias(scan: xr.Dataset) -> None:
    np.testing.assert_array_equal(image_of(scan, "grid"), scan["grid"].values[..., 1])
    assert float(image_of(scan, "grid", 0.8)["bias"]) == 1.0
    with pytest.raises(MeasurementFileError, match="from -1 to 1 mV"):
        image_of(scan, "grid", 1.5)


def test_a_grid_is_taken_at_the_usual_bias_or_between_two(scan: xr.Dataset) -> None:
    assert float(image_of(scan, "grid", usual=0.8)["bias"]) == 1.0
    assert float(image_of(scan, "grid", -1.0, usual=0.8)["bias"]) == -1.0
    with pytest.raises(MeasurementFileError, match="from -1 to 1 mV"):
        image_of(scan, "grid", usual=1.5)
    between = image_of(scan, "grid", usual=-0.75, interpolate=True)
    assert float(between["bias"]) == -0.75
    np.testing.assert_allclose(between, scan["grid"].values[..., 0] + 25.0)
    for index, bias in enumerate((-1.0, 0.0, 1.0)):
        measured = image_of(scan, "grid", bias, interpolate=True)
        np.testing.assert_array_equal(measured, scan["grid"].values[..., index])
    assert "bias" not in image_of(scan, "Z", usual=0.5, interpolate=True).coords


def test_an_image_is_taken_at_the_bias_that_is_given_or_that_the_file_says(
    scan: xr.Dataset,
) -> None:
    assert "bias" not in image_of(scan, "Z").coords
    assert float(image_of(scan, "Z", -0.2)["bias"]) == -0.2
    told = scan.assign_attrs(bias=45.0)
    assert float(image_of(told, "Z")["bias"]) == 45.0
    assert float(image_of(told, "Z", 0.0)["bias"]) == 0.0
    assert float(image_of(told, "grid")["bias"]) == 0.0


def test_no_map_no_such_channel_and_unfinished_maps_are_refused(scan: xr.Dataset) -> None:
    with pytest.raises(MeasurementFileError, match="spectrum"):
        image_of(scan[["spectrum"]])
    with pytest.raises(MeasurementFileError, match="LIY_1_omega, Z, grid"):
        image_of(scan, "LIX")
    cut = scan.assign(Z=scan["Z"] * np.nan)
    with pytest.raises(MeasurementFileError, match="12 of 12"):
        image_of(cut, "Z")
