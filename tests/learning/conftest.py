"""Fixtures of the learning tests: toy datasets and one finished run that no test changes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import toys
from gapscope.learning.model_folder.run import RunFolder
from gapscope.learning.network.backbone import BACKBONES
from gapscope.learning.network.config import TrainingConfig
from gapscope.learning.training.fit_calibration import calibrate
from gapscope.learning.training.train import train


@pytest.fixture(scope="session", autouse=True)
def tiny_backbone() -> Iterator[None]:
    toys.register()
    yield
    del BACKBONES["tiny"]


@pytest.fixture(scope="session")
def toy_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toys.build_toys(tmp_path_factory.mktemp("toys") / "dataset")


@pytest.fixture(scope="session")
def learned_config() -> TrainingConfig:
    return toys.tiny_config(epochs=12)


@pytest.fixture(scope="session")
def learned(
    toy_dataset: Path, learned_config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory
) -> RunFolder:
    """A run long enough to have learned something."""
    return train(toy_dataset, tmp_path_factory.mktemp("runs") / "learned", learned_config)


@pytest.fixture(scope="session")
def calibration_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Toys that no network was trained on, to calibrate with."""
    splits = {"train": 0, "validation": 0, "test": 300}
    folder = tmp_path_factory.mktemp("calibration") / "dataset"
    return toys.build_toys(folder, name="calibration", seed=12, splits=splits)


@pytest.fixture(scope="session")
def fresh_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Toys that nothing has seen."""
    splits = {"train": 0, "validation": 0, "test": 500}
    folder = tmp_path_factory.mktemp("fresh") / "dataset"
    return toys.build_toys(folder, name="fresh", seed=13, splits=splits)


@pytest.fixture(scope="session")
def calibrated(
    learned: RunFolder,
    toy_dataset: Path,
    calibration_dataset: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> RunFolder:
    """The run that has learned something, calibrated."""
    run = RunFolder(shutil.copytree(learned.path, tmp_path_factory.mktemp("runs") / "calibrated"))
    calibrate(run.path, calibration_dataset, training=toy_dataset)
    return run
