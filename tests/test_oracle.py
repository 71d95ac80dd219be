"""The oracle is right: independent routes, closed forms, and the measured facts of the model.

Everything the kernel is later compared with is checked here against what needs no one's code.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import hyp2f1

from closed_forms import nbse2
from comparison import STATES, TAU3, difference, magnetic
from gapscope.physics.fourier import qpi_image
from gapscope.physics.symmetry import C2, C3, C6, D6, MIRROR_X, act_on_map
from oracle import (
    Hamiltonian,
    Oracle,
    electron_trace,
    greens_function,
    inverted_torus,
    spectral_function,
    uniform_grid,
)


def hexagon(values: np.ndarray) -> np.ndarray:
    return act_on_map(np.eye(2, dtype=np.int64), values)


def square(t: float) -> Hamiltonian:
    """One normal band -2 t (cos k1 + cos k2) on the square lattice."""

    def bdg(m: np.ndarray) -> np.ndarray:
        band = -2 * t * np.cos(2 * np.pi * m).sum(axis=-1)
        return band[..., None, None] * TAU3

    return bdg


@pytest.mark.parametrize(("irrep", "angles"), STATES)
@pytest.mark.parametrize("omega", [0.0, 0.7])
def test_the_t_matrix_solves_the_torus_with_the_impurity_in_it(
    irrep: str, angles: dict[str, float], omega: float
) -> None:
    n = 8
    v = 50 * TAU3 + magnetic(7.0, -3.0, 5.0)
    hamiltonian = nbse2(irrep, 1.0, 20.0, **angles)
    oracle = Oracle(hamiltonian, v, n, omega)
    dense = inverted_torus(hamiltonian, v, n, omega, 0.1)
    assert difference(np.fft.ifftshift(oracle.ldos_change(n)), dense) < 1e-10


def test_the_torus_of_16_by_16_sites_agrees_too() -> None:
    n = 16
    hamiltonian = nbse2("A1g", 1.0, 20.0, theta=0.4)
    oracle = Oracle(hamiltonian, 50 * TAU3, n, broadening=5.0)
    dense = inverted_torus(hamiltonian, 50 * TAU3, n, 0.0, 5.0)
    assert difference(np.fft.ifftshift(oracle.ldos_change(n)), dense) < 1e-12


def test_the_local_green_function_of_the_square_lattice_is_an_elliptic_integral() -> None:
    """G00(z) = 2/(pi z) K(m = 16 t^2/z^2), K(m) = (pi/2) 2F1(1/2, 1/2; 1; m)."""
    t, omega, broadening = 100.0, 130.0, 10.0
    oracle = Oracle(square(t), TAU3, 512, omega, broadening)
    z = omega + 1j * broadening
    assert oracle.local[0, 0] == pytest.approx(hyp2f1(0.5, 0.5, 1, 16 * t**2 / z**2) / z, rel=1e-11)


@pytest.mark.parametrize(("irrep", "angles"), STATES)
def test_optical_theorem(irrep: str, angles: dict[str, float]) -> None:
    """T - T^dagger = T^dagger (g0 - g0^dagger) T for a Hermitian impurity."""
    v = 50 * TAU3 + magnetic(7.0, -3.0, 5.0)
    oracle = Oracle(nbse2(irrep, 1.0, 20.0, **angles), v, 48, 0.7)
    t, g0 = oracle.t_matrix, oracle.local
    assert difference(t.conj().T @ (g0 - g0.conj().T) @ t, t - t.conj().T) < 1e-11


def test_a_weak_impurity_is_the_born_approximation_and_a_strong_one_unitary() -> None:
    hamiltonian = nbse2("A2g", 1.0, 20.0, theta=0.4)
    weak = Oracle(hamiltonian, 1e-6 * TAU3, 48)
    assert difference(weak.t_matrix, 1e-6 * TAU3) < 1e-6
    strong = Oracle(hamiltonian, 1e9 * TAU3, 48)
    assert difference(strong.t_matrix, -np.linalg.inv(strong.local)) < 1e-6


def test_the_density_of_states_of_electrons_integrates_to_two_per_site() -> None:
    """1 per spin: the poles of Tr_e G0 carry the weight of the electron part."""
    hamiltonian = nbse2("Eu", 1.0, 20.0, theta=0.4)
    omega = np.arange(-4000.0, 4000.0, 8.0)
    dos = [Oracle(hamiltonian, TAU3, 12, w, 16.0).dos for w in omega]
    lorentzian_tails = 2 * 2 * 16.0 / (np.pi * 4000.0)
    assert np.sum(dos) * 8.0 + lorentzian_tails == pytest.approx(2.0, abs=1e-3)


def test_the_spectral_function_averages_to_the_density_of_states() -> None:
    hamiltonian = nbse2("A1u", 1.0, 20.0)
    weights = spectral_function(hamiltonian, uniform_grid(24), 0.6, 0.5)
    assert weights.mean() == pytest.approx(Oracle(hamiltonian, TAU3, 24, 0.6, 0.5).dos, rel=1e-12)
    assert (weights > 0).all()


def test_momentum_sum_is_the_fourier_transform_of_the_trace() -> None:
    n = 12
    oracle = Oracle(nbse2("A1u", 1.0, 20.0), 50 * TAU3, n, 0.4, 5.0)
    over_sites = np.fft.ifft2(np.fft.ifftshift(oracle.trace(n))) * n**2
    assert difference(over_sites, oracle.momentum_sum()) < 1e-12


# --- what the model does, physics.md section 2 ------------------------------------------------


def at_96(irrep: str, gap: float = 1.0, omega: float = 0.0, **angles: float) -> np.ndarray:
    return Oracle(nbse2(irrep, gap, 20.0, **angles), 50 * TAU3, 96, omega).ldos_change(48)


def test_maps_of_the_nondegenerate_g_irreps_have_all_of_c6v() -> None:
    for irrep in ("A1g", "A2g"):
        values = at_96(irrep, theta=0.9)
        for operation in D6:
            assert difference(act_on_map(operation, values), hexagon(values)) < 1e-10


def test_an_a1u_map_has_c3_but_lacks_c2_by_five_percent_of_its_image() -> None:
    values = Oracle(nbse2("A1u", 1.0, 20.0), 50 * TAU3, 192).ldos_change(128)
    for operation in (C3, MIRROR_X):
        assert difference(act_on_map(operation, values), hexagon(values)) < 1e-10
    image = qpi_image(values, "triangular")
    turned = qpi_image(act_on_map(C2, values), "triangular")
    assert difference(turned, image) == pytest.approx(0.05, abs=0.005)
    assert np.abs(image.imag).max() / np.abs(image).max() == pytest.approx(0.025, abs=0.002)


@pytest.mark.parametrize("irrep", ["Eg", "Eu"])
def test_rotating_an_e_map_by_120_degrees_shifts_theta_by_60(irrep: str) -> None:
    """Counterclockwise: theta - pi/3. On the rhombus instead of the hexagon this would fail."""
    values = at_96(irrep, theta=0.4)
    shifted = at_96(irrep, theta=0.4 - np.pi / 3)
    assert difference(act_on_map(C3, values), hexagon(shifted)) < 1e-9
    assert difference(act_on_map(C6, values), hexagon(shifted)) > 0.01
    mirrored = at_96(irrep, theta=-0.4)
    assert difference(act_on_map(MIRROR_X, values), hexagon(mirrored)) < 1e-9


@pytest.mark.parametrize("v", [50 * TAU3, *(magnetic(*30 * axis) for axis in np.eye(3))])
@pytest.mark.parametrize("omega", [0.0, 0.7, -1.3])
def test_a1u_is_a2u_with_a_gap_larger_by_the_square_root_of_three(
    v: np.ndarray, omega: float
) -> None:
    a1u = Oracle(nbse2("A1u", 0.8, 20.0), v, 48, omega).ldos_change(32)
    a2u = Oracle(nbse2("A2u", 0.8 * np.sqrt(3), 20.0), v, 48, omega).ldos_change(32)
    assert difference(a1u, a2u) < 1e-10
    unscaled = Oracle(nbse2("A2u", 0.8, 20.0), v, 48, omega).ldos_change(32)
    assert difference(a1u, unscaled) > 1e-3


def test_theta_plus_pi_changes_no_map() -> None:
    for irrep in ("A1g", "A2g", "Eg", "Eu"):
        assert difference(at_96(irrep, theta=0.4 + np.pi), at_96(irrep, theta=0.4)) < 1e-10


def test_conserved_sz_splits_the_problem_into_two_blocks() -> None:
    """(up, -down) and (down, -up) for singlet and (t,z); (up, -up), (down, -down) for (t,xy)."""
    m = uniform_grid(6)
    for irrep, angles in STATES:
        green = greens_function(nbse2(irrep, 1.0, 20.0, **angles)(m), 0.7, 0.1)
        one, other = ([0, 3], [1, 2]) if irrep.endswith("g") else ([0, 2], [1, 3])
        assert not green[:, :, one][..., other].any()
        assert not green[:, :, other][..., one].any()
        electrons = green[..., one[0], one[0]] + green[..., other[0], other[0]]
        assert np.array_equal(electrons, electron_trace(green))
