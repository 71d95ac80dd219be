"""What a command is going to write is checked before it computes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gapscope.cli.main import main

STATE = ["--irrep", "A1g", "--gap", "1"]
COMMANDS = {
    "simulate": [*STATE, "--impurity", 50],
    "dos": STATE,
    "spectrum": STATE,
    "converge": [*STATE, "--impurity", 50],
    "prepare": ["scan.nc"],
    "predict": ["scan.nc"],
    "dataset inspect": ["data"],
}
FOLDERS = {
    "dataset build": ["recipe.toml"],
    "train": ["data"],
    "evaluate": ["run", "data"],
    "export": ["run"],
}
FIGURES_ONLY = ("converge", "dataset inspect")


@pytest.fixture(autouse=True)
def nothing_is_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Julia, and neither a file nor a folder to read."""
    monkeypatch.setenv("GAPSCOPE_JULIA", str(tmp_path / "no-julia"))
    monkeypatch.chdir(tmp_path)


def run(command: str, *arguments: object) -> Result:
    words = [*command.split(), *map(str, arguments)]
    return CliRunner().invoke(main, words)


def refused(result: Result, words: str) -> None:
    assert result.exit_code == 1, result.output
    assert "StorageError" in result.output, result.output
    assert words in result.output
    assert "Remedy" in result.output


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - set(FIGURES_ONLY)))
def test_a_result_goes_where_it_can_be_written(command: str) -> None:
    given = COMMANDS[command]
    refused(run(command, *given, "-o", "absent/map.nc"), "there is no folder")
    refused(run(command, *given, "-o", "map.txt"), ".nc, .nc4, .h5 or .hdf5")
    assert not list(Path().iterdir())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_figure_goes_where_it_can_be_written(command: str) -> None:
    given = COMMANDS[command] if command in FIGURES_ONLY else [*COMMANDS[command], "-o", "map.nc"]
    refused(run(command, *given, "--figure", "absent/map.png"), "there is no folder")
    refused(run(command, *given, "--figure", "map.xyz"), ".png, .pdf, .svg")
    assert not list(Path().iterdir())


@pytest.mark.parametrize("command", FOLDERS)
def test_a_folder_is_made_where_it_can_be(command: str) -> None:
    Path("file").touch()
    Path("recipe.toml").touch()
    refused(run(command, *FOLDERS[command], "-o", "file/folder"), "Not a directory")
