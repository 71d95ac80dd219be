"""Nodes, least and largest gap on the Fermi surface, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from crystals import SQUARE, SX, SY, doubled, hermitian, one_orbital, rashba_square
from gapscope.physics import Bonds, Material
from gapscope.physics.gaps.fermi_surface import FermiSurface, States, fermi_surface
from gapscope.physics.gaps.magnitude import largest_singular_value
from gapscope.physics.gaps.on_fermi_surface import gap_on_fermi_surface
from gapscope.physics.gaps.report import GapReport

I_SY = np.array([[0, 1], [-1, 0]])


def nearly_free(level: float = -380.0) -> Material:
    """-200 (cos kx + cos ky) - level: a small, nearly round pocket around Gamma."""
    hoppings = {(0, 0): -level, (1, 0): -100.0, (0, 1): -100.0}
    return one_orbital(SQUARE, doubled(hermitian(hoppings)))


def d_wave() -> Bonds:
    quarter = I_SY / 4
    return Bonds.from_dict({(1, 0): quarter, (-1, 0): quarter, (0, 1): -quarter, (0, -1): -quarter})


def test_points_lie_on_the_fermi_surface_and_go_around_it() -> None:
    material = nearly_free()
    surface = fermi_surface(material.electrons())
    energies = np.linalg.eigvalsh(material.bonds.at(surface.momenta))
    assert np.abs(energies).max() < 1e-9
    k = 2 * np.pi * (surface.momenta - np.rint(surface.momenta))
    one, two = surface.momenta[surface.segments].transpose(1, 0, 2)
    step = np.linalg.norm(2 * np.pi * (two - one - np.rint(two - one)), axis=1)
    area = 200 * (2 - np.cos(k[:, 0]) - np.cos(k[:, 1]))
    np.testing.assert_allclose(area, 20.0)
    radius = np.linalg.norm(k, axis=1)
    assert step.sum() == pytest.approx(2 * np.pi * radius.mean(), rel=1e-3)
    assert (surface.neighbours >= 0).all()


def test_a_d_wave_has_four_nodes_on_the_diagonals() -> None:
    found = gap_on_fermi_surface(d_wave(), fermi_surface(nearly_free().electrons()))
    assert len(found.nodes) == 4
    # cos kx = cos ky = 0.95
    np.testing.assert_allclose(np.abs(found.nodes), np.arccos(0.95) / (2 * np.pi), atol=1e-5)
    assert found.smallest == 0.0
    # ky = 0, cos kx = 0.9: (1 - 0.9) / 2
    assert found.maximum == pytest.approx(0.05, rel=1e-3)
    assert found.ungapped < 0.02


def test_a_chiral_state_has_none() -> None:
    """(sin kx + i sin ky) d_z: |Delta|^2 = sin^2 kx + sin^2 ky, least on the diagonals."""
    dz = np.array([[0, 1], [1, 0]]) / 2j
    chiral = Bonds.from_dict({(1, 0): dz, (-1, 0): -dz, (0, 1): 1j * dz, (0, -1): -1j * dz})
    found = gap_on_fermi_surface(chiral, fermi_surface(nearly_free().electrons()))
    assert len(found.nodes) == 0
    assert np.isnan(found.signed).all()  # time reversal is broken: no sign
    ends = np.sqrt([1 - 0.9**2, 2 * (1 - 0.95**2)])
    assert found.smallest == pytest.approx(ends.min(), rel=1e-3)
    assert found.maximum == pytest.approx(ends.max(), rel=1e-3)


def test_a_change_of_sign_is_a_node_between_the_points() -> None:
    """cos(2 pi m1) at two points on both sides of its zero, too far from it for a minimum."""
    momenta = np.array([[0.22, 0.0], [0.28, 0.0], [0.0, 0.0]])
    up = np.zeros((3, 2, 1), dtype=complex)
    up[:, 0] = 1.0
    reversed_up = np.zeros((3, 2, 1), dtype=complex)
    reversed_up[:, 1] = -1.0  # i sigma_y K of (1, 0)
    surface = FermiSurface(momenta, np.array([[0, 1]]), (States(np.arange(3), up, reversed_up),))
    gap = Bonds.from_dict({(1, 0): I_SY / 2, (-1, 0): I_SY / 2})
    found = gap_on_fermi_surface(gap, surface)
    np.testing.assert_allclose(found.signed, np.cos(2 * np.pi * momenta[:, 0]))
    np.testing.assert_allclose(found.nodes, [[0.25, 0.0]])


def test_the_helical_bands_of_a_rashba_metal_have_gaps_of_their_own() -> None:
    """psi + alpha-following triplet d: psi + |d| on one band, psi - |d| on the other.

    With d(k) = (sin ky, -sin kx, 0) t along the Rashba field, the spins of the bands follow it.
    """
    psi, t = 0.5, 0.3
    terms = {
        (0, 0): psi * I_SY,
        (0, 1): t * SX @ I_SY / 2j,
        (0, -1): -t * SX @ I_SY / 2j,
        (1, 0): -t * SY @ I_SY / 2j,
        (-1, 0): t * SY @ I_SY / 2j,
    }
    surface = fermi_surface(rashba_square(40.0).electrons())
    found = gap_on_fermi_surface(Bonds.from_dict(terms), surface)
    k = 2 * np.pi * surface.momenta
    d = t * np.hypot(np.sin(k[:, 0]), np.sin(k[:, 1]))
    expected = np.stack([psi + d, psi - d])
    apart = np.abs(np.abs(expected) - found.least)
    assert apart.min(axis=0).max() < 1e-9
    assert {0, 1} == set(apart.argmin(axis=0).tolist())


def test_a_field_pairs_what_is_left_at_the_fermi_level() -> None:
    """In a field along z up and down spins of one energy are not at opposite momenta."""
    field = Bonds.from_dict({(0, 0): np.diag([15.0, -15.0])})
    split = Bonds.sum([nearly_free().bonds, field])
    found = gap_on_fermi_surface(Bonds.from_dict({(0, 0): I_SY}), fermi_surface(split))
    assert found.ungapped == 1.0
    equal = np.diag([1.0, 0.0]) / 2j  # up with up: sin kx
    paired = gap_on_fermi_surface(
        Bonds.from_dict({(1, 0): equal, (-1, 0): -equal}), fermi_surface(split)
    )
    assert 0 < paired.ungapped < 1
    assert paired.maximum > 0.1


def test_an_insulator_has_no_fermi_surface() -> None:
    surface = fermi_surface(nearly_free(level=-900.0).electrons())
    assert len(surface.momenta) == 0
    found = gap_on_fermi_surface(d_wave(), surface)
    assert (found.smallest, found.maximum, len(found.nodes)) == (0.0, 0.0, 0)
    report = GapReport.of(nearly_free(level=-900.0), 0, ["s"])
    assert report.to_dict()["gaps"][0]["on_fermi_surface"] is None
    assert "No band crosses zero energy: there is no Fermi surface." in list(report.lines())
    # An onsite energy brings the level into the band.
    inside = GapReport.of(nearly_free(level=-900.0), 0, ["s"], eps0=-520.0)
    assert inside.to_dict()["gaps"][0]["on_fermi_surface"][0]["least"] == pytest.approx(1.0)


def test_long_series_are_searched_in_pieces() -> None:
    """cos(40 k1): 1, found on a grid that is too large to be held at once."""
    far = Bonds.from_dict({(40, 0): I_SY / 2, (-40, 0): I_SY / 2})
    assert largest_singular_value(far) == pytest.approx(1.0, rel=1e-12)
