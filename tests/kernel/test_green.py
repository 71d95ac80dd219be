"""The Green's function as a result: what follows from it is what the kernel computes."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import h5py
import numpy as np
import pytest
import xarray as xr

import gapscope as gs
from gapscope import measured
from gapscope.errors import (
    ConvergenceWarning,
    MapFileError,
    MeasurementFileError,
    NumericsError,
)
from gapscope.physics import Bonds, Lattice, Material, Orbital
from gapscope.physics.scattering import scattered_trace
from gapscope.simulation.map_dataset import Convention
from oracle import Oracle

ENERGIES = (0.0, 0.7, -0.7, 1.9)
MANY = (
    gs.Impurity.scalar(50.0)
    + gs.Impurity.magnetic((10.0, -5.0, 20.0), site=(2, -1))
    + gs.Impurity.hopping(-15.0, site=(0, 0), to=(-1, 2))
    + gs.Impurity.gap(0.4, site=(1, 1), to=(2, 1))
)
IMPURITIES = {
    "scalar": gs.Impurity.scalar(50.0),
    "moment in the plane": gs.Impurity.magnetic((30.0, -20.0, 5.0)),
    "away from the origin": gs.Impurity.scalar(-80.0, site=(-3, 2)),
    "several, bonds and gap": MANY,
}
PAIRINGS = {
    "A1g": gs.Pairing("A1g", 1.0, theta=0.4),
    "A1u": gs.Pairing("A1u", 1.0),
    "Eg, complex": gs.Pairing("Eg", 1.0, theta=0.4, phi=0.3),
    "normal": gs.Pairing.normal(),
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def nbse2(pairing: str, impurity: gs.Impurity = IMPURITIES["scalar"]) -> gs.Specification:
    return gs.Specification(gs.material("nbse2"), PAIRINGS[pairing], impurity, eps0=20.0)


def two_orbitals(impurity: gs.Impurity) -> gs.Specification:
    """Two orbitals on two places, with spin-orbit coupling and an s wave: one block of eight."""
    hop = np.kron(np.eye(2), [[-60.0, 25.0], [10.0, 30.0]])
    onsite = np.array([[5, 0, 0, 8], [0, -20, -8, 0], [0, -8, 5, 0], [8, 0, 0, -20]], complex)
    bonds = {(0, 0): onsite, (1, 0): hop, (0, 1): hop}
    bonds |= {(-1, 0): hop.T, (0, -1): hop.T}
    basis = (Orbital("s"), Orbital("pz", (0.5, 0.5), 0.7))
    material = Material("two", Lattice("square", 3.8), Bonds.from_dict(bonds), basis=basis)
    singlet = Bonds.from_dict({(0, 0): 2.0 * np.array([[0, 1], [-1, 0]])})
    return gs.Specification(material, gs.Pairing.from_bonds(singlet), impurity)


def assert_same(one: xr.Dataset, two: xr.Dataset, within: float) -> None:
    for name in ("ldos_change", "qpi_re", "qpi_im", "dos", "ldos_change_orbital", "dos_orbital"):
        assert (name in one) == (name in two)
        if name in one:
            assert one[name].dims == two[name].dims
            scale = abs(two["qpi_re" if name == "qpi_im" else name]).max()
            assert float(abs(one[name] - two[name]).max()) <= within * float(scale), name
    assert json.loads(one["specification"].item()) == json.loads(two["specification"].item())
    assert one.attrs.keys() == two.attrs.keys()
    for name in one.coords:
        np.testing.assert_array_equal(one[name].values, two[name].values)


@pytest.mark.parametrize("impurity", IMPURITIES)
@pytest.mark.parametrize("pairing", PAIRINGS)
def test_maps_on_a_grid_follow_for_any_impurities(pairing: str, impurity: str) -> None:
    numerics = gs.Numerics(ENERGIES, 0.5, 16, kgrid=48)
    green = gs.green_function(nbse2(pairing), numerics, reach=3)
    spec = nbse2(pairing, IMPURITIES[impurity])
    for convention in get_args(Convention):
        found = gs.simulate_from_green(green, spec.impurity, convention=convention)
        assert_same(found, gs.simulate(spec, numerics, convention), 1e-12)


@pytest.mark.parametrize("impurity", ["scalar", "several, bonds and gap"])
@pytest.mark.parametrize("pairing", PAIRINGS)
def test_the_converged_map_of_its_own_impurity_follows(pairing: str, impurity: str) -> None:
    """From the same k points."""
    numerics = gs.Numerics(ENERGIES, 1.5, 16, accuracy=0.01)
    spec = nbse2(pairing, IMPURITIES[impurity])
    found = gs.simulate_from_green(gs.green_function(spec, numerics), spec.impurity)
    kernel = gs.simulate(spec, numerics)
    assert_same(found, kernel, 1e-12)
    for name in ("relative_error", "relative_error_away"):
        np.testing.assert_allclose(found[name], kernel[name], rtol=0.05)
    np.testing.assert_array_equal(found["rows"], kernel["rows"])


def test_converged_maps_of_other_impurities_know_their_error() -> None:
    numerics = gs.Numerics((0.0, 0.7), 0.3, 16, accuracy=0.01)
    green = gs.green_function(nbse2("A1u"), numerics, reach=3)
    for impurity in IMPURITIES.values():
        found = gs.simulate_from_green(green, impurity)
        finer = gs.simulate(nbse2("A1u", impurity), replace(numerics, method=gs.Converged(1e-4)))
        off = np.linalg.norm(found.ldos_change - finer.ldos_change, axis=(1, 2))
        off /= np.linalg.norm(finer.ldos_change, axis=(1, 2))
        assert (off < 1.2 * found.relative_error.values + 1e-4).all()
        assert (found.relative_error < 0.05).all()


@pytest.mark.parametrize("method", [gs.Grid(32), gs.Converged(0.01)])
def test_orbitals_and_atoms(method: gs.Grid | gs.Converged) -> None:
    weighted = gs.Impurity.scalar(40.0, orbitals=[1.0, 0.3])
    between = gs.Impurity.onsite([[10, 5j], [-5j, -10]]) + gs.Impurity.scalar(30.0, site=(1, -2))
    numerics = gs.Numerics((0.0, 3.0), 3.0, 12, method)
    for impurity in (weighted, between):
        spec = two_orbitals(impurity)
        green = gs.green_function(spec, numerics)
        for by_orbital in (False, True):
            found = gs.simulate_from_green(green, impurity, by_orbital=by_orbital)
            # Rows of large blocks are sampled until they stand still, to 1e-5 squared.
            close = 1e-12 if isinstance(method, gs.Grid) else 1e-8
            assert_same(found, gs.simulate(spec, numerics, by_orbital=by_orbital), close)
        states = gs.states_from_green(green, by_orbital=True)
        np.testing.assert_allclose(states.sum("orbital"), gs.states_from_green(green))
        np.testing.assert_allclose(gs.states_from_green(green), found.dos, rtol=1e-12)


def test_components_are_those_of_the_oracle() -> None:
    """Every element of G(r), also between holes, at the place that its coordinates say."""
    spec = two_orbitals(gs.Impurity.scalar(0.0))
    green = gs.green_function(spec, gs.Numerics((3.0,), 3.0, 8, kgrid=12)).green[0]
    right = Oracle(spec.bdg().at, np.zeros((8, 8)), 12, 3.0, 3.0).propagator
    for r1, r2 in [(0, 0), (4, -4), (-3, 1), (2, 0)]:
        np.testing.assert_allclose(green.sel(r1=r1, r2=r2), right[r1, r2], atol=1e-12)
    hole = green.sel(r1=0, r2=0).values[green.nambu.values == "hole"]
    assert hole.shape == (4, 8)
    assert green.orbital.values.tolist() == ["s", "pz"] * 4
    assert green.spin.values.tolist() == ["up", "up", "down", "down"] * 2


def test_energies_of_opposite_sign_are_those_of_each_alone() -> None:
    spec = nbse2("Eg, complex")
    both = gs.green_function(spec, gs.Numerics((0.7, -0.7), 0.5, 8, kgrid=24)).green
    alone = gs.green_function(spec, gs.Numerics((-0.7,), 0.5, 8, kgrid=24)).green
    assert float(abs(both[1] - alone[0]).max()) < 1e-12


def test_a_smaller_window_serves_impurities_further_out() -> None:
    numerics = gs.Numerics((0.3,), 0.5, 16, kgrid=48)
    green = gs.green_function(nbse2("A1g"), numerics)
    far = gs.Impurity.scalar(50.0, site=(0, 2))
    with pytest.raises(NumericsError, match="window = 12 fits") as refused:
        gs.simulate_from_green(green, far)
    assert "reach = 2" in refused.value.remedy
    with pytest.raises(NumericsError, match="compute") as refused:
        gs.simulate_from_green(green, far, window=20)
    needed = int(refused.value.remedy.split("reach = ")[1].rstrip("."))
    wide = gs.green_function(nbse2("A1g"), numerics, reach=needed)
    assert gs.simulate_from_green(wide, far, window=20).sizes["r1"] == 20
    found = gs.simulate_from_green(green, far, window=12)
    assert_same(found, gs.simulate(nbse2("A1g", far), replace(numerics, window=12)), 1e-12)
    more = gs.green_function(nbse2("A1g"), numerics, reach=2)
    assert_same(gs.simulate_from_green(more, far), gs.simulate(nbse2("A1g", far), numerics), 1e-12)
    with pytest.raises(NumericsError, match="sites of the window"):
        gs.simulate_from_green(more, gs.Impurity.scalar(1.0, site=(5, 0)), window=8)


@pytest.mark.parametrize("reach", [1, -1, 2.0, True, "3"])
def test_a_reach_less_than_the_impurity_needs_is_refused(reach: object) -> None:
    spec = nbse2("A1g", gs.Impurity.scalar(50.0, site=(2, 0)))
    with pytest.raises(NumericsError, match="needs 2"):
        gs.green_function(spec, gs.Numerics((0.0,), 0.5, 8, kgrid=24), reach=reach)  # type: ignore[arg-type]


def test_memory_is_asked_for_before_anything_is_computed() -> None:
    with pytest.raises(NumericsError, match="one energy at a time takes") as refused:
        gs.green_function(nbse2("A1g"), gs.Numerics(np.linspace(0, 1, 20_000), 0.5, 128, kgrid=256))
    assert "4 x 4 components on 129 x 129 sites at 20000 energies" in str(refused.value)


@pytest.mark.parametrize("method", [gs.Grid(24), gs.Converged(0.05)])
def test_a_file_holds_all_of_it(method: gs.Grid | gs.Converged, tmp_path: Path) -> None:
    spec = nbse2("A1u", MANY)
    green = gs.green_function(spec, gs.Numerics((0.0, 0.7), 0.5, 8, method))
    found = gs.read_green(gs.write_netcdf(green, tmp_path / "green.nc"))
    assert found.identical(green)
    one, two = (gs.simulate_from_green(g, MANY) for g in (found, green))
    assert one.identical(two)
    with h5py.File(tmp_path / "green.nc") as file:
        assert file["green_re"].dtype == file["green_im"].dtype == np.float64
    with pytest.raises(MapFileError, match="variables"):
        gs.read_map(tmp_path / "green.nc")


DAMAGE = {
    "no specification": lambda g: g.drop_vars("specification"),
    "other text": lambda g: g.assign(specification="{}"),
    "no energy axis": lambda g: g.isel(energy=0),
    "half of the sites": lambda g: g.isel(r1=slice(3, None)),
    "sites moved": lambda g: g.assign_coords(r1=g.r1 + 1),
    "components missing": lambda g: g.isel(row=slice(2)),
    "not finite": lambda g: g.assign(green=g.green.where(g.r1 > 0)),
    "real": lambda g: g.assign(green=g.green.real),
    "no method": lambda g: g.assign_attrs(method="grid", kgrid="many"),
    "no window": lambda g: g.drop_attrs(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_no_greens_function_is_refused(damage: str, tmp_path: Path) -> None:
    green = gs.green_function(nbse2("A1g"), gs.Numerics((0.0,), 0.5, 8, kgrid=24))
    wrong = DAMAGE[damage](green)
    for use in (gs.states_from_green, lambda g: gs.simulate_from_green(g, MANY)):
        with pytest.raises(MapFileError):
            use(wrong)
    with pytest.raises(MapFileError):
        gs.read_green(gs.write_netcdf(wrong, tmp_path / "wrong.nc"))


def test_what_is_simulated_is_no_greens_function_and_no_measured_file(tmp_path: Path) -> None:
    maps = gs.simulate(nbse2("A1g"), gs.Numerics((0.0,), 0.5, 8, kgrid=24))
    with pytest.raises(MapFileError):
        gs.read_green(gs.write_netcdf(maps, tmp_path / "map.nc"))
    green = gs.green_function(nbse2("A1g"), gs.Numerics((0.0,), 0.5, 8, kgrid=24))
    for other in (str(tmp_path / "green.nc"), green["green"]):
        with pytest.raises(MapFileError, match="read_green"):
            gs.simulate_from_green(other, MANY)  # type: ignore[arg-type]
    for simulated, remedy in ((maps, "gapscope predict"), (green, "simulate --green")):
        path = gs.write_netcdf(simulated, tmp_path / "simulated.nc")
        for given in ({}, {"width": 5.0}):
            with pytest.raises(MeasurementFileError, match=remedy):
                measured.open(path, **given)  # type: ignore[arg-type]


def test_a_cut_of_energies_and_sites_serves_too() -> None:
    numerics = gs.Numerics(ENERGIES, 0.5, 16, kgrid=48)
    green = gs.green_function(nbse2("A1g"), numerics)
    cut = green.sel(energy=[1.9], r1=slice(-4, 4), r2=slice(-4, 4))
    small = replace(numerics, energies=(1.9,), window=8)
    found = gs.simulate_from_green(cut, IMPURITIES["scalar"], window=8)
    assert_same(found, gs.simulate(nbse2("A1g"), small), 1e-12)


def test_large_windows_are_worked_through_a_few_rows_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = nbse2("A1u", MANY)
    green = gs.green_function(spec, gs.Numerics((5.0,), 3.0, 10, kgrid=24)).green.values[0]
    whole = scattered_trace(green, spec.scatterers(), 10)
    monkeypatch.setattr("gapscope.physics.scattering.PIECE", 300)
    np.testing.assert_allclose(scattered_trace(green, spec.scatterers(), 10), whole, rtol=1e-12)


def test_a_progress_bar_changes_nothing() -> None:
    numerics = gs.Numerics(ENERGIES, 0.5, 8, accuracy=0.05)
    spec = nbse2("A1g")
    assert gs.green_function(spec, numerics, progress=True).identical(
        gs.green_function(spec, numerics)
    )
