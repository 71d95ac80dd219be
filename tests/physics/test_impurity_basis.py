"""A map of any impurity on one site is a sum of images that the superconductor alone decides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gapscope.physics.impurity import Impurity
from gapscope.physics.impurity_basis import basis_images, elements_of, t_matrices
from gapscope.physics.scattering import scattered_trace
from gapscope.physics.specification import Scatterers

WINDOW = 6
CONSERVED = ((0, 3), (1, 2))


def random_green(d: int, parts: tuple[tuple[int, ...], ...] = ()) -> NDArray[np.complex128]:
    rng = np.random.default_rng(3)
    shape = (2, WINDOW + 3, WINDOW + 3, d, d)
    green = 0.01 * (rng.normal(size=shape) + 1j * rng.normal(size=shape))
    joined = np.zeros((d, d), dtype=bool)
    for part in parts or (tuple(range(d)),):
        joined[np.ix_(part, part)] = True
    return np.asarray(green * joined)


def scatterers(v: NDArray[np.complex128]) -> Scatterers:
    origin = np.zeros((1, 2), np.int64)
    return Scatterers(sites=origin, pairs=origin, potentials=v[None])


@pytest.mark.parametrize(
    ("orbitals", "parts", "moment", "weights", "count"),
    [
        (1, CONSERVED, (0.0, 0.0, 7.0), (1.0,), 8),
        (1, CONSERVED, (5.0, 2.0, 7.0), (1.0,), 16),
        (1, (), (0.0, 0.0, 7.0), (1.0,), 16),
        (2, (), (1.0, -2.0, 3.0), (1.0, 0.5), 64),
        (2, (), (0.0, 0.0, 3.0), (0.0, 1.0), 16),
    ],
)
def test_a_map_is_the_sum_of_its_images(
    orbitals: int, parts: Any, moment: Any, weights: Any, count: int
) -> None:
    green = random_green(4 * orbitals, parts)
    middle = green.shape[1] // 2
    impurity = Impurity.scalar(40.0, weights) + Impurity.magnetic(moment, weights)
    v = impurity.nambu_matrix(orbitals)
    elements = elements_of(green[:, middle, middle], v)
    assert len(elements) == count
    images = basis_images(green, elements, WINDOW)
    t = t_matrices(green[:, middle, middle], v)
    picked = t[:, elements[:, 0], elements[:, 1]]
    factors = np.concatenate([picked.real, picked.imag], axis=1) / -np.pi
    found = np.einsum("wi,wixy->wxy", factors, images)
    traces = [scattered_trace(one, scatterers(v), WINDOW).sum(axis=0) for one in green]
    expected = -np.stack(traces).imag / np.pi
    np.testing.assert_allclose(found, expected, atol=1e-12 * np.abs(expected).max(), rtol=0)
