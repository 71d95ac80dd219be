"""Files for Gwyddion hold the maps that were written, each with its size and its unit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from gapscope.errors import PreparationError, StorageError
from gapscope.measured.gwyddion_file import without_prefixes, write_gwyddion


def image(rows: int = 20, columns: int = 24, unit: str = "A") -> xr.DataArray:
    values = np.random.default_rng(rows).normal(size=(rows, columns))
    y, x = 3.0 + 0.5 * np.arange(rows), 0.25 * np.arange(columns)
    axes = {"y": ("y", y, {"units": "nm"}), "x": ("x", x, {"units": "nm"})}
    return xr.DataArray(values, axes, ("y", "x"), "LIX", {"units": unit})


def test_maps_come_back_with_titles_sizes_and_units(tmp_path: Path) -> None:
    maps = {"raw": image(), "levelled \u00e9": 2 * image().assign_attrs(units="A")}
    maps["levelled \u00e9"].attrs["units"] = "a.u."
    path = write_gwyddion(maps, tmp_path / "maps.gwy", {"source": "scan.sxm", "steps": "two\0"})
    found = measured.open(path)
    assert list(found) == list(maps)
    for title, one in maps.items():
        np.testing.assert_array_equal(found[title], one)
        assert found[title].attrs["units"] == one.attrs["units"]
    np.testing.assert_allclose(found.x, image().x)
    np.testing.assert_allclose(found.y, image().y - 3.0)
    assert b"scan.sxm\0" in path.read_bytes()


@pytest.mark.parametrize(
    ("unit", "power", "plain"),
    [
        ("nS", -9, "S"),
        ("pA", -12, "A"),
        ("m", 0, "m"),
        ("mm", -3, "m"),
        ("Å", -10, "m"),
        ("nA/mV", -6, "A/V"),
        ("nm^2", -18, "m^2"),
        ("V", 0, "V"),
        ("1", 0, "1"),
        ("", 0, ""),
        ("ms/x", 0, "ms/x"),
    ],
)
def test_units_lose_the_prefixes_that_gwyddion_does_not_read(
    unit: str, power: int, plain: str, tmp_path: Path
) -> None:
    assert without_prefixes(unit) == (power, plain)
    path = write_gwyddion({"map": image(unit=unit)}, tmp_path / "maps.gwy")
    found = measured.open(path)["map"]
    assert found.attrs["units"] == plain
    np.testing.assert_allclose(found, 10.0**power * image(), rtol=1e-12)


def test_maps_of_several_sizes_are_channels_of_their_own(tmp_path: Path) -> None:
    path = write_gwyddion({"a": image(), "b": image(16, 16)}, tmp_path / "maps.gwy")
    found = measured.open(path, variable="b")
    np.testing.assert_array_equal(found["b"], image(16, 16))


def test_what_is_no_map_and_another_ending_are_refused(tmp_path: Path) -> None:
    holes = image()
    holes[2, 3] = np.nan
    with pytest.raises(PreparationError):
        write_gwyddion({"a": holes}, tmp_path / "maps.gwy")
    with pytest.raises(StorageError, match=r"ends in \.gwy"):
        write_gwyddion({"a": image()}, tmp_path / "maps.txt")
    assert not list(tmp_path.iterdir())
