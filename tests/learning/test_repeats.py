"""Rows that equal others were copied, unless a mirror takes one to the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.learning.uncertainty.repeats import repeats
from gapscope.physics.lattice import window_coordinates

NOISE = np.random.default_rng(1).normal(size=(1, 2, 16, 16)).astype(np.float32)


def mirrored(maps: NDArray[np.float32], about: int) -> NDArray[np.float32]:
    """Maps whose value at r1 is that at 2 about - r1, as far as both are on the window."""
    rows = np.arange(16)
    others = 2 * (about + 8) - rows
    inside = (others >= 0) & (others < 16)
    found = maps.copy()
    found[..., rows[inside], :] = (maps[..., rows[inside], :] + maps[..., others[inside], :]) / 2
    return found


def test_a_mirror_through_the_impurity_copies_nothing() -> None:
    assert not repeats(mirrored(NOISE, 0), gaps=True).any()
    assert not repeats(mirrored(NOISE, 0).swapaxes(-1, -2), gaps=True).any()
    assert repeats(mirrored(NOISE, 2), gaps=True).all()


def test_one_row_twice_is_enough_in_either_direction() -> None:
    twice = NOISE.copy()
    twice[..., 5, :] = twice[..., 3, :]
    assert repeats(twice, gaps=True).all()
    assert repeats(twice.swapaxes(-1, -2), gaps=True).all()
    twice[:, 1, 5, 0] += 1e-6  # at one energy, in one digit
    assert not repeats(twice, gaps=True).any()


def test_each_map_is_judged_by_itself() -> None:
    tiled = np.tile(NOISE[..., :8, :8], (2, 2))
    assert repeats(np.concatenate([NOISE, tiled, NOISE]), gaps=True).tolist() == [
        False,
        True,
        False,
    ]


def test_sites_without_a_value_are_no_copies() -> None:
    """Rows of zeros around a small field; where hexagons leave out sites, the others tell."""
    r = np.abs(window_coordinates(16))
    assert not repeats(np.where((r < 4)[:, None] & (r < 4), NOISE, 0), gaps=True).any()
    hexagon = np.abs(np.add.outer(window_coordinates(16), window_coordinates(16))) < 8
    assert not repeats(np.where(hexagon, NOISE, 0), gaps=True).any()
    assert repeats(np.where(hexagon, np.repeat(NOISE[..., ::2, :], 2, axis=-2), 0), gaps=True).all()


def test_rows_of_zeros_are_copies_where_zeros_are_no_gaps() -> None:
    small = np.pad(NOISE[..., 4:-4, 4:-4], ((0, 0), (0, 0), (4, 4), (4, 4)))
    assert repeats(small, gaps=False).all()
    assert not repeats(NOISE, gaps=False).any()
