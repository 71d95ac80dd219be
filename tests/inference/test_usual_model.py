"""What a prediction takes for a map, and which shipped network answers where none is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import gapscope as gs
from gapscope.errors import MapFileError
from gapscope.inference.choice import choice_words, usual_model, usual_readers
from gapscope.support.resources import OPEN_MODEL, OPEN_ONE_MODEL, SHIPPED_MODEL

ALL, ONE = [-0.5, 0.0, 0.5], [0.0]


def map_at(energies: list[float]) -> xr.Dataset:
    shape = len(energies), 4, 4
    return xr.Dataset(
        {"ldos_change": (("energy", "r1", "r2"), np.ones(shape))}, coords={"energy": energies}
    )


@pytest.mark.parametrize(
    ("maps", "model"),
    [
        ([ALL], OPEN_MODEL),
        ([[0.5, 1.0, -0.5, 0.0]], OPEN_MODEL),
        ([ONE], SHIPPED_MODEL),
        ([[-0.5, 0.0]], SHIPPED_MODEL),
        ([ALL, ONE], SHIPPED_MODEL),
        ([[0.5]], OPEN_ONE_MODEL),
        ([ALL, [-0.5, 0.5]], OPEN_ONE_MODEL),
        ([[0.0, 0.5]], OPEN_ONE_MODEL),
        ([[0.5], ONE], SHIPPED_MODEL),
        ([[1.0]], SHIPPED_MODEL),
        ([[]], SHIPPED_MODEL),
    ],
)
def test_the_energies_of_all_maps_decide(maps: list[list[float]], model: str) -> None:
    assert usual_model([map_at(one) for one in maps]) == model


@pytest.mark.parametrize(
    ("energies", "words"),
    [
        (ALL, ("Read by nbse2-open, at -0.5, 0 and 0.5 meV. It takes the material", "alone")),
        (
            [0.0, 0.5],
            ("Read by nbse2-open-one, at 0.5 meV.", "--model nbse2-vgg16 reads", "50 meV"),
        ),
        (ONE, ("Read by nbse2-vgg16, at 0 meV.", "50 meV", "nbse2-open-one (at 0.5 meV)")),
    ],
)
def test_the_choice_is_told_with_what_it_takes_for_granted(
    energies: list[float], words: tuple[str, ...]
) -> None:
    told = choice_words(usual_readers([map_at(energies)]))
    assert all(one in told for one in words)
    assert ("--model" in told) == (energies == [0.0, 0.5])


def test_a_map_without_energies_is_left_to_its_reader(tmp_path: Path) -> None:
    absent = tmp_path / "absent.nc"
    assert usual_model([absent]) == SHIPPED_MODEL
    assert usual_model([xr.Dataset()]) == SHIPPED_MODEL


@pytest.mark.parametrize(
    ("given", "received"),
    [
        (map_at(ONE)["ldos_change"], "DataArray"),
        ([map_at(ONE), map_at(ONE)["ldos_change"]], "DataArray"),
        (np.ones((4, 4)), "ndarray"),
        ([np.ones((4, 4))], "ndarray"),
        (None, "NoneType"),
        (b"map.nc", "int"),
    ],
)
def test_what_is_no_map_is_refused_by_its_kind(given: Any, received: str) -> None:
    """A variable or an array has lost the lattice; nothing of its numbers is printed."""
    with pytest.raises(MapFileError, match="whole dataset") as refused:
        gs.predict(given)
    assert refused.value.received.endswith(received)
