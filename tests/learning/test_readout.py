"""The readout learns what the head leaves, on the surface of clean maps and only there."""

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

from gapscope.dataset.load import DatasetReader
from gapscope.errors import RunError, SchemaVersionError
from gapscope.learning.model import export, load_trained
from gapscope.learning.predictor import Predictor, beside_truth
from gapscope.learning.readout import FEWEST, Readout
from gapscope.learning.run import RunFolder
from gapscope.learning.samples import Samples
from gapscope.learning.train import train
from gapscope.physics import LABELS

WIDTH = 24


def surface(rng: np.random.Generator, count: int) -> tuple[NDArray[Any], ...]:
    """Features on a curved surface of each irrep, smooth errors of the head, irreps."""
    label = np.arange(count) % len(LABELS)
    state = rng.uniform(-1, 1, (count, 2))
    waves = np.random.default_rng(0).normal(size=(len(LABELS), 2, WIDTH))
    features = np.sin(np.einsum("ni,nij->nj", state, waves[label])) + label[:, None]
    errors = np.stack(
        [0.1 * np.cos(k + state @ [1.0, 2.0]) * (1 + label) for k in range(4)], axis=1
    )
    return features, errors, label


@pytest.fixture(scope="module")
def learnt() -> Readout:
    return Readout.fit(*surface(np.random.default_rng(1), 3000))


def test_smooth_errors_are_learned_irrep_by_irrep(learnt: Readout) -> None:
    features, errors, label = surface(np.random.default_rng(2), 500)
    left = errors - learnt(features, label)
    assert np.abs(left).mean() < 0.02 * np.abs(errors).mean()
    foreign = learnt(features, (label + 1) % len(LABELS))
    assert np.abs(errors - foreign).mean() > 0.5 * np.abs(errors).mean()


def test_far_from_training_maps_the_head_has_the_last_word(learnt: Readout) -> None:
    features, _, label = surface(np.random.default_rng(3), 50)
    away = np.random.default_rng(4).normal(size=features.shape)
    np.testing.assert_allclose(learnt(features + 30 * away, label), 0, atol=1e-6)


def test_too_few_maps_or_targets_without_a_meaning_change_nothing() -> None:
    features, errors, label = surface(np.random.default_rng(5), len(LABELS) * FEWEST)
    errors[label == 1, :2] = np.nan
    kept = np.flatnonzero(label != 2)
    kept = np.append(kept, np.flatnonzero(label == 2)[:-1])
    readout = Readout.fit(features[kept], errors[kept], label[kept])
    added = readout(features, label)
    assert readout.corrections[2] is None
    assert not added[label == 2].any()
    assert not added[label == 1, :2].any()
    assert added[label == 1, 2:].any()


def test_a_file_gives_the_same_answers(learnt: Readout, tmp_path: Path) -> None:
    learnt.write(tmp_path / "readout.npz", "w")
    again = Readout.read(tmp_path / "readout.npz", "w", WIDTH)
    features, _, label = surface(np.random.default_rng(6), 50)
    np.testing.assert_array_equal(again(features, label), learnt(features, label))


Arrays = dict[str, NDArray[Any]]


def about(**changes: Any) -> Callable[[Arrays], Arrays]:
    def changed(arrays: Arrays) -> Arrays:
        content = json.loads(str(arrays["about"])) | changes
        return arrays | {"about": np.array(json.dumps(content))}

    return changed


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (about(weights="v"), RunError, "of weights v, beside w"),
        (about(schema=99), SchemaVersionError, "schema 99"),
        (lambda a: a | {"Eg_mean": a["Eg_mean"][1:]}, RunError, "features of width 24"),
        (lambda a: a | {"Eg_reach": np.array(0.0)}, RunError, "no reach"),
        (lambda a: a | {"Eg_basis": a["Eg_basis"] * np.nan}, RunError, "not finite"),
        (lambda a: {k: v for k, v in a.items() if k != "Eu_centres"}, RunError, "KeyError"),
        (lambda a: a | {"Eg_mean": np.array([{}], dtype=object)}, RunError, "allow_pickle"),
    ],
)
def test_damaged_and_foreign_files_are_refused(
    change: Callable[[Arrays], Arrays],
    error: type[Exception],
    message: str,
    learnt: Readout,
    tmp_path: Path,
) -> None:
    path = tmp_path / "readout.npz"
    learnt.write(path, "w")
    with np.load(path) as file:
        arrays = change(dict(file))
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(error, match=message):
        Readout.read(path, "w", WIDTH)


def test_a_run_has_a_readout_that_betters_its_head(toy_dataset: Path, learned: RunFolder) -> None:
    whole = Predictor.load(learned.path)
    assert whole.readout is not None
    with DatasetReader(toy_dataset) as reader:
        samples = Samples.of(reader, "test", whole.size)
        errors = [
            float(np.abs(made["gap"] - made["true_gap"]).mean())
            for made in (beside_truth(p, samples) for p in (whole, replace(whole, readout=None)))
        ]
    assert errors[0] < 0.8 * errors[1]


def test_a_readout_that_is_missing_is_learned_without_training_again(
    toy_dataset: Path, learned: RunFolder, tmp_path: Path
) -> None:
    run = RunFolder(shutil.copytree(learned.path, tmp_path / "run"))
    before = run.readout.read_bytes(), run.best.stat().st_mtime_ns
    run.readout.unlink()
    assert not run.finished
    train(toy_dataset, run.path, run.config().training, progress=False)
    assert (run.readout.read_bytes(), run.best.stat().st_mtime_ns) == before


def test_a_model_carries_its_readout(learned: RunFolder, tmp_path: Path) -> None:
    model = load_trained(export(learned.path, tmp_path / "model"))
    own = load_trained(learned.path).readout
    assert model.readout is not None
    assert own is not None
    features = np.random.default_rng(7).normal(size=(5, model.config.training.network.width))
    label = np.arange(5)
    np.testing.assert_array_equal(model.readout(features, label), own(features, label))
