"""simulate: what comes back, and that a file keeps all of it."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
import xarray as xr

import gapscope as gs
from gapscope.errors import MapFileError, NumericsError, SchemaVersionError, StorageError

NUMERICS = gs.Numerics([0.5, -0.25], broadening=2.0, window=16, method=gs.Grid(48))


@pytest.fixture(scope="module")
def state(nbse2: gs.Material) -> gs.Specification:
    impurity = gs.Impurity.scalar(50.0) + gs.Impurity.magnetic((0.0, 5.0, 0.0))
    return gs.Specification(nbse2, gs.Pairing("Eu", gap=1.0, theta=0.3), impurity, eps0=20.0)


@pytest.fixture(scope="module")
def maps(state: gs.Specification) -> xr.Dataset:
    return gs.simulate(state, NUMERICS)


def test_variables_have_the_named_dimensions(maps: xr.Dataset) -> None:
    assert maps["ldos_change"].dims == ("energy", "r1", "r2")
    assert maps["qpi_re"].dims == maps["qpi_im"].dims == ("energy", "q1", "q2")
    assert maps["dos"].dims == ("energy",)


def test_sites_run_from_minus_half_the_window(maps: xr.Dataset) -> None:
    assert maps["r1"].values.tolist() == list(range(-8, 8))
    np.testing.assert_array_equal(maps["q2"], np.arange(-8, 8) / 16)
    assert np.issubdtype(maps["r1"].dtype, np.integer)


def test_energies_keep_their_order(maps: xr.Dataset, state: gs.Specification) -> None:
    assert maps["energy"].values.tolist() == [0.5, -0.25]
    alone = gs.simulate(state, gs.Numerics([-0.25], 2.0, 16, gs.Grid(48)))
    np.testing.assert_array_equal(maps["ldos_change"][1], alone["ldos_change"][0])


def test_everything_has_units(maps: xr.Dataset) -> None:
    for name in ("ldos_change", "qpi_re", "qpi_im", "dos", *maps.coords):
        assert maps[name].attrs["units"], name


def test_the_impurity_is_where_the_map_is_largest(maps: xr.Dataset) -> None:
    at = np.unravel_index(np.abs(maps["ldos_change"].values[0]).argmax(), (16, 16))
    assert [int(maps["r1"][at[0]]), int(maps["r2"][at[1]])] == [0, 0]


def test_the_image_is_the_plain_sum_over_the_hexagon(maps: xr.Dataset) -> None:
    r, q = maps["r1"].values, maps["q1"].values
    r1, r2 = np.meshgrid(r, r, indexing="ij")
    inside = (np.abs(r1) < 8) & (np.abs(r2) < 8) & (np.abs(r1 + r2) < 8)
    values = maps["ldos_change"].values[0]
    phases = np.exp(-2j * np.pi * (q[3] * r1 + q[11] * r2))
    direct = (phases * values)[inside].sum()
    assert maps["qpi_re"].values[0, 3, 11] == pytest.approx(direct.real, rel=1e-12)
    assert maps["qpi_im"].values[0, 3, 11] == pytest.approx(direct.imag, rel=1e-9)


def test_the_paper_convention_is_real_and_differs_for_Eu(
    maps: xr.Dataset, state: gs.Specification
) -> None:
    paper = gs.simulate(state, NUMERICS, convention="paper")
    assert not paper["qpi_im"].values.any()
    difference = np.abs(paper["qpi_re"] - maps["qpi_re"]).max() / np.abs(maps["qpi_re"]).max()
    assert 1e-6 < float(difference) < 0.2


def test_a_map_remembers_how_it_was_made(maps: xr.Dataset, state: gs.Specification) -> None:
    attributes = maps.attrs
    assert attributes["irrep"] == "Eu"
    assert (attributes["gap"], attributes["theta"], attributes["eps0"]) == (1.0, 0.3, 20.0)
    assert (attributes["method"], attributes["kgrid"], attributes["broadening"]) == (
        "grid",
        48,
        2.0,
    )
    assert {"gapscope_version", "julia_version", "julia_runtime"} <= set(attributes)
    assert json.loads(str(maps["specification"].values)) == state.to_dict()


def test_a_file_keeps_every_bit(maps: xr.Dataset, tmp_path) -> None:
    path = gs.write_netcdf(maps, tmp_path / "map.nc")
    assert gs.read_map(path).identical(maps)
    assert [entry.name for entry in tmp_path.iterdir()] == ["map.nc"]


def test_a_file_without_maps_is_refused(tmp_path) -> None:
    with pytest.raises(MapFileError, match="netCDF4"):
        gs.read_map(tmp_path / "absent.nc")
    (tmp_path / "text.nc").write_text("not HDF5")
    with pytest.raises(MapFileError, match="netCDF4"):
        gs.read_map(tmp_path / "text.nc")
    gs.write_netcdf(xr.Dataset({"other": ("x", [1.0])}), tmp_path / "other.nc")
    with pytest.raises(MapFileError, match="without ldos_change"):
        gs.read_map(tmp_path / "other.nc")


def test_a_file_of_a_newer_schema_is_refused(maps: xr.Dataset, tmp_path) -> None:
    path = gs.write_netcdf(maps, tmp_path / "map.nc")
    with h5py.File(path, "a") as file:
        file.attrs["schema"] = 99
    with pytest.raises(SchemaVersionError, match="99"):
        gs.read_map(path)


def test_a_missing_folder_is_a_storage_error(maps: xr.Dataset, tmp_path) -> None:
    with pytest.raises(StorageError, match="absent"):
        gs.write_netcdf(maps, tmp_path / "absent" / "map.nc")


def test_an_unknown_convention_is_refused(state: gs.Specification) -> None:
    with pytest.raises(NumericsError, match="ldos, paper"):
        gs.simulate(state, NUMERICS, convention="other")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"broadening": -0.1}, "positive"),
        ({"broadening": float("nan")}, "positive"),
        ({"window": 15}, "even"),
        ({"window": 64}, "fits"),
        ({"energies": []}, "finite"),
        ({"energies": [float("inf")]}, "finite"),
    ],
)
def test_numerics_that_cannot_be_computed_are_refused(changes: dict, rule: str) -> None:
    good = {"energies": [0.0], "broadening": 0.1, "window": 16, "method": gs.Grid(48)}
    with pytest.raises(NumericsError, match=rule):
        gs.Numerics(**(good | changes))


@pytest.mark.parametrize("kgrid", [0, -4, 1.5, True])
def test_a_k_grid_is_a_positive_whole_number(kgrid: object) -> None:
    with pytest.raises(NumericsError, match="whole number"):
        gs.Grid(kgrid)  # type: ignore[arg-type]


def test_a_batch_needs_equal_numbers_of_orbitals() -> None:
    with pytest.raises(NumericsError, match="at least one"):
        gs.simulate_batch([], NUMERICS)


def test_the_density_of_states_is_that_of_the_maps(
    maps: xr.Dataset, state: gs.Specification
) -> None:
    dos = gs.density_of_states(state, [0.5, -0.25], broadening=2.0, kgrid=48)
    np.testing.assert_allclose(dos, maps["dos"], rtol=1e-12)


def test_the_spectral_function_averages_to_the_density_of_states(
    maps: xr.Dataset, state: gs.Specification
) -> None:
    m = np.stack(np.meshgrid(np.arange(48) / 48, np.arange(48) / 48, indexing="ij"), axis=-1)
    spectral = gs.spectral_function(state, m, [0.5, -0.25], broadening=2.0)
    assert spectral.dims == ("k1", "k2", "energy")
    np.testing.assert_allclose(spectral.mean(("k1", "k2")), maps["dos"], rtol=1e-12)


def test_momenta_need_two_coordinates(state: gs.Specification) -> None:
    with pytest.raises(NumericsError, match="reduced"):
        gs.spectral_function(state, [[0.0, 0.0, 0.0]], [0.0], broadening=1.0)
