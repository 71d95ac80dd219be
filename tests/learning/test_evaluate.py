"""The numbers of Table I, and how they are printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import toys
from gapscope.dataset.load import DatasetReader
from gapscope.errors import RunError, SettingError, StorageError
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.data.noise import SiteNoise
from gapscope.learning.evaluation.evaluate import evaluate
from gapscope.learning.evaluation.metrics import Estimate, Row, accuracy, table
from gapscope.learning.evaluation.tables import table_text
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.prediction.predictor import Predictor
from gapscope.physics import LABELS


def predictions(samples: int = 50, error: float = 0.0, seed: int = 3) -> xr.Dataset:
    """All classes hit, parameters off by normal errors of one relative size."""
    rng = np.random.default_rng(seed)
    truth = np.arange(samples) % len(LABELS)
    theta = np.where(truth == LABELS.index("A12u"), np.nan, rng.uniform(0, np.pi, samples))
    values = {"label": truth, "gap": rng.uniform(0.3, 1.5, samples), "theta": theta}
    values["eps0"] = rng.uniform(-300, 100, samples)
    data = {f"true_{name}": ("sample", value) for name, value in values.items()}
    off = {name: error * rng.standard_normal(samples) for name in ("gap", "theta", "eps0")}
    guesses = {name: values[name] + off.get(name, 0) for name in values}
    guesses["theta"] = np.where(np.isnan(theta), 0.7, guesses["theta"] + 3 * np.pi)
    return xr.Dataset(data | {name: ("sample", value) for name, value in guesses.items()})


def test_perfect_predictions_hit_everything_without_error() -> None:
    rows = table(predictions())
    assert [row.label for row in rows] == list(LABELS)
    assert [row.samples for row in rows] == [10] * len(LABELS)
    for row in rows:
        assert row.hit == Estimate(100.0, 100.0, 100.0)
        assert row.errors["gap"].value == 0
        assert row.errors["eps0"].value == 0
        if row.label == "A12u":
            assert "theta" not in row.errors
        else:
            assert row.errors["theta"].value < 1e-12


def test_errors_are_means_over_the_true_class_whether_it_was_hit_or_not() -> None:
    made = predictions(error=0.1)
    missed = made.copy(deep=True)
    missed["label"][:] = LABELS.index("Eu")
    for hit, miss in zip(table(made), table(missed), strict=True):
        assert hit.errors == miss.errors
        assert miss.hit.value == (100 if miss.label == "Eu" else 0)
    assert accuracy(made) == 1
    assert accuracy(missed) == 0.2
    eg = made.isel(sample=made["true_label"].values == LABELS.index("Eg"))
    row = table(made)[LABELS.index("Eg")]
    for name in ("gap", "eps0"):
        mean = float(abs(eg[name] - eg[f"true_{name}"]).mean())
        assert row.errors[name].value == pytest.approx(mean)


def test_bootstrap_intervals_cover_the_true_mean_error_as_often_as_they_say() -> None:
    expected = 0.1 * np.sqrt(2 / np.pi)  # mean of |x| for a normal x of width 0.1
    covered = [
        row.errors["gap"].low <= expected <= row.errors["gap"].high
        for seed in range(60)
        for row in table(predictions(samples=200, error=0.1, seed=seed))
    ]
    # 95 % nominal; 300 intervals from 40 samples each.
    assert 0.88 < np.mean(covered) <= 0.99


def test_the_table_reads_like_table_1() -> None:
    estimate = Estimate(0.0123, 0.01, 0.02)
    hit = Estimate(95.6, 90.0, 100.0)
    errors = {"gap": estimate, "theta": estimate, "eps0": Estimate(12.3, 10.0, 20.0)}
    without = {name: errors[name] for name in ("gap", "eps0")}
    rows = [Row(label, 50, hit, without if label == "A12u" else errors) for label in LABELS]
    lines = table_text(rows, toys.PROBLEM).splitlines()
    assert lines[0].split()[-2:] == ["eps0", "[eV]"]
    assert lines[0].split("   ")[0] == "irrep"
    assert [line.split()[0] for line in lines[2:-1:2]] == list(LABELS)
    assert lines[4].split() == [
        *("A12u", "50", "96", "[90,", "100]", "0.012", "[0.010,", "0.020]"),
        *("/", "0.0123", "[0.0100,", "0.0200]"),
    ]
    assert lines[3].split() == ["paper", "86", "0.01", "0.30", "0.07"]
    assert "95%" in lines[-1]


def test_predictions_stand_beside_the_truth_of_the_split(
    toy_dataset: Path, learned: RunFolder
) -> None:
    made = evaluate(learned.path, toy_dataset).predictions
    assert made.sizes["sample"] == 60
    assert made["sample"].values.tolist() == list(range(280, 340))
    np.testing.assert_allclose(made["probability"].sum("class"), 1, atol=1e-6)
    np.testing.assert_array_equal(made["probability"].argmax("class"), made["label"])
    assert made["class"].values.tolist() == list(LABELS)
    assert ((made["theta"] >= 0) & (made["theta"] < np.pi)).all()
    no_angle = made["true_label"] == LABELS.index("A12u")
    np.testing.assert_array_equal(np.isnan(made["true_theta"]), no_angle)
    assert made["gap"].attrs["units"] == "meV"
    assert made.attrs["split"] == "test"


def test_noise_is_of_the_ratio_asked_for_and_the_same_every_time(
    toy_dataset: Path, learned: RunFolder
) -> None:
    clean, noisy, again = (
        evaluate(learned.path, toy_dataset, signal_to_noise=ratio).predictions
        for ratio in (None, 1.0, 1.0)
    )
    xr.testing.assert_identical(noisy, again)
    errors = [float(np.abs(one["gap"] - one["true_gap"]).mean()) for one in (clean, noisy)]
    assert errors[1] > 1.5 * errors[0]
    with DatasetReader(toy_dataset) as reader:
        predictor = Predictor.load(learned.path)
        rows = np.arange(20)
        noise = SiteNoise(0.1, 0.0, drawn=False)
        added = predictor.samples(reader, "test", noise).maps(rows)
        added = added - predictor.samples(reader, "test").maps(rows)
        model = NoiseModel.on(reader.crystal_lattice, toys.WINDOW)
        contrast = model.contrast(reader.images(reader.ids("test")[:20]))
    ratio = model.contrast(added) / contrast
    np.testing.assert_allclose(ratio, 0.1, rtol=0.25)
    assert ratio.mean() == pytest.approx(0.1, rel=0.03)


@pytest.mark.parametrize("ratio", [0.0, -1.0, True, "10"])
def test_a_ratio_that_is_none_is_refused(ratio: Any, toy_dataset: Path, learned: RunFolder) -> None:
    with pytest.raises(SettingError, match="a positive number"):
        evaluate(learned.path, toy_dataset, signal_to_noise=ratio)


def test_results_are_written_and_read_without_loss(
    toy_dataset: Path, learned: RunFolder, tmp_path: Path
) -> None:
    result = evaluate(learned.path, toy_dataset)
    data, text = result.write(tmp_path / "results")
    with xr.open_dataset(data, engine="h5netcdf") as read:
        xr.testing.assert_identical(read.load(), result.predictions)
    assert text.read_text() == result.text + "\n"
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        result.write(tmp_path / "file" / "results")


@pytest.mark.parametrize("changes", [{"energies": [0.5]}, {"window": 14}])
def test_a_dataset_of_another_kind_is_refused(
    changes: dict[str, object], learned: RunFolder, tmp_path: Path
) -> None:
    splits = {"train": 10, "validation": 10, "test": 10}
    dataset = toys.build_toys(tmp_path / "dataset", splits=splits, **changes)
    with pytest.raises(RunError, match="at least 16 sites"):
        evaluate(learned.path, dataset)
