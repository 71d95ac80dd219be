"""Files of functions on grids: what they say is read, what is no such file is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gapscope.errors import MaterialFileError
from gapscope.simulation.continuum.volume import read_volume
from grid_files import grid_points, write_cube, write_xsf

CELL = np.array([[3.0, 0.0, 0.0], [1.5, 2.6, 0.0], [0.0, 0.0, 9.0]])
ORIGIN = np.array([-1.0, 0.5, -2.0])
VECTORS = np.array([[2.0, 0.0, 0.0], [1.0, 1.7, 0.0], [0.0, 0.3, 4.0]])
VALUES = np.random.default_rng(3).normal(size=(3, 4, 5))


@pytest.mark.parametrize("kind", ["xsf", "cube in Bohr", "cube in Angstrom"])
def test_values_stand_where_the_file_says(kind: str, tmp_path: Path) -> None:
    path = tmp_path / ("w.xsf" if kind == "xsf" else "w.cube")
    if kind == "xsf":
        write_xsf(path, CELL, ORIGIN, VECTORS, VALUES)
    else:
        write_cube(path, ORIGIN, VECTORS, VALUES, kind.endswith("Angstrom"))
    found = read_volume(path)
    np.testing.assert_allclose(found.values, VALUES, rtol=1e-5)
    i, j, k = 2, 1, 3
    place = found.origin + np.array([i, j, k]) @ found.steps
    np.testing.assert_allclose(
        place, grid_points(ORIGIN, VECTORS, VALUES.shape)[i, j, k], atol=1e-6
    )
    assert found.voxel == pytest.approx(abs(np.linalg.det(VECTORS)) / (2 * 3 * 4), rel=1e-6)
    if kind == "xsf":
        np.testing.assert_allclose(found.cell, CELL)


def damaged(text: str, what: str) -> str:
    lines = text.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("BEGIN_DATAGRID"))
    if what == "no grid":
        return "\n".join(lines[:start])
    if what == "two grids":
        return text + "\n".join(lines[start:])
    if what == "no end":
        return "\n".join(lines[:-2])
    if what == "cut off":
        return "\n".join(lines[: start + 9])
    if what == "terabytes":
        lines[start + 1] = "100000 100000 100000"
    if what == "one point":
        lines[start + 1] = "60 1 1"
    if what == "negative":
        lines[start + 1] = "-3 -4 5"
    if what == "words":
        lines[start + 8] = lines[start + 8].replace("e", "x", 1)
    if what == "not finite":
        lines[start + 8] = lines[start + 8].replace(lines[start + 8].split()[0], "nan", 1)
    if what == "flat":
        lines[start + 4] = lines[start + 3]
    if what == "no vectors":
        del lines[start + 3 :]
    return "\n".join(lines)


CASES = ["no grid", "two grids", "no end", "cut off", "terabytes", "one point", "negative"]
CASES += ["words", "not finite", "flat", "no vectors"]


@pytest.mark.parametrize("case", CASES)
def test_damaged_xsf_files_are_refused(case: str, tmp_path: Path) -> None:
    path = write_xsf(tmp_path / "w.xsf", CELL, ORIGIN, VECTORS, VALUES)
    path.write_text(damaged(path.read_text(), case))
    with pytest.raises(MaterialFileError, match="one function on a grid"):
        read_volume(path)


CUBES = {
    "empty": lambda lines: [],
    "head alone": lambda lines: lines[:5],
    "atoms cut off": lambda lines: [*lines[:2], "9000 0 0 0", *lines[3:]],
    "many atoms": lambda lines: [*lines[:2], "900000000 0 0 0", *lines[3:]],
    "several functions": lambda lines: [
        *lines[:2],
        lines[2].replace("1", "-1", 1),
        *lines[3:7],
        "2 1 2",
        *lines[7:],
    ],
    "terabytes": lambda lines: [*lines[:3], "99999 0.1 0 0", "99999 0 0.1 0", *lines[5:]],
    "values missing": lambda lines: lines[:-1],
    "values too many": lambda lines: [*lines, "1.0"],
    "no number": lambda lines: [*lines[:3], "three 1 0 0", *lines[4:]],
}


@pytest.mark.parametrize("case", CUBES)
def test_damaged_cube_files_are_refused(case: str, tmp_path: Path) -> None:
    path = write_cube(tmp_path / "w.cube", ORIGIN, VECTORS, VALUES, angstrom=False)
    path.write_text("\n".join(CUBES[case](path.read_text().splitlines())))
    with pytest.raises(MaterialFileError, match="one function on a grid"):
        read_volume(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xsf")
    (tmp_path / "bytes.cube").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "w.txt").write_text("1 2 3")
    for name in ("pipe.xsf", "bytes.cube", "w.txt", "nothing.xsf"):
        with pytest.raises(MaterialFileError):
            read_volume(tmp_path / name)


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_xsf(tmp_path / "w.xsf", CELL, ORIGIN, VECTORS, VALUES)
    monkeypatch.setattr("gapscope.simulation.continuum.volume.MOST_BYTES", 100)
    with pytest.raises(MaterialFileError, match="more than 100"):
        read_volume(path)
