"""The command line, as a user types it."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
import xarray as xr
from click.testing import CliRunner, Result

import gapscope as gs
from gapscope.cli.main import main

STATE = ["--irrep", "Eg", "--gap", "1.0", "--theta", "0.3", "--eps0", "20"]
SMALL = ["--broadening", "2", "--window", "16", "--method", "grid", "--kgrid", "48"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_simulate_writes_the_map_and_its_figure(tmp_path: Path) -> None:
    data, figure = tmp_path / "map.nc", tmp_path / "map.png"
    result = run(
        "simulate", *STATE, *SMALL, "--impurity", 50, "--energy", 0, "--energy", 0.5,
        "--method", "grid", "-o", data, "--figure", figure,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    maps = gs.read_map(data)
    assert maps["energy"].values.tolist() == [0.0, 0.5]
    assert maps.attrs["irrep"] == "Eg"
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_simulate_is_the_python_function(tmp_path: Path, nbse2: gs.Material) -> None:
    impurities = ["--moment", 5, 0, 1, "--also", -30, 2, -1, "--also", 10, 0, 3]
    run("simulate", *STATE, *SMALL, *impurities, "-o", tmp_path / "map.nc")
    state = gs.Specification(
        nbse2,
        gs.Pairing("Eg", 1.0, theta=0.3),
        gs.Impurity.magnetic((5, 0, 1))
        + gs.Impurity.scalar(-30, site=(2, -1))
        + gs.Impurity.scalar(10, site=(0, 3)),
        eps0=20,
    )
    expected = gs.simulate(state, gs.Numerics([0.0], 2.0, 16, gs.Grid(48)))
    written = gs.read_map(tmp_path / "map.nc")
    assert written["ldos_change"].identical(expected["ldos_change"])


def test_maps_follow_from_a_file_of_the_greens_function(tmp_path: Path) -> None:
    green, data, figure = tmp_path / "green.nc", tmp_path / "map.nc", tmp_path / "map.png"
    energies = ["--energy", "0,0.5", "--reach", 3]
    result = run("green", *STATE, *SMALL, *energies, "-o", green)
    assert result.exit_code == 0, result.output
    impurities = ["--moment", 5, 0, 1, "--also", -30, 2, -1, "--also", 10, 0, 3]
    result = run("simulate", "--green", green, *impurities, "-o", data, "--figure", figure)
    assert result.exit_code == 0, result.output
    assert figure.read_bytes().startswith(b"\x89PNG")
    run("simulate", *STATE, *SMALL, *energies[:2], *impurities, "-o", tmp_path / "kernel.nc")
    one, two = gs.read_map(data), gs.read_map(tmp_path / "kernel.nc")
    assert float(abs(one.ldos_change - two.ldos_change).max()) < 1e-12
    refused = run("simulate", "--green", green, *STATE, "--impurity", 5, "-o", data)
    assert refused.exit_code == 1
    assert "Leave out --irrep, --gap, --theta, --eps0, or --green" in refused.output
    assert run("simulate", "--green", green, "--impurity", 5, "-o", green).exit_code == 1
    narrow = ["--window", 12, "--impurity", 50, "-o", data]
    assert run("simulate", "--green", green, *narrow).exit_code == 0
    assert gs.read_map(data).sizes["r1"] == 12


def test_a_greens_function_has_the_accuracy(tmp_path: Path) -> None:
    small = ["--broadening", 2, "--window", 16, "--accuracy", 0.02]
    result = run("green", *STATE, *small, "-o", tmp_path / "green.nc")
    assert result.exit_code == 0, result.output
    assert "estimated relative error" in result.output
    assert float(gs.read_green(tmp_path / "green.nc").relative_error.max()) <= 0.02
    assert run("green", *STATE, *small, "--impurity", 0, "-o", tmp_path / "n.nc").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--irrep", "B1g", "--gap", 1], "A1g, A1u"),
        (["--irrep", "A1u", "--gap", 1, "--theta", 0.3], "theta = 0.3"),
        (["--irrep", "Eg", "--gap", 1], "theta"),
        (["--irrep", "Eg", "--gap", "nan", "--theta", 0.1], "positive"),
        (["--irrep", "A1u", "--gap", 1, "--window", 15], "even"),
        (["--irrep", "A1u", "--gap", 1, "--broadening", -1], "positive"),
        (["--irrep", "A1u", "--gap", 1, "--material", "absent"], "nbse2"),
        (["--irrep", "A1u", "--gap", 1, "--orbital-weights", "1,x"], "commas"),
    ],
)
def test_bad_input_names_the_rule_and_the_value(
    arguments: list[object], message: str, tmp_path: Path
) -> None:
    result = run("simulate", *arguments, "--impurity", 50, "-o", tmp_path / "map.nc")
    assert result.exit_code == 1
    assert message in result.output
    assert "Remedy" in result.output
    assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())


def test_a_map_needs_an_impurity(tmp_path: Path) -> None:
    result = run("simulate", *STATE, *SMALL, "-o", tmp_path / "map.nc")
    assert result.exit_code == 1
    assert "--impurity" in result.output


def test_dos_and_spectrum_write_data_and_figures(tmp_path: Path) -> None:
    dos = run(
        "dos", *STATE, "--points", 5, "--kgrid", 32, "--broadening", 1,
        "-o", tmp_path / "dos.nc", "--figure", tmp_path / "dos.png",
    )  # fmt: skip
    spectrum = run(
        "spectrum", *STATE, "--points", 5, "--steps", 4, "--broadening", 1,
        "-o", tmp_path / "spectrum.nc", "--figure", tmp_path / "spectrum.png",
    )  # fmt: skip
    assert (dos.exit_code, spectrum.exit_code) == (0, 0), dos.output + spectrum.output
    for name in ("dos.png", "spectrum.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "reach"),
    [
        (["--gap", 1], 4.0),
        (["--gap", 35], 105.0),
        (["--gap", 1, "--broadening", 2], 20.0),
        (["--gap", 35, "--range", -3, 5], 5.0),
    ],
)
def test_the_default_density_of_states_shows_gaps_of_any_size(
    options: list[object], reach: float, tmp_path: Path
) -> None:
    out = tmp_path / "dos.nc"
    crystal = ["--material", "bi2212", "--irrep", "B1g", "--points", 3, "--kgrid", 16]
    result = run("dos", *crystal, *options, "-o", out)
    assert result.exit_code == 0, result.output
    with xr.open_dataset(out) as written:
        assert written.energy.values[-1] == reach


def test_the_default_spectrum_shows_the_gap(tmp_path: Path) -> None:
    """Gap 1.42 to 2.39 meV at 1 meV of A1g (physics of NbSe2); its middle is empty, its edges not.

    The range of energies, their step and the broadening follow from the gap.
    """
    for gap in (1.0, 0.2):
        done = run(
            "spectrum", "--irrep", "A1g", "--gap", gap, "--theta", 0, "--eps0", 20,
            "--path", "M,K", "-o", tmp_path / "s.nc",
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        with xr.open_dataset(tmp_path / "s.nc") as opened:
            spectral = opened["spectral_function"].load()
        assert spectral.energy.values[[0, -1]] / gap == pytest.approx([-6, 6])
        assert spectral.attrs["broadening"] == pytest.approx(gap / 10)
        summed = spectral.sum("k")
        inside = summed.sel(energy=slice(-0.5 * gap, 0.5 * gap)).mean()
        edges = summed.sel(energy=slice(1.5 * gap, 3 * gap)).mean()
        assert float(edges) > 10 * float(inside)


def test_the_gap_of_a2u_is_told_in_both_normalisations(tmp_path: Path) -> None:
    a2u = ["--irrep", "A2u", "--gap", 1.5, "--impurity", 50]
    result = run("simulate", *a2u, *SMALL, "--energy", "0,0.5", "-o", tmp_path / "map.nc")
    assert result.exit_code == 0, result.output
    assert "gap 1.5 meV of A2u = 0.866 meV of A1u or A12u" in result.output
    assert "energies 0, 0.5 meV" in result.output


def test_converge_shows_both_methods(tmp_path: Path) -> None:
    figure = tmp_path / "converge.png"
    small = ["--broadening", "5", "--window", "16", "--largest-kgrid", "512"]
    result = run("converge", *STATE, *small, "--impurity", 50, "--figure", figure)
    assert result.exit_code == 0, result.output
    rows = {line.split()[0]: line.split() for line in result.output.splitlines()}
    assert {"grid", "converged"} <= set(rows)
    assert float(rows["converged"][3]) <= 1e-3  # the last request is met
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_doctor_finds_a_kernel_that_runs() -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "libfftw3" in result.output


def test_every_command_explains_itself() -> None:
    def walk(command: click.Command, path: list[str]) -> None:
        assert run(*path, "--help").exit_code == 0
        assert command.help, path
        if isinstance(command, click.Group):
            for name, child in command.commands.items():
                walk(child, [*path, name])

    walk(main, [])


def test_a_dataset_becomes_a_network_becomes_predictions(tmp_path: Path) -> None:
    """The whole way at its smallest: build, verify, inspect, train, evaluate, predict, refine."""
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(TINY)
    data, runs = tmp_path / "data", tmp_path / "run"
    train = ["--backbone", "vgg16-eighth", "--width", "8", "--epochs", "1", "--batch-size", "10"]
    steps = [
        ("dataset", "build", recipe, "-o", data, "--workers", 1),
        ("dataset", "status", data),
        ("dataset", "verify", data),
        ("dataset", "card", data),
        ("dataset", "inspect", data, "--per-class", 1, "--figure", tmp_path / "sheet.png"),
        ("train", data, "-o", runs, *train),
        ("evaluate", runs, data),
        (
            "simulate",
            *STATE,
            "--impurity",
            50,
            "--window",
            64,
            "--method",
            "grid",
            "--kgrid",
            64,
            "-o",
            tmp_path / "m.nc",
        ),
        (
            "predict",
            tmp_path / "m.nc",
            "--model",
            runs,
            "--refine",
            "-o",
            tmp_path / "predictions.nc",
        ),
    ]
    results = {step[1] if step[0] == "dataset" else step[0]: run(*step) for step in steps}
    for name, result in results.items():
        assert result.exit_code == 0, f"{name}: {result.output}{result.exception!r}"
    assert "30 of 30 samples" in results["status"].output
    digest = results["verify"].output.split("digest ")[1].strip()
    assert digest in results["card"].output
    assert "A12u" in results["evaluate"].output
    assert (runs / "test" / "table.txt").is_file()
    assert "m.nc" in results["predict"].output
    with xr.open_dataset(tmp_path / "predictions.nc") as predictions:
        assert f"{float(predictions['chi'][0]):.2g}" in results["predict"].output


TINY = """
schema = 1
name = "tiny"
seed = 1
material = "nbse2"
energies = [0.0]
broadening = 1.0
window = 64
shard_size = 10

[impurity]
scalar = 50.0

[method]
name = "grid"
kgrid = 64

[ranges]
gap = [0.3, 1.5]
eps0 = [-300.0, 100.0]
theta = [0.0, 3.141592653589793]

[splits]
train = 10
validation = 10
test = 10
"""
