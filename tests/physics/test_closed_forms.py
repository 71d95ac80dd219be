"""The bonds reproduce the paper's closed forms and the numbers derived from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import closed_forms
from gapscope.physics import Impurity, Material, Pairing, Specification
from gapscope.physics.form_factors import FORM_FACTORS

ANGLES = {
    "A1g": ("theta",),
    "A2g": ("theta",),
    "A1u": (),
    "A2u": (),
    "Eg": ("theta", "phi"),
    "Eu": ("theta", "phi"),
}
GENERAL_EG = ("theta", "theta_s", "phi_s", "theta_t", "phi_t")
ROUNDING = 1e-13
POINTS = {"Gamma": (0, 0), "M": (0, 0.5), "K": (1 / 3, 2 / 3)}


@pytest.mark.parametrize("name", sorted(FORM_FACTORS))
def test_every_form_factor_is_its_printed_closed_form(name: str, rng: np.random.Generator) -> None:
    m = rng.uniform(-2, 2, (200, 2))
    expected = closed_forms.form_factor(name, *closed_forms.cartesian(m).T)
    assert np.abs(FORM_FACTORS[name].at(m) - expected).max() < 10 * ROUNDING


@pytest.mark.parametrize("irrep", sorted(ANGLES))
def test_the_gap_of_every_irrep_is_the_printed_mixture(
    irrep: str, rng: np.random.Generator
) -> None:
    m = rng.uniform(-1, 1, (50, 2))
    kx, ky = closed_forms.cartesian(m).T
    for _ in range(5):
        angles = {name: float(rng.uniform(-4, 4)) for name in ANGLES[irrep]}
        bonds = Pairing(irrep, 0.7, **angles).bonds()
        expected = closed_forms.gap_matrix(irrep, 0.7, kx, ky, **angles)
        assert np.abs(bonds.at(m) - expected).max() < 10 * ROUNDING


def test_the_five_parameter_eg_state_is_eq_a6(rng: np.random.Generator) -> None:
    m = rng.uniform(-1, 1, (50, 2))
    kx, ky = closed_forms.cartesian(m).T
    for _ in range(5):
        angles = dict(zip(GENERAL_EG, rng.uniform(-4, 4, 5).tolist(), strict=True))
        expected = closed_forms.gap_matrix("Eg", 1.3, kx, ky, **angles)
        assert np.abs(Pairing("Eg", 1.3, **angles).bonds().at(m) - expected).max() < 10 * ROUNDING


def test_the_general_eg_state_without_triplet_is_the_singlet_one() -> None:
    general = Pairing("Eg", 1.0, theta=0.0, theta_s=0.4, phi_s=0.9, theta_t=0.3, phi_t=0.1)
    assert general.bonds().distance(Pairing("Eg", 1.0, theta=0.4, phi=0.9).bonds()) < ROUNDING


def test_the_normal_state_is_eqs_4_and_5(nbse2: Material, rng: np.random.Generator) -> None:
    m = rng.uniform(-2, 2, (200, 2))
    expected = closed_forms.electron_matrix(*closed_forms.cartesian(m).T, eps0=-37.0)
    assert np.abs(nbse2.electrons(-37.0).at(m) - expected).max() < 1e-9 * np.abs(expected).max()


def test_t6_as_printed_is_selected_by_name(
    materials_folder: Path, rng: np.random.Generator
) -> None:
    printed = Material.from_toml(materials_folder / "nbse2-t6-as-printed.toml")
    m = rng.uniform(-2, 2, (200, 2))
    expected = closed_forms.electron_matrix(*closed_forms.cartesian(m).T, eps0=0.0, t6="printed")
    assert np.abs(printed.bonds.at(m) - expected).max() < 1e-9 * np.abs(expected).max()


def test_the_bdg_matrix_is_eq_2(nbse2: Material, rng: np.random.Generator) -> None:
    m = rng.uniform(-1, 1, (50, 2))
    angles = dict(zip(GENERAL_EG, rng.uniform(-4, 4, 5).tolist(), strict=True))
    specification = Specification(nbse2, Pairing("Eg", 1.1, **angles), Impurity.scalar(1.0), 20.0)
    expected = closed_forms.nbse2("Eg", 1.1, 20.0, **angles)(m)
    assert np.abs(specification.bdg().at(m) - expected).max() < 1e-10


@pytest.mark.parametrize(
    ("file", "at_m"), [("nbse2.toml", -185.38), ("nbse2-t6-as-printed.toml", -213.22)]
)
def test_energies_at_the_points_of_high_symmetry(
    materials_folder: Path, file: str, at_m: float
) -> None:
    bonds = Material.from_toml(materials_folder / file).bonds
    energies = {k: np.sort(np.linalg.eigvalsh(bonds.at(m))) for k, m in POINTS.items()}
    assert energies["Gamma"] == pytest.approx([589.02, 589.02], abs=0.005)
    assert energies["M"] == pytest.approx([at_m, at_m], abs=0.005)
    assert energies["K"] == pytest.approx([519.45 - 79.03, 519.45 + 79.03], abs=0.01)


def test_band_edges_and_filling(nbse2: Material) -> None:
    """physics.md, section 1: the band runs from -380.0 to 598.5 meV and is half filled at 68.7."""
    j = np.arange(240) / 240
    m = np.stack(np.meshgrid(j, j), axis=-1)
    energies = np.diagonal(nbse2.bonds.at(m), axis1=-2, axis2=-1).real
    assert (energies.min(), energies.max()) == pytest.approx((-380.0, 598.5), abs=0.1)
    filling = {68.7: 1.000, 20: 1.112, -50: 1.253, -200: 1.506, -300: 1.654}
    for eps0, electrons in filling.items():
        assert 2 * (energies + eps0 < 0).mean() == pytest.approx(electrons, abs=0.004)


@pytest.fixture(scope="module")
def shell(nbse2: Material) -> np.ndarray:
    """Momenta of a 600 x 600 grid within 3 meV of the Fermi energy, eps0 = 20 meV, (n, 2)."""
    j = np.arange(600) / 600
    m = np.stack(np.meshgrid(j, j), axis=-1)
    energies = np.diagonal(nbse2.electrons(20.0).at(m), axis1=-2, axis2=-1).real
    return np.asarray(m[(np.abs(energies) < 3.0).any(axis=-1)])


@pytest.mark.parametrize(
    ("irrep", "angles", "low", "median", "high"),
    [
        ("A1g", {"theta": 0.0}, 1.42, 2.07, 2.39),
        ("A1g", {"theta": np.pi / 2}, 0.0, 0.69, 0.96),
        ("A1u", {}, 0.46, 1.89, 3.05),
        ("A2u", {}, 0.27, 1.09, 1.76),
        ("A2g", {"theta": 0.0}, 0.0, 1.04, 3.44),
        ("A2g", {"theta": np.pi / 2}, 0.0, 0.78, 1.81),
        ("Eg", {"theta": 0.0}, 0.0, 0.80, 1.79),
        ("Eu", {"theta": 0.0}, 0.18, 1.66, 2.61),
    ],
)
def test_gap_on_the_fermi_surface(
    shell: np.ndarray,
    irrep: str,
    angles: dict[str, float],
    low: float,
    median: float,
    high: float,
) -> None:
    """physics.md, section 2, at eps0 = 20 meV; |Delta| is the modulus of the pairing amplitude."""
    gap = np.linalg.norm(Pairing(irrep, 1.0, **angles).bonds().at(shell), ord=2, axis=(-2, -1))
    assert [gap.min(), np.median(gap), gap.max()] == pytest.approx([low, median, high], abs=0.04)
