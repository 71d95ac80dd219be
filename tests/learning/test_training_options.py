"""Training options as TOML, from a file or from a recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gapscope.errors import TrainingError
from gapscope.learning.data.measured_augmentation import MeasurementAugmentation
from gapscope.learning.network.config import NetworkConfig, TrainingConfig
from gapscope.learning.network.options import training_config

TEXT = """
name = "something of the recipe"

[training]
epochs = 7
learning_rate = 1
ema_momentum = 0.9
symmetry = false

[training.network]
backbone = "convnext"
input_size = 96

[training.measurement]
white = 0.25
orbital = "none"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "options.toml"
    path.write_text(TEXT)
    return path


def test_a_file_holds_all_options(file: Path) -> None:
    assert training_config(file) == TrainingConfig(
        network=NetworkConfig("convnext", 96),
        epochs=7,
        learning_rate=1.0,
        ema_momentum=0.9,
        symmetry=False,
        measurement=MeasurementAugmentation(96, white=0.25, orbital=None),
    )


def test_what_is_not_named_has_its_default() -> None:
    assert training_config({}) == TrainingConfig()
    assert training_config({"measurement": {}}).measurement == MeasurementAugmentation(64)


def test_energies_are_a_list_of_numbers() -> None:
    assert training_config({"network": {"energies": [0, 0.5]}}).network.energies == (0.0, 0.5)
    assert training_config({"network": {"energies": "none"}}).network.energies is None


def test_changes_count_more_than_the_file_and_leave_the_rest(file: Path) -> None:
    changed = training_config(file, {"epochs": 2, "network": {"width": 9}, "measurement": {}})
    whole = training_config(file)
    assert changed == replace(whole, epochs=2, network=replace(whole.network, width=9))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"epoch": 3}, "Did you mean epochs"),
        ({"network": {"sise": 3}}, r"training\.network has the options"),
        ({"measurement": {"density": "much"}}, r"training\.measurement\.density is a number"),
        ({"epochs": 2.5}, r"training\.epochs is a whole number"),
        ({"epochs": True}, "whole number"),
        ({"symmetry": 1}, "true or false"),
        ({"epochs": "none"}, "whole number"),
        ({"ema_momentum": "often"}, 'a number, or "none"'),
        ({"network": 3}, r"training\.network is a table"),
        ({"measurement": True}, r"training\.measurement is a table"),
        ({"epochs": 0}, "at least 1"),
        ({"network": {"input_size": 96}, "measurement": {"size": 64}}, "size of the network's"),
        ({"network": {"input_size": 65}}, "even"),
        ({"network": {"energies": 0.5}}, r"training\.network\.energies is a list of numbers"),
        ({"network": {"energies": [0.5, "1"]}}, "a list of numbers"),
        ({"network": {"energies": [0.5, 0.5]}}, "each once"),
        ({"network": {"energies": []}}, "one or more"),
        ({"network": {"odd": True}}, "surfaces are of Re rho"),
    ],
)
def test_unknown_names_and_other_types_are_refused(table: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        training_config(table)


@pytest.mark.parametrize(
    ("text", "message"),
    [("epochs = 3", r"has a table \[training\]"), ("[training", "readable TOML")],
)
def test_files_without_options_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "options.toml"
    path.write_text(text)
    with pytest.raises(TrainingError, match=message):
        training_config(path)
    with pytest.raises(TrainingError, match="readable TOML"):
        training_config(tmp_path / "absent.toml")
