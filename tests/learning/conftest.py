"""Fixtures of the learning tests: toy datasets and one finished run that no test changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import toys
from gapscope.learning.backbone import BACKBONES
from gapscope.learning.config import TrainingConfig
from gapscope.learning.run import RunFolder
from gapscope.learning.train import train


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
