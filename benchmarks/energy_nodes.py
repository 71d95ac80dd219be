"""What few energies cost the maps of a recipe: energy resolutions, and currents up to setpoints.

python benchmarks/energy_nodes.py [--recipe data/recipes/nbse2-measured.toml] [--states 30]

Fresh states of the recipe's ranges, computed with its nodes and with many more; printed are
relative differences ||few - many|| / ||many|| of what is stored.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gapscope.dataset.recipe import NODES, RULE_NODES, Recipe, load_recipe
from gapscope.instrument.contour import setpoint_contour
from gapscope.instrument.integrated import integrated_densities
from gapscope.instrument.resolution import energy_rule
from gapscope.physics import Specification
from gapscope.simulation.maps import simulate_batch
from gapscope.simulation.numerics import Converged, Numerics
from results_states import random_states, specification

Real = NDArray[np.float64]
MANY_NODES, MANY_RULE_NODES = 24, 41
ACCURACY, WINDOW = 0.001, 64
"""Accuracy of the maps, closer than the recipe's, so that the nodes alone are seen."""


def numerics(recipe: Recipe) -> Numerics:
    return Numerics(recipe.energies, recipe.broadening, WINDOW, Converged(ACCURACY))


def broadened(states: list[Specification], recipe: Recipe, count: int) -> Real:
    """(states, resolutions, L, L)."""
    found = []
    for temperature, modulation in recipe.resolutions:
        nodes, weights = energy_rule(temperature, modulation, count)
        energies = (recipe.energies[0] + nodes).tolist()
        maps = simulate_batch(states, replace(numerics(recipe), energies=energies))
        found.append(np.einsum("e,neij->nij", weights, maps.ldos_change))
    return np.stack(found, axis=1)


def integrated(states: list[Specification], recipe: Recipe, count: int) -> Real:
    """(states, setpoints, L, L): the relative change of the current."""
    contours = [setpoint_contour(bias, recipe.broadening, count) for bias in recipe.setpoints]
    every = integrated_densities(states, contours, WINDOW, Converged(ACCURACY))
    return np.stack([one.change / one.clean[:, None, None] for one in every], axis=1)


def line(name: str, few: Real, many: Real, states: Sequence[Specification]) -> str:
    distance = np.linalg.norm(few - many, axis=(1, 2)) / np.linalg.norm(many, axis=(1, 2))
    worst = int(distance.argmax())
    pairing = states[worst].pairing
    return (
        f"{name:<40}{np.median(distance):>10.2%}{distance[worst]:>10.2%}"
        f"   {pairing.irrep}, gap {pairing.gap:.2f} meV"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", type=Path, default=Path("data/recipes/nbse2-measured.toml"))
    parser.add_argument("--states", type=int, default=30)
    options = parser.parse_args()
    recipe = load_recipe(options.recipe)
    states = [specification(recipe, one) for one in random_states(recipe, options.states)]
    print(f"{'stored':<40}{'median':>10}{'most':>10}   at")
    few, many = (broadened(states, recipe, count) for count in (RULE_NODES, MANY_RULE_NODES))
    for i, (temperature, modulation) in enumerate(recipe.resolutions):
        name = f"drho at {temperature:g} K, {modulation:g} meV rms, {RULE_NODES} nodes"
        print(line(name, few[:, i], many[:, i], states))
    few, many = (integrated(states, recipe, count) for count in (NODES, MANY_NODES))
    for i, bias in enumerate(recipe.setpoints):
        name = f"change of the current to {bias:g} mV, {NODES} nodes"
        print(line(name, few[:, i], many[:, i], states))


if __name__ == "__main__":
    main()
