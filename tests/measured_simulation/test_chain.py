"""From a sample to an answer: measured, prepared, read by the shipped network for measured maps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import gapscope as gs
from gapscope import measured as measurements
from gapscope.inference.measured_maps import sites_of
from gapscope.instrument.scan import simulate_measurement, simulate_spectra
from gapscope.instrument.settings import Measurement, Setpoint
from gapscope.learning.prediction.predictor import Predictor
from gapscope.measured.channels import image_of
from gapscope.measured.preparation import Steps, prepare
from gapscope.support.resources import MEASURED_MODEL

STEPS = Steps(mask_bragg=True)


@pytest.fixture(scope="module")
def network(shipped: Callable[[str], Predictor]) -> Predictor:
    """The shipped network for measured maps."""
    return shipped(MEASURED_MODEL)


@pytest.mark.parametrize("setpoint", [None, Setpoint(10.0)])
@pytest.mark.parametrize(("irrep", "theta"), [("A2g", 0.5), ("Eg", 0.3), ("Eu", 1.2)])
def test_a_realistic_measurement_is_read(
    irrep: str,
    theta: float,
    setpoint: Setpoint | None,
    nbse2: gs.Material,
    network: Predictor,
) -> None:
    state = gs.Specification(
        nbse2, gs.Pairing(irrep, 1.0, theta=theta), gs.Impurity.scalar(50.0), eps0=20.0
    )
    at = replace(Measurement(), setpoint=setpoint, bias=0.5)
    scan = simulate_measurement(state, at, seed=3)
    done = prepare(scan["conductance"], nbse2.lattice.constant, STEPS)
    recorded = (float(scan.impurity_x[0]), float(scan.impurity_y[0]))
    # Drift has moved the impurity by more than an atom's distance from where it is in the map.
    place = done.corrected(recorded)
    assert math.dist(place, recorded) > 0.344
    assert math.dist(place, done.site(place)) < 0.05
    assert done.recorded(place) == pytest.approx(recorded)
    answer = gs.predict(done, network, centre=recorded)
    assert math.dist(sites_of(done, 64, recorded).attrs["centre"], place) < 0.05
    assert answer.attrs["labels"][int(answer["label"][0])] == irrep
    # One in a hundred such maps may be called unlike; none is farther off than all of these.
    assert float(answer["novelty_p"][0]) > answer.attrs["novelty_floor"]
    assert abs(float(answer["eps0"][0]) - 20.0) < 45


def test_spectra_of_an_unknown_impurity_are_read_by_the_network_for_three_energies(
    nbse2: gs.Material, tmp_path: Path
) -> None:
    state = gs.Specification(
        nbse2,
        gs.Pairing("Eg", 0.8, theta=0.9, phi=0.4),
        gs.Impurity.scalar(-120.0) + gs.Impurity.magnetic((0.0, 0.0, 20.0)),
        eps0=-120.0,
    )
    usual = replace(Measurement(), broadening=0.2)
    scan = simulate_spectra(state, usual, [-0.5, 0.0, 0.5], seed=5)
    gs.write_netcdf(scan, tmp_path / "grid.nc")
    centre = (float(scan.impurity_x[0]), float(scan.impurity_y[0]))
    answer = gs.predict(tmp_path / "grid.nc", centre=centre)
    assert answer.attrs["energy"] == [-0.5, 0.0, 0.5]
    assert answer.attrs["labels"][int(answer["label"][0])] == "Eg"
    assert not bool(answer["unlike_training"][0])
    assert abs(float(answer["eps0"][0]) + 120.0) < 30
    assert float(answer["gap_low"][0]) < 0.8 < float(answer["gap_high"][0])


@pytest.mark.parametrize("name", ["2a", "2b", "3a"])
def test_topographs_of_another_material_are_unlike_all_training(
    name: str, measured: Path, network: Predictor
) -> None:
    path = measured / "nbs2" / f"figure_{name}.txt"
    if not path.is_file():
        pytest.skip(f"no {path.name}: set GAPSCOPE_MEASURED to the folder of measured files")
    done = prepare(image_of(measurements.open(path)), 3.33, STEPS)
    assert bool(gs.predict(done, network)["unlike_training"][0])
