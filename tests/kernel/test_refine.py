"""Refinement finds the parameters a map was made with, and the class that explains it."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import gapscope as gs
from gapscope.dataset.recipe import load_recipe
from gapscope.errors import NumericsError
from gapscope.inference.refine import Candidate, Conditions, refine, refine_predictions
from gapscope.learning.data.targets import circular_error
from gapscope.physics import LABELS
from gapscope.simulation.maps import simulate_batch
from gapscope.support.resources import find_recipe

WINDOW = 24
TRUTH = [
    Candidate("A1g", 0.9, 0.4, 20.0),
    Candidate("A12u", 0.7, float("nan"), -60.0),
    Candidate("A2g", 1.2, 2.9, -200.0),
    Candidate("Eg", 1.0, 1.1, 35.0),
    Candidate("Eu", 0.8, 3.1, -20.0),
]
OFF = np.array([0.04, 0.06, -5.0])


def conditions(energies: tuple[float, ...] = (0.0,)) -> Conditions:
    numerics = gs.Numerics(energies, 0.3, WINDOW, gs.Converged(0.001))
    return Conditions(gs.material("nbse2"), gs.Impurity.scalar(50.0), numerics)


def maps_of(states: list[Candidate], known: Conditions) -> np.ndarray:
    specifications = [state.specification(known) for state in states]
    return simulate_batch(specifications, known.numerics).ldos_change


@pytest.mark.parametrize("energies", [(0.0,), (-0.5, 0.5)])
def test_the_parameters_of_a_map_are_found(energies: tuple[float, ...]) -> None:
    known = conditions(energies)
    found = refine(maps_of(TRUTH, known), [[state.moved(OFF)] for state in TRUTH], known, rounds=6)
    for state, truth in zip(found, TRUTH, strict=True):
        assert state.label == truth.label
        assert state.gap == pytest.approx(truth.gap, abs=2e-3)
        assert state.eps0 == pytest.approx(truth.eps0, abs=0.1)
        assert state.chi < 2e-3
        if state.label != "A12u":
            assert circular_error(np.array(state.theta), np.array(truth.theta)) < 2e-3


def test_a2u_is_found_as_a1u_in_its_normalisation() -> None:
    known = conditions()
    a2u = gs.Pairing("A2u", 0.7 * np.sqrt(3))
    spec = gs.Specification(known.material, a2u, known.impurity, -60.0)
    drho = simulate_batch([spec], known.numerics).ldos_change
    (state,) = refine(drho, [[TRUTH[1].moved(OFF)]], known)
    assert state.gap == pytest.approx(0.7, abs=2e-3)


def test_the_class_that_explains_the_map_wins() -> None:
    known = conditions()
    drho = maps_of(TRUTH[3:], known)
    wrong = Candidate("A12u", 0.9, float("nan"), 0.0)
    starts = [[wrong, state.moved(OFF)] for state in TRUTH[3:]]
    found = refine(drho, starts, known)
    assert [state.label for state in found] == ["Eg", "Eu"]


def test_noise_costs_no_more_than_it_must() -> None:
    """At a signal-to-noise ratio of 10 the answer moves by its Cramer-Rao bound, not beyond."""
    known, truth = conditions(), TRUTH[3]
    clean = maps_of([truth], known)
    sigma = clean.std() / 10
    steps = np.array([0.005, 0.005, 0.5])
    shifted = maps_of([truth.moved(np.where(np.arange(3) == k, steps, 0)) for k in range(3)], known)
    slopes = ((shifted - clean) / steps[:, None, None, None]).reshape(3, -1)
    bound = sigma * np.sqrt(np.diag(np.linalg.inv(slopes @ slopes.T)))
    rng = np.random.default_rng(3)
    noisy = clean + sigma * rng.standard_normal((24, *clean.shape[1:]))
    found = refine(noisy, [[truth.moved(OFF)]] * len(noisy), known, rounds=6)
    errors = np.array(
        [(s.gap - truth.gap, s.theta - truth.theta, s.eps0 - truth.eps0) for s in found]
    )
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
    angle = refined["refined_theta"].values[1]
    assert circular_error(angle, np.array(truth[1].theta)) < 5e-3
    assert (refined["chi"] < 5e-3).all()
    assert refined["label"].identical(predictions["label"])


def test_conditions_are_those_of_a_recipe() -> None:
    recipe = load_recipe(find_recipe("nbse2-reference"))
    known = Conditions.of(recipe, 64)
    assert known.numerics.window == 64
    assert known.numerics.broadening == recipe.broadening
    scalar = gs.Impurity.scalar(50.0)
    assert np.array_equal(known.impurity.nambu_matrix(), scalar.nambu_matrix())
    assert known.material.name == gs.material("nbse2").name


def test_maps_and_starts_must_fit() -> None:
    known = conditions()
    with pytest.raises(NumericsError, match="24"):
        refine(np.zeros((1, 1, 32, 32)), [[TRUTH[0]]], known)
    with pytest.raises(NumericsError, match="start for each"):
        refine(np.zeros((1, 1, WINDOW, WINDOW)), [[]], known)
