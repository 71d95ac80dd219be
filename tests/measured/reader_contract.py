"""What ``gapscope.measured.open`` promises of any file, and how the fuzzers ask for it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import xarray as xr

from gapscope.errors import printable
from gapscope.measured.files import FORMATS, Format
from gapscope.measured.readers.limits import MAX_SIDE, MAX_VALUES

DIMENSIONS = (("y", "x"), ("y", "x", "bias"), ("bias",), ("curve", "bias"))
CONDITIONS = ("harmonic", "pass", "bias", "current", "feedback", "height_offset")
"""What a channel may say besides its units and its name."""
SCALE = {"width": 16.0, "height": 9.0}
ATTEMPTS: dict[str, tuple[dict[str, object], ...]] = {
    "npy": (SCALE,),
    "png": (SCALE,),
    "text": ({}, SCALE),
    "hdf5": ({}, {"variable": "scan/dIdV"}, {"variable": "bare", **SCALE}),
    "gwyddion_simple": ({}, SCALE),
    "gwyddion": ({}, {"variable": "Z"}),
    "matlab": (
        SCALE,
        {"variable": "s.map", "axes": "y, x, bias=s.e V", **SCALE},
        {"variable": "c{2}", "axes": "x=x nm, y=y nm"},
    ),
    "nanosurf": ({}, {"variable": "Spec forward"}, {"variable": "Z-Axis"}),
    "nanoscope": ({}, {"variable": "Height"}),
    "scala": ({}, {"variable": "I(V)"}),
    "rhk": ({}, {"variable": "Current"}, {"variable": "Current_spectra"}),
}
"""What is given with a file of each reader, one after the other until it is read."""


def slug(kind: Format) -> str:
    """A short name of a reader: its module, or what its function reads."""
    read = kind.read.__name__
    return kind.read.__module__.rsplit(".")[-1] if read == "read" else read.removeprefix("read_")


READERS = {slug(kind): kind for kind in FORMATS}


def check_contract(found: xr.Dataset) -> None:
    """Fail unless a dataset has the axes, units and finite values that are promised."""
    assert found.data_vars
    assert sum(values.size for values in found.values()) <= MAX_VALUES
    assert any(values.notnull().any() for values in found.values())
    for name, values in found.items():
        assert values.dims in DIMENSIONS, name
        assert values.dtype == np.float64
        assert {"units", "long_name"} <= set(values.attrs) <= {"units", "long_name", *CONDITIONS}
        check_settings(values.attrs)
        assert printable(str(name)) == name
        assert not np.isinf(values).any()
    for axis, unit in (("x", "nm"), ("y", "nm"), ("bias", "mV")):
        if axis in found.dims:
            assert np.isfinite(found[axis]).all()
            assert 1 <= found.sizes[axis] <= MAX_SIDE
            steps = np.diff(found[axis])
            assert np.all(steps > 0)
            assert found[axis].attrs["units"] == unit
            if axis != "bias":
                assert found[axis][0] == 0
                np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
    check_settings(found.attrs)
    assert found.attrs["source_format"]


def check_settings(settings: Mapping[Hashable, object]) -> None:
    """Fail unless texts are printable, numbers finite, and no current is told without feedback."""
    for key, value in settings.items():
        if isinstance(value, str):
            assert printable(value) == value, key
        else:
            assert np.isfinite(value), key  # type: ignore[call-overload]
    assert settings.get("feedback", "off") == "off"
    assert "current" not in settings or "feedback" not in settings
