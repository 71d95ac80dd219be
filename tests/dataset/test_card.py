"""The dataset card tells what the dataset is."""

from __future__ import annotations

from pathlib import Path

import pytest

from doubles import recipe
from gapscope.dataset.card import card
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.verify import verify
from gapscope.errors import DatasetError


def test_a_card_names_ranges_counts_and_digest(finished: Path) -> None:
    text = card(finished)
    found, made = verify(finished), recipe()
    assert f"`{found.digest}`" in text
    assert f"`{Manifest.read(finished).identity}`" in text
    assert f"uniform in {list(made.ranges.gap)} meV" in text
    assert "| train | 20 | 4 | 2 | 4 | 2 | 4 | 4 |" in text
    minutes = sum(entry.seconds for entry in Manifest.read(finished).shards.values()) / 60
    assert minutes > 0
    assert f"| simulated in | {minutes:.1f} minutes" in text
    size = sum(file.stat().st_size for file in (finished / "shards").iterdir())
    assert f"{size / 1e6:.0f} MB in {found.shards} shards" in text


def test_there_is_no_card_of_an_unfinished_dataset(dataset: Path) -> None:
    manifest = Manifest.read(dataset)
    Manifest(
        manifest.recipe,
        manifest.material,
        manifest.problem,
        manifest.identity,
        manifest.versions,
    ).write(dataset)
    with pytest.raises(DatasetError, match="finished"):
        card(dataset)
