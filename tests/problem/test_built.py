"""A dataset of another crystal and other unknowns, from recipe to reader."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gapscope.dataset.build import build
from gapscope.dataset.card import card
from gapscope.dataset.load import DatasetReader, open_dataset
from gapscope.dataset.manifest import Manifest
from gapscope.dataset.verify import verify
from gapscope.errors import RecipeError
from gapscope.instrument.resolution import energy_rule
from gapscope.problem.problem import Problem
from gapscope.problem.states import States
from gapscope.simulation.maps import simulate_batch
from gapscope.simulation.numerics import Numerics
from problems import CRYSTALS, recipe

SETPOINT = 12.0
CHANGES = {
    "candidates": [{"irrep": "B1g"}, {"irrep": "Eu"}, {"irrep": "A1u"}, {"irrep": "B1u"}],
    "unknowns": {
        "gap": [20.0, 40.0],
        "theta": "any",
        "broadening": [3.0, 6.0],
        "temperature": [4.0, 20.0],
    },
    "broadening": 0.0,
    "setpoints": [SETPOINT],
    "splits": {"train": 9, "validation": 3, "test": 0},
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(recipe(**CHANGES), tmp_path_factory.mktemp("built") / "d", workers=1)


def test_columns_and_attributes_follow_from_the_problem(built: Path) -> None:
    with open_dataset(built) as opened:
        problem = Problem.from_dict(json.loads(opened.attrs["problem"]))
        assert problem.labels == ("B1g", "Eu", "A1u/B1u") == tuple(opened.attrs["labels"])
        assert tuple(opened.attrs["candidates"]) == ("B1g", "Eu", "A1u", "B1u")
        for one in problem.unknowns:
            assert opened[one.name].attrs["units"] == one.unit
        assert opened["broadening"].dims == ("sample",)
        assert opened["label"].values.tolist() == 4 * [0, 1, 2]
        assert opened["candidate"].values.tolist() == [0, 1, 2, 0, 1, 3, 0, 1, 2, 0, 1, 3]
        assert np.isnan(opened["theta"].values).tolist() == 4 * [True, False, True]


def test_each_map_is_at_its_own_broadening_and_temperature(built: Path) -> None:
    what, matter = recipe(**CHANGES), CRYSTALS["bi2212"]()
    with DatasetReader(built) as reader:
        states = States(reader.problem, what.draft(matter))
        for sample in (1, 5):
            values = {
                u.name: float(reader.parameters[u.name][sample]) for u in reader.problem.unknowns
            }
            label = int(reader.parameters["label"][sample])
            one = states.sample(label, values, 1 if sample == 5 else 0)
            nodes, weights = energy_rule(values["temperature"], 0.0, 7)
            maps = simulate_batch(
                [one.specification],
                Numerics((6.0 + nodes).tolist(), values["broadening"], 12, what.method.method()),
            )
            expected = np.einsum("e,eij->ij", weights, maps.ldos_change[0])
            found = reader.image(sample)[0]
            assert found == pytest.approx(expected, rel=1e-4, abs=1e-6 * np.abs(expected).max())


def test_each_current_is_integrated_at_its_sample_s_own_broadening(built: Path) -> None:
    what, sample = recipe(**CHANGES), 4
    nodes, weights = np.polynomial.legendre.leggauss(24)
    energies = (SETPOINT / 2 * (1 + nodes)).tolist()
    with DatasetReader(built) as reader:
        states = States(reader.problem, what.draft(CRYSTALS["bi2212"]()))
        values = {
            k: float(v[sample]) for k, v in reader.parameters.items() if k in CHANGES["unknowns"]
        }
        one = states.sample(int(reader.parameters["label"][sample]), values)
        axis = Numerics(energies, values["broadening"], 12, what.method.method())
        maps = simulate_batch([one.specification], axis)
        straight = np.tensordot(weights, maps.ldos_change[0], 1) / (weights @ maps.dos[0])
        (found,) = reader.integral_changes([sample])
    assert np.linalg.norm(found[0] - straight) < 0.02 * np.linalg.norm(straight)


def test_it_verifies_and_its_card_tells_merges_and_ranges(built: Path) -> None:
    assert verify(built).counts["train"] == {"B1g": 3, "Eu": 3, "A1u": 2, "B1u": 1}
    text = card(built)
    assert "B1u has the maps of A1u" in text
    assert "| broadening | logarithm uniform in [3.0, 6.0] meV |" in text
    assert "D3h" not in text


def test_the_build_is_finished_without_asking_again_what_is_one(built: Path) -> None:
    before = (built / "dataset.h5").stat().st_mtime_ns
    manifest = Manifest.read(built)
    build(recipe(**CHANGES, training={"epochs": 2}), built, workers=1)
    assert Manifest.read(built).identity == manifest.identity
    assert (built / "dataset.h5").stat().st_mtime_ns >= before
    with pytest.raises(RecipeError, match="seed"):
        build(recipe(**CHANGES, seed=4), built, workers=1)
