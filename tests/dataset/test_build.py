"""Builds by Dask with the real kernel: the numbers depend on the recipe alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from doubles import recipe, write_recipe
from gapscope.dataset.build import build
from gapscope.dataset.load import DatasetReader, open_dataset
from gapscope.dataset.verify import status, verify
from gapscope.physics import Pairing, Specification
from gapscope.simulation.materials import material
from oracle import Oracle

ROUNDING_OF_FLOAT32 = 1e-7
ROUNDING = 1e-11


@pytest.fixture(scope="module")
def undisturbed(scheduler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of the real kernel, built by two workers of a running cluster."""
    folder = tmp_path_factory.mktemp("undisturbed") / "dataset"
    return build(recipe(), folder, scheduler=scheduler, progress=False)


def test_every_map_is_that_of_the_parameters_beside_it(undisturbed: Path) -> None:
    what = recipe()
    nbse2 = material(what.material)
    with DatasetReader(undisturbed) as reader, open_dataset(undisturbed) as opened:
        table, dos = reader.parameters, opened.dos.values
        for i in range(10):
            theta = None if np.isnan(table["theta"][i]) else float(table["theta"][i])
            name = reader.candidates[table["candidate"][i]]
            pairing = Pairing(name, gap=float(table["printed_gap"][i]), theta=theta)
            spec = Specification(
                nbse2, pairing, what.impurity.impurity(), eps0=float(table["eps0"][i])
            )
            for e, energy in enumerate(what.energies):
                exact = Oracle(spec.bdg().at, spec.impurity_matrix(), 64, energy, what.broadening)
                expected = exact.ldos_change(what.window)
                error = np.abs(reader.image(i)[e] - expected).max()
                assert error < ROUNDING_OF_FLOAT32 * np.abs(expected).max()
                assert abs(dos[i, e] - exact.dos) < ROUNDING * exact.dos


def test_other_shards_have_the_same_digest(
    undisturbed: Path, scheduler: str, tmp_path: Path
) -> None:
    other = build(recipe(shard_size=16), tmp_path / "d", scheduler=scheduler, progress=False)
    assert status(other).shards_total == 3
    assert verify(other).digest == verify(undisturbed).digest


def test_a_build_killed_in_the_middle_goes_on_and_ends_with_the_same_digest(
    undisturbed: Path, scheduler: str, tmp_path: Path
) -> None:
    path, folder = write_recipe(tmp_path / "r.toml", recipe(shard_size=1)), tmp_path / "dataset"
    code = "import sys; from gapscope.dataset.build import build\nbuild(*sys.argv[1:], workers=1)"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path), str(folder)], stderr=(tmp_path / "stderr").open("w")
    )
    while not (folder / "manifest.json").exists() or status(folder).done < 3:
        assert process.poll() is None, (tmp_path / "stderr").read_text()
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = status(folder)
    assert before.done < before.total
    kept = {file: file.stat().st_mtime_ns for file in folder.glob("shards/*.h5")}
    build(path, folder, scheduler=scheduler, progress=False)
    assert verify(folder).digest == verify(undisturbed).digest
    assert {file: file.stat().st_mtime_ns for file in kept} == kept


def test_a_dataset_names_the_julia_that_computed_it(undisturbed: Path) -> None:
    versions = json.loads((undisturbed / "manifest.json").read_text())["versions"]
    assert set(versions) >= {"gapscope_version", "kernel_version", "julia_version"}
