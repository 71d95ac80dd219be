"""Averages over the point group: symmetric to the last bit, and idempotent."""

from __future__ import annotations

import numpy as np
import pytest

from gapscope.errors import NumericsError
from gapscope.measured.preparation import PreparationError, symmetrise_image, symmetrise_sites
from gapscope.measured.preparation.symmetrise import operations
from gapscope.physics.fourier import qpi_image
from gapscope.physics.lattice import symmetric_window, window_coordinates
from gapscope.physics.symmetry import C2, C3, C6, MIRROR_X, act_on_map

SIZE = 16
INSIDE = symmetric_window("triangular", SIZE)


def moved_image(operation: np.ndarray, image: np.ndarray) -> np.ndarray:
    """rho(g^-1 q): the pixel q comes from g^-1 q, found by comparing momenta."""
    j = window_coordinates(SIZE)
    j1, j2 = np.meshgrid(j, j, indexing="ij")
    source = np.einsum("kl,lij->kij", operation.T, np.stack([j1, j2])) + SIZE // 2
    return image[source[0] % SIZE, source[1] % SIZE]


@pytest.mark.parametrize(("group", "order"), [("C3v", 6), ("C6v", 12)])
def test_groups_are_groups(group: str, order: int) -> None:
    own = {tuple(g.ravel()) for g in operations(group)}
    assert len(own) == order
    assert {tuple((g @ h).ravel()) for g in operations(group) for h in operations(group)} == own


@pytest.mark.parametrize("group", ["C3v", "C6v"])
def test_sites_and_image_agree(group: str, rng: np.random.Generator) -> None:
    values = rng.standard_normal((SIZE, SIZE))
    sites = symmetrise_sites(values, group)
    image = symmetrise_image(qpi_image(values, "triangular"), group)
    np.testing.assert_allclose(qpi_image(sites, "triangular"), image, atol=1e-12)


@pytest.mark.parametrize("group", ["C3v", "C6v"])
def test_the_symmetry_is_exact(group: str, rng: np.random.Generator) -> None:
    values = rng.standard_normal((SIZE, SIZE))
    sites = symmetrise_sites(values, group)
    image = symmetrise_image(qpi_image(values, "triangular"), group)
    turns = (C3, MIRROR_X) if group == "C3v" else (C6, C2, MIRROR_X)
    for g in turns:
        np.testing.assert_array_equal(act_on_map(g, sites)[INSIDE], sites[INSIDE])
        np.testing.assert_array_equal(moved_image(g, image), image)
    assert np.isnan(sites[~INSIDE]).all()


def test_a_symmetric_map_stays(rng: np.random.Generator) -> None:
    once = symmetrise_sites(rng.standard_normal((SIZE, SIZE)), "C3v")
    np.testing.assert_allclose(symmetrise_sites(once, "C3v"), once, atol=1e-14)
    image = symmetrise_image(rng.standard_normal((SIZE, SIZE)) + 0j, "C6v")
    np.testing.assert_allclose(symmetrise_image(image, "C6v"), image, atol=1e-14)


def test_c6v_makes_images_real(rng: np.random.Generator) -> None:
    image = qpi_image(rng.standard_normal((SIZE, SIZE)), "triangular")
    assert np.abs(symmetrise_image(image, "C6v").imag).max() < 1e-12
    assert np.abs(symmetrise_image(image, "C3v").imag).max() > 0.1


def test_what_is_no_group_or_no_image_is_refused() -> None:
    with pytest.raises(PreparationError, match="point group"):
        symmetrise_sites(np.zeros((8, 8)), "C4v")
    with pytest.raises(NumericsError):
        symmetrise_image(np.zeros((7, 7), complex), "C3v")
