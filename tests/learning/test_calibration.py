"""A calibrated run states what it knows; the statements hold on maps that nothing has seen."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import toys
from disks import files_of_at_most
from gapscope.dataset.load import DatasetReader
from gapscope.errors import (
    CalibrationError,
    GapscopeError,
    RunError,
    SchemaVersionError,
    StorageError,
)
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.samples import Samples
from gapscope.learning.evaluation.coverage import covered
from gapscope.learning.evaluation.evaluate import Evaluation, evaluate
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.model_folder.trained import load_trained
from gapscope.learning.network.two_heads import feature_count
from gapscope.learning.prediction.predictor import Predictor
from gapscope.learning.training.fit_calibration import calibrate
from gapscope.learning.uncertainty.calibration import (
    CALIBRATION,
    CALIBRATION_SCHEMA,
    LEVEL,
    Calibration,
)
from gapscope.learning.uncertainty.companion import COMPANION
from gapscope.learning.uncertainty.intervals import errors
from gapscope.learning.uncertainty.novelty import Detector
from gapscope.physics import LABELS
from gapscope.physics.symmetry import C3, act_on_map
from gapscope.support.array_file import write_arrays

PARAMETERS = ("gap", "theta", "eps0")
A12U = LABELS.index("A12u")
NEW = {
    "irrep_set",
    *(f"{name}_{end}" for name in PARAMETERS for end in ("low", "high")),
    *("novelty", "novelty_p", "unlike_training", "likely_factor", "outside_range"),
}


@pytest.fixture(scope="module")
def judged(calibrated: RunFolder, fresh_dataset: Path) -> Evaluation:
    return evaluate(calibrated.path, fresh_dataset)


@pytest.fixture(scope="module")
def extremes(calibrated: RunFolder, fresh_dataset: Path) -> list[xr.Dataset]:
    """Predictions at a low and at a high level."""
    return [
        evaluate(calibrated.path, fresh_dataset, level=level).predictions for level in (0.05, 0.97)
    ]


@pytest.fixture
def run(calibrated: RunFolder, tmp_path: Path) -> RunFolder:
    """A calibrated run of the test's own."""
    return RunFolder(shutil.copytree(calibrated.path, tmp_path / "run"))


def scatter(rate: float, calibration: int, new: int) -> float:
    """Four standard deviations of a coverage, of the calibration set's and of the new maps."""
    return float(4 * np.sqrt(rate * (1 - rate) * (1 / calibration + 1 / new)))


def test_without_a_calibration_nothing_is_claimed(learned: RunFolder, fresh_dataset: Path) -> None:
    result = evaluate(learned.path, fresh_dataset)
    assert not NEW & set(result.predictions.data_vars)
    assert not {"level", "temperature"} & set(result.predictions.attrs)
    assert result.uncertainty is None


def test_a_calibration_adds_sets_intervals_and_novelty(judged: Evaluation) -> None:
    made = judged.predictions
    assert set(made.data_vars) >= NEW
    assert made["irrep_set"].dims == ("sample", "class")
    assert made["irrep_set"].dtype == bool
    assert made["unlike_training"].dtype == bool
    assert made["theta_low"].attrs["units"] == "rad"
    assert made.attrs["level"] == LEVEL
    assert made.attrs["temperature"] > 0


def test_an_answer_beyond_all_that_was_learned_is_named(
    calibrated: RunFolder, judged: Evaluation
) -> None:
    calibration = load_trained(calibrated.path).calibration()
    assert calibration is not None
    made = judged.predictions.isel(sample=slice(2)).copy(deep=True)
    for name, value in (("gap", 9.0), ("eps0", -4000.0)):
        made[name][1] = value
    found = calibration.applied(made, made["novelty"].values, LEVEL, 0.01)
    assert found["outside_range"].values.tolist() == ["", "gap, eps0"]


@pytest.mark.parametrize("level", [0.6, 0.9])
def test_sets_and_intervals_hold_the_truth_as_often_as_they_say(
    level: float, calibrated: RunFolder, fresh_dataset: Path
) -> None:
    made = evaluate(calibrated.path, fresh_dataset, level=level).predictions
    label = made["label"].values
    for name in PARAMETERS:
        known = np.isfinite(made[f"{name}_low"]) & np.isfinite(made[f"true_{name}"])
        for index in np.unique(label):
            chosen = known.values & (label == index)
            if chosen.sum() < 40:
                continue
            rate = covered(made, name)[chosen].mean()
            # About 60 of the 300 calibration maps are of a class.
            assert rate == pytest.approx(level, abs=scatter(level, 60, chosen.sum())), name
    assert covered(made, "irrep").mean() > level - scatter(level, 300, len(label))


def test_intervals_are_no_wider_than_errors_ask_for(judged: Evaluation) -> None:
    made = judged.predictions
    for name in ("gap", "eps0"):
        width = float((made[f"{name}_high"] - made[f"{name}_low"]).mean())
        error = float(np.abs(made[name] - made[f"true_{name}"]).mean())
        assert width < 2 * 4 * error


def test_a_set_always_holds_the_most_probable_irrep(
    extremes: list[xr.Dataset], judged: Evaluation
) -> None:
    for made in (*extremes, judged.predictions):
        samples = np.arange(made.sizes["sample"])
        assert made["irrep_set"].values[samples, made["label"].values].all()


def test_a_higher_level_gives_larger_sets_and_wider_intervals(extremes: list[xr.Dataset]) -> None:
    low, high = extremes
    assert (low["irrep_set"] <= high["irrep_set"]).all()
    for name in PARAMETERS:
        wider = (high[f"{name}_high"] - low[f"{name}_high"]).values
        assert (wider[np.isfinite(wider)] >= 0).all()
        assert wider[np.isfinite(wider)].mean() > 0


def test_the_arc_of_theta_surrounds_it_and_may_leave_the_circle(judged: Evaluation) -> None:
    made = judged.predictions
    low, theta, high = (made[name].values for name in ("theta_low", "theta", "theta_high"))
    none = made["label"].values == A12U
    np.testing.assert_array_equal(np.isnan(low), none)
    np.testing.assert_array_equal(np.isnan(high), none)
    low, theta, high = low[~none], theta[~none], high[~none]
    assert ((low <= theta) & (theta <= high) & (high - low <= np.pi)).all()
    assert (low < 0).any()
    assert (high > np.pi).any()


def test_an_angle_on_the_other_side_of_zero_lies_on_the_arc() -> None:
    values = {"theta_low": -0.1, "theta_high": 0.3, "true_theta": np.pi - 0.05}
    one = xr.Dataset({name: ("sample", [value]) for name, value in values.items()})
    assert covered(one, "theta").tolist() == [True]
    one["true_theta"][:] = np.pi - 0.2
    assert covered(one, "theta").tolist() == [False]


def test_errors_of_theta_are_distances_on_the_circle() -> None:
    values = {"label": 3, "gap": 1.0, "theta": 0.01, "eps0": -5.0}
    truth = {"label": 3, "gap": 0.8, "theta": np.pi - 0.02, "eps0": 5.0}
    one = xr.Dataset({name: ("sample", [value]) for name, value in values.items()})
    one = one.assign({f"true_{name}": ("sample", [value]) for name, value in truth.items()})
    one["probability"] = (("sample", "class"), [[0.1, 0.0, 0.1, 0.7, 0.1]])
    found = {name: float(value[0]) for name, value in errors(one).items()}
    assert found == pytest.approx({"irrep": 0.3, "gap": 0.2, "theta": 0.03, "eps0": 10.0})


def test_the_gap_is_not_negative(calibrated: RunFolder, judged: Evaluation) -> None:
    calibration = load_trained(calibrated.path).calibration()
    assert calibration is not None
    plain = judged.predictions.drop_vars(list(NEW))
    tiny = plain.assign(gap=plain["gap"] * 0 + 1e-6)
    made = calibration.applied(tiny, np.zeros(tiny.sizes["sample"]), 0.9, 0.05)
    assert (made["gap_low"] == 0).all()
    assert (made["gap_high"] > 0).all()


def test_fresh_maps_are_rarely_called_unlike_training(judged: Evaluation) -> None:
    p = judged.predictions["novelty_p"].values
    for level in (0.01, 0.1):
        assert (p <= level).mean() <= level + scatter(level, 300, len(p))
    assert judged.predictions["unlike_training"].values.mean() < 0.04


def test_noisy_maps_are_called_unlike_training(calibrated: RunFolder, fresh_dataset: Path) -> None:
    predictor = Predictor.load(calibrated.path)
    with DatasetReader(fresh_dataset) as reader:
        maps = Samples.of(reader, "test", predictor.size).maps(np.arange(100))
    noise = NoiseModel.on("triangular", predictor.size)
    noisy = predictor([noise.add(maps, np.random.default_rng(2), gaussian=1 / 3)])
    assert noisy["unlike_training"].values.mean() > 0.5
    assert float(noisy["novelty_p"].min()) == pytest.approx(1 / 301)


def test_the_score_of_a_map_does_not_depend_on_how_it_lies(calibrated: RunFolder) -> None:
    predictor = Predictor.load(calibrated.path)
    maps = np.array([toys.toy_map("Eg", 1.0, 0.3, -50.0)], np.float32)[None]
    one, other = (predictor([m])["novelty"].values for m in (maps, act_on_map(C3, maps)))
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_probabilities_are_better_calibrated_than_those_of_a_rash_network(
    learned: RunFolder,
    toy_dataset: Path,
    calibration_dataset: Path,
    fresh_dataset: Path,
    tmp_path: Path,
) -> None:
    rash = RunFolder(shutil.copytree(learned.path, tmp_path / "rash"))
    rash.emulators.unlink()
    network, rng = rash.trained_network(), np.random.default_rng(5)
    head = network.get_layer("irrep")
    head.set_weights([10 * (w + rng.normal(0, 1.5 * w.std(), w.shape)) for w in head.get_weights()])
    rash.save(network, rash.best)
    before = evaluate(rash.path, fresh_dataset).predictions
    assert calibrate(rash.path, calibration_dataset, training=toy_dataset).temperature > 1.2
    after = evaluate(rash.path, fresh_dataset).predictions
    np.testing.assert_array_equal(before["label"], after["label"])
    losses = [
        -np.log(
            made["probability"].values[np.arange(len(made["label"])), made["true_label"]]
        ).mean()
        for made in (before, after)
    ]
    assert losses[1] < losses[0]


def test_a_calibration_survives_its_file(calibrated: RunFolder, tmp_path: Path) -> None:
    trained = Predictor.load(calibrated.path)
    assert trained.calibration is not None
    first = trained.calibration
    first.write(tmp_path / "again.npz")
    second = Calibration.read(
        tmp_path / "again.npz",
        first.about["weights"],
        trained.problem,
        load_trained(calibrated.path).emulators,
        trained.size,
        len(trained.config.energies),
        feature_count(trained.network),
    )
    assert second.temperature == first.temperature
    assert second.about == first.about
    for name in ("irrep", "gap", "theta", "eps0"):
        np.testing.assert_array_equal(second.scores[name], first.scores[name])
        np.testing.assert_array_equal(second.bounds(name, 0.9), first.bounds(name, 0.9))
    np.testing.assert_array_equal(second.novelty, first.novelty)
    np.testing.assert_array_equal(second.detector.points, first.detector.points)


def test_without_averaging_a_calibration_is_left_aside(
    calibrated: RunFolder, fresh_dataset: Path
) -> None:
    result = evaluate(calibrated.path, fresh_dataset, symmetry=False)
    assert not NEW & set(result.predictions.data_vars)


def test_an_evaluation_writes_how_often_the_truth_was_held(
    judged: Evaluation, tmp_path: Path
) -> None:
    data, _, coverage = judged.write(tmp_path)
    text = coverage.read_text()
    assert coverage.name == "coverage.txt"
    assert text.splitlines()[0].split()[0] == "predicted"
    assert text.splitlines()[-2].startswith("all")
    shown = f"{covered(judged.predictions, 'gap').mean():.1%}"
    assert shown in text.splitlines()[-2]
    with xr.open_dataset(data, engine="h5netcdf") as read:
        assert read["irrep_set"].dtype == bool
        xr.testing.assert_identical(read.load(), judged.predictions)


# What a file can be instead of a calibration.


def rewritten(path: Path, **changes: Any) -> None:
    """The file with other arrays, or other entries of its text."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(str(arrays["about"]))
    for name, value in changes.items():
        if name in arrays and value is None:
            del arrays[name]
        elif name in arrays:
            arrays[name] = value
        else:
            about[name] = value
    if "about" in arrays and "about" not in changes:
        arrays["about"] = np.array(json.dumps(about))
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    "changes",
    [
        {"gap": None},
        {"gap": np.zeros(3)},
        {"predicted": np.full(300, 7)},
        {"novelty": np.zeros((300, 2))},
        {"temperature": -1.0},
        {"temperature": "cold"},
        {"labels": ["A1g"]},
        {"schema": "one"},
        {"about": np.array("not JSON")},
        {"about": np.array("[1, 2]")},
        {"detector_basis": None},
        {"detector_mean": np.zeros(2)},
    ],
)
def test_a_file_with_other_content_is_refused(changes: dict[str, Any], run: RunFolder) -> None:
    rewritten(run.path / CALIBRATION, **changes)
    with pytest.raises(CalibrationError, match=r"calibration\.npz") as caught:
        Predictor.load(run.path)
    assert caught.value.remedy


def test_a_truncated_file_is_refused_wherever_it_ends(run: RunFolder) -> None:
    path = run.path / CALIBRATION
    whole = path.read_bytes()
    for length in (0, 3, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CalibrationError):
            Predictor.load(run.path)


def test_a_damaged_byte_is_noticed(run: RunFolder) -> None:
    path = run.path / CALIBRATION
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("novelty.npy").header_offset
    content = bytearray(path.read_bytes())
    content[start + 200] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(CalibrationError):
        Predictor.load(run.path)


class Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(self.path),)


def test_a_pickle_in_the_file_is_not_opened(run: RunFolder, tmp_path: Path) -> None:
    sprung, whole = tmp_path / "sprung", (run.path / CALIBRATION).read_bytes()
    for name in ("gap", "about"):
        (run.path / CALIBRATION).write_bytes(whole)
        rewritten(run.path / CALIBRATION, **{name: np.array([Trap(str(sprung))], dtype=object)})
        with pytest.raises(CalibrationError):
            Predictor.load(run.path)
    assert not sprung.exists()


def test_a_companion_of_an_older_kind_is_left_aside_with_a_word(
    run: RunFolder, caplog: pytest.LogCaptureFixture
) -> None:
    write_arrays(run.path / COMPANION, 1, {"weights": ""}, {"points": np.zeros((3, 2))})
    predictor = Predictor.load(run.path)
    assert predictor.calibration is not None
    assert predictor.calibration.companion is None
    assert COMPANION in caplog.text
    assert "calibrate again" in caplog.text


def test_a_newer_schema_asks_for_an_update(run: RunFolder) -> None:
    rewritten(run.path / CALIBRATION, schema=CALIBRATION_SCHEMA + 1)
    with pytest.raises(SchemaVersionError, match=f"schema {CALIBRATION_SCHEMA + 1}"):
        Predictor.load(run.path)


def test_a_calibration_of_other_weights_is_refused(run: RunFolder) -> None:
    network = run.trained_network()
    network.set_weights([1.01 * value for value in network.get_weights()])
    run.save(network, run.best)
    run.emulators.unlink()
    with pytest.raises(CalibrationError, match="the weights that it was made with"):
        Predictor.load(run.path)


def test_levels_that_the_calibration_cannot_reach_are_refused(
    calibrated: RunFolder, fresh_dataset: Path
) -> None:
    for level in (0.0, 1.0, 0.9999):
        with pytest.raises(CalibrationError, match="level"):
            evaluate(calibrated.path, fresh_dataset, level=level)
    predictor = Predictor.load(calibrated.path, novelty_level=0.001)
    with pytest.raises(CalibrationError, match="more than 999 calibration maps"):
        predictor(map(pytest.fail, ["before the first map"]))


# What a run can be calibrated with.


def test_the_training_maps_are_found_beside_the_calibration_set(
    learned: RunFolder, toy_dataset: Path, calibration_dataset: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(learned.path, tmp_path / "run")
    other = shutil.copytree(calibration_dataset, tmp_path / "other")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CalibrationError, match="--training"):
        calibrate(run, other)
    shutil.copytree(toy_dataset, tmp_path / "toys")
    made = calibrate(run, other)
    with DatasetReader(toy_dataset) as reader:
        count = len(reader.ids("train"))
    assert made.detector.points.shape[0] == count
    assert made.about["name"] == "calibration"
    assert (run / CALIBRATION).is_file()


@pytest.mark.parametrize(
    ("split", "message"), [("train", "not trained on"), ("validation", "at least 100 maps")]
)
def test_maps_that_cannot_calibrate_are_refused(
    split: str, message: str, run: RunFolder, toy_dataset: Path
) -> None:
    before = (run.path / CALIBRATION).read_bytes()
    with pytest.raises(CalibrationError, match=message):
        calibrate(run.path, toy_dataset, split)
    assert (run.path / CALIBRATION).read_bytes() == before


def test_another_dataset_is_not_taken_for_the_training_maps(
    run: RunFolder, calibration_dataset: Path, fresh_dataset: Path
) -> None:
    with pytest.raises(CalibrationError, match="another dataset"):
        calibrate(run.path, calibration_dataset, training=fresh_dataset)


def test_a_dataset_of_another_kind_cannot_calibrate(
    run: RunFolder, toy_dataset: Path, tmp_path: Path
) -> None:
    splits = {"train": 0, "validation": 0, "test": 10}
    other = toys.build_toys(tmp_path / "other", energies=[0.5], splits=splits)
    with pytest.raises(RunError, match="at least 16 sites"):
        calibrate(run.path, other, training=toy_dataset)


def test_a_full_disk_leaves_the_old_calibration(run: RunFolder) -> None:
    calibration = Predictor.load(run.path).calibration
    assert calibration is not None
    before = {path.name: path.stat().st_size for path in run.path.iterdir()}

    with files_of_at_most(4000), pytest.raises(StorageError, match="File too large"):
        calibration.write(run.path / CALIBRATION)
    assert {path.name: path.stat().st_size for path in run.path.iterdir()} == before
    assert issubclass(CalibrationError, GapscopeError)


def test_a_detector_knows_the_training_maps_alone(calibrated: RunFolder, toy_dataset: Path) -> None:
    predictor = Predictor.load(calibrated.path)
    assert predictor.calibration is not None
    with DatasetReader(toy_dataset) as reader:
        samples = Samples.of(reader, "train", predictor.size)
        inputs = predictor.config.inputs.apply(samples.images(np.arange(len(samples))))
    np.testing.assert_array_equal(
        Detector.fit([inputs]).points, predictor.calibration.detector.points
    )
