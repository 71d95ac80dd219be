"""Refinement finds the parameters a map was made with, and the class that explains it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import gapscope as gs
from gapscope.dataset.recipe import load_recipe
from gapscope.dataset.samples import simulate_samples
from gapscope.errors import MaterialFileError, NumericsError
from gapscope.inference.refine import Conditions, Guess, refine, refine_predictions
from gapscope.learning.model_folder.run import RunFolder
from gapscope.physics import LABELS
from gapscope.problem.draft import Draft
from gapscope.problem.paper import PAPER_RANGES, paper_problem
from gapscope.simulation.maps import simulate_batch
from gapscope.support.resources import find_model, find_recipe

WINDOW = 24
TRUTH = [
    Guess("A1g", {"gap": 0.9, "theta": 0.4, "eps0": 20.0}),
    Guess("A12u", {"gap": 0.7, "eps0": -60.0}),
    Guess("A2g", {"gap": 1.2, "theta": 2.9, "eps0": -200.0}),
    Guess("Eg", {"gap": 1.0, "theta": 1.1, "eps0": 35.0}),
    Guess("Eu", {"gap": 0.8, "theta": 3.1, "eps0": -20.0}),
]
OFF = {"gap": 0.04, "theta": 0.06, "eps0": -5.0}
PROBLEM = paper_problem(PAPER_RANGES)


def conditions(energies: tuple[float, ...] = (0.0,)) -> Conditions:
    numerics = gs.Numerics(energies, 0.3, WINDOW, gs.Converged(0.001))
    return Conditions(PROBLEM, Draft(gs.material("nbse2"), 0.3, 50.0), numerics)


def off(guess: Guess) -> Guess:
    """A state as wrong as a network's, theta on its circle."""
    values = {name: value + OFF[name] for name, value in guess.values.items()}
    if "theta" in values:
        values["theta"] %= np.pi
    return Guess(guess.label, values)


def maps_of(states: list[Guess], known: Conditions) -> np.ndarray:
    return simulate_samples([known.sample(state) for state in states], known.numerics)[0]


@pytest.mark.parametrize("energies", [(0.0,), (-0.5, 0.5)])
def test_the_parameters_of_a_map_are_found(energies: tuple[float, ...]) -> None:
    known = conditions(energies)
    found = refine(maps_of(TRUTH, known), [[off(state)] for state in TRUTH], known)
    within = {"gap": 2e-3, "theta": 2e-3, "eps0": 0.1}
    for state, truth in zip(found, TRUTH, strict=True):
        assert state.label == truth.label
        assert state.chi < 2e-3
        assert state.values.keys() == truth.values.keys()
        for name, value in state.values.items():
            error = PROBLEM.unknown(name).error(np.array(value), np.array(truth.values[name]))
            assert error < within[name]


def test_a2u_is_found_as_a1u_in_its_normalisation() -> None:
    known = conditions()
    a2u = gs.Pairing("A2u", 0.7 * np.sqrt(3))
    spec = gs.Specification(known.draft.material, a2u, known.draft.impurity(), -60.0)
    drho = simulate_batch([spec], known.numerics).ldos_change
    (state,) = refine(drho, [[off(TRUTH[1])]], known)
    assert state.values["gap"] == pytest.approx(0.7, abs=2e-3)


def test_the_class_that_explains_the_map_wins() -> None:
    known = conditions()
    drho = maps_of(TRUTH[3:], known)
    wrong = Guess("A12u", {"gap": 0.9, "eps0": 0.0})
    starts = [[wrong, off(state)] for state in TRUTH[3:]]
    found = refine(drho, starts, known)
    assert [state.label for state in found] == ["Eg", "Eu"]


def test_noise_costs_no_more_than_it_must() -> None:
    """At a signal-to-noise ratio of 10 the answer moves by its Cramer-Rao bound, not beyond."""
    known, truth = conditions(), TRUTH[3]
    clean = maps_of([truth], known)
    sigma = clean.std() / 10
    steps = np.array([0.005, 0.005, 0.5])
    names = ("gap", "theta", "eps0")
    values = truth.values
    further = [{**values, n: values[n] + s} for n, s in zip(names, steps, strict=True)]
    shifted = maps_of([Guess(truth.label, one) for one in further], known)
    slopes = ((shifted - clean) / steps[:, None, None, None]).reshape(3, -1)
    bound = sigma * np.sqrt(np.diag(np.linalg.inv(slopes @ slopes.T)))
    rng = np.random.default_rng(3)
    noisy = clean + sigma * rng.standard_normal((24, *clean.shape[1:]))
    found = refine(noisy, [[off(truth)]] * len(noisy), known, rounds=2)
    errors = np.array([[one.values[n] - values[n] for n in names] for one in found])
    # The symmetric window leaves a quarter of the sites out, and 24 draws scatter by 15 %.
    assert (np.sqrt((errors**2).mean(axis=0)) < 1.8 * bound).all()
    assert all(state.chi > 0.01 for state in found)


def test_a_networks_predictions_are_refined_beside_it() -> None:
    """Two maps, read by a network that is sure of one and, wrongly, sure enough of the other."""
    known, truth = conditions(), [TRUTH[1], TRUTH[4]]
    predictions = xr.Dataset(
        {
            "probability": (("sample", "class"), [[0, 1.0, 0, 0, 0], [0, 0.6, 0, 0.001, 0.399]]),
            "label": ("sample", [1, 1]),
            "gap": ("sample", [0.72, 0.78]),
            "theta": ("sample", [np.nan, np.nan]),
            "eps0": ("sample", [-56.0, -24.0]),
        }
    )
    refined = refine_predictions(predictions, maps_of(truth, known), known)
    assert [LABELS[i] for i in refined["refined_label"].values] == ["A12u", "Eu"]
    assert np.isnan(refined["refined_theta"][0])
    angle, wanted = refined["refined_theta"].values[1], truth[1].values["theta"]
    assert PROBLEM.unknown("theta").error(angle, np.array(wanted)) < 5e-3
    assert (refined["chi"] < 5e-3).all()
    assert refined["label"].identical(predictions["label"])


def test_conditions_are_those_of_a_dataset_at_the_energies_that_a_network_sees() -> None:
    recipe = load_recipe(find_recipe("nbse2-five-energies"))
    stored = {"recipe": recipe.to_dict(), "material": "NbSe2"}
    shipped = RunFolder(find_model("nbse2-vgg16")).config()
    one = replace(shipped, dataset=stored, energies=recipe.energies[1:2])
    known = Conditions.of(one, 64)
    assert known.numerics.window == 64
    assert known.numerics.energies == one.energies != recipe.energies
    assert known.draft.broadening == known.numerics.broadening == recipe.broadening
    scalar = gs.Impurity.scalar(50.0)
    assert np.array_equal(known.draft.impurity().nambu_matrix(), scalar.nambu_matrix())
    assert known.draft.material.name == gs.material("nbse2").name
    with pytest.raises(MaterialFileError, match="NbSe2"):
        Conditions.of(one, 64, gs.material("bi2212"))


def test_maps_and_starts_must_fit() -> None:
    known = conditions()
    with pytest.raises(NumericsError, match="24"):
        refine(np.zeros((1, 1, 32, 32)), [[TRUTH[0]]], known)
    with pytest.raises(NumericsError, match="start for each"):
        refine(np.zeros((1, 1, WINDOW, WINDOW)), [[]], known)


def test_a_map_is_predicted_and_refined_in_one_call() -> None:
    """The shipped network's answer is off by per mille; simulated maps take the rest away."""
    state = gs.Specification(
        gs.material("nbse2"), gs.Pairing("Eg", 1.1, theta=0.4), gs.Impurity.scalar(50.0), -60.0
    )
    maps = gs.simulate(state, gs.Numerics([0.0], broadening=0.1, window=64))
    found = gs.predict(maps, refine=True)
    assert LABELS[int(found["refined_label"][0])] == "Eg"
    wanted = {"gap": (1.1, 1e-3), "theta": (0.4, 1e-3), "eps0": (-60.0, 0.1)}
    for name, (value, error) in wanted.items():
        assert abs(float(found[f"refined_{name}"][0]) - value) < error
        assert abs(float(found[name][0]) - value) < 30 * error
    assert float(found["chi"][0]) < 0.01
