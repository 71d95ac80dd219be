"""Clean maps' parameters by regression: near the surface it is right, far from it it is silent."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import toys
from gapscope.dataset.load import DatasetReader
from gapscope.errors import RunError, SchemaVersionError, TrainingError
from gapscope.learning.data.inputs import momentum_images
from gapscope.learning.data.samples import Samples
from gapscope.learning.emulator.by_irrep import FEWEST, Emulators
from gapscope.learning.emulator.emulator import NUGGET, Emulator, shape_and_scale
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.model_folder.trained import export, load_trained
from gapscope.learning.prediction.predictor import Predictor, beside_truth
from gapscope.learning.training.train import train
from gapscope.physics import LABELS
from gapscope.physics.lattice import window_coordinates

SIZE = 16
ERROR = 0.3
"""Errors of the network that the emulators stand beside, one sigma."""


def maps(rng: np.random.Generator, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Two-parameter maps (n, 1, L, L), and targets (n, 4) that are smooth in the parameters."""
    state = rng.uniform(-1, 1, (count, 2))
    r = window_coordinates(SIZE)
    fall = np.exp(-0.1 * (r[:, None] ** 2 + r[None, :] ** 2))
    phase = r[:, None] * (1 + 0.4 * state[:, 0, None, None]) + 0.7 * r[None, :]
    waves = np.exp(state[:, 1])[:, None, None] * np.cos(phase) * fall
    targets = np.stack([np.sin(state.sum(axis=1) + k) for k in range(4)], axis=1)
    return waves[:, None], targets


def batch(rng: np.random.Generator, count: int, label: int = 2) -> tuple[NDArray[Any], ...]:
    drho, targets = maps(rng, count)
    errors = rng.normal(0, ERROR, targets.shape)
    images = momentum_images(drho, "triangular")
    return images, np.full(count, label), targets, errors, np.zeros(count, np.int8)


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    learned = Emulators.fit([batch(np.random.default_rng(1), 600)], 5).emulators[2]
    assert learned is not None
    return learned


def test_parameters_of_unseen_maps_are_found_with_true_variances(emulator: Emulator) -> None:
    images, _, targets, *_ = batch(np.random.default_rng(2), 400)
    mean, variance = emulator(*shape_and_scale(images))
    assert np.abs(mean - targets).mean() < 0.01 * np.abs(targets).mean()
    sigmas = np.median(np.abs(mean - targets) / np.sqrt(variance), axis=0)
    assert (sigmas > 0.05).all()
    assert (sigmas < 2).all()


def test_fewer_components_are_the_leading_ones(emulator: Emulator) -> None:
    few = Emulators.fit([batch(np.random.default_rng(1), 600)], 5, components=6).emulators[2]
    assert few is not None
    assert (few.basis.shape[1], few.quiet.shape[1]) == (6, 2)
    assert np.array_equal(few.basis, emulator.basis[:, :6])


def test_few_maps_have_the_components_that_the_matrix_of_all_pixels_has() -> None:
    images, _, targets, errors, acquisition = batch(np.random.default_rng(3), 50)
    arrays = (*shape_and_scale(images), targets, errors, acquisition)
    few, twice = Emulator.fit(*arrays), Emulator.fit(*(np.concatenate([a, a]) for a in arrays))
    assert len(few.points) < len(few.mean) // 2 < len(twice.points)
    leading = np.abs(np.stack([few.basis[:, :4], twice.basis[:, :4]]))
    np.testing.assert_allclose(leading[0], leading[1], atol=2e-3 * leading.max())
    shapes = arrays[0] - few.mean
    for one in (few, twice):
        assert np.abs(shapes @ one.quiet).max() < 2e-3 * np.linalg.norm(shapes, axis=1).max()
        np.testing.assert_allclose(one.quiet.T @ one.quiet, np.eye(one.quiet.shape[1]), atol=5e-3)


def test_the_strength_is_that_of_maps_left_out_one_by_one() -> None:
    images, _, targets, errors, acquisition = batch(np.random.default_rng(3), 40)
    shape, scale = shape_and_scale(images)
    whole = Emulator.fit(shape, scale, targets, errors, acquisition)
    points = whole.points.astype(np.float64)

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """1 / (1 + d^2 / 2 l^2), l fixed by all points."""
        d = np.linalg.norm(x[:, None] - y[None], axis=-1)
        return 1 / (1 + d**2 / (2 * whole.length**2))

    squared = []
    for out in range(40):
        kept = np.arange(40) != out
        # The same coordinates and length, one point fewer.
        k = kernel(points[[out]], points[kept])
        both = kernel(points[kept], points[kept]) + NUGGET * 40 * np.eye(39)
        centre = whole.targets.mean(axis=0)
        mean = centre + k @ np.linalg.solve(both, whole.targets[kept] - centre)
        left = 1 + NUGGET * 40 - k @ np.linalg.solve(both, k.T)
        squared.append(np.square(mean - whole.targets[out])[0] / left[0])
    alone = np.mean(squared, axis=0)
    np.testing.assert_allclose(np.maximum(alone, targets.var(axis=0)), whole.strength, rtol=1e-3)
    assert (alone > targets.var(axis=0)).any()


def test_near_the_surface_it_has_the_word_and_in_noise_the_network_has(emulator: Emulator) -> None:
    rng = np.random.default_rng(4)
    drho, targets = maps(rng, 200)
    answers = targets + rng.normal(0, ERROR, targets.shape)
    clean = emulator.joined(*shape_and_scale(momentum_images(drho, "triangular")), answers)
    assert np.abs(clean - targets).mean() < 0.02 * np.abs(answers - targets).mean()
    noise = rng.normal(size=drho.shape)
    lost = emulator.joined(*shape_and_scale(momentum_images(noise, "triangular")), answers)
    assert np.abs(lost - targets).mean() < 1.2 * np.abs(answers - targets).mean()
    _, variance = emulator(*shape_and_scale(momentum_images(noise, "triangular")))
    assert (variance > 0.2 * targets.var(axis=0)).all()


def test_the_scale_of_a_map_is_kept_apart_from_its_shape() -> None:
    images = momentum_images(maps(np.random.default_rng(5), 3)[0], "triangular")
    shape, scale = shape_and_scale(images)
    again, larger = shape_and_scale(100 * images)
    np.testing.assert_allclose(again, shape, atol=1e-5)
    np.testing.assert_allclose(larger, scale + np.log(100), rtol=1e-5)
    assert np.isfinite(np.concatenate([part.ravel() for part in shape_and_scale(0 * images)])).all()


def test_the_nearest_training_maps_are_found_whatever_their_amplitude() -> None:
    rng = np.random.default_rng(9)
    first, second = batch(rng, FEWEST, label=0), batch(rng, FEWEST + 5, label=3)
    first[4][7] = 2
    emulators = Emulators.fit([first, second], 5)
    images = np.concatenate([first[0][[7]], 30 * second[0][[4]]])
    label, targets, distance, acquisition = emulators.nearest(images, 3)
    np.testing.assert_array_equal(label[:, 0], [0, 3])
    np.testing.assert_array_equal(acquisition[:, 0], [2, 0])
    np.testing.assert_allclose(targets[0, 0], first[2][7], rtol=1e-6)
    np.testing.assert_allclose(targets[1, 0], second[2][4], rtol=1e-6)
    assert (distance[:, 0] < 0.01).all()
    # Against all distances, one by one.
    shape = shape_and_scale(np.concatenate([first[0], second[0]]))[0]
    own = shape_and_scale(images)[0]
    apart = np.linalg.norm(own[:, None] - shape, axis=2) / np.linalg.norm(own, axis=1)[:, None]
    np.testing.assert_allclose(distance, np.sort(apart, axis=1)[:, :3], rtol=0.02, atol=0.01)


def test_irreps_have_their_own_surfaces_and_too_few_maps_none() -> None:
    rng = np.random.default_rng(6)
    many, few = batch(rng, FEWEST, label=0), batch(rng, FEWEST - 1, label=3)
    nameless = batch(rng, FEWEST, label=1)
    nameless[2][:, :2] = nameless[3][:, :2] = np.nan
    emulators = Emulators.fit([many, few, nameless], 5)
    assert [s is not None for s in emulators.emulators] == [True, True, False, False, False]
    answers = np.ones((5, 4))
    joined = emulators.joined(many[0][:5], np.array([0, 1, 2, 3, 0]), answers)
    np.testing.assert_array_equal(joined[2:4], answers[2:4])
    assert (joined[[0, 4]] != 1).all()
    np.testing.assert_array_equal(joined[1, :2], [1, 1])  # no angle: the network's word stands
    assert np.isfinite(joined).all()


@pytest.fixture
def file(emulator: Emulator, tmp_path: Path) -> Path:
    path = tmp_path / "surfaces.npz"
    Emulators((None, None, emulator, None, None)).write(path, "w", LABELS)
    return path


def test_a_file_gives_the_same_answers(file: Path, emulator: Emulator) -> None:
    again = Emulators.read(file, "w", toys.TARGETS, SIZE, 1)
    images, label, targets, *_ = batch(np.random.default_rng(7), 20)
    own = Emulators((None, None, emulator, None, None)).joined(images, label, targets)
    np.testing.assert_array_equal(again.joined(images, label, targets), own)


def test_a_file_of_schema_2_gives_the_same_answers(file: Path) -> None:
    """Its arrays went by the classes' labels."""
    again = Emulators.read(file, "w", toys.TARGETS, SIZE, 1)
    with np.load(file) as opened:
        arrays = {name.replace(f"{NAME}_", f"{LABELS[NAME]}_"): opened[name] for name in opened}
    arrays["about"] = np.array(json.dumps({"schema": 2, "labels": LABELS, "weights": "w"}))
    np.savez(file, **arrays)
    old = Emulators.read(file, "w", toys.TARGETS, SIZE, 1)
    assert [i for i, _ in old.known] == [i for i, _ in again.known] == [NAME]
    np.testing.assert_array_equal(old.known[0][1].points, again.known[0][1].points)


def test_kinds_come_back_and_none_is_beyond_the_setpoints(
    tmp_path: Path, emulator: Emulator
) -> None:
    acquisition = np.arange(len(emulator.points)) % 3
    made = Emulators(
        (None, None, replace(emulator, acquisition=acquisition.astype(np.int8)), None, None)
    )
    made.write(tmp_path / "surfaces.npz", "w", LABELS)
    again = Emulators.read(tmp_path / "surfaces.npz", "w", toys.TARGETS, SIZE, 1, setpoints=2)
    np.testing.assert_array_equal(again.known[0][1].acquisition, acquisition)
    with pytest.raises(RunError, match="beyond 1 setpoints"):
        Emulators.read(tmp_path / "surfaces.npz", "w", toys.TARGETS, SIZE, 1, setpoints=1)


Arrays = dict[str, NDArray[Any]]
NAME = 2


def about(**changes: Any) -> Callable[[Arrays], Arrays]:
    def changed(arrays: Arrays) -> Arrays:
        content = json.loads(str(arrays["about"])) | changes
        return arrays | {"about": np.array(json.dumps(content))}

    return changed


def array(name: str, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: arrays | {f"{NAME}_{name}": change(arrays[f"{NAME}_{name}"])}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (about(weights="v"), RunError, "of weights v, beside w"),
        (about(schema=99), SchemaVersionError, "schema 99"),
        (array("mean", lambda a: a[1:]), RunError, "shapes"),
        (array("points", lambda a: a[:0]), RunError, "shapes"),
        (array("basis", lambda a: a * np.nan), RunError, "not finite"),
        (array("strength", lambda a: -a), RunError, "not positive"),
        (lambda a: a | {f"{NAME}_kind": np.array([1, 2])}, RunError, "shapes"),
        (array("mean", lambda a: np.array([{}], dtype=object)), RunError, "allow_pickle"),
        (lambda a: {k: v for k, v in a.items() if "targets" not in k}, RunError, "KeyError"),
    ],
)
def test_damaged_and_foreign_files_are_refused(
    change: Callable[[Arrays], Arrays], error: type[Exception], message: str, file: Path
) -> None:
    with np.load(file) as opened:
        arrays = change(dict(opened))
    np.savez(file, **arrays)  # type: ignore[arg-type]
    with pytest.raises(error, match=message):
        Emulators.read(file, "w", toys.TARGETS, SIZE, 1)


def test_a_run_has_surfaces_that_better_its_answers(toy_dataset: Path, learned: RunFolder) -> None:
    whole = Predictor.load(learned.path)
    assert whole.emulators is not None
    with DatasetReader(toy_dataset) as reader:
        samples = Samples.of(reader, "train", whole.size)
        errors = [
            float(np.abs(made["gap"] - made["true_gap"]).mean())
            for made in (beside_truth(p, samples) for p in (whole, replace(whole, emulators=None)))
        ]
    assert errors[0] < 0.8 * errors[1]


def test_missing_surfaces_are_learned_without_training_again(
    toy_dataset: Path, learned: RunFolder, tmp_path: Path
) -> None:
    run = RunFolder(shutil.copytree(learned.path, tmp_path / "run"))
    trained = run.best.stat().st_mtime_ns
    before = load_trained(run.path).emulators
    run.emulators.unlink()
    assert not run.finished
    train(toy_dataset, run.path, run.config().training, progress=False)
    assert run.best.stat().st_mtime_ns == trained
    after = load_trained(run.path).emulators
    assert before is not None
    assert after is not None
    for one, other in zip(before.emulators, after.emulators, strict=True):
        if one is not None and other is not None:
            np.testing.assert_allclose(one.targets, other.targets)
    assert [s is None for s in before.emulators] == [s is None for s in after.emulators]


def test_a_model_carries_its_surfaces(learned: RunFolder, tmp_path: Path) -> None:
    model, run = load_trained(export(learned.path, tmp_path / "model")), load_trained(learned.path)
    assert model.emulators is not None
    assert run.emulators is not None
    for one, other in zip(model.emulators.emulators, run.emulators.emulators, strict=True):
        if one is not None and other is not None:
            np.testing.assert_array_equal(one.points, other.points)


def test_noise_on_a_map_adds_to_its_variance(emulator: Emulator) -> None:
    rng = np.random.default_rng(8)
    drho, targets = maps(rng, 200)
    spread = drho.std(axis=(-2, -1), keepdims=True)
    before = np.zeros(4)
    for strength in (0.03, 0.1):
        noisy = drho + strength * spread * rng.normal(size=drho.shape)
        mean, variance = emulator(*shape_and_scale(momentum_images(noisy, "triangular")))
        typical = np.median(variance, axis=0)
        assert (typical > 3 * before).all()
        assert (np.median(np.abs(mean - targets), axis=0) < 2 * np.sqrt(typical)).all()
        before = typical


def test_noise_is_seen_as_strong_as_it_is(emulator: Emulator) -> None:
    rng = np.random.default_rng(8)
    drho, _ = maps(rng, 300)
    clean = momentum_images(drho, "triangular")
    noisy = momentum_images(drho + 0.05 * rng.normal(size=drho.shape), "triangular")
    shape, scale = shape_and_scale(noisy)
    moved = emulator.coordinates(shape, scale) - emulator.coordinates(*shape_and_scale(clean))
    variance = np.square(moved[:, : emulator.basis.shape[1]]).mean()
    assert 0.5 * variance < emulator.noise(shape).mean() < 1.5 * variance
    assert emulator.noise(shape_and_scale(clean)[0]).mean() < 0.05 * variance


def test_surfaces_learn_from_further_datasets_of_the_same_kind(
    toy_dataset: Path, learned: RunFolder, tmp_path: Path
) -> None:
    run = RunFolder(shutil.copytree(learned.path, tmp_path / "run"))
    other = toys.build_toys(tmp_path / "other", seed=21, name="other toys")
    run.emulators.unlink()
    train(toy_dataset, run.path, run.config().training, also=[other], progress=False)
    alone, both = (load_trained(one.path).emulators for one in (learned, run))
    assert alone is not None
    assert both is not None
    for one, more in zip(alone.emulators, both.emulators, strict=True):
        assert one is not None
        assert more is not None
        assert len(more.points) == 2 * len(one.points)


def test_surfaces_learn_from_maps_of_one_kind_only(
    toy_dataset: Path, learned: RunFolder, tmp_path: Path
) -> None:
    run = RunFolder(shutil.copytree(learned.path, tmp_path / "run"))
    other = toys.build_toys(tmp_path / "other", energies=[0.0, 0.5], name="two energies")
    run.emulators.unlink()
    with pytest.raises(TrainingError, match="same kind"):
        train(toy_dataset, run.path, run.config().training, also=[other], progress=False)


def test_surfaces_are_of_the_energies_that_a_network_sees(tmp_path: Path) -> None:
    """Those of further datasets are of these, too, and the folder is read again."""
    splits = {"train": 600, "validation": 20, "test": 20}
    two = {"energies": [0.0, 0.5], "splits": splits}
    dataset = toys.build_toys(tmp_path / "dataset", **two)
    other = toys.build_toys(tmp_path / "other", seed=21, name="other toys", **two)
    seeing = replace(toys.tiny_network(), energies=(0.5,))
    config = toys.tiny_config(epochs=1, network=seeing)
    run = train(dataset, tmp_path / "run", config, also=[other], progress=False)
    emulators = load_trained(run.path).emulators
    assert emulators is not None
    assert [len(one.scale_mean) for _, one in emulators.known] == [1] * 5
