"""Converged densities of states: right values, and an estimate of the error that holds."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import gapscope as gs
from comparison import STATES
from gapscope.errors import ConvergenceWarning, NumericsError
from gapscope.physics import Bonds, Lattice, Material

T, GAP, MU = 100.0, 1.0, -130.0
NOTHING = gs.Impurity.scalar(0.0)


def elliptic(m: complex) -> complex:
    """K(m) by the arithmetic-geometric mean; the right root is the one nearer to the mean."""
    a, b = 1.0 + 0j, np.sqrt(1 - m + 0j)
    for _ in range(60):
        mean, root = (a + b) / 2, np.sqrt(a * b)
        a, b = mean, root if abs(mean - root) <= abs(mean + root) else -root
    return complex(np.pi / (2 * a))


def square_lattice(z: complex) -> complex:
    """int N(e) / (z - e) de, e = -2t (cos kx + cos ky): (2 / pi z) K(16 t^2 / z^2)."""
    return 2 / (np.pi * z) * elliptic(16 * T**2 / z**2)


def s_wave(z: complex) -> float:
    """Density of states of both spins for an onsite singlet gap on the square lattice.

    G_ee = int N (z + xi) / (z^2 - D^2 - xi^2), xi = e - mu; in partial fractions over
    xi = +-E, E = sqrt(z^2 - D^2).
    """
    e = np.sqrt(z**2 - GAP**2 + 0j)
    e = e if e.imag > 0 else -e
    particle = square_lattice(e + MU)
    # int N / (E + xi) = -int N / (-E + mu - e), the lattice's function in the lower half-plane.
    hole = -np.conj(square_lattice(np.conj(-e) + MU))
    green = (z + e) / (2 * e) * particle + (z - e) / (2 * e) * hole
    return -2 / np.pi * green.imag


@pytest.fixture(scope="module")
def square() -> gs.Specification:
    bonds = {(0, 0): -MU * np.eye(2)}
    bonds |= {r: -T * np.eye(2) for r in ((1, 0), (-1, 0), (0, 1), (0, -1))}
    material = Material("square", Lattice("square", 4.0), Bonds.from_dict(bonds))
    singlet = np.array([[0, 1], [-1, 0]])
    return gs.Specification(material, gs.Pairing.from_bonds({(0, 0): GAP * singlet}), NOTHING)


@pytest.mark.parametrize("broadening", [1.0, 0.1, 0.01, 0.001])
@pytest.mark.parametrize("accuracy", [0.05, 1e-4])
def test_an_s_wave_gap_on_the_square_lattice_is_known_in_closed_form(
    square: gs.Specification, broadening: float, accuracy: float
) -> None:
    energies = [-3.0, -1.0, 0.0, 0.4, 0.95, 1.0, 1.05, 2.0, 129.9]
    dos = gs.density_of_states(square, energies, broadening, accuracy=accuracy)
    exact = np.array([s_wave(complex(w, broadening)) for w in energies])
    # At 0.001 meV the estimate may fall short by 9 %.
    slack = 1.0 if broadening >= 0.01 else 1.2
    assert (np.abs(dos / exact - 1) <= slack * dos.relative_error + 1e-9).all()
    assert (np.abs(dos / exact - 1) <= accuracy).all()
    assert (dos.relative_error <= accuracy).all()


@pytest.mark.parametrize(("irrep", "angles"), STATES)
def test_the_density_of_states_is_the_limit_of_fine_grids(
    nbse2: Material, irrep: str, angles: dict[str, float]
) -> None:
    """At 4 meV a grid of 1024 is converged to 1e-4 and better."""
    state = gs.Specification(nbse2, gs.Pairing(irrep, 3.0, **angles), NOTHING, eps0=20.0)
    energies = [-2.0, 0.0, 5.0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        grid = gs.density_of_states(state, energies, 4.0, method="grid", kgrid=2048)
    for accuracy in (0.05, 1e-5):
        dos = gs.density_of_states(state, energies, 4.0, accuracy=accuracy)
        error = np.abs(dos.values / grid.values - 1)
        assert (error <= dos.relative_error.values + 1e-6).all()
        assert (dos.relative_error <= accuracy).all()


def test_a_converged_density_of_states_keeps_the_sum_rule(nbse2: Material) -> None:
    """2 per orbital: the sum over energies, and Lorentz's tails beyond."""
    state = gs.Specification(nbse2, gs.Pairing("Eu", 1.0, theta=0.4), NOTHING, 20.0)
    energies = np.arange(-4000.0, 4000.0, 32.0)
    dos = gs.density_of_states(state, energies, 32.0)
    assert float(dos.sum()) * 32 + 4 * 32 / (np.pi * 4000) == pytest.approx(2.0, abs=1e-3)


def test_what_does_not_converge_says_so(nbse2: Material) -> None:
    state = gs.Specification(nbse2, gs.Pairing("Eg", 1.0, theta=0.3), NOTHING, eps0=20.0)
    with pytest.warns(ConvergenceWarning, match="kgrid = 512 does not resolve"):
        coarse = gs.density_of_states(state, [2.0], 0.1, 512)
    assert (coarse.attrs["method"], coarse.attrs["kgrid"]) == ("grid", 512)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        untold = gs.density_of_states(state, [2.0], 0.1, 512, estimate=False)
    assert untold.item() == coarse.item()
    assert np.isnan(untold.relative_error.item())
    with pytest.warns(ConvergenceWarning, match="was not reached with 500 rows"):
        gs.density_of_states(state, [2.0], 0.01, method=gs.Converged(1e-5, budget=500))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        good = gs.density_of_states(state, [2.0], 0.1)
    assert (good.attrs["method"], good.attrs["accuracy"]) == ("converged", gs.Converged.accuracy)
    assert abs(float(coarse[0]) / float(good[0]) - 1) > 0.05


@pytest.mark.parametrize(
    ("kgrid", "broadening", "low", "high"),
    [(2048, 0.1, 0.03, 0.05), (1024, 0.1, 0.05, 0.07), (512, 0.01, 0.1, 0.2)],
)
def test_a_grid_says_how_far_off_it_is(
    nbse2: Material, kgrid: int, broadening: float, low: float, high: float
) -> None:
    """E_g at 2 meV; the truth is the converged value at another accuracy."""
    state = gs.Specification(nbse2, gs.Pairing("Eg", 1.0, theta=0.3), NOTHING, eps0=20.0)
    with pytest.warns(ConvergenceWarning, match=r"off by about [\d.]+% at 2 meV"):
        coarse = gs.density_of_states(state, [2.0], broadening, kgrid)
    right = gs.density_of_states(state, [2.0], broadening, accuracy=1e-4)
    truth, told = abs(coarse.item() / right.item() - 1), coarse.relative_error.item()
    assert low < truth < high
    assert truth <= told < truth + 0.01


def test_a_grid_of_large_blocks_is_compared_with_one_moved_by_half_a_step() -> None:
    """Two orbitals that mix: the median of the estimates is near that of the errors.

    The truth is a grid of 512, and at one energy one of 1024, which the converged method confirms.
    """
    hop = [[40.0, 12.0], [12.0, -30.0]]
    bonds = dict.fromkeys(((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)), hop)
    spinless = Bonds.from_dict(bonds | {(0, 0): [[20.0, 5.0], [5.0, -10.0]]})
    material = Material("two", Lattice("triangular", 3.4), spinless.kron(left=np.eye(2)))
    state = gs.Specification(material, gs.Pairing("A1g", 1.0, theta=0.0), NOTHING)
    energies = np.linspace(-6, 6, 13).tolist()
    right = gs.density_of_states(state, energies, 3.0, 512, estimate=False)
    fine = gs.density_of_states(state, energies[8:9], 3.0, 1024, estimate=False)
    one = gs.density_of_states(state, energies[8:9], 3.0, accuracy=1e-3)
    assert abs(one.item() / fine.item() - 1) < one.relative_error.item() < 1e-3
    for kgrid, apart in ((24, True), (256, False)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            dos = gs.density_of_states(state, energies, 3.0, kgrid)
        error = np.abs(dos / right - 1).values
        assert bool(caught) == (float(np.median(error)) > 0.005) == apart
        if apart:
            ratio = float(np.median(dos.relative_error) / np.median(error))
            assert 0.5 < ratio < 4
            assert float(dos.relative_error.max()) > 0.5 * error.max()


def test_settings_of_the_two_methods_do_not_mix(square: gs.Specification) -> None:
    for settings, rule in (
        ({"method": "grid"}, "needs the number of k points"),
        ({"method": "converged", "kgrid": 8}, "chooses its k points by itself"),
        ({"kgrid": 8, "accuracy": 0.1}, "summed by one method"),
        ({"method": "tetrahedra"}, "A method is converged or grid"),
        ({"method": gs.Grid(8), "kgrid": 8}, "summed by one method"),
    ):
        with pytest.raises(NumericsError, match=rule) as caught:
            gs.density_of_states(square, [0.0], 1.0, **settings)  # type: ignore[arg-type]
        assert caught.value.remedy
