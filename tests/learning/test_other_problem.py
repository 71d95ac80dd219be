"""Another crystal with other unknowns, from its dataset to a prediction, by its problem alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import squares
import toys
from gapscope.dataset.build import build
from gapscope.dataset.load import DatasetReader
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.recipe import Recipe
from gapscope.errors import DatasetError, RunError, TrainingError
from gapscope.learning.data.inputs import InputScaling, momentum_images
from gapscope.learning.data.measured_augmentation import MeasurementAugmentation
from gapscope.learning.data.moves import move_images, pixel_gathers
from gapscope.learning.data.samples import Samples
from gapscope.learning.data.targets import Targets, TargetScaling
from gapscope.learning.evaluation.baseline import nearest_neighbour
from gapscope.learning.evaluation.evaluate import Evaluation, evaluate
from gapscope.learning.evaluation.listing import prediction_text
from gapscope.learning.evaluation.metrics import table
from gapscope.learning.evaluation.tables import table_text
from gapscope.learning.model_folder.model_card import model_card
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.model_folder.trained import CARD, export
from gapscope.learning.network.run_config import RunConfig
from gapscope.learning.prediction.averaging import average
from gapscope.learning.prediction.predictor import without_meaningless_angles
from gapscope.learning.training.batches import TrainingBatches
from gapscope.learning.training.begin import dataset_options
from gapscope.learning.training.fit_calibration import calibrate
from gapscope.learning.training.train import train
from gapscope.problem.paper import predicted_problem
from gapscope.problem.problem import Problem, held

EU = 2
NAMES = ("phi", "theta", "gap", "potential")
PAPER = re.compile(r"\b(eps0|onsite|A12u|A1u|A2u|Eg|NbSe2|nbse2|C3v|D3h|hexagon|paper)\b")
FEW = {"train": 0, "validation": 0, "test": 150}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return squares.build_squares(tmp_path_factory.mktemp("squares") / "dataset")


@pytest.fixture(scope="module")
def problem(dataset: Path) -> Problem:
    return squares.square_problem(dataset)


@pytest.fixture(scope="module")
def run(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Trained for an epoch, with surfaces, and calibrated."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    made = train(dataset, folder, toys.tiny_config(epochs=1), progress=False)
    other = tmp_path_factory.mktemp("calibration") / "other"
    calibrate(made.path, squares.build_squares(other, seed=6, splits=FEW), training=dataset)
    return made


@pytest.fixture(scope="module")
def evaluated(run: RunFolder, dataset: Path) -> Evaluation:
    return evaluate(run.path, dataset)


def images_of(
    problem: Problem, index: int, values: dict[str, NDArray[np.float64]]
) -> NDArray[np.float32]:
    maps = []
    for row in range(len(values["gap"])):
        own = {name: float(column[row]) for name, column in values.items()}
        maps.append(squares.square_map(index, own, squares.VECTORS, toys.WINDOW))
    return momentum_images(np.stack(maps)[:, None], "square")


@pytest.mark.parametrize("index", range(3))
def test_a_moved_image_is_that_of_the_moved_unknowns(problem: Problem, index: int) -> None:
    assert len(problem.moves) == 4
    count = len(problem.moves)
    one = {"gap": 1.1, "theta": 0.4, "phi": 0.5, "potential": 40.0}
    values = {name: np.full(count, value) for name, value in one.items()}
    numbers = np.arange(count)
    moved = move_images(
        images_of(problem, index, values), numbers, pixel_gathers(problem.moves, toys.WINDOW)
    )
    there = problem.moved(values, np.full(count, index), numbers.tolist())
    scale = np.abs(moved).max()
    np.testing.assert_allclose(moved, images_of(problem, index, there), atol=1e-6 * scale)
    assert (np.ptp(moved, axis=0).max() > 0.01 * scale) == (index == EU)
    assert ((there["phi"] >= 0) & (there["phi"] <= np.pi / 2)).all()


def test_a_map_is_learned_by_one_of_its_names(dataset: Path) -> None:
    """phi is drawn from the whole circle, and each map has four names there."""
    with DatasetReader(dataset) as reader:
        drawn = reader.parameters["phi"]
        learned = Samples.of(reader, "train", toys.WINDOW).parameters["phi"]
    assert np.nanmax(drawn) > 5
    assert np.nanmin(learned) >= 0
    assert np.nanmax(learned) <= np.pi / 2


def test_targets_follow_from_the_unknowns(dataset: Path, problem: Problem) -> None:
    with DatasetReader(dataset) as reader:
        samples = Samples.of(reader, "train", toys.WINDOW)
    targets = Targets(problem, TargetScaling.of(problem, samples.parameters))
    assert tuple(one.name for one in problem.learned) == NAMES
    encoded = targets.encode(samples.parameters, samples.label)
    assert encoded.shape == (180, 6)
    angles, rest = encoded[:, :4], encoded[:, 4:]
    np.testing.assert_array_equal(np.isnan(angles).all(axis=1), samples.label != EU)
    assert np.isfinite(rest).all()
    np.testing.assert_allclose(rest.mean(axis=0), 0, atol=1e-6)
    strength = np.log(samples.parameters["potential"])
    expected = (strength - strength.mean()) / strength.std()
    np.testing.assert_allclose(rest[:, 1], expected, atol=1e-5)
    decoded = targets.decode(encoded, samples.label)
    for name in NAMES:
        known = np.isfinite(samples.parameters[name])
        found, truth = decoded[name][known], samples.parameters[name][known]
        np.testing.assert_allclose(found, truth, rtol=1e-5, atol=1e-6)


def test_augmented_inputs_are_inputs_of_true_maps(dataset: Path, problem: Problem) -> None:
    with DatasetReader(dataset) as reader:
        samples = Samples.of(reader, "train", toys.WINDOW, cache_gib=1.0)
        targets = Targets(problem, TargetScaling.of(problem, samples.parameters))
        config = toys.tiny_config(gaussian_noise=0.0, pink_noise=0.0)
        batches = TrainingBatches(samples, InputScaling.of(samples), targets, config)
        inputs, learned = batches[0]
    for image, label, row in zip(inputs, learned["irrep"], learned["parameters"], strict=True):
        values = targets.decode(row[None], label[None])
        expected = batches.inputs.apply(images_of(problem, int(label), values))
        np.testing.assert_allclose(image, expected[0], atol=1e-3)


def test_answers_that_obey_the_symmetry_stay_as_they_are(problem: Problem) -> None:
    targets = Targets(
        problem, TargetScaling({"gap": 1.0, "potential": 4.0}, {"gap": 0.5, "potential": 0.7})
    )
    count, label = len(problem.moves), np.full(4, EU)
    values = {"phi": 0.3, "theta": 0.4, "gap": 1.2, "potential": 80.0}
    moved = problem.moved({k: np.full(count, v) for k, v in values.items()}, label, range(count))
    _, mean = average(np.eye(3)[label], targets.encode(moved, label), targets)
    decoded = targets.decode(mean, label[:1])
    for name, value in values.items():
        assert decoded[name] == pytest.approx([value], rel=1e-5), name


def test_a_config_holds_the_problem(run: RunFolder, problem: Problem) -> None:
    config = run.config()
    assert config.problem == problem
    assert RunConfig.from_json(config.to_json()) == config
    assert config.scaling.mean.keys() == {"gap", "potential"}
    assert config.lattice_vectors is None


def test_predictions_name_the_problem_s_unknowns(
    evaluated: Evaluation, run: RunFolder, problem: Problem
) -> None:
    made = evaluated.predictions
    assert predicted_problem(made.attrs) == problem
    assert made["class"].values.tolist() == ["A1g", "B1g", "Eu"]
    for name in NAMES:
        assert np.isfinite(made[name]).all()
        assert made[name].attrs["units"] == problem.unknown(name).unit
        has = np.isfinite(made[f"true_{name}"].values)
        np.testing.assert_array_equal(has, problem.has(name)[made["true_label"].values])
        with_interval = np.isfinite(made[f"{name}_low"].values)
        np.testing.assert_array_equal(with_interval, problem.has(name)[made["label"].values])
    ratio = made["potential_high"] / made["potential"]
    np.testing.assert_allclose(ratio, made["potential"] / made["potential_low"], rtol=1e-6)
    assert (made["gap_low"] >= 0).all()
    cleaned = without_meaningless_angles(made)
    angleless = made["label"].values != EU
    for name in ("theta", "phi"):
        np.testing.assert_array_equal(np.isnan(cleaned[name]), angleless)
    assert (made["gap"] >= 0.25).all()
    assert run.config().training.symmetry


def test_every_text_is_about_this_problem(
    evaluated: Evaluation, run: RunFolder, dataset: Path, tmp_path: Path
) -> None:
    evaluated.write(run.path / "test")
    card = (export(run.path, tmp_path / "model") / CARD).read_text()
    few = evaluated.predictions.isel(sample=slice(0, 6))
    listing = prediction_text(few, [f"map{i}" for i in range(6)])
    near = nearest_neighbour(dataset, toys.WINDOW)
    baseline = table_text(table(near), predicted_problem(near.attrs))
    assert evaluated.uncertainty is not None
    texts = (card, listing, evaluated.text, evaluated.uncertainty, baseline)
    for text in texts:
        assert not PAPER.findall(text), text
    heads = ["gap (meV)", "theta (rad)", "phi (rad)", "potential (meV)"]
    positions = [listing.index(head) for head in heads]
    assert positions == sorted(positions)
    for text in (evaluated.text, evaluated.uncertainty, baseline):
        head = text.splitlines()[0]
        assert all(
            f"{name} [{unit}]" in head
            for name, unit in (
                ("gap", "meV"),
                ("theta", "rad"),
                ("phi", "rad"),
                ("potential", "meV"),
            )
        )
    assert "averaged over the four moves of C4v" in card
    assert "the irrep, one of A1g, B1g, Eu, the gap, the mixing angle theta," in card
    assert "and the potential of the impurity potential." in card
    assert "theta is known modulo pi; A1g and B1g have none." in card
    assert "phi is known modulo 2 pi; A1g and B1g have none." in card
    assert "| potential | 10 to 200 meV |" in card


def test_the_card_says_what_no_map_tells(run: RunFolder, problem: Problem) -> None:
    """Which unknown is held in which class, and why."""
    config, line = run.config(), "No map of Eu depends on phi (to 1e-06): phi = 0 in all of them."
    for values in ({}, {"Eu": {"phi": 0.0}}):
        stored = {**config.dataset, "problem": held(problem, values).to_dict()}
        card = model_card("squares", replace(config, dataset=stored), [], 1, None, None, False)
        assert (f"\n* {line} " in card) == bool(values)


def test_a_model_of_it_answers_as_the_run(
    evaluated: Evaluation, run: RunFolder, dataset: Path, tmp_path: Path
) -> None:
    again = evaluate(export(run.path, tmp_path / "model"), dataset).predictions
    np.testing.assert_array_equal(again["label"], evaluated.predictions["label"])
    np.testing.assert_allclose(again["gap"], evaluated.predictions["gap"], atol=0.02)


def test_a_recipe_s_options_train_the_network(tmp_path: Path) -> None:
    options = {"epochs": 1, "precision": "float32", "surfaces": False, "batch_size": 5}
    network = {"backbone": "tiny", "input_size": toys.WINDOW, "width": 8}
    splits = {"train": 15, "validation": 6, "test": 6}
    dataset = squares.build_squares(
        tmp_path / "d", splits=splits, training={**options, "network": network}
    )
    made = train(dataset, tmp_path / "run", progress=False)
    assert made.config().training.network.width == 8
    assert made.config().training.epochs == 1
    assert "training" not in made.config().dataset["recipe"]
    # Given options are taken instead, these to be refused.
    absent = replace(toys.tiny_network(), energies=(7.0,))
    with pytest.raises(DatasetError, match=r"7\.0"):
        train(dataset, tmp_path / "given", toys.tiny_config(network=absent), progress=False)


def test_a_finished_dataset_takes_the_options_of_its_recipe_as_it_stands(tmp_path: Path) -> None:
    splits = {"train": 15, "validation": 6, "test": 6}
    dataset = squares.build_squares(tmp_path / "d", splits=splits, training={"epochs": 3})
    before = Manifest.read(dataset)
    table = before.recipe.to_dict() | {"training": {"epochs": 5}}
    build(Recipe.from_dict(table), dataset, simulator=squares.Squares(squares.CANDIDATES))
    assert dataset_options(dataset) == {"epochs": 5}
    assert Manifest.read(dataset).identity == before.identity


def test_another_problem_is_no_start_and_no_further_dataset(
    run: RunFolder, dataset: Path, tmp_path: Path
) -> None:
    splits = {"train": 30, "validation": 6, "test": 6}
    fewer = {name: squares.UNKNOWNS[name] for name in ("gap", "theta", "phi")}
    impurity = {"scalar": 50.0}
    other = squares.build_squares(
        tmp_path / "other", unknowns=fewer, splits=splits, impurity=impurity
    )
    config = toys.tiny_config(epochs=1)
    with pytest.raises(TrainingError, match="potential"):
        train(other, tmp_path / "run", config, start=run.path, progress=False)
    with pytest.raises(TrainingError, match="potential"):
        train(dataset, tmp_path / "run2", config, also=[other], progress=False)


def test_networks_for_measured_maps_are_trained_on_any_lattice_and_refuse_another_cell(
    tmp_path: Path,
) -> None:
    unknowns = {name: squares.UNKNOWNS[name] for name in ("gap", "potential")}
    splits = {"train": 32, "validation": 8, "test": 8}
    dataset, other = (
        squares.build_squares(
            tmp_path / str(length),
            ("Ag", "B1u"),
            f"vectors = [[4.0, 0.0], [0.0, {length}]]",
            unknowns,
            window=2 * toys.WINDOW,
            splits=splits,
        )
        for length in (6.0, 5.0)
    )
    measurement = MeasurementAugmentation(toys.WINDOW, white=0.1, pink=0.1, lines=0.1)
    config = toys.tiny_config(epochs=1, measurement=measurement)
    made = train(dataset, tmp_path / "run", config, progress=False)
    assert "B1u" in evaluate(made.path, dataset).text
    np.testing.assert_allclose(made.config().crystal_lattice.vectors, [[1, 0], [0, 1.5]])
    assert RunConfig.from_json(made.config().to_json()) == made.config()
    with pytest.raises(RunError, match="rectangular"):
        evaluate(made.path, other)


Change = Callable[[dict[str, object]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["dataset"]["problem"]["unknowns"].pop(),
        lambda c: c["dataset"]["problem"]["classes"].pop(),
        lambda c: c["dataset"]["problem"]["unknowns"][0].update(low=-1.0),
        lambda c: c["dataset"]["problem"]["moves"][1].update(lattice=[[3, 1], [0, 1]]),
        lambda c: c["dataset"]["problem"].update(moves=[]),
        lambda c: c["scaling"]["deviation"].update(gap=0.0),
        lambda c: c["scaling"]["mean"].pop("gap"),
        lambda c: c.update(lattice="oblique"),
    ],
)
def test_a_config_that_contradicts_itself_is_refused(
    change: Change, run: RunFolder, tmp_path: Path
) -> None:
    content = json.loads((run.path / "config.json").read_text())
    change(content)
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(RunError, match=r"config\.json"):
        RunFolder(tmp_path).config()
