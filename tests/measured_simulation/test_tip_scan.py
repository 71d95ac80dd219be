"""Simulated measurements with a tip that sees Wannier functions."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import gapscope as gs
from gapscope.errors import SettingError
from gapscope.instrument.image import Field
from gapscope.instrument.scan import simulate_measurement
from gapscope.instrument.scan_noise import ScanNoise
from gapscope.instrument.settings import IDEAL, Setpoint
from gapscope.measured.preparation import Steps, prepare
from gapscope.physics import Bonds, Lattice, Material, Orbital

TIP = gs.Tip(2.5, cut=1e-4)


def square(*orbitals: Orbital) -> gs.Specification:
    """Orbitals with one band each on a square lattice, a large s wave."""
    n = len(orbitals)
    hop = -40.0 * np.eye(2 * n)
    bonds = {(0, 0): 25.0 * np.eye(2 * n)}
    bonds |= dict.fromkeys([(1, 0), (0, 1), (-1, 0), (0, -1)], hop)
    material = Material("sq", Lattice("square", 4.0), Bonds.from_dict(bonds), basis=orbitals)
    singlet = Bonds.from_dict({(0, 0): 3.0 * np.array([[0, 1], [-1, 0]])})
    return gs.Specification(material, gs.Pairing.from_bonds(singlet), gs.Impurity.scalar(150.0))


STATE = square(Orbital("s"))
FIELD = Field(2.4, 2.4, 24, 24, origin=(1.2, 1.2))
"""Four pixels per lattice constant, r = 0 on pixel (12, 12)."""
CLEAN = replace(IDEAL, field=FIELD, bias=6.0, broadening=2.0, accuracy=0.01)


def test_an_ideal_scan_is_the_continuum_map() -> None:
    scan = simulate_measurement(STATE, CLEAN, tip=TIP, pixels=4)
    numerics = gs.Numerics([6.0], 2.0, 12, accuracy=0.002)
    maps = gs.continuum(STATE, numerics, tip=TIP, pixels=4)
    whole = (maps.ldos_clean + maps.ldos_change)[0].values
    found = scan.conductance.values * scan.attrs["conductance_unit"]
    # Columns are x, along a1.
    right = whole[12:36, 12:36].T
    np.testing.assert_allclose(found, right, rtol=0, atol=0.01 * np.ptp(right))
    assert scan.attrs["conductance_unit_units"] == "1/meV/Angstrom^3"
    assert json.loads(scan.attrs["tip"])["height"] == 2.5
    far = gs.continuum(STATE, replace(numerics, energies=(10.0,)), tip=TIP, pixels=4)
    assert scan.attrs["conductance_unit"] == pytest.approx(float(far.ldos_clean.mean()), rel=0.01)


def test_single_maps_add_up_to_the_exact_one_where_there_is_one_impurity() -> None:
    exact, single = (
        simulate_measurement(STATE, one, tip=TIP, pixels=4).conductance.values
        for one in (CLEAN, replace(CLEAN, exact=False))
    )
    np.testing.assert_allclose(single, exact, atol=0.005 * np.ptp(exact))


def test_the_feedback_follows_the_atoms() -> None:
    """Without an impurity's strength: higher above the atoms, and less contrast in dI/dV."""
    weak = replace(STATE, impurity=gs.Impurity.scalar(1e-3))
    level = simulate_measurement(weak, CLEAN, tip=TIP, pixels=4)
    fed = simulate_measurement(weak, replace(CLEAN, setpoint=Setpoint(20.0)), tip=TIP, pixels=4)
    height = fed.topograph.values[4:20, 4:20]
    atoms, hollows = height[::4, ::4], height[2::4, 2::4]
    assert np.ptp(atoms) < 1e-4
    assert (atoms.min() - hollows.max()) > 0.002
    corrugation = [np.ptp(one.conductance.values) for one in (level, fed)]
    assert corrugation[1] < 0.2 * corrugation[0]
    # N rises from the hollows to the atoms as exp(2 kappa dz).
    density = (
        gs.continuum(weak, gs.Numerics([10.0], 8.0, 4, accuracy=0.01), tip=TIP, pixels=4)
        .ldos_clean[0]
        .values
    )
    ratio = density.max() / density.min()
    assert 2 * 5.123167 * 2 * np.ptp(height) == pytest.approx(np.log(ratio), rel=0.15)


def test_a_noisy_scan_shows_the_lattice() -> None:
    field = Field(8.0, 8.0, 96, 96, angle=7.0)
    noisy = replace(CLEAN, field=field, density=0.01, exact=False, noise=ScanNoise(0.2, 0.1, 0.0))
    scan = simulate_measurement(STATE, noisy, seed=3, tip=TIP, pixels=4)
    again = simulate_measurement(STATE, noisy, seed=3, tip=TIP, pixels=4)
    assert scan.identical(again)
    assert scan.sizes["impurity"] > 1
    found = prepare(scan.conductance, STATE.material.lattice, Steps(phase=None)).lattice
    lengths = np.linalg.norm(found.vectors, axis=1)
    np.testing.assert_allclose(lengths, 0.4, rtol=0.01)


def test_a_tip_sees_all_atoms_of_a_cell() -> None:
    two = square(Orbital("s"), Orbital("s", (0.5, 0.5), -0.5))
    weak = replace(two, impurity=gs.Impurity.scalar(1e-3))
    with pytest.raises(SettingError, match="Without a tip"):
        simulate_measurement(two, CLEAN)
    near = gs.Tip(1.2, cut=1e-4)  # each atom outshines what its neighbours add coherently
    scan = simulate_measurement(weak, CLEAN, tip=near, pixels=4)
    values = scan.conductance.values
    corner, centre, edge = values[4, 4], values[6, 6], values[4, 6]
    assert corner > centre > edge
