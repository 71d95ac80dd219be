"""Method converged: as right as it says, whatever the state, the impurity and the energy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import gapscope as gs
from gapscope.dataset.compute import JuliaKernel
from gapscope.errors import ConvergenceError, ConvergenceWarning, NumericsError
from gapscope.simulation.kgrid import resolving_kgrid
from gapscope.simulation.maps import simulate_batch

WINDOW = 32
BROADENING = 4.0  # resolved by the grid below
ENERGIES = [0.0, 1.5]
STATES = {
    "A1g": gs.Pairing("A1g", 1.0, theta=0.4),
    "A1u": gs.Pairing("A1u", 1.0),
    "A2g": gs.Pairing("A2g", 1.0, theta=1.2),
    "A2u": gs.Pairing("A2u", 0.5),
    "Eg": gs.Pairing("Eg", 1.0, theta=0.4),
    "Eg with phi": gs.Pairing("Eg", 1.0, theta=0.4, phi=0.7),
    "Eu with phi": gs.Pairing("Eu", 1.0, theta=0.4, phi=0.7),
    "Eg, five angles": gs.Pairing(
        "Eg", 1.0, theta=0.4, theta_s=0.2, phi_s=0.5, theta_t=0.7, phi_t=0.9
    ),
}


def errors(maps: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Relative errors of maps (..., L, L) with and without r = 0."""
    away = np.ones(maps.shape[-2:])
    away[maps.shape[-2] // 2, maps.shape[-1] // 2] = 0

    def norm(values: np.ndarray) -> np.ndarray:
        return np.sqrt((values**2).sum((-2, -1)))

    return (
        norm(maps - reference) / norm(reference),
        norm((maps - reference) * away) / norm(reference * away),
    )


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("accuracy", [0.02, 1e-4])
def test_the_error_is_below_the_estimate_and_the_estimate_below_the_request(
    name: str, accuracy: float, nbse2: gs.Material
) -> None:
    impurity = gs.Impurity.scalar(-80.0) + gs.Impurity.magnetic((20.0, 5.0, 30.0))
    state = gs.Specification(nbse2, STATES[name], impurity, eps0=-60.0)
    grid = simulate_batch([state], gs.Numerics(ENERGIES, BROADENING, WINDOW, gs.Grid(2048)))
    maps = simulate_batch(
        [state], gs.Numerics(ENERGIES, BROADENING, WINDOW, gs.Converged(accuracy))
    )
    convergence = maps.convergence
    assert convergence is not None
    assert convergence.reached.all()
    assert max(convergence.error.max(), convergence.error_away.max()) <= accuracy
    error, away = errors(maps.ldos_change, grid.ldos_change)
    rounding = 5e-6  # of the spline that spreads rows (2e-7 of G at the window's edge)
    assert (error <= convergence.error + rounding).all()
    assert (away <= convergence.error_away + rounding).all()
    np.testing.assert_allclose(maps.dos, grid.dos, rtol=accuracy)
    largest = np.abs(grid.local_green).max()
    np.testing.assert_allclose(maps.local_green, grid.local_green, atol=accuracy * largest)


def test_several_orbitals_converge_too() -> None:
    rng = np.random.default_rng(5)
    onsite = np.diag([-0.3, 0.1, 0.4]).astype(complex)
    hopping = {(1, 0): 0.1, (0, 1): 0.08, (1, -1): 0.09}
    bonds: dict[tuple[int, int], np.ndarray] = {(0, 0): onsite}
    for (r1, r2), t in hopping.items():
        matrix = t * (np.eye(3) + 0.5 * rng.standard_normal((3, 3)))
        bonds[r1, r2], bonds[-r1, -r2] = matrix, matrix.conj().T
    material = gs.Material(
        "three orbitals",
        gs.Lattice("triangular", 3.3),
        gs.Bonds.from_dict({r: 1000 * np.kron(np.eye(2), h) for r, h in bonds.items()}),
    )
    pairing = gs.Pairing.from_bonds({(0, 0): 2.0 * np.array([[0, 1], [-1, 0]])})
    state = gs.Specification(material, pairing, gs.Impurity.scalar(60.0, (1.0, 0.0, 0.5)))
    settings = {"energies": [1.0], "broadening": 15.0, "window": 16}
    grid = simulate_batch([state], gs.Numerics(**settings, method=gs.Grid(512)))
    maps = simulate_batch([state], gs.Numerics(**settings, method=gs.Converged(0.005)))
    error, away = errors(maps.ldos_change, grid.ldos_change)
    assert maps.convergence is not None
    assert maps.convergence.reached.all()
    assert error.max() <= 0.005
    assert away.max() <= 0.005


def test_a_map_carries_its_error(nbse2: gs.Material) -> None:
    state = gs.Specification(nbse2, STATES["A1g"], gs.Impurity.scalar(50.0))
    maps = gs.simulate(state, gs.Numerics([0.0, 2.0], 0.5, WINDOW))
    assert maps["relative_error"].dims == maps["relative_error_away"].dims == ("energy",)
    assert 0 < float(maps["relative_error"].max()) <= maps.attrs["accuracy"] == 0.005
    assert maps.attrs["method"] == "converged"
    larger = np.maximum(maps["relative_error"], maps["relative_error_away"])
    np.testing.assert_array_equal(maps.attrs["relative_error"], larger)


def test_a_budget_that_is_too_small_is_reported(nbse2: gs.Material) -> None:
    state = gs.Specification(nbse2, STATES["A1u"], gs.Impurity.scalar(50.0))
    numerics = gs.Numerics([0.0], 0.1, WINDOW, gs.Converged(1e-4, budget=1))
    with pytest.warns(ConvergenceWarning, match="was not reached with 1 rows"):
        maps = gs.simulate(state, numerics)
    assert float(maps["relative_error"][0]) > 1e-4


def test_a_grid_that_does_not_resolve_the_broadening_is_reported(nbse2: gs.Material) -> None:
    state = gs.Specification(nbse2, STATES["A1u"], gs.Impurity.scalar(50.0))
    with pytest.warns(ConvergenceWarning, match="kgrid = 64 does not resolve"):
        gs.simulate(state, gs.Numerics([0.0], 0.1, WINDOW, gs.Grid(64)))
    needed = resolving_kgrid(state.bdg(), 100.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        gs.simulate(state, gs.Numerics([0.0], 100.0, WINDOW, gs.Grid(max(needed, WINDOW))))


def test_the_resolving_grid_is_the_fastest_band_over_the_broadening() -> None:
    """E = 2t cos kx: dE/dm = 4 pi t at most."""
    chain = gs.Material(
        "chain",
        gs.Lattice("square", 1.0),
        gs.Bonds.from_dict({(1, 0): 10.0 * np.eye(2), (-1, 0): 10.0 * np.eye(2)}),
    )
    pairing = gs.Pairing.from_bonds({(0, 0): 1e-9 * np.array([[0, 1], [-1, 0]])})
    state = gs.Specification(chain, pairing, gs.Impurity.scalar(1.0))
    assert resolving_kgrid(state.bdg(), 1.0) == pytest.approx(40 * np.pi, abs=1)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"accuracy": 0.0}, "accuracy"),
        ({"accuracy": float("nan")}, "accuracy"),
        ({"accuracy": 0.9}, "accuracy"),
        ({"budget": 0}, "budget"),
        ({"budget": 1.5}, "budget"),
    ],
)
def test_accuracy_and_budget_have_their_rules(values: dict[str, float], rule: str) -> None:
    with pytest.raises(NumericsError, match=rule):
        gs.Converged(**values)  # type: ignore[arg-type]


def test_a_dataset_holds_no_map_that_missed_its_accuracy(nbse2: gs.Material) -> None:
    state = gs.Specification(nbse2, STATES["A1u"], gs.Impurity.scalar(50.0))
    numerics = gs.Numerics([0.0], 0.1, WINDOW, gs.Converged(1e-4, budget=1))
    with pytest.raises(ConvergenceError, match="1 maps of a shard"):
        JuliaKernel().maps([state], numerics)
