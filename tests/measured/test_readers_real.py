"""Real files, where they are at hand: NbS2 (SPIP, spectra) and FeSe (Nanonis)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gapscope import measured as measurements
from gapscope.errors import MeasurementFileError
from gapscope.measured.channels import image_channels


def real(measured: Path, name: str) -> Path:
    path = measured / name
    if not path.is_file():
        pytest.skip(f"{name} is not at hand: set GAPSCOPE_MEASURED to the folder that holds it")
    return path


def test_a_scan_of_fese(measured: Path) -> None:
    found = measurements.open(real(measured, "fese/FeSe_topography.sxm"))
    assert dict(found.sizes) == {"y": 224, "x": 224}
    assert set(found) == {
        f"{name}{backward}"
        for name in ("Z", "Current", "LIY_1_omega", "LIY_n_omega")
        for backward in ("", "_backward")
    }
    assert found.attrs["bias"] == pytest.approx(45.0)
    assert found.attrs["current"] == pytest.approx(450.0)
    assert float(found.x[1]) * 224 == pytest.approx(20.0)
    forward, backward = found.LIY_1_omega.values, found.LIY_1_omega_backward.values
    assert np.corrcoef(forward.ravel(), backward.ravel())[0, 1] > 0.5
    assert abs(np.corrcoef(forward.ravel(), backward[:, ::-1].ravel())[0, 1]) < 0.1


@pytest.mark.parametrize(
    ("name", "pixels", "side"),
    [
        ("2a", 512, 15.0),
        ("2b", 512, 15.0),
        ("2f", 256, 4.99022),
        ("2g", 512, 9.0),
        ("3a", 512, 3.5),
    ],
)
def test_an_image_of_nbs2(measured: Path, name: str, pixels: int, side: float) -> None:
    found = measurements.open(real(measured, f"nbs2/figure_{name}.txt"))
    assert found.image.shape == (pixels, pixels)
    assert found.image.attrs["units"] == "nA"
    for axis in ("x", "y"):
        assert float(found[axis][1]) * pixels == pytest.approx(side)


def test_what_is_no_image_of_nbs2_is_refused(measured: Path) -> None:
    for name in ("2a", "2b", "2f", "2g"):
        with pytest.raises(MeasurementFileError, match="real space"):
            measurements.open(real(measured, f"nbs2/figure_{name}_inset.txt"))
    with pytest.raises(MeasurementFileError, match="loadtxt"):
        measurements.open(real(measured, "nbs2/NbS2_hr.dat"), width=1.0, height=1.0)


def test_spectra_of_nbs2(measured: Path) -> None:
    found = measurements.open(real(measured, "nbs2/figure_3b.txt"))
    assert len(found) == 7
    assert found.sizes == {"bias": 334}
    assert float(found.bias[0]) == pytest.approx(-25.0)


MAP = "rhk/dI-dV_9K_ABC6_2020_07_02_08_50_47_967.sm4"


def test_a_map_of_spectra_from_rhk_lies_in_its_image(measured: Path) -> None:
    """Graphite, of the history of github.com/zrbyte/rhkpy (test/): 1 nm, turned by 10 degrees."""
    path = real(measured, MAP)
    assert measurements.open(path).attrs["left_out"] == "LIA Current_spectra, Current_spectra"
    found = measurements.open(path, variable="LIA Current_spectra")
    assert dict(found.sizes) == {"y": 32, "x": 32, "bias": 81}
    assert found.attrs["scan_angle"] == 10.0
    image = measurements.open(path, variable="Topography")
    for axis in ("x", "y"):
        assert float(found[axis][1]) * 32 == pytest.approx(1.0, rel=1e-3)
        assert float(image[axis][1]) * 256 == pytest.approx(1.0, rel=1e-3)
    np.testing.assert_allclose(found.bias[[0, -1]], [-100.0, 300.0], rtol=1e-5)
    current = measurements.open(path, variable="Current_spectra")["Current_spectra"]
    assert np.corrcoef(current.mean(("y", "x")), current.bias)[0, 1] > 0.9
    assert image.attrs["recorded"] == "2020-07-02T07:44:03"


def test_both_directions_of_an_image_from_rhk_show_the_same(measured: Path) -> None:
    path = real(measured, "rhk/line_hopg_300k_2020_08_11_16_20_04_378.sm4")
    forward, backward = (
        measurements.open(path, variable=name)[name].values
        for name in ("Topography", "Topography_backward")
    )
    assert forward.shape == (8, 512)
    assert np.corrcoef(forward.ravel(), backward.ravel())[0, 1] > 0.9
    assert np.corrcoef(forward.ravel(), backward[:, ::-1].ravel())[0, 1] < 0.0
    spectra = measurements.open(path, variable="Current_spectra")
    assert dict(spectra.sizes) == {"curve": 32, "bias": 241}


INPUTS: dict[str, tuple[dict[str, float], str, tuple[float, float], str]] = {
    "demod.3ds": ({}, "LI Demod 1 X", (5.0, 4.0), "A"),
    "gwyddion_ascii.txt": ({}, "Z", (12.8, 3.2), "m"),
    "gwy_nm.gwy": ({}, "LIX", (12.8, 9.6), "A"),
    "gwy_mask.gwy": ({}, "Z", (12.8, 9.6), "A"),
    "sidam_utf8.ibw": ({}, "topo_Z", (10.24, 7.68), ""),
    "gxsm4.nc": ({"width": 12.8}, "FloatField", (12.8, 9.6), ""),
    "dup.sxm": ({}, "Current", (10.0, 10.0), "A"),
    "zoff.sxm": ({}, "Z", (10.0, 10.0), "m"),
    "wsxm.xyz.txt": ({"width": 6.4}, "image", (6.4, 6.4), ""),
}
"""Small inputs after files of instruments' users: what is given, default channel, sides, unit."""


@pytest.mark.parametrize("name", INPUTS)
def test_inputs_after_reports_of_users(name: str, measured: Path) -> None:
    given, channel, sides, unit = INPUTS[name]
    if name.endswith(".ibw"):
        pytest.importorskip("igor2")
    found = measurements.open(real(measured, f"inputs/{name}"), **given)  # type: ignore[arg-type]
    assert image_channels(found)[0] == channel
    assert found[channel].attrs["units"] == unit
    for axis, side in zip(("x", "y"), sides, strict=True):
        assert float(found[axis][1]) * found.sizes[axis] == pytest.approx(side)
    assert ("current" in found.attrs) == (name == "dup.sxm")


@pytest.mark.parametrize("name", ["gwyddion_ascii.txt", "wsxm.xyz.txt"])
def test_a_width_that_is_not_the_files_is_refused(name: str, measured: Path) -> None:
    with pytest.raises(MeasurementFileError):
        measurements.open(real(measured, f"inputs/{name}"), width=5.0)
