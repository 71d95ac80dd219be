"""What the kernel must give because physics says so: checks that need no other code.

physics.md, section 6. Every expectation here is an analytic formula or an identity.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import hankel1, hyp2f1

from comparison import STATES, TAU3, difference, magnetic
from gapscope.physics import Bonds, Impurity, Lattice, Material, Pairing, Specification
from gapscope.physics.fourier import qpi_image
from gapscope.simulation.maps import Grid, Numerics, simulate_batch
from gapscope.simulation.spectrum import density_of_states

I_SY = np.array([[0, 1], [-1, 0]])
NORMAL = Pairing.from_bonds({(0, 0): 1e-9 * I_SY})
"""A gap too small to matter: the normal state."""


def band(lattice: str, onsite: float, hoppings: Mapping[tuple[int, int], float]) -> Material:
    """One band, spin degenerate; each hopping in meV stands for the bond and its reverse."""
    bonds = {(0, 0): onsite * np.eye(2)}
    for (r1, r2), t in hoppings.items():
        bonds[r1, r2] = bonds[-r1, -r2] = t * np.eye(2)
    return Material("band", Lattice(lattice, 1.0), Bonds.from_dict(bonds))


def test_the_local_green_function_of_the_square_lattice_is_an_elliptic_integral() -> None:
    """G00(z) = 2/(pi z) K(m = 16 t^2/z^2), K(m) = (pi/2) 2F1(1/2, 1/2; 1; m)."""
    material = band("square", 0.0, {(1, 0): -100.0, (0, 1): -100.0})
    specification = Specification(material, NORMAL, Impurity.scalar(1.0))
    energies = (-370.0, -20.0, 130.0, 450.0)
    maps = simulate_batch([specification], Numerics(energies, 5.0, 2, Grid(1024)))
    for omega, local in zip(energies, maps.local_green[0], strict=True):
        z = omega + 5.0j
        assert local[0, 0] == pytest.approx(hyp2f1(0.5, 0.5, 1, 16e4 / z**2) / z, rel=1e-10)


@pytest.mark.parametrize(("irrep", "angles"), STATES)
def test_optical_theorem(nbse2: Material, irrep: str, angles: dict[str, float]) -> None:
    """T - T^dagger = T^dagger (g0 - g0^dagger) T with the kernel's g0, and A(0) = Tr_e g0 T g0."""
    impurity = Impurity.scalar(50.0) + Impurity.magnetic((7.0, -3.0, 5.0))
    specification = Specification(nbse2, Pairing(irrep, 1.0, **angles), impurity, 20.0)
    maps = simulate_batch([specification], Numerics((0.0, 0.7), 0.1, 16, Grid(64)))
    v = 50.0 * TAU3 + magnetic(7.0, -3.0, 5.0)
    for g0, trace in zip(maps.local_green[0], maps.trace[0], strict=True):
        t = v @ np.linalg.inv(np.eye(4) - g0 @ v)
        assert difference(t.conj().T @ (g0 - g0.conj().T) @ t, t - t.conj().T) < 1e-10
        assert trace[8, 8] == pytest.approx(np.trace((g0 @ t @ g0)[:2, :2]), rel=1e-10)


def test_a_weak_impurity_is_the_born_approximation(nbse2: Material) -> None:
    """drho is linear in v as v -> 0 and reverses its sign with it; at 50 meV it is not linear."""
    strengths = (1e-5, 2e-5, -1e-5, 50.0)
    maps = simulate_batch(
        [
            Specification(nbse2, Pairing("A2g", 1.0, theta=0.4), Impurity.scalar(v), 20.0)
            for v in strengths
        ],
        Numerics((0.0, 0.7), 0.1, 32, Grid(96)),
    ).ldos_change
    assert difference(maps[1], 2 * maps[0]) < 1e-5
    assert difference(maps[2], -maps[0]) < 1e-5
    assert difference(maps[3] / 50.0, maps[0] / 1e-5) > 0.01


def test_a_unitary_impurity_expels_all_states_from_its_site(nbse2: Material) -> None:
    """v -> infinity: T = -g0^-1, the same for both signs, and rho + drho = 0 at r = 0."""
    maps = simulate_batch(
        [
            Specification(nbse2, Pairing("Eu", 1.0, theta=0.4), Impurity.scalar(v), 20.0)
            for v in (1e9, -1e9)
        ],
        Numerics((0.0, 0.7), 0.1, 32, Grid(96)),
    )
    assert difference(maps.ldos_change[1], maps.ldos_change[0]) < 1e-5
    assert -maps.ldos_change[0, :, 16, 16] == pytest.approx(maps.dos[0], rel=1e-5)


def test_the_states_an_impurity_moves_follow_lloyds_formula() -> None:
    """Sum_r drho(r) = -(1/pi) Im d/dw ln det(1 - v g0) for both spins of a normal band.

    The sum runs over the whole torus; the derivative is a central difference.
    """
    material = band("triangular", 0.0, {(1, 0): -80.0, (0, 1): -80.0, (1, -1): -80.0})
    specification = Specification(material, NORMAL, Impurity.scalar(150.0))
    h = 0.002
    energies = (40.0 - h, 40.0, 40.0 + h)
    maps = simulate_batch([specification], Numerics(energies, 5.0, 64, Grid(64)))
    phase = np.angle(1 - 150.0 * maps.local_green[0, :, 0, 0])
    expected = -2 / np.pi * (phase[2] - phase[0]) / (2 * h)
    assert maps.ldos_change[0, 1].sum() == pytest.approx(expected, rel=1e-6)


def test_the_density_of_states_integrates_to_two_per_site(nbse2: Material) -> None:
    specification = Specification(nbse2, Pairing("Eu", 1.0, theta=0.4), Impurity.scalar(50.0), 20.0)
    energies = np.arange(-4000.0, 4000.0, 8.0)
    dos = density_of_states(specification, energies.tolist(), 16.0, 12)
    lorentzian_tails = 2 * 2 * 16.0 / (np.pi * 4000.0)
    assert float(dos.sum()) * 8.0 + lorentzian_tails == pytest.approx(2.0, abs=1e-3)


def test_friedel_oscillations_near_the_band_bottom_are_those_of_free_electrons() -> None:
    """G(r) = -(i m A / 2 hbar^2) H0(kr), E = hbar^2 k^2 / 2m, on the triangular lattice.

    Hoppings -t give hbar^2/2m = (3/2) t in units of a^2, and the cell has the area sqrt3/2: G(r) =
    -i A H0(kr) / (6 t). The image peaks on the ring |q| = 2 k.
    """
    t, v, z = 100.0, 500.0, 3.0 + 0.25j
    material = band("triangular", 6 * t, {(1, 0): -t, (0, 1): -t, (1, -1): -t})
    specification = Specification(material, NORMAL, Impurity.scalar(v))
    maps = simulate_batch([specification], Numerics([z.real], z.imag, 128, Grid(1024)))
    values = maps.ldos_change[0, 0]
    t_matrix = v / (1 - v * maps.local_green[0, 0, 0, 0])

    lattice = material.lattice
    sites = np.stack(np.meshgrid(*[np.arange(-64, 64)] * 2, indexing="ij"), axis=-1)
    distance = np.linalg.norm(sites @ lattice.vectors, axis=-1)
    far = (distance >= 3) & (distance < 40)
    k = np.sqrt(z / (1.5 * t))
    free = -1j * np.sqrt(3) / 2 * hankel1(0, k * distance[far]) / (6 * t)
    expected = -2 / np.pi * (free * t_matrix * free).imag
    assert np.abs(values[far] - expected).max() < 0.01 * np.abs(expected).max()

    image = np.abs(qpi_image(values, "triangular"))
    q = np.linalg.norm(lattice.momentum(sites / 128), axis=-1)
    pixel = 2 * np.pi / 128
    radii = np.arange(2 * pixel, 1.0, pixel)
    ring = [image[(q >= radius) & (q < radius + pixel)].mean() for radius in radii]
    assert radii[np.argmax(ring)] + pixel / 2 == pytest.approx(2 * k.real, abs=pixel)


# --- d-wave octet ------------------------------------------------------------------------------

T, T_PRIME, MU, D_WAVE = 100.0, -30.0, -100.0, 40.0


def xi(k1: float, k2: float) -> float:
    return -2 * T * (np.cos(k1) + np.cos(k2)) - 4 * T_PRIME * np.cos(k1) * np.cos(k2) - MU


def fermi_point(phi: float) -> tuple[float, float]:
    """Point of the Fermi surface (around (pi, pi)) at the angle phi, seen from there."""
    c, s = np.cos(phi), np.sin(phi)
    radius = brentq(lambda x: xi(np.pi - x * c, np.pi - x * s), 0.01, np.pi)
    return np.pi - radius * c, np.pi - radius * s


def octet_tip(energy: float) -> tuple[float, float]:
    """Where |Delta_k| = |w| on the Fermi surface: the tip of the contour E_k = |w|."""

    def excess(phi: float) -> float:
        k1, k2 = fermi_point(phi)
        return float(abs(D_WAVE / 2 * (np.cos(k1) - np.cos(k2))) - energy)

    return fermi_point(brentq(excess, 1e-3, np.pi / 4 - 1e-6))


@pytest.mark.parametrize("energy", [14.0, 20.0])
def test_a_d_wave_image_peaks_where_the_octet_model_says(energy: float) -> None:
    """Tips k and k' whose gaps have opposite signs scatter strongly off a potential: q2, q6, q7."""
    window = 192
    diagonal = {(1, 1): -T_PRIME, (1, -1): -T_PRIME}
    material = band("square", -MU, {(1, 0): -T, (0, 1): -T, **diagonal})
    gap = dict.fromkeys(((1, 0), (-1, 0)), D_WAVE / 4 * I_SY)
    gap |= dict.fromkeys(((0, 1), (0, -1)), -D_WAVE / 4 * I_SY)
    specification = Specification(material, Pairing.from_bonds(gap), Impurity.scalar(20.0))
    settings = Numerics([-energy], 1.0, window, Grid(1024))
    image = np.abs(qpi_image(simulate_batch([specification], settings).ldos_change[0, 0], "square"))

    small, large = sorted(np.abs(octet_tip(energy)))
    octet = {
        "q2": (small + large, large - small),
        "q6": (small + large, small - large),
        "q7": (large - small, large - small),
        "q3": (2 * small, 0.0),
    }
    background = np.median(image)
    for name in ("q2", "q6", "q7"):
        q = np.array(octet[name]) / (2 * np.pi)
        centre = np.rint(window * ((q + 0.5) % 1)).astype(int)
        around = image[centre[0] - 4 : centre[0] + 5, centre[1] - 4 : centre[1] + 5]
        highest = np.array(np.unravel_index(around.argmax(), around.shape)) - 4
        assert np.abs(highest).max() <= 1, name
        assert around.max() > 3 * background, name
