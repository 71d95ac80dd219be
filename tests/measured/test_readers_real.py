"""Real files, where they are at hand: NbS2 (SPIP, spectra) and FeSe (Nanonis)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gapscope import measured as measurements
from gapscope.errors import MeasurementFileError


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
