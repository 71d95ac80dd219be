"""The shipped network on one of its maps, changed as files and instruments change maps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import gapscope as gs
from gapscope.errors import MapFileError
from gapscope.learning.evaluation.wording import factor_words
from gapscope.learning.prediction.predictor import Predictor
from gapscope.physics.fourier import qpi_image
from gapscope.support.resources import SHIPPED_MODEL

Maps = NDArray[np.float32]


@pytest.fixture(scope="module")
def predictor(shipped: Callable[[str], Predictor]) -> Predictor:
    return shipped(SHIPPED_MODEL)


@pytest.fixture(scope="module")
def one() -> Maps:
    """The map of the README, (1, 1, 64, 64)."""
    pairing = gs.Pairing("Eg", 1.0, theta=0.3)
    state = gs.Specification(gs.material("nbse2"), pairing, gs.Impurity.scalar(50.0), 20.0)
    maps = gs.simulate(state, gs.Numerics([0.0], 0.1, 64, gs.Converged(0.005)))
    return maps["ldos_change"].values[None].astype(np.float32)


def answer(predictor: Predictor, maps: Maps) -> xr.Dataset:
    """What is said of one map, which is in its domain whatever the map."""
    found = predictor([maps.astype(np.float32)]).isel(sample=0)
    assert float(found["gap"]) > 0
    for name in ("gap", "theta", "eps0"):
        low, high = float(found[f"{name}_low"]), float(found[f"{name}_high"])
        angleless = name == "theta" and np.isnan(low) and np.isnan(high)
        assert angleless or low <= float(found[name]) <= high
    return found


def test_the_map_itself_is_like_training(predictor: Predictor, one: Maps) -> None:
    assert not bool(answer(predictor, one)["unlike_training"])


def test_zeros_around_a_map_are_unlike(predictor: Predictor, one: Maps) -> None:
    small = np.pad(one[..., 16:48, 16:48], ((0, 0), (0, 0), (16, 16), (16, 16)))
    found = answer(predictor, small)
    assert bool(found["unlike_training"])
    assert str(found["likely_change"].item()) == "repeated"


@pytest.mark.parametrize(
    "factor", [1e-12, 1e-3, 0.1, 0.5, 0.9, 1.1, 2.0, 10.0, 1e3, 1e20, -1.0, -1e3]
)
def test_another_amplitude_is_unlike(factor: float, predictor: Predictor, one: Maps) -> None:
    found = answer(predictor, factor * one)
    assert bool(found["unlike_training"])
    assert float(found["likely_factor"]) == pytest.approx(factor, rel=0.25)
    assert factor_words(found)


@pytest.mark.parametrize("sites", [(1, 0), (0, 1), (1, 1), (2, 0), (3, -1), (5, 5)])
def test_a_map_off_the_impurity_is_unlike(
    sites: tuple[int, int], predictor: Predictor, one: Maps
) -> None:
    moved = np.roll(one, sites, axis=(-2, -1))
    assert bool(answer(predictor, moved)["unlike_training"])


def test_a_part_odd_in_r_is_unlike_though_the_image_is_the_same(
    predictor: Predictor, one: Maps
) -> None:
    moved = np.roll(one[..., 1:, 1:], (2, 1), axis=(-2, -1))
    changed = one.copy()
    changed[..., 1:, 1:] += 0.01 * (moved - moved[..., ::-1, ::-1])
    same, image = (qpi_image(maps.astype(float), "triangular").real for maps in (changed, one))
    np.testing.assert_allclose(same, image, atol=1e-6 * np.abs(image).max())
    assert bool(answer(predictor, changed)["unlike_training"])


CHANGES = {
    "one axis reversed": lambda m: m[..., ::-1, :],
    "a quarter turn of the array": lambda m: np.rot90(m, axes=(-2, -1)),
    "tiled": lambda m: np.tile(m[..., 16:48, 16:48], (2, 2)),
    "padded with zeros": lambda m: np.pad(
        m[..., 16:48, 16:48], ((0, 0), (0, 0), (16, 16), (16, 16))
    ),
    "coarser sites": lambda m: np.kron(m[..., 16:48, 16:48], np.ones((2, 2))),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_map_of_another_window_or_lattice_is_unlike(
    kind: str, predictor: Predictor, one: Maps
) -> None:
    assert bool(answer(predictor, CHANGES[kind](one))["unlike_training"])


@pytest.mark.parametrize("factor", [0.0, 1e-30, 1e30, np.nan, np.inf])
def test_a_map_without_values_is_refused(factor: float, predictor: Predictor, one: Maps) -> None:
    with pytest.raises(MapFileError, match="contrast"), np.errstate(all="ignore"):
        predictor([factor * one])


@pytest.mark.parametrize("ripple", [0.0, 1e-7])
def test_a_constant_map_is_refused(ripple: float, predictor: Predictor, one: Maps) -> None:
    with pytest.raises(MapFileError, match="contrast"):
        predictor([(3 + ripple * one / np.abs(one).max()).astype(np.float32)])
