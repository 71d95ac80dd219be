"""The figure of gaps on the Fermi surface."""

from __future__ import annotations

import numpy as np

import gapscope as gs
from gapscope.physics.gaps.report import GapReport
from gapscope.plots.gaps import gap_figure, into_zone


def test_every_partner_has_a_panel_with_its_names_and_its_gap_as_colour() -> None:
    report = GapReport.of(gs.material("bi2212"), 1, ["s", "tz"])
    figure = gap_figure(report.gaps, report.surface, report.material.lattice, report.title)
    panels = [axis for axis in figure.axes if axis.get_title()]
    assert [axis.get_title().splitlines()[0] for axis in panels] == [
        "A1g s, shell 0",
        "A1g s, shell 1",
        "B1g s, shell 1",
        "Eu tz, shell 1, partner 1",
        "Eu tz, shell 1, partner 2",
    ]
    for axis, on in zip(panels, [on for _, values in report.gaps for on in values], strict=True):
        (dots,) = axis.collections
        shown = np.asarray(dots.get_array())
        signed = not np.isnan(on.signed).any()
        np.testing.assert_allclose(shown * on.maximum, on.signed if signed else on.least)
        assert (dots.norm.vmin, dots.norm.vmax) == (-1 if signed else 0, 1)
        assert axis.get_title().splitlines()[1] == f"largest {on.maximum:.3g}"
    # d wave: positive along x, negative along y, at the places it is drawn on.
    (dots,) = panels[2].collections
    kx, ky = np.asarray(dots.get_offsets()).T
    expected = (np.cos(kx) - np.cos(ky)) / 2
    largest = report.gaps[2][1][0].maximum
    assert np.abs(np.asarray(dots.get_array()) * largest - expected).max() < 1e-9
    assert np.isnan(report.gaps[3][1][0].signed).all()


def test_gaps_off_the_fermi_level_are_said_so(nbse2: gs.Material) -> None:
    """Equal-spin pairs of an Ising superconductor open no gap; the gap function is drawn."""
    report = GapReport.of(nbse2, 1, ["txy"], "A1u")
    figure = gap_figure(report.gaps, report.surface, nbse2.lattice, report.title)
    (panel,) = [axis for axis in figure.axes if axis.get_title()]
    assert panel.get_title() == "A1u txy, shell 1\npairs off the Fermi level"
    (dots,) = panel.collections
    assert np.asarray(dots.get_array()).max() == 1.0
    assert dots.get_cmap().name == "Greys"


def test_an_insulator_has_panels_without_a_surface() -> None:
    report = GapReport.of(gs.material("bi2212"), 0, ["s"], eps0=1e4)
    figure = gap_figure(report.gaps, report.surface, report.material.lattice, report.title)
    (panel,) = [axis for axis in figure.axes if axis.get_title()]
    assert panel.get_title() == "A1g s, shell 0\nno Fermi surface"


def test_momenta_are_drawn_in_the_first_zone(rng: np.random.Generator) -> None:
    for lattice in (gs.Lattice("triangular", 3.0), gs.Lattice("square", 3.0)):
        k = lattice.momentum(rng.uniform(-3, 3, (100, 2)))
        inside = into_zone(k, lattice)
        steps = lattice.reduced(k - inside)
        assert np.abs(steps - np.rint(steps)).max() < 1e-9
        for b in (*lattice.reciprocal, lattice.reciprocal.sum(axis=0)):
            assert (np.abs(inside @ b) <= b @ b / 2 * (1 + 1e-9)).all()
