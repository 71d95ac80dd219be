"""Constant-current maps and topographs."""

from __future__ import annotations

import numpy as np
import pytest

import gapscope as gs
from gapscope.errors import SettingError
from gapscope.instrument.contour import setpoint_contour
from gapscope.instrument.setpoint import constant_current, topograph
from gapscope.simulation.maps import simulate_batch

LEVELS = np.array([-14.0, -2.0, -0.4, 0.3, 1.1, 2.2, 7.0, 9.6, 10.5, 40.0])
"""Poles of a toy Green's function in meV."""


def integral(bias: float, broadening: float, count: int) -> float:
    contour = setpoint_contour(bias, broadening, count)
    z = contour.energies + 1j * contour.broadenings
    green = (1 / (z[:, None] - LEVELS)).sum(axis=1)
    return float(-(contour.weights @ green).imag / np.pi)


def exact(bias: float, broadening: float) -> float:
    """Lorentzians integrate to arctangents."""
    ends = np.arctan((bias - LEVELS) / broadening), np.arctan(-LEVELS / broadening)
    return float((ends[0] - ends[1]).sum() / np.pi)


@pytest.mark.parametrize("bias", [10.0, -10.0, 5.0])
def test_the_way_round_is_the_straight_way(bias: float) -> None:
    assert integral(bias, 0.1, 60) == pytest.approx(exact(bias, 0.1), abs=1e-8)
    assert integral(bias, 0.1, 8) == pytest.approx(exact(bias, 0.1), abs=0.1)
    errors = [abs(integral(bias, 0.1, n) - exact(bias, 0.1)) for n in (4, 8, 16, 32)]
    assert errors[3] < 0.01 * errors[0]


def test_maps_integrate_over_the_contour_as_over_the_axis() -> None:
    impurity = gs.Impurity.scalar(100.0)
    state = gs.Specification(gs.material("nbse2"), gs.Pairing("A1u", 1.0), impurity, 20.0)

    def trace(energies: list[float], broadening: float) -> np.ndarray:
        numerics = gs.Numerics(energies, broadening, 12, gs.Converged(0.002))
        return simulate_batch([state], numerics).trace[0]

    contour = setpoint_contour(10.0, 1.0, 6)
    z = zip(contour.energies.tolist(), contour.broadenings.tolist(), strict=True)
    around = sum(w * trace([e], d)[0] for w, (e, d) in zip(contour.weights, z, strict=True))
    nodes, weights = np.polynomial.legendre.leggauss(24)
    straight = np.tensordot(5 * weights, trace((5 + 5 * nodes).tolist(), 1.0), 1)
    difference = np.linalg.norm((around - straight).imag)
    assert difference < 5e-3 * np.linalg.norm(straight.imag)


def test_equal_integrals_change_nothing(rng: np.random.Generator) -> None:
    rho = rng.random((8, 8))
    np.testing.assert_allclose(constant_current(rho, np.full((8, 8), 0.02), 0.02), rho)
    np.testing.assert_allclose(topograph(np.full((8, 8), 0.02), 0.02, 4.0), 0, atol=1e-15)


def test_weak_changes_are_of_first_order(rng: np.random.Generator) -> None:
    """dg/g = drho/rho0 - dN/N0, up to the square of the changes."""
    drho, change = rng.standard_normal((2, 8, 8))
    for size in (1e-2, 1e-4):
        g = constant_current(2.0 * (1 + size * drho), 0.03 * (1 + size * change), 0.03)
        second = np.abs(g / 2.0 - 1 - size * (drho - change)).max()
        assert second < 30 * size**2


def test_heights_follow_the_exponential_decay() -> None:
    """An electron volt's barrier decays by 2 x 5.12 / nm; a tenth of an Angstrom is 2.3 %."""
    z = topograph(np.array([1.0, np.exp(2 * 0.01 * 2 * 5.123167)]), 1.0, 4.0)
    np.testing.assert_allclose(z, [0.0, 0.01], atol=1e-12)
    mass, hbar, electronvolt = 9.1093837e-31, 1.05457182e-34, 1.60217663e-19
    assert np.sqrt(2 * mass * electronvolt) / hbar * 1e-9 == pytest.approx(5.123167, rel=1e-5)


def test_setpoints_without_meaning_are_refused() -> None:
    for wrong in ((0.0, 0.1, 8), (10.0, 0.0, 8), (10.0, 0.1, 0)):
        with pytest.raises(SettingError):
            setpoint_contour(*wrong)
    with pytest.raises(SettingError):
        constant_current([1.0, 1.0], [1.0, 0.0], 1.0)
    with pytest.raises(SettingError):
        topograph([1.0], 1.0, 0.0)
