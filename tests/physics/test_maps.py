"""Windows, symmetry operations on maps and the Fourier transform to a QPI image."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from closed_forms import nbse2 as closed_nbse2
from gapscope.errors import NumericsError, SpecificationError
from gapscope.physics import Lattice
from gapscope.physics.fourier import centred_window, paper_image, qpi_image
from gapscope.physics.lattice import symmetric_window, window_coordinates
from gapscope.physics.symmetry import C2, C3, C6, D6, MIRROR_X, act_on_map
from oracle import Oracle

ROUNDING = 1e-13
TRIANGULAR = Lattice("triangular", 3.44)


def test_reciprocal_vectors_are_dual_and_momenta_invert(rng: np.random.Generator) -> None:
    expected = 2 * np.pi * np.array([[1, -1 / np.sqrt(3)], [0, 2 / np.sqrt(3)]])
    assert np.abs(TRIANGULAR.reciprocal - expected).max() < ROUNDING
    for lattice in (TRIANGULAR, Lattice("square", 1.0)):
        m = rng.uniform(-1, 1, (10, 2))
        assert np.abs(lattice.reduced(lattice.momentum(m)) - m).max() < ROUNDING


@pytest.mark.parametrize("size", [2, 4, 6, 16, 30])
def test_the_hexagon_is_mapped_onto_itself_by_all_of_d6(size: int) -> None:
    mask = symmetric_window("triangular", size)
    for operation in D6:
        assert np.array_equal(act_on_map(operation, mask), mask)
    r = window_coordinates(size)
    inside = {(r[i], r[j]) for i, j in zip(*np.nonzero(mask), strict=True)}
    half = size // 2
    expected = {(a, b) for a, b in product(r, r) if max(abs(a), abs(b), abs(a + b)) < half}
    assert inside == expected


def test_the_square_window_leaves_out_the_unpaired_edge() -> None:
    mask = symmetric_window("square", 8)
    assert mask.sum() == 7 * 7
    assert not mask[0].any()
    assert not mask[:, 0].any()
    assert np.array_equal(mask, mask.T)


def test_the_operations_are_the_named_isometries() -> None:
    """In Cartesian coordinates: rotations by 60, 120, 180 degrees, and x -> -x."""
    a = TRIANGULAR.vectors.T

    def cartesian(operation: np.ndarray) -> np.ndarray:
        return np.asarray(a @ operation @ np.linalg.inv(a))

    for operation, angle in ((C6, 60), (C3, 120), (C2, 180)):
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        assert np.abs(cartesian(operation) - [[c, -s], [s, c]]).max() < ROUNDING
    assert np.abs(cartesian(MIRROR_X) - np.diag([-1, 1])).max() < ROUNDING
    assert len({operation.tobytes() for operation in D6}) == 12


def test_operations_on_maps_form_the_group(rng: np.random.Generator) -> None:
    values = rng.normal(size=(2, 16, 16))
    for g, h in product(D6, D6):
        composed = act_on_map(g, act_on_map(h, values))
        assert np.array_equal(composed, act_on_map(g @ h, values))


def test_a_map_is_moved_from_r_to_g_r() -> None:
    values = np.zeros((12, 12))
    values[6 + 2, 6 + 1] = 1.0
    for operation in D6:
        r1, r2 = operation @ (2, 1)
        assert act_on_map(operation, values)[6 + r1, 6 + r2] == 1.0


def test_symmetry_refuses_what_is_not_a_window() -> None:
    for shape in ((4, 6), (5, 5), (4,)):
        with pytest.raises(SpecificationError, match="L x L window with even L"):
            act_on_map(C3, np.zeros(shape))


@pytest.mark.parametrize("lattice", ["triangular", "square"])
def test_the_image_is_the_fourier_sum_over_the_symmetric_window(
    lattice: str, rng: np.random.Generator
) -> None:
    size = 10
    values = rng.normal(size=(size, size))
    r = window_coordinates(size)
    inside = symmetric_window(lattice, size)
    image = qpi_image(values, lattice)
    for j1, j2 in product(r, r):
        phase = np.exp(-2j * np.pi * (j1 * r[:, None] + j2 * r[None, :]) / size)
        expected = (phase * values)[inside].sum()
        assert abs(image[j1 + size // 2, j2 + size // 2] - expected) < ROUNDING * size**2


def test_the_image_of_a_map_with_inversion_is_real_and_obeys_parseval(
    rng: np.random.Generator,
) -> None:
    size = 32
    values = rng.normal(size=(size, size))
    symmetric = values + act_on_map(C2, values)
    image = qpi_image(symmetric, "triangular")
    assert np.abs(image.imag).max() < ROUNDING * np.abs(image).max()
    inside = symmetric_window("triangular", size)
    power = size**2 * (symmetric[inside] ** 2).sum()
    assert (np.abs(image) ** 2).sum() == pytest.approx(power, rel=1e-13)
    assert image[size // 2, size // 2].real == pytest.approx(symmetric[inside].sum(), rel=1e-12)


@pytest.mark.parametrize("irrep", ["A1u", "A1g"])
def test_the_paper_image_is_eq_12_on_the_window(irrep: str) -> None:
    """Eq. 12 summed over k term by term on a torus; only the hexagon of r is kept of it."""
    n = 12
    angles = {"theta": 0.4} if irrep == "A1g" else {}
    hamiltonian = closed_nbse2(irrep, 1.0, 20.0, **angles)
    oracle = Oracle(hamiltonian, 50 * np.diag([1, 1, -1, -1]), n, omega=0.4, broadening=5.0)
    over_torus = np.fft.fft2(oracle.momentum_sum()) / n**2
    inside = np.fft.ifftshift(symmetric_window("triangular", n))
    eq_12 = -(np.fft.ifft2(np.where(inside, over_torus, 0)) * n**2).imag / np.pi
    image = paper_image(oracle.trace(n), "triangular")
    assert np.abs(np.fft.ifftshift(image) - eq_12).max() < 1e-12 * np.abs(eq_12).max()


@pytest.mark.parametrize(("irrep", "agree"), [("A1g", True), ("Eg", True), ("A1u", False)])
def test_both_conventions_agree_for_g_irreps_only(irrep: str, agree: bool) -> None:
    """physics.md, section 3: for the u irreps they differ by a few 1e-3 of the maximum."""
    angles = {} if irrep == "A1u" else {"theta": 0.4}
    oracle = Oracle(closed_nbse2(irrep, 1.0, 20.0, **angles), 50 * np.diag([1, 1, -1, -1]), 192)
    paper = paper_image(oracle.trace(128), "triangular")
    ldos = qpi_image(oracle.ldos_change(128), "triangular").real
    difference = np.abs(paper - ldos).max() / np.abs(ldos).max()
    assert difference < 1e-12 if agree else 1e-3 < difference < 1e-2


def test_a_smaller_window_keeps_the_origin_in_place() -> None:
    values = np.arange(64.0).reshape(8, 8)
    smaller = centred_window(values, 4)
    assert smaller.shape == (4, 4)
    assert smaller[2, 2] == values[4, 4]
    assert np.array_equal(centred_window(values, 8), values)
    with pytest.raises(NumericsError, match="out of 8"):
        centred_window(values, 10)


@pytest.mark.parametrize("size", [0, 1, 7, -4, 8.0, True])
def test_odd_windows_are_refused(size: object) -> None:
    with pytest.raises(NumericsError, match="even number of sites"):
        window_coordinates(size)  # type: ignore[arg-type]
