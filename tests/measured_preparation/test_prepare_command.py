"""``gapscope prepare``."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result

from gapscope import measured
from gapscope.cli.main import main
from gapscope.errors import MapFileError, SchemaVersionError
from gapscope.measured.default import PHASE
from gapscope.measured.preparation import Steps, prepare
from gapscope.measured.preparation.report import prepared_dataset, read_prepared, report
from gapscope.support.netcdf import write_netcdf
from lattice_maps import NBS2, lattice_map


@pytest.fixture(scope="module")
def image() -> xr.DataArray:
    return lattice_map(degrees=7.0, wave=0.4, noise=0.3, distortion=((1.03, 0.02), (0, 0.99)))


@pytest.fixture
def scan(image: xr.DataArray, tmp_path: Path) -> Path:
    np.save(tmp_path / "scan.npy", image.values[::-1])
    return tmp_path / "scan.npy"


def run(scan: Path, *arguments: object) -> Result:
    side = 0.06 * 128
    common = ["--width", side, "--height", side, "-o", scan.with_suffix(".nc")]
    given = ["prepare", scan, *common, *arguments]
    return CliRunner().invoke(main, [str(one) for one in given])


def test_the_command_is_the_python_function(scan: Path, image: xr.DataArray) -> None:
    figure = scan.with_name("figure.png")
    result = run(scan, "--lattice-constant", NBS2, "--lines", "1", "--size", 8, "--figure", figure)
    assert result.exit_code == 0, result.output
    prepared = prepare(image, NBS2, Steps(lines=1, mask_bragg=True, phase=PHASE))
    assert report(prepared) in result.output
    assert "found at (0.333" in result.output
    written = read_prepared(scan.with_suffix(".nc"))
    np.testing.assert_allclose(written["raw"], image.values)
    np.testing.assert_allclose(written["prepared"], prepared.final.values)
    assert written.sizes["r1"] == 8
    assert written.attrs["lattice_constant_found"] == float(prepared.lattice.constant.value)
    assert written.attrs["wave_found"] == 1
    assert list(written.attrs["steps"]) == [
        "raw",
        "plane",
        "lines",
        "line_noise",
        "drift",
        "phase",
        "masked",
    ]
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_the_centre_is_a_place_in_the_scan(scan: Path, image: xr.DataArray) -> None:
    result = run(scan, "--lattice-constant", NBS2, "--size", 8, "--centre", 4.6, 3.1)
    assert result.exit_code == 0, result.output
    prepared = prepare(image, NBS2, Steps(mask_bragg=True, phase=PHASE))
    place = prepared.corrected((4.6, 3.1))
    assert np.hypot(place[0] - 4.6, place[1] - 3.1) > 0.02
    found = read_prepared(scan.with_suffix(".nc")).attrs["centre"]
    np.testing.assert_allclose(found, prepared.site(place))


def test_slow_distortions_are_left_where_that_is_asked_for(scan: Path) -> None:
    for length, steps in ((0, ["drift", "masked"]), (4, ["drift", "phase", "masked"])):
        result = run(scan, "--lattice-constant", NBS2, "--phase", length)
        assert result.exit_code == 0, result.output
        done = list(read_prepared(scan.with_suffix(".nc")).attrs["steps"])
        assert done == ["raw", "plane", "line_noise", *steps]


def test_another_material_s_lattice_is_not_there_and_a_rare_distortion_is_named(
    scan: Path,
) -> None:
    refused = run(scan, "--lattice-constant", 2.4)
    assert refused.exit_code == 1
    assert "LatticeNotFoundError" in refused.output
    image = lattice_map(noise=0.2, distortion=((1.09, 0), (0, 0.95)))
    assert "Is the material's lattice triangular" in report(prepare(image, NBS2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--lines", "soft"], "median, or a degree"),
        (["--channel", "LIX"], "The maps of this file are"),
        (["--centre", 100, 3], "x runs from 0 to 7.62 and y from 0 to 7.62"),
        (["--centre", "nan", 3], "centre lies within the scan"),
        (["--topograph", "Z"], "The maps of this file are"),
    ],
)
def test_mistakes_are_told(scan: Path, arguments: list[object], message: str) -> None:
    result = run(scan, "--lattice-constant", NBS2, "--size", 8, *arguments)
    assert result.exit_code == 1
    assert message in result.output
    assert not scan.with_suffix(".nc").exists()


def test_a_topograph_of_the_same_netcdf_file_lends_its_lattice(
    image: xr.DataArray, tmp_path: Path
) -> None:
    noise = np.random.default_rng(2).standard_normal((3, *image.shape))
    biases = xr.DataArray([-1.0, 0.0, 1.0], dims="bias", attrs={"units": "mV"})
    didv = xr.DataArray(noise, {"bias": biases, "y": image.y, "x": image.x}, ("bias", "y", "x"))
    scan = xr.Dataset(
        {"didv": didv, "topograph": image, "spectra": (("point", "bias"), noise[0, :2, :3])}
    )
    scan.to_netcdf(tmp_path / "scan.nc", engine="h5netcdf")
    given = ["prepare", tmp_path / "scan.nc", "--channel", "didv", "--topograph", "topograph"]
    given += ["--bias", 1, "--lattice-constant", NBS2, "-o", tmp_path / "prepared.nc"]
    result = CliRunner().invoke(main, [str(one) for one in given])
    assert result.exit_code == 0, result.output
    assert "left out, see --variable: spectra" in result.output
    plain, drawn = (one.reset_coords(drop=True) for one in (didv[2], image))
    expected = prepare(plain, NBS2, Steps(mask_bragg=True), topograph=drawn)
    assert report(expected) in result.output
    written = read_prepared(tmp_path / "prepared.nc")
    np.testing.assert_allclose(written["raw"], noise[2])


@pytest.mark.parametrize(
    ("arguments", "said", "share"),
    [
        ((), "5 mV apart", 0.0),
        (("--bias", 3), "the map nearest to 3 mV, +2 mV off", 1.0),
        (("--bias", 1, "--interpolate"), "interpolated between 0 and 5 mV", 0.2),
    ],
)
def test_the_map_of_a_grid_says_how_far_its_bias_is_off(
    image: xr.DataArray, tmp_path: Path, arguments: tuple[object, ...], said: str, share: float
) -> None:
    noise = np.random.default_rng(3).standard_normal((3, *image.shape))
    biases = xr.DataArray([-5.0, 0.0, 5.0], dims="bias", attrs={"units": "mV"})
    didv = xr.DataArray(
        image.values + noise, {"bias": biases, "y": image.y, "x": image.x}, ("bias", "y", "x")
    )
    didv.to_dataset(name="didv").to_netcdf(tmp_path / "scan.nc", engine="h5netcdf")
    given = ["prepare", tmp_path / "scan.nc", "--lattice-constant", NBS2, "--no-drift"]
    given += [*arguments, "-o", tmp_path / "prepared.nc"]
    result = CliRunner().invoke(main, [str(one) for one in given])
    assert result.exit_code == 0, result.output
    assert "of spectra at 3 from -5 to 5 mV" in result.output
    assert said in result.output
    raw = read_prepared(tmp_path / "prepared.nc")["raw"]
    expected = image.values + (1 - share) * noise[1] + share * noise[2]
    np.testing.assert_allclose(raw, expected, atol=1e-12)


def test_the_map_of_each_step_is_written_for_gwyddion(scan: Path) -> None:
    target = scan.with_suffix(".gwy")
    wrong = run(scan, "--lattice-constant", NBS2, "--gwyddion", scan.with_suffix(".txt"))
    assert wrong.exit_code == 1
    assert "ends in .gwy" in wrong.output
    assert not scan.with_suffix(".nc").exists()
    result = run(scan, "--lattice-constant", NBS2, "--size", 8, "--gwyddion", target)
    assert result.exit_code == 0, result.output
    written = read_prepared(scan.with_suffix(".nc"))
    last = f"image, {written.attrs['steps'][-1]}"
    np.testing.assert_array_equal(measured.open(target, variable=last)[last], written["prepared"])
    raw = measured.open(target, variable="image, raw")["image, raw"]
    np.testing.assert_array_equal(raw, written["raw"])


def test_a_stopped_scan_is_prepared_from_its_finished_lines(
    image: xr.DataArray, scan: Path
) -> None:
    values = image.values.copy()
    values[:40] = np.nan
    np.save(scan, values[::-1])
    arguments = ["--lattice-constant", NBS2, "--size", 8, "--centre", 4.6, 5.1]
    refused = run(scan, *arguments)
    assert refused.exit_code == 1
    assert "--finished" in refused.output
    assert not scan.with_suffix(".nc").exists()
    result = run(scan, *arguments, "--finished", "--no-drift")
    assert result.exit_code == 0, result.output
    assert "88 of 128 lines were finished, y = 2.4 to 7.62 nm" in result.output
    expected = prepare(image[40:], NBS2, Steps(mask_bragg=True, drift=False))
    assert report(expected) in result.output
    written = read_prepared(scan.with_suffix(".nc"))
    np.testing.assert_allclose(written["y_raw"], image.y[40:])
    np.testing.assert_allclose(written.attrs["centre"], expected.site((4.6, 5.1)))


@pytest.mark.parametrize("option", ["-o", "--figure"])
def test_a_measurement_is_not_written_over(option: str, scan: Path) -> None:
    before = scan.read_bytes()
    same = scan.parent / ".." / scan.parent.name / scan.name
    result = run(scan, "--lattice-constant", NBS2, "--size", 8, option, same)
    assert result.exit_code == 1
    assert "not written over" in result.output
    assert scan.read_bytes() == before


def test_files_of_other_kinds_and_versions_are_refused(image: xr.DataArray, tmp_path: Path) -> None:
    prepared = prepare(image, NBS2)
    whole = prepared_dataset(prepared, prepared.network_input())
    path = write_netcdf(whole.assign_attrs(prepared_schema=99), tmp_path / "newer.nc")
    with pytest.raises(SchemaVersionError, match="99"):
        read_prepared(path)
    path = write_netcdf(whole.isel(r1=slice(3)), tmp_path / "cut.nc")
    with pytest.raises(MapFileError, match="ldos_change"):
        read_prepared(path)
    path = write_netcdf(whole.assign_attrs(prepared_schema=[1, 2]), tmp_path / "two.nc")
    with pytest.raises(MapFileError, match="gapscope prepare"):
        read_prepared(path)
    with h5py.File(path, "a") as file:
        file.create_dataset("bomb", (60000, 60000), "f8", chunks=(100, 100), compression="gzip")
    with pytest.raises(MapFileError, match="are read at most"):
        read_prepared(path)
    path.write_bytes(b"nothing")
    with pytest.raises(MapFileError, match="gapscope prepare"):
        read_prepared(path)
