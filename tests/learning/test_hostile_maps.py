"""Every shipped network on maps that are none of its own: it refuses them, or answers in its domain
and says that they are unlike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import gapscope as gs
import toys
from gapscope.errors import MapFileError, PreparationError
from gapscope.explore.words import nearest_html, verdict_html
from gapscope.learning.evaluation.listing import nearest_text, prediction_text
from gapscope.learning.prediction.predictor import Predictor
from gapscope.physics.lattice import window_coordinates
from gapscope.support.resources import shipped_models

SIZE = 64
R = window_coordinates(SIZE)
X, Y = np.meshgrid(R, R, indexing="ij")
RNG = np.random.default_rng(5)
TOY = toys.toy_map("Eg", 0.7, 1.2, -150.0, SIZE)
TOY *= 1e-3 / np.abs(TOY).max()
POINT = (X == 5) & (Y == -3)
NOISE = RNG.normal(size=(SIZE, SIZE))

REFUSED = {
    "times 1e30": 1e30 * TOY,
    "times 1e300": 1e300 * TOY,
    "times 1e-300": 1e-300 * TOY,
    "zeros": 0 * TOY,
    "NaN at one site": np.where(POINT, np.nan, TOY),
    "infinite at one site": np.where(POINT, np.inf, TOY),
    "infinite at r = 0": np.where((X == 0) & (Y == 0), -np.inf, TOY),
    "complex": TOY + 1e-6j,
    "truth values": TOY > 0,
    "bright at the impurity alone": 1.0 * ((X == 0) & (Y == 0)),
}
UNLIKE = {
    "one bright pixel": 1.0 * POINT,
    "a checkerboard": (-1.0) ** (X + Y),
    "stripes": (-1.0) ** X,
    "a plane": 1e-4 * (X + 2.0 * Y),
    "a step": 1.0 * (X > 0),
    "white noise": NOISE,
    "noise of many magnitudes": np.exp(10 * NOISE),
    "counts of a camera": np.round(127 + 40 * NOISE).astype(np.uint8),
    "times 1e20": 1e20 * NOISE,
    "half precision": NOISE.astype(np.float16),
}


@pytest.fixture(scope="module", params=[folder.name for folder in shipped_models()])
def predictor(request: pytest.FixtureRequest, shipped: Callable[[str], Predictor]) -> Predictor:
    return shipped(request.param)


def as_map(values: NDArray[np.generic], predictor: Predictor) -> xr.Dataset:
    """The kind of map that a network reads, the same at all its energies."""
    sites = {"r1": R, "r2": R}
    energies, measured = predictor.config.energies, predictor.config.training.measurement
    change: tuple[object, ...] = (("r1", "r2"), values)
    if measured is None or len(energies) > 1:
        sites["energy"] = np.array(energies)
        change = (("energy", "r1", "r2"), np.stack([values] * len(energies)), {"units": "1/meV"})
    made = xr.Dataset({"ldos_change": change}, sites, predictor.lattice.to_dict())
    several = measured is not None and len(energies) > 1
    return made.assign_coords(bias=("energy", list(energies))) if several else made


def require_domain(answers: xr.Dataset, predictor: Predictor) -> None:
    """Values where training permits them, in intervals that are ordered and hold them."""
    for unknown in predictor.problem.shown:
        least, largest = unknown.reach
        for sample in range(answers.sizes["sample"]):
            one = answers.isel(sample=sample)
            value, low, high = (
                float(one[unknown.name + end].item()) for end in ("", "_low", "_high")
            )
            if np.isnan(value):
                continue
            assert low <= value <= high
            assert least <= value <= largest
            assert not unknown.positive or (value > 0 and low >= 0)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_map_is_refused(kind: str, predictor: Predictor) -> None:
    with pytest.raises((MapFileError, PreparationError)) as caught, np.errstate(all="raise"):
        gs.predict(as_map(REFUSED[kind], predictor), predictor)
    assert "Remedy" in str(caught.value)
    if kind == "NaN at one site" and isinstance(caught.value, MapFileError):
        assert caught.value.received.endswith("r1 = 5, r2 = -3")


def test_hostile_maps_are_unlike_and_answers_stay_in_their_domain(predictor: Predictor) -> None:
    answers = gs.predict([as_map(one, predictor) for one in UNLIKE.values()], predictor)
    require_domain(answers, predictor)
    unlike = answers["unlike_training"].values
    assert dict(zip(UNLIKE, unlike, strict=True)) == dict.fromkeys(UNLIKE, True)
    for line in prediction_text(answers, list(UNLIKE)).splitlines()[2 : 2 + len(UNLIKE)]:
        assert "UNLIKE (p" in line
        assert line.rstrip().endswith(")")
    for sample, name in enumerate(UNLIKE):
        one = answers.isel(sample=[sample])
        assert "Unlike the training maps" in verdict_html(one)
        assert 'class="doubt"' in verdict_html(one)
        if "nearest_label" in one:
            assert "unlike all of them" in nearest_html(one)
            assert all("(" in line for line in nearest_text(one, [name]).splitlines()[2:])


def test_nothing_is_said_of_no_maps(predictor: Predictor) -> None:
    none = np.empty((0, len(predictor.config.energies), SIZE, SIZE), np.float32)
    for batches in ([], [none]):
        with pytest.raises(MapFileError, match="needs maps"):
            predictor(batches)


def test_an_empty_batch_beside_others_changes_nothing(predictor: Predictor) -> None:
    energies = len(predictor.config.energies)
    maps = np.broadcast_to(TOY, (2, energies, SIZE, SIZE)).astype(np.float32)
    together, apart = predictor([maps]), predictor([maps[:0], maps[:1], maps[1:]])
    assert together["label"].equals(apart["label"])
    np.testing.assert_allclose(together["gap"], apart["gap"], rtol=1e-4)


@pytest.mark.parametrize("unit", [0.0, -1.0, np.nan, np.inf])
def test_a_unit_that_is_none_is_refused(unit: float) -> None:
    with pytest.raises(MapFileError, match="positive and finite"):
        gs.predict(toys.on_sites(TOY), unit=unit)
