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


UNITS = {
    "ldos_change": "1/meV",
    "qpi_re": "1/meV",
    "qpi_im": "1/meV",
    "dos": "1/meV",
    "energy": "meV",
    "r1": "a1",
    "r2": "a2",
    "q1": "b1",
    "q2": "b2",
    "x": "Angstrom",
    "y": "Angstrom",
    "qx": "1/Angstrom",
    "qy": "1/Angstrom",
}


def test_everything_has_its_unit(maps: xr.Dataset) -> None:
    named = {name: str(maps[name].attrs.get("units")) for name in (*maps.data_vars, *maps.coords)}
    assert named.pop("specification") == "None"
    assert named == UNITS
    attributes = {name: maps.attrs[f"{name}_units"] for name in ("energy", "broadening", "angle")}
    assert attributes == {"energy": "meV", "broadening": "meV", "angle": "rad"}
    assert maps.attrs["lattice_constant_units"] == "Angstrom"


def test_sites_lie_where_the_lattice_of_nbse2_has_them(maps: xr.Dataset) -> None:
    """a1 = 3.44 Angstrom along x, a2 at 60 degrees from it, by numbers written out."""
    expected = {(1, 0): (3.44, 0.0), (0, 1): (1.72, 2.97913), (-3, 2): (-6.88, 5.95825)}
    for (r1, r2), place in expected.items():
        there = maps.sel(r1=r1, r2=r2)
        assert (float(there["x"]), float(there["y"])) == pytest.approx(place, abs=1e-5)


def test_momenta_are_those_of_the_reciprocal_lattice_of_nbse2(maps: xr.Dataset) -> None:
    """M = b1/2 at 1.05454 1/Angstrom; K = (2 b1 + b2)/3 is not on a window of 16 sites."""
    expected = {(-0.5, 0.0): (-0.91326, 0.52727), (0.0, 0.25): (0.0, 0.52727)}
    for (q1, q2), momentum in expected.items():
        there = maps.sel(q1=q1, q2=q2)
        assert (float(there["qx"]), float(there["qy"])) == pytest.approx(momentum, abs=1e-5)


def test_plane_waves_of_the_coordinates_are_those_of_the_sites(maps: xr.Dataset) -> None:
    """q.r in radians is the same from qx, qy, x, y as from the reduced coordinates."""
    site, momentum = maps.isel(r1=3, r2=13), maps.isel(q1=1, q2=6)
    cartesian = float(momentum.qx * site.x + momentum.qy * site.y)
    reduced = 2 * np.pi * float(momentum.q1 * site.r1 + momentum.q2 * site.r2)
    assert cartesian == pytest.approx(reduced, rel=1e-12)


def test_spectra_have_their_units(state: gs.Specification) -> None:
    dos = gs.density_of_states(state, [0.5], broadening=2.0, kgrid=48)
    spectral = gs.spectral_function(state, [[0.5, 0.0]], [0.5], broadening=2.0)
    assert (dos.units, dos.energy.units) == ("1/meV", "meV")
    assert (spectral.units, spectral.energy.units) == ("1/meV", "meV")
    assert (spectral.kx.units, spectral.ky.units) == ("1/Angstrom", "1/Angstrom")
    there = (float(spectral.kx[0]), float(spectral.ky[0]))
    assert there == pytest.approx((0.91326, -0.52727), abs=1e-5)  # M, 1.05454 from Gamma


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
