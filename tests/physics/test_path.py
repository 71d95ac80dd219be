"""Paths join the points of symmetry of the Brillouin zone."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.errors import SpecificationError
from gapscope.physics import Lattice
from gapscope.physics.path import POINTS, path, points, usual_path


def test_a_path_holds_its_corners_once_and_even_steps_between_them() -> None:
    m = path("triangular", ["Gamma", "M", "K", "Gamma"], 10)
    assert m.shape == (31, 2)
    for index, name in ((0, "Gamma"), (10, "M"), (20, "K"), (30, "Gamma")):
        assert m[index] == pytest.approx(POINTS["triangular"][name], abs=1e-15)
    steps = np.diff(m, axis=0).reshape(3, 10, 2)
    assert np.abs(steps - steps[:, :1]).max() < 1e-15


LATTICES = [
    Lattice("triangular", 1.0),
    Lattice("square", 1.0),
    Lattice.from_cell(3.0, 4.0, 90.0),
    Lattice.from_cell(3.0, 3.0, 80.0),
    Lattice.from_cell(3.0, 3.0, 110.0),
    Lattice.from_cell(3.0, 3.5, 80.0),
    Lattice.from_cell(3.0, 3.5, 100.0),
]


@pytest.mark.parametrize("named", LATTICES)
def test_corners_are_as_near_to_other_centres_of_zones_as_to_gamma(named: Lattice) -> None:
    """An edge point of the zone has two nearest reciprocal vectors; a corner has three or four."""
    j = np.arange(-2, 3)
    centres = named.momentum(np.stack(np.meshgrid(j, j), axis=-1).reshape(-1, 2))
    nearest = {"Gamma": 1, "X": 2, "Y": 2, "M": 2, "K": 3, "K'": 3, "S": 2, "S'": 2}
    if named.name == "square":
        nearest["M"] = 4
    if named.name == "rectangular":
        nearest["S"] = 4
    for name, m in points(named).items():
        distance = np.linalg.norm(centres - named.momentum(m), axis=-1)
        assert np.linalg.norm(named.momentum(m)) == pytest.approx(distance.min(), abs=1e-12)
        assert np.count_nonzero(distance < distance.min() + 1e-9) == nearest[name]


def test_the_way_from_gamma_over_m_to_k_stays_on_one_edge_of_the_zone() -> None:
    """|M K| is half an edge, 2 pi/3: neighbours, not points across the zone."""
    corner, middle = (POINTS["triangular"][name] for name in ("K", "M"))
    edge = Lattice("triangular", 1.0).momentum(np.subtract(corner, middle))
    assert np.linalg.norm(edge) == pytest.approx(2 * np.pi / 3, rel=1e-12)


@pytest.mark.parametrize(
    ("lattice", "corners", "steps", "rule"),
    [
        ("triangular", ["Gamma", "X"], 10, "joins two or more of Gamma, M, K"),
        ("triangular", ["Gamma"], 10, "joins two or more"),
        ("kagome", ["Gamma", "M"], 10, "is one of triangular, square"),
        ("square", ["Gamma", "M"], 0, "at least one step"),
    ],
)
def test_a_path_to_nowhere_is_refused(
    lattice: str, corners: list[str], steps: int, rule: str
) -> None:
    with pytest.raises(SpecificationError, match=rule):
        path(lattice, corners, steps)


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_the_usual_path_is_one_and_comes_back(lattice: Lattice) -> None:
    corners = usual_path(lattice)
    assert corners[0] == corners[-1] == "Gamma"
    assert len(path(lattice, corners, 5)) == 5 * (len(corners) - 1) + 1
    assert len(set(corners)) == len(corners) - 1
