"""The variables of a netCDF file that lie on the same axes are opened together."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from gapscope.errors import MeasurementFileError
from gapscope.measured.channels import image_of
from gapscope.measured.readers import hdf5 as reader
from measured_files import (
    COLUMNS,
    HEIGHT,
    POINTS,
    ROWS,
    WIDTH,
    check_frame,
    grid,
    hdf5,
    multipass_sxm,
    sxm,
    upright,
)
from reader_contract import check_contract
from refusals import refused

Opener = Callable[..., xr.Dataset]
BIAS = np.linspace(0.2, -0.2, POINTS)  # V


def labelled(*dims: str) -> xr.Dataset:
    """A dataset as xarray's users have them, its grid over dimensions in any order."""
    axes = {
        "y": (HEIGHT / ROWS * np.arange(ROWS), "nm"),
        "x": (WIDTH / COLUMNS * np.arange(COLUMNS), "nm"),
        "bias": (BIAS, "V"),
    }
    spectra = xr.DataArray(grid(), dims=("y", "x", "bias"))
    return xr.Dataset(
        {
            "didv": spectra.transpose(*(dims or ("bias", "y", "x"))).assign_attrs(units="nS"),
            "topograph": (("y", "x"), upright(7), {"units": "pm"}),
            "turned": (("x", "y"), upright(8).T),
            "density": ("bias", np.ones(POINTS)),
        },
        {name: (name, values, {"units": unit}) for name, (values, unit) in axes.items()},
    )


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    """Opens what xarray writes of a dataset."""

    def opener(dataset: xr.Dataset, **given: object) -> xr.Dataset:
        dataset.to_netcdf(tmp_path / "file.nc", engine="h5netcdf")
        found = measured.open(tmp_path / "file.nc", **given)  # type: ignore[arg-type]
        check_contract(found)
        return found

    return opener


@pytest.mark.parametrize("dims", [*itertools.permutations(("bias", "y", "x"))])
def test_images_and_a_grid_on_the_same_axes_are_channels(
    dims: tuple[str, ...], opened: Opener
) -> None:
    found = opened(labelled(*dims))
    check_frame(found)
    assert set(found) == {"didv", "topograph", "turned"}
    np.testing.assert_allclose(found.bias, 1e3 * BIAS[::-1], atol=1e-9)
    assert found.didv.dims == ("y", "x", "bias")
    np.testing.assert_array_equal(found.didv, grid()[..., ::-1])
    assert found.didv.attrs["units"] == "nS"
    np.testing.assert_array_equal(found.topograph, upright(7))
    np.testing.assert_array_equal(found.turned, upright(8))
    assert "left_out" not in found.attrs
    np.testing.assert_array_equal(image_of(found, bias=100.0), upright(1))


def test_units_may_be_words(opened: Opener) -> None:
    """As pint-xarray writes those that nanonis-xarray has given."""
    words = labelled()
    for axis, factor, word in (
        ("x", 1e-9, "meter"),
        ("y", 1.0, "nanometer"),
        ("bias", 1.0, "volt"),
    ):
        words[axis] = words[axis] * factor
        words[axis].attrs["units"] = word
    found, plain = opened(words), opened(labelled())
    xr.testing.assert_allclose(found, plain)
    assert found["x"].attrs["units"] == "nm"


def test_scales_of_the_same_values_are_the_same_axes(tmp_path: Path) -> None:
    """NSID keeps every dataset in a group, with scales of its own."""
    whole = labelled("x", "y", "bias")
    for name, one in (("a", whole[["didv"]]), ("b", whole[["topograph"]])):
        mode = "w" if name == "a" else "a"
        one.to_netcdf(tmp_path / "file.h5", engine="h5netcdf", group=name, mode=mode)
    found = measured.open(tmp_path / "file.h5")
    check_contract(found)
    assert set(found) == {"a_didv", "b_topograph"}
    np.testing.assert_array_equal(found["a_didv"], grid()[..., ::-1])
    np.testing.assert_array_equal(found["b_topograph"], upright(7))
    moved = whole[["topograph"]].assign_coords(x=whole.x + 1.0)
    moved.to_netcdf(tmp_path / "file.h5", engine="h5netcdf", group="c", mode="a")
    refused(tmp_path / "file.h5", "same axes")


def test_one_of_them_is_opened_alone(opened: Opener) -> None:
    assert list(opened(labelled(), variable="topograph")) == ["topograph"]
    alone = opened(labelled(), variable="/didv")
    assert list(alone) == ["didv"]
    np.testing.assert_array_equal(alone.didv, grid()[..., ::-1])


def test_grids_alone_are_opened_together(opened: Opener) -> None:
    two = labelled()[["didv"]].assign(other=-labelled().didv)
    assert list(opened(two)) == ["didv", "other"]


def test_images_on_several_axes_are_refused_by_name(opened: Opener, tmp_path: Path) -> None:
    coarse = labelled().topograph[::2, ::2].rename(y="v", x="u")
    with pytest.raises(MeasurementFileError, match="same axes") as caught:
        opened(labelled().assign(overview=coarse))
    assert "overview (3 v in nm, 4 u in nm), topograph (6 y in nm, 8 x" in str(caught.value)
    found = measured.open(tmp_path / "file.nc", variable="overview")
    np.testing.assert_array_equal(found.overview, upright(7)[::2, ::2])


def test_grids_on_several_axes_are_refused_by_name(opened: Opener) -> None:
    one = labelled()[["didv"]]
    for other in (one.didv.rename(bias="sweep"), one.didv.rename(y="v", x="u")):
        with pytest.raises(MeasurementFileError, match=r"didv \(5 bias in V, 6 y in nm, 8 x"):
            opened(one.assign(other=other))


def lzf(path: Path) -> None:
    with h5py.File(path, "a") as file:
        stored = file.create_dataset("packed", data=file["didv"][...], compression="lzf")
        for axis, name in enumerate(("bias", "y", "x")):
            stored.dims[axis].attach_scale(file[name])
        del file["didv"]
        file.move("packed", "didv")


UNFIT: dict[str, Callable[[xr.Dataset], xr.Dataset]] = {
    "other pixels": lambda one: one.assign(didv=one.didv.rename(y="v", x="u")),
    "two biases": lambda one: one.assign(more=one.didv.rename(bias="sweep")),
    "bias up and down": lambda one: one.assign_coords(bias=("bias", BIAS**2, {"units": "V"})),
    "no bias": lambda one: one.assign_coords(bias=("bias", BIAS, {"units": "eV"})),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_grid_that_does_not_go_with_the_images_is_left_out_and_named(
    case: str, opened: Opener
) -> None:
    unfit = UNFIT[case](labelled().drop_vars("density"))
    found = opened(unfit)
    check_frame(found)
    assert set(found) == {"topograph", "turned"}
    np.testing.assert_array_equal(found.topograph, upright(7))
    assert found.attrs["left_out"] == ", ".join(name for name in ("didv", "more") if name in unfit)
    with pytest.raises(MeasurementFileError, match="Left out were didv") as caught:
        image_of(found, "didv")
    assert "--variable" in caught.value.remedy


def test_a_grid_that_is_not_read_is_left_out_and_named(opened: Opener, tmp_path: Path) -> None:
    opened(labelled())
    lzf(tmp_path / "file.nc")
    found = measured.open(tmp_path / "file.nc")
    assert set(found) == {"topograph", "turned"}
    assert found.attrs["left_out"] == "didv"
    refused(tmp_path / "file.nc", "with gzip", variable="didv")


def test_a_matrix_without_scales_is_left_out_and_named(opened: Opener) -> None:
    found = opened(labelled().assign(calibration=(("i", "j"), np.eye(3))))
    assert set(found) == {"didv", "topograph", "turned"}
    assert found.attrs["left_out"] == "calibration"


def test_the_limit_holds_for_all_channels_together(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = ROWS * COLUMNS
    monkeypatch.setattr(reader, "MAX_VALUES", (2 + POINTS) * size)
    assert set(opened(labelled())) == {"didv", "topograph", "turned"}
    monkeypatch.setattr(reader, "MAX_VALUES", (2 + POINTS) * size - 1)
    without = opened(labelled())
    assert set(without) == {"topograph", "turned"}
    assert without.attrs["left_out"] == "didv"
    monkeypatch.setattr(reader, "MAX_VALUES", 2 * size - 1)
    refused(tmp_path / "file.nc", "at most 95 values")
    assert list(measured.open(tmp_path / "file.nc", variable="topograph")) == ["topograph"]


def test_without_units_the_width_is_given_and_rows_start_at_the_top(
    opened: Opener, tmp_path: Path
) -> None:
    dataset = labelled().drop_vars("turned")
    bare = dataset.assign_coords({name: (name, dataset[name].values) for name in "yx"})
    with pytest.raises(MeasurementFileError, match="y in no unit, x in no unit") as caught:
        opened(bare)
    assert "--width" in caught.value.remedy
    assert "units" in caught.value.remedy
    found = opened(bare, width=WIDTH, height=HEIGHT)
    check_frame(found)
    np.testing.assert_array_equal(found.topograph, upright(7)[::-1])
    np.testing.assert_array_equal(found.didv, grid()[::-1, :, ::-1])


def test_a_grid_without_a_bias_is_told_its_units(opened: Opener) -> None:
    grids = labelled()[["didv"]]
    for unit, told in (("meV", "bias in meV"), ("", "bias in no unit")):
        with pytest.raises(MeasurementFileError, match=told):
            opened(grids.assign_coords(bias=("bias", BIAS, {"units": unit})))


def test_whole_numbers_may_have_the_fill_value_of_netcdf(tmp_path: Path) -> None:
    def change(fill: int, file: h5py.File) -> None:
        file.create_dataset("counts", (ROWS, COLUMNS), "i2", fillvalue=fill)[1:] = -32767
        file["counts"][0] = -32767
        file["counts"][1] = 5
        for axis, name in enumerate(("y", "x")):
            file["counts"].dims[axis].attach_scale(file[name])

    for fill, missing in ((0, 0), (-32767, (ROWS - 1) * COLUMNS)):
        (tmp_path / "counts.nc").write_bytes(hdf5(partial(change, fill)))
        found = measured.open(tmp_path / "counts.nc", variable="counts")
        assert int(found["counts"].isnull().sum()) == missing


def test_netcdf_3_is_told_how_to_be_saved(tmp_path: Path) -> None:
    (tmp_path / "file.nc").write_bytes(b"CDF\x02" + bytes(100))
    assert "h5netcdf" in refused(tmp_path / "file.nc", "is one of Nanonis").remedy


def test_what_was_opened_and_saved_keeps_what_it_states(tmp_path: Path) -> None:
    """As after a cut, in Python; attributes that are none of these kinds are left out."""
    for name, content in (
        ("scan.sxm", sxm()),
        ("passes.sxm", multipass_sxm(("[P1]_Z", "[P1]_I", "[P2]_Z", "[P2]_LI Demod 1 X"))),
    ):
        (tmp_path / name).write_bytes(content)
        first = measured.open(tmp_path / name).isel(y=slice(1, None))
        first.to_netcdf(tmp_path / "saved.nc", engine="h5netcdf")
        again = measured.open(tmp_path / "saved.nc")
        kept = {
            key: first.attrs[key] for key in first.attrs if key not in ("file", "source_format")
        }
        assert len(kept) > 1
        assert kept.items() <= again.attrs.items()
        for channel in first:
            about = {k: v for k, v in first[channel].attrs.items() if k != "long_name"}
            assert about.items() <= again[channel].attrs.items()
        first.assign_attrs(bias="5 mV", scan_angle=[1.0, 2.0]).to_netcdf(
            tmp_path / "odd.nc", engine="h5netcdf"
        )
        assert {"bias", "scan_angle"}.isdisjoint(measured.open(tmp_path / "odd.nc").attrs)


def test_packed_coordinates_are_unpacked(tmp_path: Path) -> None:
    """As tools write them that save space, by scale_factor and add_offset."""

    def pack(file: h5py.File) -> None:
        for axis, length, points in (("y", HEIGHT, ROWS), ("x", WIDTH * 1e-9, COLUMNS)):
            file[axis][...] = np.arange(points)[:: -1 if axis == "y" else 1]
            file[axis].attrs.update({"scale_factor": length / points, "add_offset": 3.0 * length})

    (tmp_path / "packed.nc").write_bytes(hdf5(pack))
    check_frame(measured.open(tmp_path / "packed.nc"))


GAPS = {
    "never written": ({}, 9.969209968386869e36, 9.969209968386869e36),
    "written anew": ({"_FillValue": np.float32(np.nan)}, None, 9.969209968386869e36),
    "another precision": ({"missing_value": np.float64(1e20)}, None, 1e20),
    "several values": ({"missing_value": [-1.0, -99.0]}, None, -99.0),
    "out of range": ({"valid_range": [0.0, 1000.0]}, None, -5.0),
    "below": ({"valid_min": 0.0}, None, -5.0),
}


@pytest.mark.parametrize("case", GAPS)
def test_what_netcdf_says_is_missing_is_not_measured(case: str, tmp_path: Path) -> None:
    attributes, fill, held = GAPS[case]

    def change(file: h5py.File) -> None:
        values = np.array(1 + upright() ** 2, np.float32)[::-1]
        del file["scan"]
        one = file.create_dataset("dIdV", values.shape, np.float32, fillvalue=fill)
        one[1:] = values[1:]
        one[0] = held
        one.attrs.update(attributes)
        for axis, name in enumerate(("y", "x")):
            one.dims[axis].attach_scale(file[name])

    (tmp_path / "gaps.nc").write_bytes(hdf5(change))
    found = measured.open(tmp_path / "gaps.nc")["dIdV"].values
    np.testing.assert_allclose(found[:-1], 1 + upright()[:-1] ** 2, rtol=1e-6)
    assert np.isnan(found[-1]).all()
