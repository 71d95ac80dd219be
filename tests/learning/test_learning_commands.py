"""The commands for trained networks, as a user types them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner, Result

import toys
from gapscope.cli.main import main
from gapscope.instrument.site_noise import NoiseModel
from gapscope.learning.evaluation.listing import UNCALIBRATED, UNLIKE, prediction_text
from gapscope.learning.model_folder.run import RunFolder
from gapscope.simulation.mapfile import read_map


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def noisy(dataset: xr.Dataset) -> xr.Dataset:
    maps = dataset["ldos_change"].values
    model = NoiseModel.on("triangular", maps.shape[-1])
    changed = model.add(maps, np.random.default_rng(4), gaussian=1.0)
    return dataset.assign(ldos_change=(dataset["ldos_change"].dims, changed))


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("maps")
    files = [toys.one_map(folder / "clean.nc"), toys.one_map(folder / "noisy.nc", change=noisy)]
    for file in files:
        read_map(file)
    return files


def test_a_run_is_calibrated_exported_and_asked(
    learned: RunFolder,
    toy_dataset: Path,
    calibration_dataset: Path,
    fresh_dataset: Path,
    maps: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    folder, model = shutil.copytree(learned.path, tmp_path / "run"), tmp_path / "model"
    steps = [
        ("calibrate", folder, calibration_dataset, "--training", toy_dataset),
        ("export", folder, "-o", model, "--name", "mine"),
        ("evaluate", model, fresh_dataset, "--level", 0.8),
        ("predict", *maps, "--model", model, "-o", tmp_path / "predictions.nc"),
    ]
    results = {str(step[0]): run(*step) for step in steps}
    for name, result in results.items():
        assert result.exit_code == 0, f"{name}: {result.output}{result.exception!r}"
    assert "300 maps, temperature" in results["calibrate"].output
    assert "0.8 sets and intervals" in results["evaluate"].output
    assert Path("model-test", "coverage.txt").is_file()
    assert not [one for one in model.iterdir() if one.is_dir()]
    assert "# mine" in (model / "MODEL_CARD.md").read_text()
    assert results["evaluate"].output.splitlines()[2].startswith("A1g")
    written = xr.load_dataset(tmp_path / "predictions.nc", engine="h5netcdf")
    assert written["unlike_training"].values.tolist() == [False, True]


def test_a_prediction_says_first_whether_the_map_is_foreign(
    calibrated: RunFolder, maps: list[Path]
) -> None:
    result = run("predict", *maps, "--model", calibrated.path, "--level", 0.95)
    head, _, clean, foreign, note = result.output.splitlines()
    assert head.split("   ")[0] == "map"
    assert "training maps" in head
    assert "95 % set" in head
    assert "clean.nc   like (p = " in clean
    assert "noisy.nc   UNLIKE (p <= 0.0033)" in foreign  # 1 / 301
    assert note == UNLIKE
    assert clean.count("[") == 3  # intervals of gap, theta and eps0


def test_intervals_are_printed_around_their_values(calibrated: RunFolder, maps: list[Path]) -> None:
    line = run("predict", maps[0], "--model", calibrated.path).output.splitlines()[2]
    cells = [cell.strip() for cell in line.split("   ") if cell.strip()]
    for cell in cells[-3:]:
        value, rest = cell.split(" ", 1)
        low, high = map(float, rest.strip("[]").split(","))
        assert low <= float(value) <= high
    assert cells[2] in cells[4].split(", ")  # the irrep is in its set


def test_an_irrep_without_an_angle_has_a_stroke_in_its_place() -> None:
    values = {"label": 1, "gap": 0.5, "theta": np.nan, "eps0": -12.3}
    one = xr.Dataset({name: ("sample", [value]) for name, value in values.items()})
    one["probability"] = (("sample", "class"), [[0.05, 0.8, 0.05, 0.05, 0.05]])
    line = prediction_text(one, ["map.nc"]).splitlines()[2]
    assert line.split() == ["map.nc", "A12u", "0.800", "0.500", "/", "-12.3"]


@pytest.mark.parametrize("options", [["--no-symmetry"], []])
def test_without_a_calibration_it_says_so(
    options: list[str], learned: RunFolder, calibrated: RunFolder, maps: list[Path]
) -> None:
    folder = calibrated.path if options else learned.path
    result = run("predict", *maps, "--model", folder, *options)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == UNCALIBRATED
    assert "training maps" not in result.output.splitlines()[0]
    assert "[" not in result.output.splitlines()[2]


def test_a_default_model_that_is_not_there_names_what_is(
    maps: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gapscope.support.resources.share_folder", lambda: tmp_path)
    (tmp_path / "data" / "models" / "another").mkdir(parents=True)
    result = run("predict", maps[0])
    assert result.exit_code == 1
    assert "nbse2-vgg16" in result.output
    assert "another" in result.output
    assert "Remedy" in result.output
    assert "Traceback" not in result.output


def test_errors_of_the_new_commands_are_messages(learned: RunFolder, tmp_path: Path) -> None:
    for arguments in (
        ("calibrate", learned.path, tmp_path / "nothing"),
        ("calibrate", tmp_path / "nothing", tmp_path),
        ("export", tmp_path / "nothing", "-o", tmp_path / "model"),
        ("export", learned.path, "-o", learned.path),
    ):
        result = run(*arguments)
        assert result.exit_code == 1, arguments
        assert "Remedy" in result.output
        assert "Traceback" not in result.output


def test_options_of_a_file_train_a_network_and_the_command_line_counts_more(
    toy_dataset: Path, tmp_path: Path
) -> None:
    file, folder = tmp_path / "options.toml", tmp_path / "run"
    file.write_text(
        '[training]\nepochs = 3\nbatch_size = 60\nsurfaces = false\nprecision = "float32"\n'
        f'[training.network]\nbackbone = "tiny"\ninput_size = {toys.WINDOW}\nwidth = 9\n'
    )
    result = run("train", toy_dataset, "-o", folder, "--options", file, "--epochs", 1)
    assert result.exit_code == 0, result.output
    training = RunFolder(folder).config().training
    assert (training.epochs, training.batch_size, training.network.width) == (1, 60, 9)
    assert training.network.backbone == "tiny"
    file.write_text("[training]\nepoch = 3\n")
    refused = run("train", toy_dataset, "-o", tmp_path / "other", "--options", file)
    assert refused.exit_code != 0
    assert "Did you mean epochs?" in refused.output + str(refused.exception)
    assert not (tmp_path / "other").exists()
