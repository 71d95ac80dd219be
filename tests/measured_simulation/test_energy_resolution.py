"""Quadrature rules of thermal and lock-in broadening."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import polygamma

import gapscope as gs
from gapscope.errors import SettingError
from gapscope.instrument.resolution import energy_rule, energy_width, lockin_rule, thermal_rule
from gapscope.simulation.maps import simulate_batch

KT = 0.08617333262 * 0.35


def thermal_moment(power: int) -> float:
    """Of 1 / 4 cosh^2(x/2) on |x| < 10, x in kT; the kernel's area is tanh(5)."""
    half = quad(lambda x: x**power / (4 * np.cosh(x / 2) ** 2), 0, 10)[0]
    return float(2 * half / np.tanh(5))


def lockin_moment(power: int) -> float:
    """Of (2/pi) sqrt(1 - x^2), x in Vm, with x = cos(t)."""
    return float(quad(lambda t: 2 / np.pi * np.sin(t) ** 2 * np.cos(t) ** power, 0, np.pi)[0])


@pytest.mark.parametrize(("temperature", "modulation"), [(0.35, 0.0), (0.0, 0.3), (1.2, 0.5)])
def test_the_width_is_the_rules_standard_deviation(temperature: float, modulation: float) -> None:
    nodes, weights = energy_rule(temperature, modulation, 5)
    width = np.sqrt(weights @ nodes**2)
    assert energy_width(temperature, modulation) == pytest.approx(width, rel=2e-3)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_moments_are_those_of_the_kernels(count: int) -> None:
    thermal, lockin = thermal_rule(0.35, count), lockin_rule(0.2, count)
    for (nodes, weights), unit, moment in (
        (thermal, KT, thermal_moment),
        (lockin, 0.2, lockin_moment),
    ):
        assert len(nodes) == count
        for power in range(0, 2 * count, 2):
            found = weights @ (nodes / unit) ** power
            assert found == pytest.approx(moment(power), rel=1e-8)
            assert weights @ nodes ** (power + 1) == pytest.approx(0, abs=1e-12)


def test_second_moments_add_up() -> None:
    thermal, amplitude = (np.pi * KT) ** 2 / 3, np.sqrt(2) * 0.05
    for count in (2, 5, 9):
        nodes, weights = energy_rule(0.35, 0.05, count)
        assert weights.sum() == pytest.approx(1, abs=1e-13)
        cut = KT**2 * thermal_moment(2)
        assert weights @ nodes**2 == pytest.approx(cut + amplitude**2 / 4, rel=1e-9)
        # What is cut off the tail is no more than said.
        assert weights @ nodes**2 == pytest.approx(thermal + amplitude**2 / 4, rel=4e-3)


def test_the_fourth_moment_is_the_convolution_s() -> None:
    nodes, weights = energy_rule(0.35, 0.05, 3)
    thermal2, thermal4 = KT**2 * thermal_moment(2), KT**4 * thermal_moment(4)
    amplitude = np.sqrt(2) * 0.05
    lockin2, lockin4 = amplitude**2 / 4, amplitude**4 / 8
    expected = thermal4 + 6 * thermal2 * lockin2 + lockin4
    assert weights @ nodes**4 == pytest.approx(expected, rel=1e-9)


def test_nodes_come_in_exact_pairs() -> None:
    nodes, weights = energy_rule(0.35, 0.05, 5)
    assert (nodes == -nodes[::-1]).all()
    assert (weights == weights[::-1]).all()
    assert nodes[2] == 0


def test_without_temperature_and_modulation_nothing_is_averaged() -> None:
    nodes, weights = energy_rule(0.0, 0.0, 5)
    assert (nodes.tolist(), weights.tolist()) == ([0.0], [1.0])
    nodes, _ = energy_rule(1e-4, 1e-4, 5)
    assert np.abs(nodes).max() < 1e-3


def lorentzian(energy: np.ndarray) -> np.ndarray:
    """A density of states with features as sharp as the broadening, at 0.07 meV."""
    return 0.1 / np.pi / ((energy - 0.07) ** 2 + 0.1**2)


def test_a_lorentzian_in_the_heat_is_a_trigamma_function() -> None:
    """-df/dE convolved with a Lorentzian is Re psi'(1/2 + (gamma + i e)/2 pi kT)/(2 pi^2 kT)."""
    nodes, weights = energy_rule(0.35, 0.0, 24)
    z = 0.5 + (0.1 + 0.07j) / (2 * np.pi * KT)
    # psi' by its series, at a complex argument; the tail by its own expansion.
    n = np.arange(4000)
    trigamma = (1 / (z + n) ** 2).sum() + 1 / (z + 4000) + 0.5 / (z + 4000) ** 2
    assert polygamma(1, 1.0) == pytest.approx(np.pi**2 / 6)
    exact = trigamma.real / (2 * np.pi**2 * KT)
    assert weights @ lorentzian(nodes) == pytest.approx(exact, rel=5e-4)


@pytest.mark.parametrize(("temperature", "modulation"), [(0.35, 0.05), (0.0, 0.1), (1.2, 0.0)])
def test_both_kernels_are_the_dense_convolution(temperature: float, modulation: float) -> None:
    nodes, weights = energy_rule(temperature, modulation, 40)
    amplitude, kt = np.sqrt(2) * modulation, 0.08617333262 * temperature
    angle = (np.arange(400) + 0.5) * np.pi / 400
    values = []
    for shift, weight in zip(amplitude * np.cos(angle), 2 / 400 * np.sin(angle) ** 2, strict=True):
        if kt == 0:
            inner = float(lorentzian(np.array(shift)))
        else:
            e = np.linspace(-40 * kt, 40 * kt, 2001)
            inner = np.trapezoid(lorentzian(e + shift) / (4 * kt * np.cosh(e / 2 / kt) ** 2), e)
        values.append(weight * inner)
    assert weights @ lorentzian(nodes) == pytest.approx(sum(values), rel=1e-3)


def test_few_nodes_do_for_a_lorentzian() -> None:
    """The errors that the module tells, in units of the height."""
    dense_nodes, dense_weights = energy_rule(0.35, 0.05, 60)
    height = dense_weights @ lorentzian(dense_nodes + 0.07)
    for count, error in ((5, 0.02), (9, 0.003)):
        nodes, weights = energy_rule(0.35, 0.05, count)
        found = [
            weights @ lorentzian(nodes + e) - dense_weights @ lorentzian(dense_nodes + e)
            for e in np.linspace(-0.5, 0.6, 12)
        ]
        assert np.abs(found).max() < error * height


@cache
def ldos(*energies: float) -> np.ndarray:
    state = gs.Specification(
        gs.material("nbse2"), gs.Pairing("A1g", 1.0, theta=0.3), gs.Impurity.scalar(100.0), 20.0
    )
    numerics = gs.Numerics(energies, 1.0, 16, gs.Converged(0.002))
    return simulate_batch([state], numerics).ldos_change[0]


def test_few_nodes_do_for_maps_and_cold_ones_are_as_they_were() -> None:
    """Kernels of the width that 3.5 K have, on states ten times as broad as usual."""
    dense_nodes, dense_weights = energy_rule(3.5, 0.5, 15)
    dense = np.tensordot(dense_weights, ldos(*dense_nodes.tolist()), 1)
    nodes, weights = energy_rule(3.5, 0.5, 5)
    few = np.tensordot(weights, ldos(*nodes.tolist()), 1)
    norm = np.linalg.norm(dense)
    assert np.linalg.norm(few - dense) < 0.01 * norm
    assert np.linalg.norm(ldos(0.0)[0] - dense) > 0.03 * norm
    nodes, weights = energy_rule(0.01, 0.001, 3)
    cold = np.tensordot(weights, ldos(*nodes.tolist()), 1)
    assert np.linalg.norm(cold - ldos(0.0)[0]) < 2e-3 * np.linalg.norm(cold)


@pytest.mark.parametrize("settings", [(-1.0, 0.0, 3), (0.0, -1.0, 3), (1.0, 1.0, 0), (0, 0, 0)])
def test_kernels_without_meaning_are_refused(settings: tuple[float, float, int]) -> None:
    with pytest.raises(SettingError):
        energy_rule(*settings)
