"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gapscope.physics import Material

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def materials_folder() -> Path:
    return ROOT / "data" / "materials"


@pytest.fixture(scope="session")
def nbse2(materials_folder: Path) -> Material:
    return Material.from_toml(materials_folder / "nbse2.toml")


@pytest.fixture(scope="session")
def measured() -> Path:
    """Folder of measured files that are not part of the project; absent on most machines."""
    return Path(os.environ.get("GAPSCOPE_MEASURED", ROOT.parent / "shared" / "measured"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260224)
