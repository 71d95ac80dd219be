"""Every format gives the values of its file, upright, in nm and mV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from gapscope import measured
from measured_files import (
    BIASES,
    COLUMNS,
    GIVEN,
    POINTS,
    ROWS,
    check_frame,
    dat,
    grey,
    grid,
    gwy,
    gwy_field,
    gwy_item,
    gwyo,
    hdf5,
    ibw,
    matrix,
    npy,
    png,
    rows_of_text,
    spectra,
    spip,
    sxm,
    three_ds,
    upright,
)

Opener = Callable[..., xr.Dataset]


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    """Opens bytes as a file of a given name."""

    def opener(content: bytes, name: str = "unnamed", **given: object) -> xr.Dataset:
        path = tmp_path / name
        path.write_bytes(content)
        found = measured.open(path, **given)  # type: ignore[arg-type]
        assert found.attrs.pop("file") == name
        return found

    return opener


@pytest.mark.parametrize("order", ["MSBFIRST", "LSBFIRST"])
@pytest.mark.parametrize("down", [True, False])
def test_a_nanonis_scan_is_upright_in_both_directions(
    opened: Opener, down: bool, order: str
) -> None:
    found = opened(sxm(down, order=order))
    check_frame(found)
    assert list(found) == ["Z", "Z_backward", "LIY_omega", "LIY_omega_backward"]
    np.testing.assert_array_equal(found.Z, upright(0))
    np.testing.assert_array_equal(found.Z_backward, upright(1))
    np.testing.assert_array_equal(found.LIY_omega_backward, 2 * upright(1))
    assert found.LIY_omega.dims == ("y", "x")
    assert found.LIY_omega.dtype == np.float64
    assert found.LIY_omega.attrs == {"units": "A", "long_name": "LIY/omega"}
    assert found.attrs == {
        "source_format": "nanonis-sxm",
        "bias": pytest.approx(45.0),
        "current": pytest.approx(450.0),
        "scan_angle": -45.0,
        "temperature": 4.25,
        "recorded": "2014-10-22T15:19:04",
    }


def test_a_nanonis_scan_may_have_one_direction(opened: Opener) -> None:
    forward, backward = opened(sxm(direction="forward")), opened(sxm(direction="backward"))
    assert list(forward) == ["Z", "LIY_omega"]
    assert list(backward) == ["Z_backward", "LIY_omega_backward"]
    np.testing.assert_array_equal(backward.Z_backward, upright(1))


def test_settings_that_a_scan_does_not_tell_are_absent(opened: Opener) -> None:
    content = sxm().replace(b":BIAS:", b":SAIB:").replace(b"log\t1\t", b"log\t0\t")
    content = content.replace(b"22.10.2014", b"10/22/2014").replace(b":Temp", b":Tmep")
    content = content.replace(b":SCAN_ANGLE:", b":SCAN_ELGNA:")
    assert opened(content).attrs == {"source_format": "nanonis-sxm", "feedback": "off"}


def test_unscanned_lines_are_nan(opened: Opener) -> None:
    content = bytearray(sxm(down=False))
    content[-4 * COLUMNS :] = np.full(COLUMNS, np.nan, dtype=">f4").tobytes()
    found = opened(bytes(content))
    assert found.LIY_omega_backward[-1].isnull().all()
    assert found.LIY_omega_backward[:-1].notnull().all()


@pytest.mark.parametrize("turned", [False, True])
def test_a_nanonis_grid_has_spectra_and_heights(opened: Opener, turned: bool) -> None:
    found = opened(three_ds(start=0.25, stop=-0.25) if turned else three_ds())
    check_frame(found)
    np.testing.assert_allclose(found.bias, np.linspace(-250, 250, POINTS))
    assert found.bias.attrs["units"] == "mV"
    assert found.Current.dims == ("y", "x", "bias")
    np.testing.assert_array_equal(found.Current, grid()[..., :: -1 if turned else 1])
    np.testing.assert_array_equal(found.Current_backward, -found.Current)
    np.testing.assert_array_equal(found.Z, upright(9))
    assert found.attrs["scan_angle"] == -30.0
    assert found.attrs["recorded"] == "2014-10-21T16:48:06"


def test_a_line_cut_is_a_row_of_curves(opened: Opener) -> None:
    found = opened(three_ds(rows=1))
    assert found.Current.dims == ("curve", "bias")
    np.testing.assert_array_equal(found.Current, grid()[0])


def test_a_nanonis_spectrum_is_over_bias(opened: Opener) -> None:
    found = opened(dat())
    np.testing.assert_allclose(found.bias, BIASES)
    assert list(found) == ["Current", "LI Demod 1 X_backward", "Z [filt]"]
    np.testing.assert_allclose(found.Current, BIASES**2)
    np.testing.assert_allclose(found["LI Demod 1 X_backward"], BIASES)
    assert found["Z [filt]"].attrs["units"] == "m"
    assert found.attrs["bias"] == pytest.approx(100.0)
    assert found.attrs["current"] == pytest.approx(50.0)
    assert found.attrs["recorded"] == "2022-11-23T19:29:49"


def test_a_spip_image_starts_at_the_top(opened: Opener) -> None:
    found = opened(spip())
    check_frame(found)
    np.testing.assert_allclose(found.image, upright())
    assert found.image.attrs["units"] == "nA"
    voids = np.zeros((6, 8), dtype=int)
    voids[0, 2] = 1
    masked = opened(spip("# z-unit = [nA]\r\n# voidpixels =1") + rows_of_text(voids).encode())
    assert masked["image"].attrs["units"] == "nA"
    assert np.argwhere(masked["image"].isnull().values).tolist() == [[5, 2]]
    counts = opened(spip("# Bit2nm = 0.5"))
    np.testing.assert_allclose(counts.image, upright() / 2)
    assert counts.image.attrs["units"] == "nm"


@pytest.mark.parametrize("delimiter", [" ", "\t", ",", ";", ", "])
def test_a_matrix_takes_its_scale_from_the_caller(opened: Opener, delimiter: str) -> None:
    for content in (matrix(), rows_of_text(upright()[::-1], delimiter).encode()):
        found = opened(content, **GIVEN)
        check_frame(found)
        np.testing.assert_array_equal(found.image, upright())


def test_a_table_of_spectra_is_sorted_by_bias(opened: Opener) -> None:
    found = opened(spectra())
    np.testing.assert_allclose(found.bias, BIASES)
    np.testing.assert_allclose(found["dI_dV_1"], BIASES**2)
    assert found["dI_dV_1"].attrs == {"units": "nS", "long_name": "dI/dV_1"}
    german = (
        spectra().replace(b",", b";").replace(b".", b",").replace(b"dI/dV_2", b"dI/dV_2, Mittel")
    )
    renamed = found.rename({"dI_dV_2": "dI_dV_2, Mittel"})
    xr.testing.assert_allclose(opened(german), renamed)
    in_volts = opened(spectra().replace(b"(mV)", b"(V)"))
    np.testing.assert_allclose(in_volts.bias, 1e3 * BIASES)


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.uint8, ">f8"])
def test_arrays_and_pictures_take_their_scale_from_the_caller(opened: Opener, kind: str) -> None:
    values = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS).astype(kind)
    for content in (npy(values), npy(np.asfortranarray(values))):
        found = opened(content, **GIVEN)
        check_frame(found)
        np.testing.assert_array_equal(found.image, values[::-1])
    found = opened(png(), **GIVEN)
    check_frame(found)
    np.testing.assert_allclose(found.image, grey(), atol=1e-6)


@pytest.mark.parametrize("storage", [{}, {"compression": "gzip", "fletcher32": True}])
def test_an_hdf5_image_is_unpacked_and_turned_upright(
    opened: Opener, storage: dict[str, object]
) -> None:
    found = opened(hdf5(**storage))
    check_frame(found)
    values = found["scan_dIdV"]
    assert values.attrs == {"units": "nS", "long_name": "scan/dIdV"}
    assert np.isnan(values[-1, 0])
    np.testing.assert_allclose(values[:-1], np.round(upright(), 3)[:-1], atol=1e-12)


def test_an_hdf5_image_over_x_and_y_is_transposed(opened: Opener) -> None:
    def transpose(file: h5py.File) -> None:
        file["turned"] = upright().T
        for axis, name in enumerate("xy"):
            file["turned"].dims[axis].attach_scale(file[name])

    found = opened(hdf5(transpose), variable="turned")
    check_frame(found)
    np.testing.assert_array_equal(found.turned, upright()[::-1])


def test_an_hdf5_image_without_scales_takes_them_from_the_caller(opened: Opener) -> None:
    found = opened(
        hdf5(lambda file: file.create_dataset("bare", data=upright()[::-1])),
        variable="bare",
        **GIVEN,
    )
    check_frame(found)
    np.testing.assert_array_equal(found.bare, upright())


def test_a_netcdf_file_of_xarray_is_read(opened: Opener, tmp_path: Path) -> None:
    original = opened(sxm())
    original[["Z"]].to_netcdf(tmp_path / "again.nc", engine="h5netcdf")
    found = measured.open(tmp_path / "again.nc")
    check_frame(found)
    np.testing.assert_array_equal(found.Z, original.Z)


def test_gwyddion_channels_have_titles(opened: Opener) -> None:
    found = opened(gwy())
    check_frame(found)
    assert list(found) == ["Z", "Z 1"]
    np.testing.assert_array_equal(found.Z, upright())
    np.testing.assert_array_equal(found["Z 1"], upright(1))
    assert found.Z.attrs["units"] == "A"


def test_files_of_gwyddion_1_have_plain_units(opened: Opener) -> None:
    found = opened(gwyo())
    check_frame(found)
    np.testing.assert_array_equal(found["Z"], upright())
    assert found["Z"].attrs["units"] == "A"


def test_a_gwyddion_channel_is_chosen_by_name(opened: Opener) -> None:
    small = gwy_item("/7/data", "o", gwy_field(upright()[:3, :4]))
    found = opened(gwy(small), variable="channel 7")
    assert list(found) == ["channel 7"]
    assert dict(found.sizes) == {"y": 3, "x": 4}


def test_an_igor_wave_is_an_image_a_stack_or_a_grid(opened: Opener) -> None:
    pytest.importorskip("igor2")
    image = opened(ibw(), "wave.ibw")
    check_frame(image)
    np.testing.assert_array_equal(image.current, upright())
    assert image.current.attrs["units"] == "A"
    for steps, flips in (((-2e-9, 1.5e-9), (1, -1)), ((2e-9, -1.5e-9), (-1, 1))):
        half = opened(ibw(steps=(*steps, 0, 0)), "wave.ibw")
        np.testing.assert_allclose(half["current"].values, upright()[:: flips[0], :: flips[1]])
    turned = opened(ibw(steps=(-2e-9, -1.5e-9, 0, 0)), "wave.ibw")
    np.testing.assert_array_equal(turned.current, upright()[::-1, ::-1])
    volume = np.swapaxes(grid(), 0, 1)
    named = opened(ibw(volume, labels=("a", "b", "c", "d", "e")), "wave.ibw")
    assert list(named) == ["a", "b", "c", "d", "e"]
    np.testing.assert_array_equal(named.c, upright(2))
    assert list(opened(ibw(volume), "wave.ibw"))[:2] == ["current 0", "current 1"]
    spectra = opened(ibw(volume, units=("m", "m", "V", "")), "wave.ibw")
    check_frame(spectra)
    np.testing.assert_allclose(spectra.bias, [-200, -100, 0, 100, 200], atol=1e-9)
    np.testing.assert_array_equal(spectra.current, grid())
