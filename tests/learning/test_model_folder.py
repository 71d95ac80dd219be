"""An exported model answers as its run does; a damaged or foreign one says so."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from safetensors.numpy import load_file, save_file

import toys
from gapscope.errors import CalibrationError, GapscopeError, RunError, SchemaVersionError
from gapscope.learning.evaluation.evaluate import evaluate
from gapscope.learning.model_folder import weights
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.model_folder.trained import CARD, export, load_trained
from gapscope.learning.model_folder.weights import (
    INDEX,
    WEIGHTS_SCHEMA,
    Index,
    read_weights,
    write_weights,
)
from gapscope.learning.prediction.predictor import Predictor
from gapscope.learning.uncertainty.calibration import CALIBRATION
from gapscope.support.resources import find_model

HALF = 2.0**-11
"""Largest relative rounding of a weight."""


@pytest.fixture(scope="module")
def exported(calibrated: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(calibrated.path, tmp_path_factory.mktemp("models") / "toy-model")


@pytest.fixture
def model(exported: Path, tmp_path: Path) -> Path:
    """A model of the test's own."""
    return Path(shutil.copytree(exported, tmp_path / "model"))


def test_a_model_folder_holds_json_arrays_and_text_only(exported: Path) -> None:
    names = sorted(path.name for path in exported.iterdir())
    arrays = [CALIBRATION, "companion.npz", "config.json", "surfaces.npz", "weights-01.safetensors"]
    assert names == [CARD, *arrays, INDEX]


def test_matrices_are_half_precision_and_vectors_single(exported: Path) -> None:
    shapes = Index.read(exported).shapes
    stored = load_file(exported / "weights-01.safetensors")
    assert len(stored) == len(shapes) > 10
    for name, value in stored.items():
        matrix = len(shapes[name.rpartition("/")[0]]) > 1
        assert value.dtype == (np.float16 if matrix else np.float32), name
    assert {len(shape) for shape in shapes.values()} == {1, 2, 4}


def test_weights_are_those_of_the_run_to_half_precision(
    exported: Path, calibrated: RunFolder
) -> None:
    run, model = (load_trained(folder) for folder in (calibrated.path, exported))
    assert model.config == run.config
    assert model.weights == run.weights
    pairs = zip(run.network.get_weights(), model.network.get_weights(), strict=True)
    rounded = []
    for one, other in pairs:
        np.testing.assert_allclose(other, one, rtol=HALF, atol=1e-7)
        rounded.append((one != other).any())
    assert any(rounded)


def test_a_model_predicts_as_its_run_to_half_precision(
    exported: Path, calibrated: RunFolder, fresh_dataset: Path
) -> None:
    run, model = (evaluate(folder, fresh_dataset) for folder in (calibrated.path, exported))
    one, other = run.predictions, model.predictions
    assert set(one.data_vars) == set(other.data_vars)
    assert (one["label"] == other["label"]).values.mean() > 0.99
    agreed = (one["label"] == other["label"]).values
    for name, tolerance in (("probability", 0.02), ("gap", 0.005), ("eps0", 1.0)):
        apart = np.abs(one[name].values - other[name].values)[agreed]
        assert apart.max() < tolerance, name
        assert apart.max() > 0, name
    theta = toys.PROBLEM.unknown("theta")
    assert theta.error(one["theta"].values, other["theta"].values)[agreed].max() < 0.05
    for name in ("gap", "theta", "eps0"):
        widths = [(made[f"{name}_high"] - made[name]).values[agreed] for made in (one, other)]
        np.testing.assert_allclose(*widths, rtol=1e-6)
    np.testing.assert_array_equal(one["novelty"], other["novelty"])


def test_a_run_without_calibration_gives_a_model_without(
    learned: RunFolder, model: Path, fresh_dataset: Path
) -> None:
    assert (model / CALIBRATION).is_file()
    export(learned.path, model)  # into an older model's folder
    assert not (model / CALIBRATION).exists()
    assert "irrep_set" not in evaluate(model, fresh_dataset).predictions
    assert "Not calibrated" in (model / CARD).read_text()


def test_the_card_says_what_the_model_is(exported: Path, calibrated: RunFolder) -> None:
    text = (exported / CARD).read_text()
    config = calibrated.config()
    assert text.startswith("# toy-model\n")
    for fact in (
        config.dataset["identity"],
        "gap | 0.3 to 1.5 meV",
        "12 of 12",
        f"{load_trained(exported).network.count_params():,}",
        f"gapscope {config.versions['gapscope']}",
        "Calibrated with 300 maps of calibration",
        "MIT",
        "--model toy-model",
        '"kgrid": 64',
        "Not evaluated",
    ):
        assert fact in text, fact


def test_the_card_has_the_table_of_an_evaluated_run(
    calibrated: RunFolder, fresh_dataset: Path, tmp_path: Path
) -> None:
    run = RunFolder(shutil.copytree(calibrated.path, tmp_path / "run"))
    result = evaluate(run.path, fresh_dataset)
    result.write(run.path / "test")
    folder = export(run.path, tmp_path / "model", "another name")
    text = (folder / CARD).read_text()
    assert text.startswith("# another name\n")
    assert result.text in text


def test_tensors_are_cut_where_files_would_grow_too_large(
    learned: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "PIECE_BYTES", 4000)
    monkeypatch.setattr(weights, "FILE_BYTES", 9000)
    network = learned.trained_network()
    index = write_weights(network, tmp_path, "source")
    assert len(index.files) > 2
    header = 2000
    assert max((tmp_path / name).stat().st_size for name in index.files) < 9000 + header
    again = learned.config().network()
    read_weights(again, tmp_path)
    for one, other in zip(network.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(other, one, rtol=HALF, atol=1e-7)


def test_weights_beyond_half_precision_are_refused(learned: RunFolder, tmp_path: Path) -> None:
    network = learned.trained_network()
    network.set_weights([1e6 * value for value in network.get_weights()])
    with pytest.raises(RunError, match="65504"):
        write_weights(network, tmp_path, "source")
    assert not list(tmp_path.iterdir())


def test_folders_of_others_stay_untouched(calibrated: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years")
    run = shutil.copytree(calibrated.path, tmp_path / "run")
    for folder in (tmp_path, run):
        before = sorted(folder.iterdir())
        with pytest.raises(RunError, match="new folder"):
            export(calibrated.path, folder)
        assert sorted(folder.iterdir()) == before


def test_an_export_that_was_interrupted_is_no_model_and_can_be_repeated(
    calibrated: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    with monkeypatch.context() as patched:
        patched.setattr("gapscope.learning.model_folder.trained.write_weights", interrupted)
        with pytest.raises(KeyboardInterrupt):
            export(calibrated.path, folder)
    with pytest.raises(RunError):
        Predictor.load(folder)
    export(calibrated.path, folder)
    assert isinstance(Predictor.load(folder), Predictor)


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


# What a folder can hold instead of a model.


def damage_index(model: Path, **changes: Any) -> None:
    content = json.loads((model / INDEX).read_text()) | changes
    (model / INDEX).write_text(json.dumps(content))


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"schema": 1}', '{"schema": "one"}'])
def test_a_damaged_index_is_named(content: str, model: Path) -> None:
    (model / INDEX).write_text(content)
    with pytest.raises(RunError, match=r"weights\.json"):
        Predictor.load(model)


def test_an_index_that_is_no_text_is_named(model: Path) -> None:
    (model / INDEX).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RunError, match=r"weights\.json"):
        Predictor.load(model)


def test_a_newer_index_asks_for_an_update(model: Path) -> None:
    damage_index(model, schema=WEIGHTS_SCHEMA + 1)
    with pytest.raises(SchemaVersionError, match=f"schema {WEIGHTS_SCHEMA + 1}"):
        Predictor.load(model)


@pytest.mark.parametrize("name", ["../weights-01.safetensors", "/etc/passwd", "weights.pkl"])
def test_files_outside_the_folder_are_not_read(name: str, model: Path) -> None:
    damage_index(model, files={name: "0" * 64})
    with pytest.raises(RunError, match="files"):
        Predictor.load(model)


def test_missing_and_truncated_weights_are_named(model: Path) -> None:
    file = model / "weights-01.safetensors"
    whole = file.read_bytes()
    for content, why in (
        (whole[:-1], "SHA-256"),
        (whole + b"x", "SHA-256"),
        (whole[: len(whole) // 2], "bytes for"),
        (b"", "0 bytes for"),
    ):
        file.write_bytes(content)
        with pytest.raises(RunError, match=rf"weights-01[\s\S]*{why}"):
            Predictor.load(model)
    file.unlink()
    with pytest.raises(RunError, match="weights-01"):
        Predictor.load(model)


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\xff" * 64])
def test_a_foreign_file_with_its_own_checksum_is_refused(content: bytes, model: Path) -> None:
    name = "weights-01.safetensors"
    (model / name).write_bytes(content)
    damage_index(model, files={name: hashlib.sha256(content).hexdigest()})
    with pytest.raises(RunError, match="weights-01"):
        Predictor.load(model)


def test_weights_that_lack_a_tensor_a_part_or_a_value_are_refused(model: Path) -> None:
    path = model / "weights-01.safetensors"
    whole = load_file(path)
    name = next(iter(whole))
    for changed in (
        {key: value for key, value in whole.items() if key != name},
        whole | {name: whole[name][:-1]},
        whole | {name: whole[name] * np.nan},
    ):
        save_file(changed, path)
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        damage_index(model, files={path.name: checksum})
        with pytest.raises(RunError, match="whole weights"):
            Predictor.load(model)


def test_weights_of_another_network_are_refused(model: Path) -> None:
    text = (model / "config.json").read_text()
    (model / "config.json").write_text(text.replace('"width": 32', '"width": 16'))
    with pytest.raises(RunError, match="another network"):
        Predictor.load(model)


def test_a_calibration_of_another_model_is_refused(model: Path) -> None:
    damage_index(model, source="0" * 64)
    (model / "surfaces.npz").unlink()
    with pytest.raises(CalibrationError, match="the weights that it was made with"):
        Predictor.load(model)


# Finding models by name.


def test_a_model_is_found_by_its_path_or_by_its_name(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_model(exported) == exported
    assert find_model(str(exported)) == exported
    monkeypatch.setattr("gapscope.support.resources.share_folder", lambda: tmp_path)
    shutil.copytree(exported, tmp_path / "data" / "models" / "shipped")
    assert find_model("shipped") == tmp_path / "data" / "models" / "shipped"
    assert isinstance(Predictor.load(find_model("shipped")), Predictor)


def test_a_model_that_is_not_there_lists_those_that_are(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gapscope.support.resources.share_folder", lambda: tmp_path)
    with pytest.raises(RunError, match="here none"):
        find_model("nbse2-vgg16")
    for name in ("one", "two"):
        shutil.copytree(exported, tmp_path / "data" / "models" / name)
    with pytest.raises(GapscopeError, match="here one, two") as caught:
        find_model("nbse2-vgg16")
    assert caught.value.remedy


def test_predictions_of_a_model_can_be_written(
    exported: Path, fresh_dataset: Path, tmp_path: Path
) -> None:
    data = evaluate(exported, fresh_dataset).write(tmp_path)[0]
    with xr.open_dataset(data, engine="h5netcdf") as read:
        assert read["unlike_training"].dtype == bool
