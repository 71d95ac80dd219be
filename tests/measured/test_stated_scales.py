"""Scales, units and names that a file states itself, in the languages and units that occur."""

from __future__ import annotations

import io
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from scipy.io import netcdf_file

from gapscope import measured
from gapscope.errors import MeasurementFileError
from measured_files import (
    COLUMNS,
    GIVEN,
    ROWS,
    WIDTH,
    check_frame,
    grid,
    gwy,
    gwyddion_text,
    ibw,
    rows_of_text,
    upright,
    xyz,
)
from reader_contract import check_contract
from refusals import refused


def opened(folder: Path, content: bytes, name: str = "file.txt", **given: object) -> xr.Dataset:
    (folder / name).write_bytes(content)
    found = measured.open(folder / name, **given)  # type: ignore[arg-type]
    check_contract(found)
    return found


ENGLISH = ("Channel", "Width", "Height", "Value units")
GERMAN = ("Kanal", "Breite", "Höhe", "Werteinheiten")
HEADERS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "English": (ENGLISH, "16.00 nm", "9.00 nm"),
    "German": (GERMAN, "16,00 nm", "9,00 nm"),
    "German, partly translated": ((*GERMAN[:3], "Value units"), "16,00 nm", "9,00 nm"),
    "French": (("Canal ", "Largeur ", "Hauteur ", "Unités "), "16,0 nm", "9,0 nm"),
    "Japanese": (("チャネル", "幅", "高さ", "値の単位"), "16 nm", "9 nm"),
    "unknown language": (("Sianel", "Lled", "Uchder", "Unedau"), "16.0 nm", "9.0 nm"),
    "micrometre": (ENGLISH, "0.016 µm", "0.009 µm"),
    "Greek mu": (ENGLISH, "0.016 μm", "0.009 um"),
    "picometre": (GERMAN, "16000 pm", "9000 pm"),
    "metre": (ENGLISH, "1.6e-8 m", "9E-9 m"),
    "Angstrom": (ENGLISH, "160 Å", "90 \u212b"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("case", HEADERS)
def test_a_text_export_of_gwyddion_has_its_own_scale(
    case: str, encoding: str, tmp_path: Path
) -> None:
    content = gwyddion_text(*HEADERS[case])
    try:
        written = content.encode(encoding)
    except UnicodeEncodeError:
        pytest.skip("not written so")
    found = opened(tmp_path, written)
    check_frame(found)
    assert list(found) == ["Strom"]
    assert found["Strom"].attrs["units"] == "A"
    np.testing.assert_allclose(found["Strom"], upright())
    with pytest.raises(MeasurementFileError, match="tells its own scale"):
        opened(tmp_path, written, width=5.0)


def test_a_text_export_of_several_images_has_those_on_the_pixels_of_the_first(
    tmp_path: Path,
) -> None:
    first = gwyddion_text(ENGLISH, "16 nm", "9 nm")
    other = first.replace("Strom", "Phase").replace(": A\n", ": deg\n")
    zoom = gwyddion_text(ENGLISH, "8 nm", "4.5 nm").replace("Strom", "Zoom")
    found = opened(tmp_path, f"{first}\n{other}\n{zoom}{first}".encode())
    check_frame(found)
    assert list(found) == ["Strom", "Phase", "Strom 2"]
    assert found["Phase"].attrs["units"] == "deg"
    np.testing.assert_allclose(found["Phase"], upright())
    assert found.attrs["left_out"] == "Zoom"
    alone = opened(tmp_path, (first + zoom).encode(), variable="Zoom")
    assert float(alone.x[1]) == 1.0
    with pytest.raises(MeasurementFileError, match="named by its title"):
        opened(tmp_path, (first + zoom).encode(), variable="Z")
    with pytest.raises(MeasurementFileError, match="height of every image"):
        opened(tmp_path, f"{first}# more\n1 2 3\n".encode())


def test_a_text_export_has_decimal_commas_where_its_numbers_do(tmp_path: Path) -> None:
    content = gwyddion_text(GERMAN, "16,00 nm", "9,00 nm")
    head, numbers = content.partition("A\n")[::2]
    found = opened(tmp_path, f"{head}A\n{numbers.replace('.', ',')}".encode())
    np.testing.assert_allclose(found["Strom"], upright())


@pytest.mark.parametrize(
    ("width", "told"),
    [
        ("16.0 1/nm", "16.0 1/nm"),
        ("16.0 nm<sup>-1</sup>", "<sup>"),
        ("16.0 s", "16.0 s"),
        ("16.0", "16.0"),
        ("0.00 nm", "nm long"),
    ],
)
def test_a_text_export_of_no_image_is_refused(width: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(MeasurementFileError, match=r"real space|nm long") as caught:
        opened(tmp_path, gwyddion_text(ENGLISH, width, "9.0 nm").encode())
    assert told in str(caught.value)


def test_a_text_with_one_side_only_is_refused(tmp_path: Path) -> None:
    for side in ("Width", "Höhe"):
        content = f"# {side}: 16.0 nm\n" + rows_of_text(upright())
        with pytest.raises(MeasurementFileError, match="a length in"):
            opened(tmp_path, content.encode(), **GIVEN)
    plain = "# Tip: 16.0 nm\n" + rows_of_text(upright()[::-1])
    check_frame(opened(tmp_path, plain.encode(), **GIVEN))


def test_named_columns_x_y_z_are_told_to_be_comments_with_a_width_too(tmp_path: Path) -> None:
    path = tmp_path / "xyz.txt"
    text = xyz(np.arange(ROWS * COLUMNS))
    path.write_text("x (nm)\ty (nm)\tz\n" + text)
    error = refused(path, "A table of spectra", **GIVEN)
    assert "begin that line with #" in error.remedy
    path.write_text("# x (nm)\ty (nm)\tz\n" + text)
    assert measured.open(path, **GIVEN)["image"].shape == (ROWS, COLUMNS)


def test_a_matrix_may_have_decimal_commas(tmp_path: Path) -> None:
    for delimiter in ("\t", ";", " "):
        text = rows_of_text(upright()[::-1], delimiter).replace(".", ",")
        found = opened(tmp_path, text.encode(), **GIVEN)
        np.testing.assert_array_equal(found.image, upright())
    mixed = rows_of_text(upright()).replace(".", ",", 1)
    with pytest.raises(MeasurementFileError, match="one decimal mark"):
        opened(tmp_path, mixed.encode(), **GIVEN)


def test_columns_of_places_are_an_image_if_the_width_confirms_their_unit(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(ROWS * COLUMNS)
    for lines in (np.arange(ROWS * COLUMNS), order):
        content = xyz(lines).encode()
        check_frame(opened(tmp_path, content, width=WIDTH))
        found = opened(tmp_path, content, **GIVEN)
        np.testing.assert_allclose(found.image, upright())
        for wrong in ({"width": 5.0}, {}, {"width": WIDTH, "height": 5.0}):
            with pytest.raises(MeasurementFileError, match="confirms that they are in nm"):
                opened(tmp_path, content, **wrong)
    with pytest.raises(MeasurementFileError, match="every place of their grid once"):
        opened(tmp_path, xyz(np.arange(ROWS * COLUMNS - 1)).encode(), width=WIDTH)


@pytest.mark.parametrize("columns", [2, 3, 4])
def test_a_table_without_names_is_no_image(columns: int, tmp_path: Path) -> None:
    table = np.random.default_rng(1).normal(size=(200, columns))
    with pytest.raises(MeasurementFileError, match="is a matrix, or columns"):
        opened(tmp_path, rows_of_text(table).encode(), width=5.0)


@pytest.mark.parametrize(("unit", "factor"), [("nm", 1e9), ("µm", 1e6), ("pm", 1e12)])
def test_a_gwyddion_file_may_have_any_unit_of_length(
    unit: str, factor: float, tmp_path: Path
) -> None:
    check_frame(opened(tmp_path, gwy(scale=factor, unit=unit), "file.gwy"))


def test_a_gwyddion_title_of_one_letter_is_a_character(tmp_path: Path) -> None:
    content = gwy().replace(b"/0/data/title\0sZ\0", b"/0/data/title\0cQ")
    size = int.from_bytes(content[17:21], "little") - 1
    content = content[:17] + size.to_bytes(4, "little") + content[21:]
    assert list(opened(tmp_path, content, "file.gwy")) == ["Q", "Z"]


STACK = np.stack([upright(seed).T for seed in range(3)], axis=-1)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_an_igor_wave_has_its_units_in_either_encoding(encoding: str, tmp_path: Path) -> None:
    pytest.importorskip("igor2")
    content = ibw(units=("Å", "µm", "", ""), steps=(20.0, 1.5e-3, 0, 0), encoding=encoding)
    check_frame(opened(tmp_path, content, "wave.ibw"))


def test_an_igor_wave_may_have_long_units(tmp_path: Path) -> None:
    pytest.importorskip("igor2")
    content = ibw(units=("Angstrom", "Angstrom", "", ""), steps=(20.0, 15.0, 0, 0))
    check_frame(opened(tmp_path, content, "wave.ibw"))


LAYERS: dict[str, tuple[tuple[str, ...], str, list[tuple[str, str]]]] = {
    "labels": (
        ("Height (nm)", "dI/dV [nS]", "I"),
        "",
        [("Height", "nm"), ("dI_dV", "nS"), ("I", "A")],
    ),
    "note": (
        ("HeightRetrace", "CurrentRetrace", "PhaseRetrace"),
        "HeightUnit: pm\rCurrentUnit: nA\r",
        [("HeightRetrace", "pm"), ("CurrentRetrace", "nA"), ("PhaseRetrace", "A")],
    ),
    "Asylum": (
        ("HeightRetrace", "CurrentRetrace", "UserIn0Trace"),
        "ImagingMode: 1\rScanSize: 1e-8\r",
        [("HeightRetrace", "m"), ("CurrentRetrace", "A"), ("UserIn0Trace", "V")],
    ),
    "wave": (("Z", "Y", "X"), "", [("Z", "A"), ("Y", "A"), ("X", "A")]),
}


@pytest.mark.parametrize("case", LAYERS)
def test_layers_of_an_igor_wave_have_units_of_their_own(case: str, tmp_path: Path) -> None:
    pytest.importorskip("igor2")
    labels, note, told = LAYERS[case]
    found = opened(tmp_path, ibw(STACK, labels=labels, note=note), "wave.ibw")
    assert [(name, one.attrs["units"]) for name, one in found.items()] == told
    np.testing.assert_array_equal(found[told[1][0]], upright(1))


def over_dimensions_of_one(shape: tuple[int, ...]) -> bytes:
    """FloatField over time, value, dimy and dimx, the first of length one, without units."""
    file = io.BytesIO()
    with h5py.File(file, "w") as whole:
        field = whole.create_dataset("FloatField", data=upright()[::-1].reshape(shape))
        names = ("time", "value", "dimy", "dimx")[-len(shape) :]
        for axis, (name, points) in enumerate(zip(names, shape, strict=True)):
            whole[name] = np.arange(float(points))
            whole[name].make_scale(name)
            field.dims[axis].attach_scale(whole[name])
    return file.getvalue()


@pytest.mark.parametrize("shape", [(1, 1, ROWS, COLUMNS), (1, ROWS, COLUMNS)])
def test_dimensions_of_length_one_are_left_out(shape: tuple[int, ...], tmp_path: Path) -> None:
    found = opened(tmp_path, over_dimensions_of_one(shape), "file.nc", **GIVEN)
    check_frame(found)
    np.testing.assert_array_equal(found.FloatField, upright())


def test_a_bias_of_one_value_is_a_grid(tmp_path: Path) -> None:
    axes = {"bias": ("bias", [3.0], {"units": "mV"})}
    axes |= {name: (name, np.arange(float(n)), {"units": "nm"}) for name, n in (("y", 4), ("x", 5))}
    one = xr.Dataset({"didv": (("bias", "y", "x"), np.ones((1, 4, 5)))}, axes)
    one.to_netcdf(tmp_path / "one.nc", engine="h5netcdf")
    assert measured.open(tmp_path / "one.nc").didv.dims == ("y", "x", "bias")


def test_a_classic_file_of_others_is_read_after_what_the_error_says(tmp_path: Path) -> None:
    path, copy = tmp_path / "old.nc", tmp_path / "copy.nc"
    with netcdf_file(path, "w") as file:
        shape = {"time": 1, "value": 1, "dimy": ROWS, "dimx": COLUMNS}
        for name, points in shape.items():
            file.createDimension(name, points)
            file.createVariable(name, "d", (name,))[:] = np.arange(points)
        file.createVariable("FloatField", "f", tuple(shape))[:] = upright()[None, None, ::-1]
    with pytest.raises(MeasurementFileError) as caught:
        measured.open(path)
    call = caught.value.remedy.partition(": ")[2]
    eval(call, {"xarray": xr, "path": path, "copy": copy})
    found = measured.open(copy, **GIVEN)
    check_frame(found)
    np.testing.assert_allclose(found.FloatField, upright(), rtol=1e-6)


def test_a_grid_keeps_its_bias_apart_from_layers(tmp_path: Path) -> None:
    pytest.importorskip("igor2")
    volume = np.swapaxes(grid(), 0, 1)
    found = opened(tmp_path, ibw(volume, units=("m", "m", "mV", "")), "wave.ibw")
    assert found.current.dims == ("y", "x", "bias")


def test_a_third_dimension_with_another_unit_is_not_taken_for_layers(tmp_path: Path) -> None:
    volume = np.stack([seed + upright().T for seed in range(3)], axis=-1)
    path = tmp_path / "wave.ibw"
    path.write_bytes(ibw(volume, units=("m", "m", "meV", "")))
    assert '"mV"' in refused(path, "the bias, or of layers").remedy


def test_a_wave_may_list_the_units_of_its_layers(tmp_path: Path) -> None:
    pytest.importorskip("igor2")
    content = ibw(STACK[..., :2]).replace(b"A\0\0\0", b"m;A\0", 1)
    found = opened(tmp_path, content, "wave.ibw")
    assert [one.attrs["units"] for one in found.values()] == ["m", "A"]
