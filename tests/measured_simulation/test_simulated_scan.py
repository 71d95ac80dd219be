"""Whole simulated measurements against maps simulated one by one."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import gapscope as gs
from gapscope import measured as measurements
from gapscope.errors import SettingError
from gapscope.instrument.distortion import Distortion
from gapscope.instrument.image import Field
from gapscope.instrument.scan import simulate_measurement, simulate_spectra
from gapscope.instrument.scan_noise import ScanNoise
from gapscope.instrument.settings import IDEAL, Measurement, Setpoint
from gapscope.measured.preparation import Steps, network_input, prepare
from gapscope.physics.fourier import centred_window
from gapscope.physics.lattice import symmetric_window

STATE = gs.Specification(
    gs.material("nbse2"), gs.Pairing("A1u", 1.0), gs.Impurity.scalar(200.0), eps0=20.0
)
A = 0.1 * STATE.material.lattice.constant
CELLS, PIXELS = 16, 4
FIELD = Field(
    CELLS * A,
    CELLS * A * np.sqrt(3) / 2,
    CELLS * PIXELS,
    CELLS * PIXELS,
    origin=(8 * A, 8 * A * np.sqrt(3) / 2),
)
"""Every site lies on a pixel: r at column 32 + 4 r1 + 2 r2 and row 32 + 4 r2."""
CLEAN = replace(IDEAL, field=FIELD, broadening=1.0, orbital=0.15, accuracy=0.002)


def on_sites(image: xr.DataArray, reach: int = 4) -> NDArray[np.float64]:
    r = np.arange(-reach, reach + 1)
    return np.array([[image.values[32 + 4 * r2, 32 + 4 * r1 + 2 * r2] for r2 in r] for r1 in r])


@cache
def simulated(*energies: float, state: gs.Specification = STATE) -> xr.Dataset:
    return gs.simulate(state, gs.Numerics(energies, 1.0, 34, gs.Converged(0.002)))


def cut(values: NDArray[np.float64], reach: int = 4) -> NDArray[np.float64]:
    middle = values.shape[-1] // 2
    inside = slice(middle - reach, middle + reach + 1)
    return values[..., inside, inside]


def test_an_ideal_scan_shows_the_density_of_states_on_the_sites() -> None:
    scan = simulate_measurement(STATE, CLEAN)
    maps = simulated(0.0, 10.0)
    expected = float(maps.dos[0]) + cut(maps.ldos_change.values[0])
    found = on_sites(scan.conductance) * scan.attrs["conductance_unit"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert scan.attrs["conductance_unit"] == pytest.approx(float(maps.dos[1]), rel=2e-3)
    assert "topograph" not in scan
    assert (float(scan.impurity_x[0]), float(scan.impurity_y[0])) == pytest.approx(FIELD.origin)


def test_heat_and_modulation_average_over_energies() -> None:
    state = replace(STATE, pairing=gs.Pairing("A1g", 1.0, theta=0.0))
    scan = simulate_measurement(state, replace(CLEAN, temperature=3.0, modulation=0.3, bias=0.4))
    # By hand, on a dense axis.
    phase = np.pi * np.arange(1, 25) / 25
    kt = 0.08617333262 * 3.0
    energies = np.linspace(-4.0, 4.0, 81) + 0.4
    maps = simulated(*energies.tolist(), state=state)
    rho = maps.dos.values[:, None, None] + cut(maps.ldos_change.values)
    fermi = 1 / (4 * kt * np.cosh((energies - 0.4) / 2 / kt) ** 2)
    amplitude = 0.3 * np.sqrt(2)
    kernel = np.zeros_like(fermi)
    for p in phase:
        shift = 0.4 + amplitude * np.cos(p)
        kernel += 2 / 25 * np.sin(p) ** 2 / (4 * kt * np.cosh((energies - shift) / 2 / kt) ** 2)
    expected = np.tensordot(kernel, rho, 1) * 0.1
    found = on_sites(scan.conductance) * scan.attrs["conductance_unit"]
    np.testing.assert_allclose(found, expected, rtol=2e-3)
    assert not np.allclose(found, np.tensordot(fermi, rho, 1) * 0.1, rtol=4e-3)


def test_impurities_scatter_from_one_to_another_or_add_up() -> None:
    many = replace(CLEAN, density=0.01, least_distance=5.0, margin=0.0)
    exact = simulate_measurement(STATE, many, seed=3)
    columns = exact.impurity_r1.values.tolist(), exact.impurity_r2.values.tolist()
    sites = list(zip(*columns, strict=True))
    assert len(sites) > 2
    assert sites[0] == (0, 0)
    impurity = gs.Impurity.scalar(200.0)
    for site in sites[1:]:
        impurity += gs.Impurity.scalar(200.0, site=site)
    maps = simulated(0.0, state=replace(STATE, impurity=impurity))
    expected = float(maps.dos[0]) + cut(maps.ldos_change.values[0])
    found = on_sites(exact.conductance) * exact.attrs["conductance_unit"]
    np.testing.assert_allclose(found, expected, rtol=2e-3)
    added = simulate_measurement(STATE, replace(many, exact=False), seed=3)
    change = np.abs(added.conductance - exact.conductance).max()
    signal = np.abs(exact.conductance - float(maps.dos[0]) / exact.attrs["conductance_unit"]).max()
    assert 1e-4 * signal < change < 0.3 * signal


def test_the_setpoint_divides_by_the_integral_on_every_site() -> None:
    setpoint = Setpoint(bias=8.0, nodes=10)
    scan = simulate_measurement(STATE, replace(CLEAN, setpoint=setpoint))
    nodes, weights = np.polynomial.legendre.leggauss(20)
    maps = simulated(0.0, *(4 + 4 * nodes).tolist())
    rho = maps.dos.values[:, None, None] + cut(maps.ldos_change.values)
    integral = np.tensordot(4 * weights, rho[1:], 1)
    clean = float(4 * weights @ maps.dos.values[1:])
    found = on_sites(scan.conductance) * scan.attrs["conductance_unit"]
    np.testing.assert_allclose(found, rho[0] * clean / integral, rtol=3e-3)
    heights = np.log(integral / clean) / (2 * 5.123167 * 2)
    np.testing.assert_allclose(on_sites(scan.topograph), heights, atol=2e-4)
    assert scan.topograph.attrs["units"] == "nm"
    below = simulate_measurement(STATE, replace(CLEAN, setpoint=Setpoint(bias=-8.0)))
    assert np.isfinite(below.conductance).all()


def test_noise_is_in_units_of_the_contrast() -> None:
    quiet = simulate_measurement(STATE, CLEAN, seed=2)
    noisy = simulate_measurement(STATE, replace(CLEAN, noise=ScanNoise(0.5, 0.0, 0.0)), seed=2)
    noise = (noisy.conductance - quiet.conductance).std() / quiet.attrs["contrast"]
    assert float(noise) == pytest.approx(0.5, rel=0.05)
    rows, columns = np.arange(0, 64, 4), np.arange(0, 64, 2)
    others = [
        quiet.conductance.values[row, column]
        for row in rows
        for column in columns
        if (column - row // 2 + 16) % 4 == 0 and (row, column) != (32, 32)
    ]
    assert len(others) == 255
    assert quiet.attrs["contrast"] == pytest.approx(np.std(others), rel=1e-4)


def test_spectra_are_scans_of_one_sample_with_noise_of_their_own(tmp_path: Path) -> None:
    biases = [-1.5, 0.0, 1.5]
    fed = replace(CLEAN, setpoint=Setpoint(8.0), density=0.01, accuracy=0.02)
    spectra = simulate_spectra(STATE, fed, biases, seed=4)
    assert spectra["conductance"].dims == ("y", "x", "bias")
    for bias in biases:
        scan = simulate_measurement(STATE, replace(fed, bias=bias), seed=4)
        np.testing.assert_allclose(spectra["conductance"].sel(bias=bias), scan["conductance"])
        assert float(spectra["contrast"].sel(bias=bias)) == pytest.approx(scan.attrs["contrast"])
        xr.testing.assert_identical(spectra["topograph"], scan["topograph"])
    noisy = simulate_spectra(STATE, replace(fed, noise=ScanNoise(0.5, 0.0, 0.0)), biases, seed=4)
    noise = ((noisy["conductance"] - spectra["conductance"]) / spectra["contrast"]).values
    np.testing.assert_allclose(noise.std(axis=(0, 1)), 0.5, rtol=0.05)
    assert np.abs(np.corrcoef(noise.reshape(-1, 3).T) - np.eye(3)).max() < 0.1
    # Its file is one of a grid of spectra.
    noisy.to_netcdf(tmp_path / "grid.nc", engine="h5netcdf")
    opened = measurements.open(tmp_path / "grid.nc")
    np.testing.assert_array_equal(opened["bias"], biases)
    np.testing.assert_array_equal(opened["conductance"], noisy["conductance"])


@pytest.mark.parametrize("biases", [[], [0.5, 0.0], [0.0, 0.0], [0.0, np.nan]])
def test_biases_that_do_not_rise_are_refused(biases: list[float]) -> None:
    with pytest.raises(SettingError, match="rising order"):
        simulate_spectra(STATE, CLEAN, biases)


def test_scans_follow_their_seed() -> None:
    many = replace(Measurement(), field=FIELD, broadening=1.0, accuracy=0.02, density=0.01)
    first, again, other = (simulate_measurement(STATE, many, seed=s) for s in (1, 1, 2))
    assert first.identical(again)
    assert not np.allclose(first.conductance, other.conductance)


def test_impurities_stand_where_they_are_said_to_be() -> None:
    bent = Distortion((1.02, 0.98), 0.02, (0.3, -0.2), (0.2, 0.1))
    fine = replace(FIELD, columns=256, rows=256)
    scan = simulate_measurement(STATE, replace(CLEAN, field=fine, distortion=bent, orbital=0.3))
    maps = simulated(0.0)
    at_impurity, beside = (
        float(maps.dos[0] + maps.ldos_change.sel(energy=0.0, r1=r1, r2=0)) for r1 in (0, 5)
    )
    there = {"x": float(scan.impurity_x[0]), "y": float(scan.impurity_y[0])}
    found = float(scan.conductance.interp(there, method="cubic")) * scan.attrs["conductance_unit"]
    assert found == pytest.approx(at_impurity, rel=0.008)
    assert abs(at_impurity / beside - 1) > 0.02
    # Without the distortion the impurity would be elsewhere.
    assert np.hypot(there["x"] - FIELD.origin[0], there["y"] - FIELD.origin[1]) > 0.02


def test_preparation_and_the_network_s_grid_give_the_map_back() -> None:
    field = Field(12.0, 12.0, 200, 200, angle=8.0)
    measured = replace(
        Measurement(), field=field, broadening=1.0, density=0.0, setpoint=None, accuracy=0.005,
        temperature=0.0, modulation=0.0, noise=ScanNoise(0.05, 0.02, 0.02),
        distortion=Distortion((1.02, 0.98), 0.02, (0.3, -0.2)),
    )  # fmt: skip
    scan = simulate_measurement(STATE, measured, seed=1)
    prepared = prepare(
        scan.conductance, STATE.material.lattice.constant, Steps(drift=False, mask_bragg=True)
    )
    # a1 lies along x of the sample, whichever way the frame is turned; shear turns it by 1 degree.
    seen = float(prepared.lattice.orientation.value) + scan.attrs["scan_angle"]
    assert seen == pytest.approx(0, abs=2.0)
    centre = (float(scan.impurity_x[0]), float(scan.impurity_y[0]))
    found = network_input(prepared.final, prepared.final_lattice, 24, centre).ldos_change.values
    expected = np.asarray(centred_window(simulated(0.0).ldos_change.values[0], 24))
    inside = symmetric_window("triangular", 24)
    pair = found[inside] * scan.attrs["conductance_unit"], expected[inside]
    assert np.corrcoef(*pair)[0, 1] > 0.97
    assert np.polyfit(pair[1], pair[0], 1)[0] == pytest.approx(1, abs=0.1)


def test_scans_are_written_with_their_truth(tmp_path: Path) -> None:
    scan = simulate_measurement(STATE, replace(CLEAN, accuracy=0.02), seed=7)
    read = xr.load_dataset(gs.write_netcdf(scan, tmp_path / "scan.nc"))
    assert (read.attrs["irrep"], read.attrs["gap"], read.attrs["eps0"]) == ("A1u", 1.0, 20.0)
    assert read.attrs["seed"] == 7
    assert json.loads(read.attrs["measurement"])["field"]["columns"] == 64
    assert json.loads(read.attrs["specification"])["pairing"]["irrep"] == "A1u"
    assert read.conductance.dims == ("y", "x")


def test_settings_that_do_not_fit_are_refused() -> None:
    elsewhere = replace(STATE, impurity=gs.Impurity.scalar(50.0, site=(1, 0)))
    places = ((0.0, 0.0), (1 / 3, 1 / 3))
    two = gs.Material(
        "two",
        STATE.material.lattice,
        gs.Bonds.from_dict({(0, 0): np.eye(4)}),
        basis=tuple(gs.physics.Orbital("s", place) for place in places),
    )
    several = gs.Specification(two, STATE.pairing, gs.Impurity.scalar(1.0))
    with pytest.raises(SettingError, match="one atom per cell"):
        simulate_measurement(several, CLEAN)
    with pytest.raises(SettingError, match="r = 0"):
        simulate_measurement(elsewhere, CLEAN)
    for wrong in ({"temperature": -1.0}, {"density": -0.1}, {"nodes": 0}, {"bias": np.nan}):
        with pytest.raises(SettingError):
            Measurement(**wrong)


def test_opening_measured_files_does_not_load_the_simulation() -> None:
    code = "import sys, gapscope.measured; print('gapscope.instrument' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
