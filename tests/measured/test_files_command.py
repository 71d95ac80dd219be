"""``gapscope files`` says what measured files hold, and what would be taken for what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from gapscope import measured
from gapscope.cli.main import main
from gapscope.measured.channels import image_of
from measured_files import (
    COLUMNS,
    HEIGHT,
    ROWS,
    WIDTH,
    dat,
    grid,
    matrix,
    multipass_sxm,
    segmented_3ds,
    spectra,
    sxm,
    three_ds,
)
from sm4_files import Sm4Page, sm4_file

FILES = {
    "scan.sxm": sxm(),
    "passes.sxm": multipass_sxm(("[P1]_Z", "[P1]_I", "[P2]_Z", "[P2]_LI Demod 1 X")),
    "segments.3ds": segmented_3ds(grid(), ((-0.1, 0.0, 2), (0.0, 0.1, 4))),
    "point.dat": dat(),
    "spectra.csv": spectra(),
    "matrix.txt": matrix(),
    "garbage.sxm": b"garbage\n" * 9,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        Path(name).write_bytes(content)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["files", *arguments])


def told(*arguments: str) -> list[dict[str, Any]]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.output)
    return found


def test_a_scan_is_told_with_its_size_its_settings_and_the_map_that_is_taken() -> None:
    (scan,) = told("scan.sxm")
    assert (scan["file"], scan["format"]) == ("scan.sxm", "nanonis-sxm")
    assert scan["pixels"] == [COLUMNS, ROWS]
    np.testing.assert_allclose(scan["size"], [WIDTH, HEIGHT])
    settings = scan["settings"]
    assert settings["bias"] == pytest.approx(45.0)
    assert settings["current"] == pytest.approx(450.0)
    assert settings["scan_angle"] == -45.0
    assert settings["temperature"] == 4.25
    assert settings["recorded"] == "2014-10-22T15:19:04"
    assert settings["feedback"] is settings["segments"] is None
    assert [(one["name"], one["units"]) for one in scan["channels"]] == [
        *(("Z", "m"), ("Z_backward", "m")),
        *(("LIY_omega", "A"), ("LIY_omega_backward", "A")),
    ]
    assert scan["map"] == "LIY_omega"
    assert scan["map_bias"] == pytest.approx(45.0)
    assert scan["channels"][3]["taken_for"] == "dI/dV, first harmonic, Y, backward"


def test_of_two_maps_as_near_to_zero_the_one_is_told_that_is_taken() -> None:
    values = np.stack([np.full((ROWS, COLUMNS), one) for one in (1.0, 2.0)], axis=-1)
    Path("even.3ds").write_bytes(segmented_3ds(values, ((-1e-3, 1e-3, 2),)))
    (even,) = told("even.3ds")
    taken = image_of(measured.open("even.3ds"))
    assert even["map_bias"] == pytest.approx(float(taken["bias"]))


def test_a_scan_that_was_stopped_is_told_with_the_option_that_reads_it() -> None:
    whole = sxm()
    at = whole.index(b"\x1a\x04") + 2
    values = np.frombuffer(whole[at:], ">f4").reshape(4, ROWS, COLUMNS).copy()
    values[:, -2:] = np.nan
    Path("stopped.sxm").write_bytes(whole[:at] + values.tobytes())
    assert "--finished keeps" in run("stopped.sxm").output
    assert "--finished" not in run("scan.sxm").output


def test_passes_and_segments_are_told() -> None:
    passes, segments = told("passes.sxm", "segments.3ds")
    about = {one["name"]: one["conditions"] for one in passes["channels"]}
    assert {one["pass"] for one in about.values()} == {1, 2}
    assert about[passes["map"]]["pass"] == 2
    assert passes["map_bias"] == pytest.approx(-3.0)
    assert segments["settings"]["segments"] == "-0.1 to 0, 0 to 0.1 V"
    assert segments["bias_axis"] == [5, -100.0, 100.0]
    assert segments["map_bias"] == 0.0


def test_a_grid_is_read_at_a_networks_energy() -> None:
    words = run("segments.3ds").output
    assert "prepare takes Current at 0 mV, predict at its network's energy; --bias" in words
    assert "network" not in run("scan.sxm").output


def test_a_grid_that_does_not_reach_zero_needs_a_bias() -> None:
    Path("beside.3ds").write_bytes(three_ds(start=-0.2, stop=-0.1))
    words = run("beside.3ds").output
    assert "prepare takes Current where --bias says: 0 mV is not among them" in words


def test_a_spectrum_has_no_map() -> None:
    (point,) = told("point.dat")
    assert point["pixels"] is point["map"] is point["map_bias"] is None
    assert point["bias_axis"] == [5, -100.0, 100.0]
    assert "no map" in run("point.dat").output


def test_the_table_names_what_json_names() -> None:
    words = run("scan.sxm", "passes.sxm").output
    for expected in (
        f"{COLUMNS} x {ROWS} pixels, {WIDTH:g} x {HEIGHT:g} nm",
        *("45 mV", "450 pA", "-45 degrees", "4.25 K"),
        "prepare and predict take LIY_omega at 45 mV",
        *("pass 2", "height_offset -0.2 nm"),
    ):
        assert expected in words


def test_all_files_are_told_before_one_that_is_refused_counts() -> None:
    result = run("garbage.sxm", "matrix.txt", "scan.sxm", "--json")
    assert result.exit_code == 1
    garbage, matrix, scan = json.loads(result.output)
    assert all(garbage["refused"][key] for key in ("rule", "received", "remedy"))
    assert "--width" in matrix["refused"]["remedy"]
    assert scan["map"] == "LIY_omega"
    assert told("matrix.txt", "--width", "16")[0]["pixels"] == [COLUMNS, ROWS]
    words = run("garbage.sxm", "scan.sxm")
    assert words.exit_code == 1
    assert "Remedy" in words.output
    assert "scan.sxm: nanonis-sxm" in words.output


def test_curves_are_counted() -> None:
    page = Sm4Page(np.ones((3, 5)), units=("V", "", "A"), steps=(0.1, 1.0), kind=1, line=7)
    Path("point.sm4").write_bytes(sm4_file(page))
    assert told("point.sm4")[0]["curves"] == 3
    assert "3 of 5 points, 0 to 400 mV" in run("point.sm4").output
    assert told("point.dat")[0]["curves"] is None


def test_of_a_folder_its_files_are_to_be_named() -> None:
    Path("day").mkdir()
    Path("day/scan.sxm").write_bytes(sxm())
    result = run("day")
    assert result.exit_code == 1
    pattern = result.output.strip().rpartition(" ")[2]
    assert pattern == str(Path("day/*"))
    assert told(*map(str, Path().glob(pattern)))[0]["format"] == "nanonis-sxm"
