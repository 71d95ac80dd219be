"""What an error of a reader advises leads to a file that is read, once it is done."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as other
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from gapscope.errors import MeasurementFileError
from gapscope.measured.channels import image_channels, image_of
from measured_files import (
    BIASES,
    GIVEN,
    WIDTH,
    dat,
    dat_header,
    grid,
    gwy,
    gwy_field,
    gwy_item,
    gwyddion_text,
    hdf5,
    matrix,
    npy,
    rows_of_text,
    segmented_3ds,
    spectra,
    spip,
    sxm,
    three_ds,
    upright,
    xyz,
)
from reader_contract import check_contract
from sm4_files import Sm4Page, sm4_file

Given = dict[str, object]


@dataclass(frozen=True)
class Case:
    """A file that is refused, words of the remedy, and the file, or what is given, by it."""

    content: bytes
    words: str
    done: bytes | None = None
    given: Given | None = None
    at_first: Given | None = None
    name: str = "file"


def with_time(file: h5py.File) -> None:
    """Two images in one variable, as of two moments and two directions."""
    del file["scan"]
    file["movie"] = np.ones((2, 2, 6, 8))


def frames(file: h5py.File) -> None:
    with_time(file)
    for i, one in enumerate(file["movie"][0]):
        file[f"image{i}"] = one
    for axis, name in enumerate("yx"):
        for i in range(2):
            file[f"image{i}"].dims[axis].attach_scale(file[name])


def uneven(file: h5py.File) -> None:
    file["x"][0] = -1.0


def second_size(file: h5py.File) -> None:
    small = file.create_dataset("small", data=np.ones((3, 4)))
    for axis, points in enumerate((3, 4)):
        scale = file.create_dataset(f"s{axis}", data=np.arange(float(points)))
        scale.attrs["units"] = "nm"
        scale.make_scale(f"s{axis}")
        small.dims[axis].attach_scale(scale)


def units(unit: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        for name in "xy":
            file[name].attrs["units"] = unit

    return change


PROFILE = spip().replace(b"# Start of Data:\r\n", b"# Start of Profile:\r\n")
LOOP = [*BIASES, *BIASES[::-1]]
UP_DOWN = "\n".join(["bias (mV),I", *(f"{b},{b}" for b in LOOP), ""]).encode()
ENDS = segmented_3ds(grid(), ((-0.1, 0.1, 5),), (-0.2, 0.1))
PAGE = Sm4Page(upright())
SWEPT = Sm4Page(
    grid()[0], label="I", units=("m", " ", "A"), steps=(-0.1, 1.0), start=0.2, kind=1, line=8
)
CASES: dict[str, Case] = {
    "no scale": Case(matrix(), "--width 15", given={"width": 15.0}),
    "height alone": Case(npy(), "Give the width", given=GIVEN, at_first={"height": 9.0}),
    "own scale": Case(sxm(), "Leave width", given={}, at_first=GIVEN),
    "own scale, text": Case(
        gwyddion_text(("Channel", "Width", "Height", "Unit"), "16 nm", "9 nm").encode(),
        "Leave width",
        given={},
        at_first=GIVEN,
    ),
    "no variables": Case(sxm(), "Leave variable", given={}, at_first={"variable": "Z"}),
    "compressed": Case(gzip.compress(sxm()), "Unpack", done=sxm()),
    "UTF-16": Case(matrix().decode().encode("utf-16"), "UTF-8", done=matrix(), given=GIVEN),
    "profile": Case(
        PROFILE,
        "the first bias (mV)",
        done=b"bias (mV)\tI\n" + rows_of_text(np.stack([BIASES, BIASES], axis=-1)).encode(),
    ),
    "profile, image": Case(PROFILE, "Export the image itself", done=spip()),
    "table without names": Case(
        rows_of_text(np.stack([BIASES] * 2, axis=-1).repeat(9, 0)).encode(),
        "name the columns",
        done=spectra(),
        at_first=GIVEN,
    ),
    "places": Case(
        xyz(np.arange(48)).encode(), "--width 16", given={"width": WIDTH}, at_first={"width": 5.0}
    ),
    "places in Angstrom": Case(
        xyz(np.arange(48)).encode(), "multiply x and y", given={"width": WIDTH}, at_first={}
    ),
    "prose": Case(
        b"Image of Tuesday\n" + matrix().split(b"\n", 2)[2],
        "with #",
        done=b"# Image of Tuesday\n" + matrix().split(b"\n", 2)[2],
        given=GIVEN,
        at_first=GIVEN,
    ),
    "prose with commas": Case(
        b"Image, of Tuesday\n" + matrix().split(b"\n", 2)[2],
        "with #",
        done=b"# Image, of Tuesday\n" + matrix().split(b"\n", 2)[2],
        given=GIVEN,
    ),
    "no unit of bias": Case(spectra().replace(b"bias (mV)", b"bias"), "bias (mV)", done=spectra()),
    "no name of bias": Case(
        spectra().replace(b"bias (mV)", b"U (mV)"), "bias (mV)", done=spectra()
    ),
    "up and down": Case(
        UP_DOWN,
        "texts of their own",
        done="\n".join(UP_DOWN.decode().split("\n")[: 1 + len(BIASES)]).encode(),
    ),
    "decimal marks": Case(
        rows_of_text(upright()).replace(".", ",", 1).encode(),
        "decimal points",
        done=rows_of_text(upright()).encode(),
        given=GIVEN,
        at_first=GIVEN,
    ),
    "transform": Case(
        gwyddion_text(("Channel", "Width", "Height", "Unit"), "16 1/nm", "9 1/nm").encode(),
        "delete the comments",
        done=rows_of_text(upright()).encode(),
        given=GIVEN,
    ),
    "ends of the segments": Case(
        ENDS, "correct the header", done=ENDS.replace(b"=-1.000000E-01,", b"=-2.000000E-01,")
    ),
    "points of the segments": Case(
        segmented_3ds(grid(), ((-0.1, 0.1, 4),)),
        "correct the header's steps",
        done=segmented_3ds(grid(), ((-0.1, 0.1, 4),)).replace(b"360E-3,4,", b"360E-3,5,"),
    ),
    "range of a spectrum": Case(
        dat_header(dat(), -0.05, 0.05), "correct the header", done=dat_header(dat(), -0.1, 0.1)
    ),
    "entry of a header": Case(sxm().replace(b"\ndown", b"\nleft"), "correct the entry", done=sxm()),
    "endless setting": Case(
        sxm().replace(b"4.500E-2", b"4.5E+307"), "remove the entry", done=sxm()
    ),
    "stopped": Case(three_ds()[:-60], "finished=True", given={"finished": True}),
    "two sizes, Gwyddion": Case(
        gwy(gwy_item("/5/data", "o", gwy_field(upright()[:2]))),
        "variable=",
        given={"variable": "Z"},
    ),
    "momentum, Gwyddion": Case(
        gwy(gwy_item("/5/data", "o", gwy_field(upright(), "1/m"))),
        "variable=",
        given={"variable": "Z"},
    ),
    "two sizes, RHK": Case(
        sm4_file(PAGE, other(PAGE, values=upright()[:3], label="Z")),
        "variable=",
        given={"variable": "Z"},
    ),
    "transform, RHK": Case(
        sm4_file(
            other(PAGE, units=("m-1", "m-1", "A"), label="F"), other(PAGE, steps=(1e-9, 1e-9))
        ),
        "variable=",
        given={"variable": "Current"},
        at_first={"variable": "F"},
    ),
    "distance, RHK": Case(
        sm4_file(SWEPT, other(SWEPT, label="U", units=("V", " ", "A"), line=7)),
        "variable=",
        given={"variable": "U"},
        at_first={"variable": "I"},
    ),
    "two sizes, netCDF": Case(hdf5(second_size), "variable=", given={"variable": "small"}),
    "no units, netCDF": Case(hdf5(units("")), '"nm"', done=hdf5()),
    "no units, width": Case(hdf5(units("")), "--width 15", given={"width": 15.0}),
    "films": Case(hdf5(with_time), "variable of its own", done=hdf5(frames)),
    "uneven": Case(hdf5(uneven), "uniform coordinates", done=hdf5()),
    "uneven, with a width": Case(
        hdf5(uneven), "uniform coordinates", done=hdf5(), at_first={"width": 5.0}
    ),
    "filter": Case(
        hdf5(lambda f: None, compression="lzf"), "gzip or none", done=hdf5(compression="gzip")
    ),
    "film, npy": Case(npy(upright()[None]), "array[0].real", done=npy(), given=GIVEN),
    "complex, npy": Case(npy(upright() * 1j), "array[0].real", done=npy(), given=GIVEN),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_is_read_after_what_the_error_advises(case: str, tmp_path: Path) -> None:
    one = CASES[case]
    path = tmp_path / one.name
    path.write_bytes(one.content)
    with pytest.raises(MeasurementFileError) as caught:
        measured.open(path, **(one.at_first or {}))  # type: ignore[arg-type]
    assert one.words in caught.value.remedy
    if one.done is not None:
        path.write_bytes(one.done)
    check_contract(measured.open(path, **(one.given or {})))  # type: ignore[arg-type]


def test_uniform_coordinates_come_of_xarray(tmp_path: Path) -> None:
    path, copy = tmp_path / "uneven.nc", tmp_path / "even.nc"
    x = np.array([0.0, 1, 2, 3.5])
    axes = {"y": ("y", np.arange(3.0), {"units": "nm"}), "x": ("x", x, {"units": "nm"})}
    xr.Dataset({"Z": (("y", "x"), np.ones((3, 4)))}, axes).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(MeasurementFileError, match="uniform"):
        measured.open(path)
    even = xr.load_dataset(path).interp(x=np.linspace(0, 3, 4), y=np.arange(3.0))
    for name in "xy":
        even[name].attrs["units"] = "nm"
    even.to_netcdf(copy, engine="h5netcdf")
    check_contract(measured.open(copy))


def test_pixels_that_were_not_measured(tmp_path: Path) -> None:
    """Whole lines may be left out; where every line has some, the finished ones are not advised."""
    path = tmp_path / "scan.npy"
    values = upright().copy()
    values[:2] = np.nan
    np.save(path, values)
    scan = measured.open(path, width=5.0)
    with pytest.raises(MeasurementFileError) as caught:
        image_of(scan)
    assert "finished=True" in caught.value.remedy
    assert image_of(measured.open(path, width=5.0, finished=True)).sizes["y"] == 4
    values = upright().copy()
    np.fill_diagonal(values, np.nan)
    np.save(path, values)
    scan = measured.open(path, width=5.0)
    with pytest.raises(MeasurementFileError) as caught:
        image_of(scan)
    assert "interpolate" in caught.value.remedy
    assert "finished" not in caught.value.remedy
    image_of(scan.interpolate_na("x", fill_value="extrapolate"))


def test_a_channel_and_a_bias_are_named_by_the_error(tmp_path: Path) -> None:
    path = tmp_path / "grid.3ds"
    path.write_bytes(three_ds())
    scan = measured.open(path)
    with pytest.raises(MeasurementFileError) as caught:
        image_of(scan, "LIX")
    assert all(name in str(caught.value) for name in image_channels(scan))
    with pytest.raises(MeasurementFileError, match="from -250 to 250 mV"):
        image_of(scan, "Current", 300.0)
    image_of(scan, "Current", 250.0)


def test_a_path_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(MeasurementFileError, match="Name the files in it"):
        measured.open(tmp_path)
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.sm4", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs"),
        ("a.txt", b"<!DOCTYPE html>\n<html></html>\n", "download the file itself"),
        ("a.Z_flat", b"FLAT0100" + bytes(9), "data file _mtrx"),
        ("m1.tb0", bytes(range(256)), "open the .par beside it"),
        ("a.specgrid", np.array([4, 64, 64], "<i4").tobytes(), "scipy.io.savemat"),
    ],
)
def test_what_stands_in_the_place_of_a_file_is_told(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MeasurementFileError) as caught:
        measured.open(tmp_path / name)
    assert told in caught.value.remedy
