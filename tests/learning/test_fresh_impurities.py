"""Fresh impurities of any direction of the moment, and several of them in one map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import toys
from built_here import build_here
from gapscope.dataset.load import DatasetReader
from gapscope.dataset.recipe import Recipe
from gapscope.errors import MapFileError, TrainingError
from gapscope.inference.posterior.ask import posterior
from gapscope.inference.predict import predict
from gapscope.inference.refine import Conditions
from gapscope.learning.data.fresh_maps import FreshMaps
from gapscope.learning.data.targets import Targets, TargetScaling
from gapscope.learning.model_folder.model_card import model_card
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.network.config import TrainingConfig
from gapscope.learning.prediction.predictor import Predictor
from gapscope.learning.training.fresh_batches import FreshBatches
from gapscope.learning.training.train import train
from gapscope.physics.impurity import Impurity
from gapscope.physics.scattering import scattered_trace
from gapscope.physics.specification import Specification
from gapscope.problem.draft import moment_along
from gapscope.problem.others import Others
from gapscope.simulation.numerics import Numerics

SIZE = toys.WINDOW
RECIPE: dict[str, Any] = {
    **toys.GREENS,
    "broadening": 0.2,
    "candidates": [{"irrep": "A1g"}, {"irrep": "Eu"}],
    "unknowns": {
        "gap": [0.3, 1.5],
        "theta": "any",
        "potential": [-300.0, 300.0],
        "moment": [5.0, 50.0],
        "moment_polar": [0.0, 3.141592653589793],
        "moment_azimuth": "any",
    },
    "splits": {"train": 32, "validation": 8, "test": 120},
    "shard_size": 40,
}
OTHERS = {"number": [0, 2], "distance": 3}


@dataclass(frozen=True)
class Mixed(toys.Toy):
    """Waves of which spin is not conserved."""

    def green(
        self, specification: Specification, numerics: Numerics, kept: int
    ) -> NDArray[np.complex128]:
        green = super().green(specification, numerics, kept)
        return (
            green + 0.3 * np.roll(green, (1, 1), axis=(-2, -1)) + 0.2 * np.roll(green, 1, axis=-1)
        )


@pytest.fixture(scope="module", params=["one", "several"])
def greens(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = RECIPE if request.param == "one" else {**RECIPE, "others": OTHERS}
    folder = tmp_path_factory.mktemp("greens") / request.param
    return build_here(Recipe.from_dict(recipe), folder, Mixed())


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = {**RECIPE, "others": OTHERS}
    return build_here(
        Recipe.from_dict(recipe), tmp_path_factory.mktemp("several") / "data", Mixed()
    )


def config(**changes: Any) -> TrainingConfig:
    network = replace(toys.tiny_network(), odd=True)
    return replace(toys.averaging_config(), network=network, surfaces=False, **changes)


def impurity_of(values: dict[str, Any], row: int, site: tuple[int, int] = (0, 0)) -> Impurity:
    names = ("moment", "moment_polar", "moment_azimuth")
    moment = moment_along(*(float(values[name][row]) for name in names))
    return Impurity.scalar(float(values["potential"][row]), site=site) + Impurity.magnetic(
        moment, site=site
    )


def test_directions_and_other_impurities_are_drawn_anew(greens: Path) -> None:
    """In every map and epoch; the map is that of the T-matrix of all of them."""
    with DatasetReader(greens) as reader:
        maps = FreshMaps.of(reader, "train", SIZE)
        batches = FreshBatches(maps, Targets(maps.problem, TargetScaling.of(
            maps.problem, maps.parameters)), config())  # fmt: skip
        drawn: dict[Any, Any] = {}
        places: dict[Any, Any] = {}
        for batches.epoch in (0, 1):
            looks = batches.drawn(0)
            found = maps.maps(looks)
            counts = set()
            for row, values in enumerate(zip(*looks.values.values(), strict=True)):
                sample = int(maps.ids[looks.rows[row]])
                own = dict(zip(looks.values, values, strict=True))
                drawn[sample, batches.epoch] = own
                impurity = impurity_of(looks.values, row)
                if looks.beside is not None:
                    beside = looks.beside[row]
                    counts.add(len(beside))
                    places[sample, batches.epoch] = beside.sites.tolist()
                    for n, (a, b) in enumerate(beside.sites.tolist()):
                        assert 0 < max(abs(a), abs(b), abs(a + b)) <= 3
                        impurity += impurity_of(dict(beside.values), n, (a, b))
                specification = replace(reader.specification(sample), impurity=impurity)
                green = reader.green(sample).astype(np.complex128)
                scatterers = specification.scatterers()
                traces = [scattered_trace(one, scatterers, SIZE).sum(axis=0) for one in green]
                expected = -np.stack(traces).imag / np.pi
                assert np.linalg.norm(found[row] - expected) < 2e-3 * np.linalg.norm(expected)
            assert counts == (set() if looks.beside is None else {0, 1, 2})
    both = [sample for sample, epoch in drawn if epoch == 0 and (sample, 1) in drawn]
    assert len(both) > 3
    for sample in both:
        one, two = drawn[sample, 0], drawn[sample, 1]
        assert one["gap"] == two["gap"]
        for name in ("potential", "moment", "moment_polar", "moment_azimuth"):
            assert one[name] != two[name]
    anew = [places[sample, 0] != places[sample, 1] for sample in both if places]
    assert anew == [] or sum(anew) > len(anew) / 2


def test_validation_maps_are_those_of_the_dataset(greens: Path) -> None:
    with DatasetReader(greens) as reader:
        maps = FreshMaps.of(reader, "validation", SIZE)
        found = maps.maps(maps.own(np.arange(8)))
        stored = reader.images(maps.ids)
        sites = [len(reader.specification(int(i)).impurity.sites) for i in maps.ids]
    assert np.linalg.norm(found - stored) < 2e-3 * np.linalg.norm(stored)
    assert set(sites) == ({1} if reader.others is None else {1, 2, 3})
    smaller = maps.first(3)
    np.testing.assert_array_equal(smaller.maps(smaller.own(np.arange(3))), found[:3])


def test_a_smaller_window_sees_the_same_impurities(several: Path) -> None:
    with DatasetReader(several) as reader:
        whole, inner = (FreshMaps.of(reader, "train", size) for size in (SIZE, 8))
    rows = np.arange(6)
    generators = [[np.random.default_rng(i) for i in rows] for _ in range(2)]
    large, small = (one.maps(one.redrawn(rows, rng)) for one, rng in zip(
        (whole, inner), generators, strict=True))  # fmt: skip
    assert np.abs(large[..., 4:12, 4:12] - small).max() < 2e-3 * np.abs(small).max()


@pytest.fixture(scope="module")
def trained(several: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = tmp_path_factory.mktemp("runs") / "several"
    return train(several, run, config(epochs=1), progress=False)


def test_a_network_of_several_impurities_reads_maps(several: Path, trained: RunFolder) -> None:
    """Its questions are those about the superconductor and the impurity on r = 0; maps, which are
    even about no site, are not called off r = 0."""
    predictor = Predictor.load(trained.path)
    assert predictor.config.others == Others(0, 2, 3)
    card = model_card("several", trained.config(), [], 1, None, None, False)
    assert "| other impurities | 0 to 2 more within 3 sites of r = 0 |" in card
    assert [one.name for one in predictor.problem.unknowns] == list(RECIPE["unknowns"])
    with DatasetReader(several) as reader:
        samples = predictor.samples(reader, "test")
        answers = predictor([samples.maps(np.arange(12))])
        moved = np.roll(samples.maps(np.arange(3)), (2, 1), axis=(-2, -1))
    assert answers.sizes["sample"] == 12
    assert [predictor.scores.at_once(one[None]) for one in moved] == [""] * 3


def test_what_compares_maps_of_one_impurity_is_refused(
    several: Path, trained: RunFolder, tmp_path: Path
) -> None:
    maps = toys.map_file(tmp_path / "map.nc", np.random.default_rng(1).normal(size=(2, SIZE, SIZE)),
                         [0.0, 0.5])  # fmt: skip
    for ask in (
        lambda: Conditions.of(trained.config(), SIZE),
        lambda: posterior(maps, trained.path),
        lambda: predict(maps, trained.path, refine=True),
    ):
        with pytest.raises(MapFileError, match="one impurity") as refused:
            ask()
        assert "[others]" in str(refused.value)
    assert predict(maps, trained.path).sizes["sample"] == 1
    with pytest.raises(TrainingError, match="one impurity"):
        train(several, tmp_path / "run", toys.tiny_config(), progress=False)
