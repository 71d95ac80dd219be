"""The kernel computes what the 4x4 oracle computes, to 1e-9 of the maximum at equal k-grid.

The oracle knows the paper's closed forms, the kernel only bonds; nothing is shared but the torus.
"""

from __future__ import annotations

import numpy as np
import pytest

from agreement import AGREEMENT, ENERGIES, IMPURITIES, assert_kernel_is_oracle, numerics
from closed_forms import RECIPROCAL
from closed_forms import nbse2 as closed_nbse2
from comparison import STATES, TAU3, difference
from gapscope.physics import Impurity, Material, Pairing, Specification
from gapscope.physics.fourier import paper_image, qpi_image
from gapscope.simulation.maps import simulate, simulate_batch
from gapscope.simulation.spectrum import density_of_states, spectral_function
from oracle import Oracle, inverted_torus, uniform_grid
from oracle import spectral_function as oracle_spectral_function


@pytest.mark.parametrize(("irrep", "angles"), STATES)
@pytest.mark.parametrize("impurity", IMPURITIES)
def test_every_irrep_with_every_kind_of_impurity(
    nbse2: Material, irrep: str, angles: dict[str, float], impurity: str
) -> None:
    scatterer, v = IMPURITIES[impurity]
    specification = Specification(nbse2, Pairing(irrep, 0.9, **angles), scatterer, 20.0)
    hamiltonian = closed_nbse2(irrep, 0.9, 20.0, **angles)
    assert_kernel_is_oracle(specification, hamiltonian, v, numerics(48, 16))


@pytest.mark.parametrize(("irrep", "angles"), STATES)
def test_a_global_phase_of_the_gap_turns_g0_and_changes_no_map(
    nbse2: Material, irrep: str, angles: dict[str, float]
) -> None:
    phase = np.exp(0.7j)
    scatterer, v = IMPURITIES["sum"]
    gap = Pairing(irrep, 0.9, **angles)
    turned = Specification(nbse2, Pairing.from_bonds(gap.bonds().scaled(phase)), scatterer, 20.0)
    hamiltonian = closed_nbse2(irrep, 0.9 * phase, 20.0, **angles)
    settings = numerics(48, 16)
    assert_kernel_is_oracle(turned, hamiltonian, v, settings)
    straight = Specification(nbse2, gap, scatterer, 20.0)
    pair = [simulate_batch([s], settings).trace for s in (turned, straight)]
    assert difference(pair[0], pair[1]) < AGREEMENT


@pytest.mark.parametrize(("kgrid", "window"), [(96, 32), (48, 48), (50, 14), (45, 16), (64, 2)])
@pytest.mark.parametrize("irrep", ["A2g", "Eu"])
def test_every_grid_and_window(nbse2: Material, kgrid: int, window: int, irrep: str) -> None:
    """A window as large as the torus, grids that are odd or no multiple of the window."""
    specification = Specification(
        nbse2, Pairing(irrep, 1.2, theta=0.9), Impurity.scalar(60.0), -120.0
    )
    hamiltonian = closed_nbse2(irrep, 1.2, -120.0, theta=0.9)
    assert_kernel_is_oracle(specification, hamiltonian, 60.0 * TAU3, numerics(kgrid, window))


def test_a_batch_is_its_members_one_by_one(nbse2: Material) -> None:
    settings = numerics(48, 16)
    batch = [
        Specification(nbse2, Pairing(irrep, 1.0, **angles), scatterer, eps0)
        for (irrep, angles), (scatterer, _), eps0 in zip(
            STATES, [*IMPURITIES.values()] * 2, range(-300, 100, 50), strict=False
        )
    ]
    together = simulate_batch(batch, settings)
    for i, specification in enumerate(batch):
        alone = simulate_batch([specification], settings)
        assert np.array_equal(together.trace[i], alone.trace[0])
        assert np.array_equal(together.dos[i], alone.dos[0])


@pytest.mark.parametrize(("irrep", "angles"), STATES)
def test_the_kernel_solves_the_torus_with_the_impurity_in_it(
    nbse2: Material, irrep: str, angles: dict[str, float]
) -> None:
    """Against the inverse of the whole 8 x 8 torus: no T matrix on the other side."""
    scatterer, v = IMPURITIES["sum"]
    specification = Specification(nbse2, Pairing(irrep, 1.0, **angles), scatterer, 20.0)
    values = simulate_batch([specification], numerics(8, 8, 1.0)).ldos_change[0]
    for omega, given in zip(ENERGIES, values, strict=True):
        dense = inverted_torus(closed_nbse2(irrep, 1.0, 20.0, **angles), v, 8, omega, 1.0)
        assert difference(np.fft.ifftshift(given), dense) < AGREEMENT


def test_the_dataset_holds_the_map_and_both_conventions_of_its_image(nbse2: Material) -> None:
    specification = Specification(nbse2, Pairing("A1u", 1.0), Impurity.scalar(50.0), 20.0)
    settings = numerics(96, 32)
    ldos = simulate(specification, settings)
    paper = simulate(specification, settings, convention="paper")
    for e, omega in enumerate(ENERGIES):
        oracle = Oracle(closed_nbse2("A1u", 1.0, 20.0), 50.0 * TAU3, 96, omega)
        values = oracle.ldos_change(32)
        assert difference(ldos.ldos_change[e], values) < AGREEMENT
        image = ldos.qpi_re[e].to_numpy() + 1j * ldos.qpi_im[e].to_numpy()
        assert difference(image, qpi_image(values, "triangular")) < AGREEMENT
        assert np.abs(ldos.qpi_im[e]).max() > 1e-3 * np.abs(ldos.qpi_re[e]).max()
        eq_12 = paper_image(oracle.trace(32), "triangular")
        assert difference(paper.qpi_re[e], eq_12) < AGREEMENT
        assert not paper.qpi_im[e].any()
        assert difference(paper.ldos_change[e], values) < AGREEMENT
        assert float(ldos.dos[e]) == pytest.approx(oracle.dos, rel=AGREEMENT)


def test_spectral_function_and_density_of_states(nbse2: Material) -> None:
    specification = Specification(
        nbse2, Pairing("Eu", 1.0, theta=0.4, phi=0.3), Impurity.scalar(50.0), 20.0
    )
    hamiltonian = closed_nbse2("Eu", 1.0, 20.0, theta=0.4, phi=0.3)
    path = np.linspace([0.0, 0.0], [1 / 3, 2 / 3], 17)
    along = spectral_function(specification, path, ENERGIES, 0.5)
    mesh = uniform_grid(12)
    over = spectral_function(specification, mesh, ENERGIES, 0.5)
    dos = density_of_states(specification, ENERGIES, 0.5, 12)
    for e, omega in enumerate(ENERGIES):
        for given, momenta in ((along, path), (over, mesh)):
            expected = oracle_spectral_function(hamiltonian, momenta, omega, 0.5)
            assert difference(given[..., e], expected) < AGREEMENT
        assert float(over[..., e].mean()) == pytest.approx(float(dos[e]), rel=AGREEMENT)
    k_point = np.array([along.kx[-1], along.ky[-1]]) * nbse2.lattice.constant
    assert k_point == pytest.approx(path[-1] @ RECIPROCAL, rel=1e-12)
