"""A new unknown is a row of one table, a new crystal a file: both go from recipe to prediction."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import gapscope as gs
from built_here import build_here
from gapscope.cli.main import main
from gapscope.dataset.build import build
from gapscope.dataset.compute import JuliaKernel
from gapscope.dataset.load import DatasetReader
from gapscope.dataset.merges import merge_candidates
from gapscope.learning.evaluation.evaluate import evaluate
from gapscope.learning.network.config import NetworkConfig, TrainingConfig
from gapscope.learning.training.train import train
from gapscope.problem import quantities
from gapscope.problem.draft import Draft
from gapscope.problem.quantities import Quantity
from gapscope.simulation.materials import material
from problems import recipe

CRYSTAL = """
schema = 1
name = "Rectangle"
citation = "of this test"
description = "one band"

[lattice]
a = 3.0
b = 4.0
angle = 90.0

[[shells]]
bond = [0, 0]
hopping = 15.0

[[shells]]
bond = [1, 0]
hopping = -40.0

[[shells]]
bond = [0, 1]
hopping = -25.0
"""
SMALL = TrainingConfig(
    network=NetworkConfig(backbone="vgg16-quarter", width=16),
    epochs=1,
    batch_size=6,
    surfaces=False,
    precision="float32",
)


def screened(draft: Draft, value: float) -> Draft:
    """The potential, as screening leaves it."""
    return replace(draft, scalar=draft.scalar / (1 + value))


def test_one_row_is_all_that_a_new_unknown_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    row = Quantity(r"\chi", "1", "screening", screened, 0.01, digits=2)
    monkeypatch.setattr(quantities, "QUANTITIES", dict(quantities.QUANTITIES) | {"screening": row})
    what = recipe(
        candidates=[{"irrep": "B1g"}, {"irrep": "Eu"}],
        unknowns={"gap": [20.0, 40.0], "theta": "any", "screening": [0.1, 1.4]},
        impurity={"scalar": 60.0, "moment": [0.0, 0.0, 50.0]},
        method={"name": "grid", "kgrid": 64},
        window=64,
        splits={"train": 12, "validation": 6, "test": 6},
    )
    matter, kernel = material(what.material), JuliaKernel()
    problem = merge_candidates(what.define(matter), what, matter, kernel)
    assert all("screening" in one.unknowns for one in problem.classes)
    data = build_here(what, tmp_path / "data", kernel, problem)
    with DatasetReader(data) as reader:
        drawn = reader.parameters["screening"]
        assert ((drawn > 0.1) & (drawn < 1.4)).all()
        assert reader.images([0]).std() > 0
    run = train(data, tmp_path / "run", SMALL, progress=False)
    result = evaluate(run.path, data)
    assert result.predictions["screening"].attrs["units"] == "1"
    assert np.array_equal(result.predictions["true_screening"].values, drawn[18:])
    assert "screening" in result.text
    state = gs.Specification(matter, gs.Pairing.of(matter, "B1g", 30.0), gs.Impurity.scalar(40.0))
    predicted = gs.predict(gs.simulate(state, what.numerics()), run.path)
    assert np.isfinite(predicted["screening"]).all()
    assert predicted["screening"].attrs["units"] == "1"


def test_one_file_is_all_that_a_new_crystal_needs(tmp_path: Path) -> None:
    (tmp_path / "crystal.toml").write_text(CRYSTAL)
    target = tmp_path / "recipe.toml"
    command = ["dataset", "recipe", str(tmp_path / "crystal.toml"), "--gap", "6", "15"]
    done = CliRunner().invoke(main, [*command, "--maps", "10", "-o", str(target)])
    assert done.exit_code == 0, done.output
    target.write_text(cheaper(target.read_text()))
    data = build(target, tmp_path / "data", workers=1, progress=False)
    with DatasetReader(data) as reader:
        labels, energies = reader.labels, reader.energies
        assert reader.crystal_lattice.name == "rectangular"
    run = train(data, tmp_path / "run", SMALL, progress=False)
    matter = gs.material(str(tmp_path / "crystal.toml"))
    state = gs.Specification(
        matter, gs.Pairing.of(matter, labels[0], 10.0), gs.Impurity.scalar(20.0)
    )
    grid = gs.Numerics(energies.tolist(), broadening=6.0, window=64, method=gs.Grid(64))
    gs.write_netcdf(gs.simulate(state, grid), tmp_path / "map.nc")
    predicted = gs.predict(tmp_path / "map.nc", run.path)
    assert tuple(predicted["class"].values) == labels
    assert predicted["gap"].attrs["units"] == "meV"


def cheaper(text: str) -> str:
    """A recipe with a coarse grid and broadening."""
    assert "[method]" not in text
    text = re.sub(r"broadening = .*", "broadening = 6.0", text)
    text = re.sub(r"(validation|test) = \d+", r"\1 = 6", text)
    return text.replace("[impurity]", '[method]\nname = "grid"\nkgrid = 64\n\n[impurity]')
