"""MATLAB files: arrays in any order of axes, guesses that open, and what is refused."""

from __future__ import annotations

import re
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import xarray as xr
from click.testing import CliRunner

from gapscope import measured
from gapscope.cli.main import main
from matlab_files import big_endian, mat5, mat73
from measured_files import BIASES, COLUMNS, GIVEN, HEIGHT, ROWS, WIDTH, check_frame, grid, upright
from reader_contract import check_contract
from refusals import refused

MAP = grid()[::-1]
"""Spectra over (y, x, bias), the first row at the top."""
X, Y = np.arange(COLUMNS) * WIDTH / COLUMNS * 10 - 3, np.arange(ROWS) * HEIGHT / ROWS * 10 + 2
"""Places of the pixels in Angstrom."""
WRITERS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "packed": mat5,
    "plain": lambda variables: mat5(variables, packed=False),
    "7.3": mat73,
}


def opened(folder: Path, content: bytes, **given: Any) -> xr.Dataset:
    path = folder / "map.mat"
    path.write_bytes(content)
    found = measured.open(path, **given)
    check_contract(found)
    return found


@pytest.mark.parametrize("writer", WRITERS)
def test_the_axes_that_are_named_are_those_of_the_array(tmp_path: Path, writer: str) -> None:
    held = {"map": np.moveaxis(MAP, -1, 0), "e": BIASES[::-1] * 1e-3, "name": "scan"}
    content = WRITERS[writer]({"obj": held, "other": np.arange(12.0).reshape(3, 4)})
    given = {"variable": "obj.map", "axes": "bias=obj.e V, y, x", **GIVEN}
    found = opened(tmp_path, content, **given)
    check_frame(found)
    np.testing.assert_allclose(found["bias"], BIASES)
    np.testing.assert_array_equal(found["obj.map"], grid()[..., ::-1])
    assert found.attrs["source_format"] == "matlab"


@pytest.mark.parametrize("writer", WRITERS)
def test_places_of_the_pixels_are_a_scale(tmp_path: Path, writer: str) -> None:
    """The first index is x; y rises with the second."""
    content = WRITERS[writer]({"m": np.swapaxes(grid(), 0, 1)[:, :, None], "x": X, "y": Y})
    axes = "x=x A, y=y A, bias=-80:80 mV"
    found = opened(tmp_path, content, variable="m", axes=axes)
    check_frame(found)
    np.testing.assert_allclose(found["bias"], np.linspace(-80, 80, 5))
    np.testing.assert_array_equal(found["m"], grid())
    falling = WRITERS[writer]({"m": np.swapaxes(grid(), 0, 1), "x": X, "y": Y[::-1]})
    found = opened(tmp_path, falling, variable="m", axes=axes)
    np.testing.assert_array_equal(found["m"], grid()[::-1])


def test_an_image_needs_no_name_and_no_axes(tmp_path: Path) -> None:
    found = opened(tmp_path, mat5({"z": upright()[::-1].astype(np.float32)}), **GIVEN)
    check_frame(found)
    np.testing.assert_array_equal(found["z"], upright())
    found = opened(tmp_path, big_endian("z", upright()), axes="y up, x", **GIVEN)
    np.testing.assert_array_equal(found["z"], upright())
    counts = np.round(100 * upright())
    found = opened(tmp_path, mat5({"z": counts.astype(np.int64).T}), axes="x, y up", **GIVEN)
    np.testing.assert_array_equal(found["z"], counts)


def test_arrays_in_cells_and_arrays_of_structures_have_matlabs_names(tmp_path: Path) -> None:
    cells = np.array([1.0, upright()], dtype=object)
    structures = np.zeros(2, dtype=[("a", object), ("b", object)])
    structures[1] = (upright(1), 3.0)
    content = mat5({"c": cells, "s": structures})
    for seed, name in enumerate(("c{2}", "s(2).a")):
        found = opened(tmp_path, content, variable=name, axes="y up, x", **GIVEN)
        np.testing.assert_array_equal(found[name], upright(seed))


@pytest.mark.parametrize("writer", WRITERS)
def test_arrays_on_the_same_pixels_are_read_together(tmp_path: Path, writer: str) -> None:
    topograph = upright(9)[::-1]
    held = {"g": np.swapaxes(MAP, 0, 1), "z": topograph.T, "w": topograph, "i": 2 * MAP}
    held["i"] = np.swapaxes(held["i"], 0, 1)
    axes = "x, y, bias=-100:100 mV"
    content = WRITERS[writer](held)
    found = opened(tmp_path, content, variable="g, z,i", axes=axes, **GIVEN)
    check_frame(found)
    assert list(found) == ["g", "z", "i"]
    np.testing.assert_array_equal(found["g"], grid())
    np.testing.assert_array_equal(found["i"], 2 * grid())
    np.testing.assert_array_equal(found["z"], upright(9))
    path = tmp_path / "map.mat"
    refused(path, "same pixels, in the same order", variable="g,w", axes=axes, **GIVEN)
    refused(path, "one real array", variable="g,none", axes=axes, **GIVEN)
    refused(path, "has a name", variable="z,g", axes=axes, **GIVEN)


def options(remedy: str) -> dict[str, Any]:
    """What the first half of a remedy gives to ``open``."""
    said = re.search(r"open\(path, variable='(.+?)', axes='(.+?)', width=([\d.]+)\)", remedy)
    assert said is not None, remedy
    return {"variable": said[1], "axes": said[2], "width": float(said[3])}


@pytest.mark.parametrize(
    ("writer", "order"), [("packed", 0), ("plain", 1), ("plain", 2), ("7.3", 1)]
)
def test_a_guess_is_shown_and_opens_the_file(tmp_path: Path, writer: str, order: int) -> None:
    square = MAP[:, :ROWS]
    held = {
        "I": np.arange(35.0).reshape(5, 7),
        "phase": np.arange(5.0) - 2,
        "obj": {"map": np.moveaxis(square, -1, order), "en": BIASES * 1e-3, "name": "scan"},
    }
    path = tmp_path / "map.mat"
    path.write_bytes(WRITERS[writer](held))
    error = refused(path, "one real array")
    assert "obj.map (" in str(error.received)
    assert "name" not in str(error.received)
    assert "obj.en goes from -0.1 to 0.1" in error.remedy
    found = opened(tmp_path, WRITERS[writer](held), **options(error.remedy))
    np.testing.assert_allclose(found["bias"], BIASES)
    np.testing.assert_array_equal(found["obj.map"], square[::-1])
    # In words of the command, and when only the axes are missing.
    error = refused(path, "axes of an array", variable="obj.map", **GIVEN)
    assert f'--axes "{options(error.remedy)["axes"]}" --width 16' in error.remedy
    assert options(error.remedy)["width"] == WIDTH


@pytest.mark.parametrize("spectra", [True, False])
def test_places_of_two_lengths_tell_x_and_y_apart(tmp_path: Path, spectra: bool) -> None:
    """An array over (x, y) is not read as one over (y, x), which would be its mirror image."""
    values = MAP.swapaxes(0, 1) if spectra else MAP[..., 0].T
    path = tmp_path / "map.mat"
    path.write_bytes(mat5({"map": values, "s": {"x": X, "y": Y}}))
    error = refused(path, "axes of an array", **GIVEN)
    found = opened(tmp_path, path.read_bytes(), **options(error.remedy))
    expected = grid() if spectra else grid()[..., 0]
    np.testing.assert_array_equal(found["map"], expected)
    path.write_bytes(mat5({"map": values.swapaxes(0, 1), "s": {"x": X, "y": Y}}))
    if not spectra:
        np.testing.assert_array_equal(measured.open(path, **GIVEN)["map"], expected)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_without_energies_the_side_of_another_length_is_the_bias(
    tmp_path: Path, order: int
) -> None:
    content = mat5({"map": np.moveaxis(MAP[:, :ROWS], -1, order)})
    path = tmp_path / "map.mat"
    path.write_bytes(content)
    given = options(refused(path, "axes of an array").remedy)
    found = opened(tmp_path, content, **given)
    np.testing.assert_allclose(found["bias"], np.linspace(-100, 100, 5))
    np.testing.assert_array_equal(found["map"], grid()[:, :ROWS])


def test_the_command_line_names_axes_too(tmp_path: Path) -> None:
    path = tmp_path / "map.mat"
    path.write_bytes(mat5({"map": MAP, "mV": BIASES}))
    runner = CliRunner()
    told = runner.invoke(main, ["files", str(path)])
    assert told.exit_code == 1
    assert '--axes "y, x, bias=mV mV"' in " ".join(told.output.split())
    arguments = ["files", str(path), "--axes", "y, x, bias=mV mV", "--width", "16"]
    assert "8 x 6 pixels" in runner.invoke(main, arguments).output


VARIABLES = {"map": MAP, "e": BIASES, "w": upright() * 1j, "n": np.array(3.0), "short": BIASES[:4]}


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({}, "axes of an array"),
        ({"variable": "w"}, "one real array"),
        ({"variable": "none"}, "one real array"),
        ({"axes": "y, x, bias=e V"}, "with its width"),
        ({"axes": "y, x", **GIVEN}, "has a name"),
        ({"axes": "y, x, bias=short V", **GIVEN}, "one for each point"),
        ({"axes": "y, x, bias=none V", **GIVEN}, "variable of the file"),
        ({"axes": "y, x, bias=e nm", **GIVEN}, "named in the order"),
        ({"axes": "y, x, x", **GIVEN}, "named in the order"),
        ({"axes": "y=e nm, x, bias=e V"}, "named in the order"),
        ({"axes": "y, x, bias=1:1 mV", **GIVEN}, "rises or falls"),
        ({"axes": "y, x, bias=1:e9e mV", **GIVEN}, "named in the order"),
        ({"axes": "y, x, bias", **GIVEN}, "named in the order"),
    ],
)
def test_what_was_not_named_or_wrongly_is_refused(
    tmp_path: Path, given: dict[str, Any], rule: str
) -> None:
    path = tmp_path / "map.mat"
    path.write_bytes(mat5(VARIABLES))
    refused(path, rule, **given)


def test_a_file_of_version_4_is_read_after_what_the_error_says(tmp_path: Path) -> None:
    path, copy = tmp_path / "old.mat", tmp_path / "new.mat"
    scipy.io.savemat(path, {"z": upright()[::-1]}, format="4")
    error = refused(path, "A measured file is one of", **GIVEN)
    call = error.remedy.partition(": ")[2].partition(";")[0]
    eval(call, {"scipy": scipy, "path": path, "copy": copy})
    np.testing.assert_array_equal(measured.open(copy, **GIVEN)["z"], upright())
    other = tmp_path / "other.mat"
    other.write_bytes(np.array([7, 3, 3, 0, 2], "<i4").tobytes() + bytes(99))
    assert "MATLAB 4" not in refused(other, "A measured file is one of").remedy


def test_axes_are_named_for_matlab_files_alone(tmp_path: Path) -> None:
    path = tmp_path / "image.npy"
    np.save(path, upright())
    refused(path, "Axes are named", axes="y, x", **GIVEN)


SIZES = np.array([5, 8, ROWS, COLUMNS], "<i4").tobytes()
"""The element with the size of an array."""


def test_damaged_files_and_bombs_are_refused(tmp_path: Path) -> None:
    whole = mat5({"map": MAP, "e": BIASES}, packed=False)
    path = tmp_path / "map.mat"
    for content in (whole[:-40], whole.replace(b"\x09\0\0\0\x80\x07", b"\x09\0\0\0\x80\xf7", 1)):
        path.write_bytes(content)
        refused(path, "whole variables", axes="y, x, bias=e mV", **GIVEN)
    for size in (np.nan, np.inf, -1.0):  # sizes as floats, of type 9
        odd = np.array([9, 16], "<u4").tobytes() + np.array([size, 8.0]).tobytes()
        path.write_bytes(mat5({"z": upright()}, packed=False).replace(SIZES, odd, 1))
        refused(path, "whole variables", **GIVEN)
    packed = bytearray(mat5({"s": {"map": np.zeros((2**10, 2**12))}}))
    path.write_bytes(packed[: len(packed) // 2])
    refused(path, "whole variables", **GIVEN)
    path.write_bytes(b"MATLAB 5.0".ljust(124) + b"\0\1IM")
    refused(path, "one real array")
    path.write_bytes(bomb(3 * 2**30))
    tracemalloc.start()
    refused(path, "whole variables", **GIVEN)
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_elements_are_counted_within_what_is_packed(tmp_path: Path) -> None:
    """A million empty cells are packed into 14 kB; walking through many such takes minutes."""
    path = tmp_path / "cells.mat"
    path.write_bytes(_packed(_cell([_cell([_element(14, b"")] * 1000)] * 1000)))
    refused(path, "262144 elements")
    path.write_bytes(_packed(_cell([_cell([_element(14, b"")] * 1000)] * 200)))
    refused(path, "one real array")


def _element(kind: int, data: bytes) -> bytes:
    return np.array([kind, len(data)], "<u4").tobytes() + data + bytes(-len(data) % 8)


def _cell(children: list[bytes]) -> bytes:
    flags, shape = np.array([1, 0], "<u4"), np.array([1, len(children)], "<i4")
    head = _element(6, flags.tobytes()) + _element(5, shape.tobytes()) + _element(1, b"")
    return _element(14, head + b"".join(children))


def _packed(variable: bytes) -> bytes:
    packed = zlib.compress(variable)
    tag = np.array([15, len(packed)], "<u4").tobytes()
    return b"MATLAB 5.0".ljust(124) + b"\0\1IM" + tag + packed


def bomb(size: int) -> bytes:
    """A packed variable that says that it has so many bytes."""
    return _packed(np.array([14, size], "<u4").tobytes() + bytes(2**16))
