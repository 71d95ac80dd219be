"""Networks of Green's functions: fresh impurities and noise, made where the network is trained."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import toys
from built_here import build_here
from gapscope.dataset.load import DatasetReader
from gapscope.dataset.recipe import Recipe
from gapscope.errors import DatasetError, TrainingError
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.fresh_maps import FreshMaps, OwnImages
from gapscope.learning.data.inputs import InputScaling, momentum_images
from gapscope.learning.data.moves import move_images, pixel_gathers
from gapscope.learning.data.noise import SiteNoise
from gapscope.learning.data.targets import Targets, TargetScaling
from gapscope.learning.evaluation.wording import change_words
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.network.config import TrainingConfig
from gapscope.learning.network.fresh_images import MOVE, NOISE, FreshImages
from gapscope.learning.prediction.predictor import Predictor
from gapscope.learning.training.fit_calibration import calibrate
from gapscope.learning.training.fresh_batches import FreshBatches
from gapscope.learning.training.train import train
from gapscope.physics.impurity import Impurity
from gapscope.physics.scattering import scattered_trace

SIZE = toys.WINDOW
GREENS: dict[str, Any] = {
    **toys.GREENS,
    "candidates": [{"irrep": "A1g"}, {"irrep": "Eg"}, {"irrep": "Eu"}],
    "unknowns": {
        "gap": [0.3, 1.5],
        "theta": "any",
        "phi": "any",
        "eps0": [-300.0, 100.0],
        "broadening": {"range": [0.05, 0.5], "scale": "logarithmic"},
        "potential": {"range": [-300.0, 300.0], "least": 10.0},
        "moment_z": [-50.0, 50.0],
    },
    "splits": {"train": 48, "validation": 12, "test": 120},
    "shard_size": 24,
}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def greens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("greens") / "dataset"
    return build_here(Recipe.from_dict(GREENS), folder, toys.Toy())


@pytest.fixture(scope="module")
def maps(greens: Path) -> FreshMaps:
    with DatasetReader(greens) as reader:
        return FreshMaps.of(reader, "train", SIZE)


def config(**changes: Any) -> TrainingConfig:
    network = replace(toys.tiny_network(), odd=True)
    return replace(toys.averaging_config(), network=network, surfaces=False, **changes)


def scaled(maps: FreshMaps, odd: bool = True) -> tuple[InputScaling, Targets]:
    scaling = TargetScaling.of(maps.problem, maps.parameters)
    return InputScaling.of(OwnImages(maps, odd)), Targets(maps.problem, scaling)


def test_maps_of_other_impurities_follow(greens: Path, maps: FreshMaps) -> None:
    rows = np.arange(9)
    looks = maps.redrawn(rows, [np.random.default_rng(i) for i in rows])
    values = looks.values
    assert (np.abs(values["potential"]) >= 10).all()
    assert not np.isclose(values["moment_z"], maps.drawn["moment_z"][rows]).any()
    found = maps.maps(looks)
    with DatasetReader(greens) as reader:
        own = reader.images(maps.ids[rows])
        for row in rows:
            strengths = values["potential"][row], values["moment_z"][row]
            impurity = Impurity.scalar(strengths[0]) + Impurity.magnetic((0.0, 0.0, strengths[1]))
            specification = replace(reader.specification(int(maps.ids[row])), impurity=impurity)
            green = reader.green(int(maps.ids[row])).astype(np.complex128)
            scatterers = specification.scatterers()
            traces = [scattered_trace(one, scatterers, SIZE).sum(axis=0) for one in green]
            expected = -np.stack(traces).imag / np.pi
            assert np.linalg.norm(found[row] - expected) < 1e-3 * np.linalg.norm(expected)
    again = maps.maps(maps.own(rows))
    assert np.linalg.norm(again - own) < 1e-3 * np.linalg.norm(own)
    assert np.linalg.norm(again - found) > 0.1 * np.linalg.norm(own)


@pytest.mark.parametrize("odd", [False, True])
def test_the_layer_does_what_numpy_does_step_by_step(maps: FreshMaps, odd: bool) -> None:
    inputs, targets = scaled(maps, odd)
    silent = config(gaussian_noise=0.0, pink_noise=0.0)
    batches = FreshBatches(maps, targets, silent)
    given, _ = batches[0]
    gathers = pixel_gathers(maps.problem.moves, SIZE)
    layer = FreshImages(maps.lattice, SIZE, inputs, odd, gathers, seed=0)
    found = keras.ops.convert_to_numpy(layer(given))
    images = momentum_images(maps.maps(batches.drawn(0)), maps.lattice, odd)
    expected = inputs.apply(move_images(images, given[MOVE].astype(np.int64), gathers))
    assert len(set(given[MOVE].tolist())) > 2
    assert found.shape == (16, SIZE, SIZE, 4 if odd else 2)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_noise_has_its_strength_and_its_spectrum(maps: FreshMaps) -> None:
    inputs, _ = scaled(maps)
    gathers = pixel_gathers(maps.problem.moves, SIZE)
    layer = FreshImages(maps.lattice, SIZE, inputs, True, gathers, seed=4)
    shape = (400, 2, SIZE, SIZE)
    model = NoiseModel.on(maps.lattice, SIZE)

    def fields(white: float, pink: float) -> Any:
        strengths = np.tile(np.array([[white, pink]], np.float32), (400, 1))
        return keras.ops.convert_to_numpy(layer._noise(strengths, shape))

    assert fields(2.0, 0.0).std() == pytest.approx(2.0, rel=0.01)
    pink = fields(0.0, 0.5)
    assert pink.std() == pytest.approx(0.5, rel=0.02)
    power = (np.abs(np.fft.fft2(pink)) ** 2).mean(axis=(0, 1)) / (0.5 * SIZE) ** 2
    known = model.pink > 0
    np.testing.assert_allclose(power[known], model.pink[known] ** 2, rtol=0.3)
    assert power[0, 0] < 1e-6
    layer.begin(3)
    first = fields(1.0, 0.0)
    layer.begin(4)
    other = fields(1.0, 0.0)
    layer.begin(3)
    np.testing.assert_array_equal(fields(1.0, 0.0), first)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.02


def test_the_contrast_is_that_of_the_noise_model(maps: FreshMaps) -> None:
    inputs, _ = scaled(maps)
    layer = FreshImages(
        maps.lattice, SIZE, inputs, True, pixel_gathers(maps.problem.moves, SIZE), seed=0
    )
    rows = np.arange(8)
    some = maps.maps(maps.own(rows))
    found = keras.ops.convert_to_numpy(layer._contrast(some))[..., 0, 0]
    expected = NoiseModel.on(maps.lattice, SIZE).contrast(some.astype(np.float64))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_every_epoch_has_other_impurities_and_the_same_epoch_the_same(maps: FreshMaps) -> None:
    _, targets = scaled(maps)
    batches = FreshBatches(maps, targets, config())
    given, answers = batches[1]
    again, same = FreshBatches(maps, targets, config())[1]
    for name, value in given.items():
        np.testing.assert_array_equal(again[name], value)
    np.testing.assert_array_equal(same["parameters"], answers["parameters"])
    batches.epoch = 1
    looks = batches.drawn(1)
    assert not np.isclose(looks.values["potential"], maps.drawn["potential"][looks.rows]).any()
    assert (given[NOISE] != batches[1][0][NOISE]).any()


def test_targets_are_those_of_the_moved_state(maps: FreshMaps) -> None:
    """What is kept from one epoch to the next gives what is found anew."""
    _, targets = scaled(maps)
    batches = FreshBatches(maps, targets, config())
    for epoch in (0, 1, 2, 3, 4):
        batches.epoch = epoch
        for index in range(len(batches)):
            given, answers = batches[index]
            looks = batches.drawn(index)
            label = maps.label[looks.rows]
            moved = maps.problem.moved(looks.values, label, given[MOVE].tolist())
            np.testing.assert_allclose(
                answers["parameters"], targets.encode(moved, label), rtol=1e-6, atol=1e-6
            )


@pytest.fixture(scope="module")
def whole(greens: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Trained without an interruption."""
    return train(greens, tmp_path_factory.mktemp("runs") / "whole", config(), progress=False)


def test_training_goes_on_as_if_it_had_not_been_interrupted(
    greens: Path, whole: RunFolder, tmp_path: Path
) -> None:
    class Interrupted(Exception):
        pass

    written = RunFolder.write_history

    def interrupt(self: RunFolder, entries: Any) -> None:
        written(self, entries)
        if len(entries) == 2:
            raise Interrupted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "write_history", interrupt)
        with pytest.raises(Interrupted):
            train(greens, tmp_path / "cut", config(), progress=False)
    cut = train(greens, tmp_path / "cut", config(), progress=False)
    for run in (whole, cut):
        assert [entry["epoch"] for entry in run.history()] == [1, 2, 3]
    pairs = zip(
        whole.trained_network().get_weights(), cut.trained_network().get_weights(), strict=True
    )
    for undisturbed, resumed in pairs:
        np.testing.assert_allclose(resumed, undisturbed, rtol=1e-3, atol=1e-5)
    with DatasetReader(greens) as reader:
        predictor = Predictor.load(cut.path)
        answers = predictor([predictor.samples(reader, "test").maps(np.arange(12))])
    assert answers.sizes["sample"] == 12
    assert predictor.network.input_shape[-1] == 4


def test_a_calibration_is_of_maps_with_noise_as_in_training(greens: Path, whole: RunFolder) -> None:
    made = calibrate(whole.path, greens)
    predictor = Predictor.load(whole.path)
    with DatasetReader(greens) as reader:
        clean = predictor.samples(reader, "test").maps(np.arange(120))
        noisy = predictor.samples(reader, "test", SiteNoise(0.02, 0.02)).maps(np.arange(120))
    assert np.abs(noisy - clean).max() > 0
    np.testing.assert_allclose(made.novelty, predictor.novelty([noisy], made.detector), rtol=1e-5)
    moved = np.roll(clean[:20], (1, -1), axis=(-2, -1))
    found = predictor([np.concatenate([clean[:20], moved])])
    assert found["unlike_training"].values[20:].all()
    assert found["likely_change"].values.tolist() == [""] * 20 + ["off (1, -1)"] * 20
    assert "about the site (1, -1)" in " ".join(change_words(found.isel(sample=25)))


def test_a_network_of_one_of_the_energies(greens: Path, tmp_path: Path) -> None:
    network = replace(toys.tiny_network(), energies=(0.5,))
    one = replace(config(epochs=1), network=network)
    run = train(greens, tmp_path / "one", one, progress=False)
    stored = RunFolder(run.path).config()
    assert stored.energies == (0.5,)
    assert stored.training.network.energies == (0.5,)
    with DatasetReader(greens) as reader:
        predictor = Predictor.load(run.path)
        maps = predictor.samples(reader, "test").maps(np.arange(3))
        every = reader.images(reader.ids("test")[:3])
    np.testing.assert_array_equal(maps[:, 0], every[:, 1].astype(np.float32))
    absent = replace(one, network=replace(network, energies=(0.25,)))
    with pytest.raises(DatasetError, match=r"\[0.25\] of \[0.0, 0.5\] meV"):
        train(greens, tmp_path / "absent", absent, progress=False)


def test_surfaces_and_measurements_need_maps(greens: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="store = 'green'"):
        train(greens, tmp_path / "run", toys.tiny_config(), progress=False)
