"""Maps of several impurities from the elements of G that count: against T-matrix and oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gapscope.physics.impurity import Impurity
from gapscope.physics.impurity_cluster import Elements, cluster_map, cluster_t
from gapscope.physics.scattering import scattered_trace
from gapscope.physics.specification import Scatterers
from oracle import Oracle

WINDOW, REACH = 6, 3
SITES = np.array([(0, 0), (2, -1), (-3, 3)])
CONSERVED = ((0, 3), (1, 2))


def random_green(d: int, parts: tuple[tuple[int, ...], ...] = ()) -> NDArray[np.complex128]:
    rng = np.random.default_rng(5)
    side = 2 * max(WINDOW // 2 + REACH, 2 * REACH) + 1
    green = 0.01 * (rng.normal(size=(2, side, side, d, d, 2)) @ [1, 1j])
    joined = np.zeros((d, d), dtype=bool)
    for part in parts or (tuple(range(d)),):
        joined[np.ix_(part, part)] = True
    return np.asarray(green * joined)


def found_map(green: NDArray[np.complex128], v: NDArray[np.complex128]) -> Any:
    """The map by elements, and how many of them count."""
    nonzero = (green != 0).any(axis=(0, 1, 2))
    elements = Elements.of(nonzero, v.any(axis=(0, 1)))
    outer = np.moveaxis(green[..., elements.outer[:, 0], elements.outer[:, 1]], 3, 1)
    rows, columns = elements.acting[elements.between].T
    own = v[:, elements.acting[:, None], elements.acting]
    t = cluster_t(green[..., rows, columns], elements, SITES, own)
    parts = np.stack([outer.real, outer.imag], axis=2)
    return cluster_map(parts, elements, SITES, t, WINDOW), len(outer[0]), len(elements.between)


@pytest.mark.parametrize(
    ("orbitals", "parts", "moment", "weights", "outer", "between"),
    [
        (1, CONSERVED, (0.0, 0.0, 7.0), (1.0,), 6, 8),
        (1, CONSERVED, (5.0, 2.0, 7.0), (1.0,), 6, 8),
        (1, (), (5.0, 2.0, 7.0), (1.0,), 12, 16),
        (2, (), (1.0, -2.0, 3.0), (1.0, 0.5), 48, 64),
        (2, (), (1.0, 2.0, 3.0), (0.0, 1.0), 28, 16),
    ],
)
def test_a_map_is_that_of_the_t_matrix(
    orbitals: int, parts: Any, moment: Any, weights: Any, outer: int, between: int
) -> None:
    green = random_green(4 * orbitals, parts)
    v = np.stack(
        [
            (Impurity.scalar(s, weights) + Impurity.magnetic(j, weights)).nambu_matrix(orbitals)
            for s, j in ((40.0, moment), (-70.0, (0.0, 3.0, -20.0)), (15.0, moment[::-1]))
        ]
    )
    found, *counts = found_map(green, v)
    assert counts == [outer, between]
    scatterers = Scatterers(sites=SITES, pairs=np.array([(0, 0), (1, 1), (2, 2)]), potentials=v)
    traces = [scattered_trace(one, scatterers, WINDOW).sum(axis=0) for one in green]
    expected = -np.stack(traces).imag / np.pi
    np.testing.assert_allclose(found, expected, atol=1e-12 * np.abs(expected).max(), rtol=0)
    apart = sum(found_map(green, v * np.eye(3)[n][:, None, None])[0] for n in range(3))
    assert np.abs(apart - found).max() > 0.01 * np.abs(found).max()


def test_a_map_is_the_oracles() -> None:
    """G(r) on a torus, with a gap that mixes spins, summed plainly over all pairs of sites."""
    rng = np.random.default_rng(2)
    hopping = rng.normal(size=(4, 4, 2)) @ [1, 1j]

    def hamiltonian(m: NDArray[np.float64]) -> NDArray[np.complex128]:
        wave = np.exp(2j * np.pi * (m @ [1, 2]))[..., None, None] * hopping
        return wave + wave.conj().swapaxes(-1, -2) + np.diag([1.0, 2.0, -1.0, -2.0])

    n, energies = 24, (0.3, -0.8)
    v = np.stack([Impurity.scalar(s).nambu_matrix() for s in (2.0, -3.0, 1.0)])
    v += np.stack([Impurity.magnetic((j, 1.0, 0.5)).nambu_matrix() for j in (0.0, 1.0, -2.0)])
    sites = [(int(a), int(b)) for a, b in SITES]
    oracles = [Oracle(hamiltonian, np.zeros((4, 4)), n, w, 0.4) for w in energies]
    r = np.arange(-WINDOW, WINDOW + 1)
    green = np.stack([one.propagator[np.ix_(r % n, r % n)] for one in oracles])
    expected = [-one.scattered(sites, v, WINDOW).imag / np.pi for one in oracles]
    np.testing.assert_allclose(found_map(green, v)[0], expected, rtol=0, atol=1e-12)
