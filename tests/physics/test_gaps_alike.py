"""Gaps that are one on the Fermi surface are found, and have nearly the same maps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import crystals
from gapscope.physics import Bonds, Impurity, Material, Pairing, Specification
from gapscope.physics.gaps.alike import conserves_spin, nearly_alike
from gapscope.physics.gaps.report import GapReport
from gapscope.simulation.maps import simulate_batch
from gapscope.simulation.numerics import Grid, Numerics


@pytest.fixture(scope="module")
def doped() -> Material:
    """A honeycomb with a Fermi surface around Gamma."""
    made = crystals.honeycomb()
    width = float(np.ptp(np.linalg.eigvalsh(made.bonds.at([[0.0, 0.0]]))))
    onsite = Bonds.from_dict({(0, 0): 0.35 * width * np.eye(4)})
    return replace(made, bonds=Bonds.sum([made.bonds, onsite]))


def test_an_f_wave_between_bands_beside_a_p_wave_is_no_other_gap(doped: Material) -> None:
    """E2u in the plane mixes p waves, of which A1u is one with spins turned, and an f wave that
    pairs states of both bands; A2u is A1u in the whole zone, and E1u another state."""
    report = GapReport.of(doped, 1, ["tz", "txy"])
    first = {one.irrep.name: one for one, _ in reversed(report.gaps)}
    alike = {
        n for n in first if n != "A1u" and nearly_alike(first[n], first["A1u"], report.surface)
    }
    assert alike == {"E2u"}
    sizes = [np.linalg.norm(one.matrices) for one in first["E2u"].partners]
    assert sizes[0] == pytest.approx(sizes[1])


def test_spin_is_conserved_without_spin_orbit_coupling_alone(doped: Material) -> None:
    assert conserves_spin(doped.bonds)
    assert not conserves_spin(crystals.rashba_square().bonds)
    assert not conserves_spin(crystals.t2g().bonds)
    assert conserves_spin(crystals.without_spin_orbit(crystals.t2g()).bonds)


def test_their_maps_are_nearly_the_same(doped: Material) -> None:
    """To the gap over the bands' distance, at any angle; those of E1u are others."""
    report = GapReport.of(doped, 1, ["tz", "txy"])
    largest = {(f.irrep.name, f.copy): v[0].maximum for f, v in report.gaps}
    top = {"E2u": largest["E2u", 1], "A1u": largest["A1u", 1], "E1u": largest["E1u", 1]}
    channels = {"E2u": "txy", "A1u": "txy", "E1u": "tz"}

    def state(irrep: str, **angle: float) -> Specification:
        gap = 60.0 / top[irrep]
        pairing = Pairing.of(doped, irrep, gap, shell=1, channel=channels[irrep], copy=1, **angle)
        return Specification(doped, pairing, Impurity.scalar(500.0))

    states = [
        state("A1u"),
        state("E2u", theta=0.0),
        state("E2u", theta=1.1),
        state("E1u", theta=0.3),
    ]
    numerics = Numerics([40.0], broadening=20.0, window=12, method=Grid(96))
    maps = simulate_batch(states, numerics).ldos_change
    off = [float(np.linalg.norm(one - maps[0]) / np.linalg.norm(maps[0])) for one in maps]
    assert max(off[1:3]) < 0.05
    assert off[3] > 0.3
