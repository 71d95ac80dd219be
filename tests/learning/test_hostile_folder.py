"""A model or run folder of somebody else's costs neither memory nor time, whatever it holds."""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from gapscope.errors import CalibrationError, GapscopeError, RunError
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.model_folder.trained import export
from gapscope.learning.prediction.predictor import Predictor
from gapscope.support.reading import parse_json

Replace = Callable[[Path], None]
MOST_GROWTH = 600_000  # kB; a network of the test's own takes 50,000


@pytest.fixture(scope="module")
def exported(calibrated: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(calibrated.path, tmp_path_factory.mktemp("models") / "toy-model")


@pytest.fixture
def model(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "model"))


def zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def linked_pipe(path: Path) -> None:
    os.mkfifo(path.with_suffix(".pipe"))
    path.symlink_to(path.with_suffix(".pipe"))


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 40_000_000_000)


def folder(path: Path) -> None:
    path.mkdir()


def refused(model: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((RunError, CalibrationError)) as caught:
        Predictor.load(model)
    assert isinstance(caught.value, GapscopeError)
    assert caught.value.remedy
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_GROWTH


@pytest.mark.parametrize("replace", [zero, pipe, linked_pipe, sparse, folder])
@pytest.mark.parametrize(
    "name",
    [
        *("config.json", "weights.json", "weights-01.safetensors", "surfaces.npz"),
        *("calibration.npz", "companion.npz", "discriminator.npz"),
    ],
)
def test_what_is_no_file_of_a_model_is_refused(name: str, replace: Replace, model: Path) -> None:
    (model / name).unlink(missing_ok=True)
    replace(model / name)
    refused(model)


@pytest.mark.parametrize("replace", [zero, pipe, sparse, folder])
@pytest.mark.parametrize("name", ["config.json", "best.weights.h5", "surfaces.npz"])
def test_what_is_no_file_of_a_run_is_refused(
    name: str, replace: Replace, calibrated: RunFolder, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(calibrated.path, tmp_path / "run"))
    (run / name).unlink()
    replace(run / name)
    refused(run)


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.2 GB of zeros in less than 4 MB."""
    path = tmp_path_factory.mktemp("bomb") / "bomb.npz"
    zeros = np.zeros(2**22, np.uint8).tobytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            with archive.open(f"points{number}.npy", "w", force_zip64=True) as file:
                header = {"descr": "|u1", "fortran_order": False, "shape": (len(zeros) * 100,)}
                np.lib.format.write_array_header_2_0(file, header)
                for _ in range(100):
                    file.write(zeros)
    assert path.stat().st_size < 4_000_000
    return path


@pytest.mark.parametrize("name", ["surfaces.npz", "calibration.npz"])
def test_a_bomb_is_not_unpacked(name: str, bomb: Path, model: Path) -> None:
    shutil.copy(bomb, model / name)
    refused(model)


@pytest.mark.parametrize("name", ["surfaces.npz", "calibration.npz"])
def test_an_array_that_claims_more_than_it_has_is_refused(name: str, model: Path) -> None:
    lie = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (5_000_000_000,)}
    np.lib.format.write_array_header_1_0(lie, header)
    with zipfile.ZipFile(model / name, "w") as archive:
        archive.writestr("about.npy", lie.getvalue())
    refused(model)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"width": 32', '"width": 200000'),
        ('"width": 32', '"width": 4096'),
        ('"width": 32', '"width": 1e999'),
        ('"kernel": null', '"kernel": 6001'),
        ('"kernel": null', '"kernel": 32'),
        ('"input_size": 16', '"input_size": 2000000'),
        ('"schema": 1', '"schema": NaN'),
        ('"schema": 1', '"schema": 1, "schema": 1'),
        ('"schema": 1', '"schema": ' + "9" * 10_000),
        ('"schema": 1', '"schema": ' + "[" * 2_000_000),
        ('"energies": [', '"energies": [' + "0.0," * 1_000_000),
    ],
)
@pytest.mark.parametrize("kind", ["model", "run"])
def test_a_configuration_that_asks_for_too_much_is_refused(
    old: str, new: str, kind: str, model: Path, calibrated: RunFolder, tmp_path: Path
) -> None:
    made = model if kind == "model" else shutil.copytree(calibrated.path, tmp_path / "run")
    text = (Path(made) / "config.json").read_text()
    assert old in text
    (Path(made) / "config.json").write_text(text.replace(old, new))
    refused(Path(made))


@pytest.mark.parametrize("shape", [[10**9, 10**9], [-1, -1], [1e999], [2**62]])
def test_an_index_of_other_sizes_is_refused(shape: list[float], model: Path) -> None:
    content = json.loads((model / "weights.json").read_text())
    content["shapes"] = dict.fromkeys(content["shapes"], shape)
    (model / "weights.json").write_text(json.dumps(content))
    refused(model)


def test_weights_of_a_run_that_claim_more_than_a_network_are_refused(
    calibrated: RunFolder, tmp_path: Path
) -> None:
    run = RunFolder(shutil.copytree(calibrated.path, tmp_path / "run"))
    with h5py.File(run.best, "a") as file:
        names: list[str] = []
        file.visititems(lambda name, one: names.append(name) if one.name.endswith("/0") else None)
        del file[names[0]]
        file.create_dataset(names[0], shape=(10**6, 10**6), chunks=(10, 10), dtype="f4")
    refused(run.path)


def test_links_out_of_a_file_of_weights_are_refused(calibrated: RunFolder, tmp_path: Path) -> None:
    run = RunFolder(shutil.copytree(calibrated.path, tmp_path / "run"))
    os.mkfifo(tmp_path / "elsewhere.h5")
    with h5py.File(run.best, "a") as file:
        (name,) = [key for key in file if key == "layers"] or [next(iter(file))]
        del file[name]
        file[name] = h5py.ExternalLink(str(tmp_path / "elsewhere.h5"), "/")
    refused(run.path)


def test_json_in_strings_has_no_depth() -> None:
    text = json.dumps({"a": "[" * 1000 + '\\"{', "b": [[1, "]]}"]]})
    assert parse_json(text) == json.loads(text)
    with pytest.raises(ValueError, match="levels"):
        parse_json("[" * 51 + "]" * 51)
