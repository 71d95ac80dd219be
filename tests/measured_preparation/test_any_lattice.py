"""Lattices of every kind in the plane: found in turned, strained, noisy scans, and what follows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from any_lattice_maps import AnyScan, any_scan, equivalent
from gapscope.errors import LatticeNotFoundError, PreparationError
from gapscope.measured.preparation import (
    FoundLattice,
    Steps,
    find_density_wave,
    find_lattice,
    prepare,
    symmetrise_image,
    symmetrise_sites,
)
from gapscope.measured.preparation.bravais import bravais
from gapscope.measured.preparation.report import report
from gapscope.measured.preparation.symmetrise import groups_of, operations
from gapscope.measured.preparation.waves import star
from gapscope.physics.fourier import qpi_image
from gapscope.physics.group.lattice_operations import isometry
from gapscope.physics.lattice import Lattice, symmetric_window
from lattice_maps import as_map

LATTICES = {
    "square": Lattice("square", 3.8),
    "rectangular, nearly square": Lattice.from_cell(3.8, 3.88, 90.0),
    "rectangular": Lattice.from_cell(3.2, 4.8, 90.0),
    "centred": Lattice.from_cell(3.8, 3.8, 105.0),
    "oblique": Lattice.from_cell(3.5, 4.1, 97.0),
}
WAVES = {
    "none": ((), 0.0),
    "c(2 x 2), a third": (((0.5, 0.5), (0.5, -0.5)), 0.3),
    "c(2 x 2), three times": (((0.5, 0.5), (0.5, -0.5)), 3.0),
    "4 x 1": (((0.25, 0.0),), 1.0),
    "4 x 1, three times": (((0.25, 0.0),), 3.0),
}


def scans(lattice: Lattice, count: int = 4) -> list[AnyScan]:
    """At random angles, with up to 3 % of strain in each element, with each of the waves."""
    made = []
    for number, (wave, ratio) in enumerate(WAVES.values()):
        for seed in range(count):
            rng = np.random.default_rng([number, seed])
            made.append(
                any_scan(
                    lattice,
                    degrees=rng.uniform(-180, 180),
                    strain=0.03,
                    wave=wave,
                    ratio=ratio,
                    uneven=(1.0, 0.6, 1.5)[seed % 3],
                    noise=0.5,
                    pixels=128,
                    seed=seed,
                )
            )
    return made


def nearest(found: FoundLattice, scan: AnyScan) -> NDArray[np.float64]:
    """The true vectors with the labels that the found ones are nearest to."""
    return min(equivalent(scan), key=lambda v: float(np.abs(found.vectors - v).max()))


def true_distortion(scan: AnyScan, vectors: NDArray[np.float64]) -> tuple[float, float]:
    """Orientation in degrees and anisotropy of vectors, by a polar decomposition."""
    ideal = 0.1 * scan.lattice.constant * scan.lattice.vectors
    left, stretches, right = np.linalg.svd(np.linalg.solve(ideal, vectors).T)
    turn = left @ right
    return float(np.degrees(np.arctan2(turn[1, 0], turn[0, 0]))), float(stretches[0] / stretches[1])


@pytest.mark.parametrize("name", LATTICES)
def test_vectors_angle_and_distortion_lie_within_the_quoted_errors(name: str) -> None:
    """At least 95 % within two standard errors; where another lattice would do, it is told."""
    within = []
    for scan in scans(LATTICES[name]):
        found = find_lattice(scan.image, scan.lattice)
        true = nearest(found, scan)
        if found.ambiguous and np.abs(found.vectors - true).max() > 0.02:
            assert name == "rectangular, nearly square"  # a and b may be taken for each other
            products = np.abs(true @ found.rivals[0].reciprocal.T) / (2 * np.pi)
            np.testing.assert_allclose(products, np.eye(2), atol=0.03)
            continue
        orientation, anisotropy = true_distortion(scan, true)
        for measured, value in (
            (found.lengths, 10 * np.linalg.norm(true, axis=1)),
            (found.orientation, orientation),
            (found.anisotropy, anisotropy),
        ):
            within += np.ravel(np.abs(measured.value - value) <= 2 * measured.error).tolist()
        # Errors are no excuse: they are small.
        assert float(found.lengths.noise.max()) < 0.02
    assert np.mean(within) >= 0.95


@pytest.mark.parametrize("name", LATTICES)
def test_the_orientation_is_the_one_nearest_to_the_standard_one(name: str) -> None:
    lattice = LATTICES[name]
    half = 180 / bravais(lattice).order
    for degrees in (-170.0, -80.0, -20.0, 40.0, 95.0, 130.0):
        found = find_lattice(any_scan(lattice, degrees=degrees, pixels=128).image, lattice)
        angle = float(found.orientation.value)
        if found.ambiguous:
            continue
        assert -half < angle <= half
        assert abs((angle - degrees + half) % (2 * half) - half) < 0.3


def test_the_shapes_of_a_rectangle_that_is_nearly_a_square_are_both_told() -> None:
    """Turned by 90 degrees, it differs by 4 % of shear, as drift does."""
    lattice = LATTICES["rectangular, nearly square"]
    found = find_lattice(any_scan(lattice, degrees=10.0).image, lattice)
    assert found.ambiguous
    assert float(found.orientation.choice) > 20.0
    clear = LATTICES["rectangular"]
    assert not find_lattice(any_scan(clear, degrees=10.0).image, clear).ambiguous


@pytest.mark.parametrize("name", LATTICES)
def test_noise_shows_no_lattice_and_another_lattice_is_not_found(name: str) -> None:
    noise = as_map(np.random.default_rng(3).standard_normal((96, 96)), 0.08)
    with pytest.raises(LatticeNotFoundError, match=f"an? {LATTICES[name].name} lattice of"):
        find_lattice(noise, LATTICES[name])
    other = any_scan(Lattice("triangular", 5.6)).image
    with pytest.raises(LatticeNotFoundError):
        find_lattice(other, LATTICES[name])


@pytest.mark.parametrize("name", ["square", "rectangular", "centred", "oblique"])
def test_a_strained_map_comes_back_to_its_sites(name: str) -> None:
    """A defect of 3 sites' width, on sites after the correction, is where it was put."""
    lattice = LATTICES[name]
    scan = any_scan(lattice, degrees=12.0, strain=0.03, noise=0.05)
    x, y = (scan.image[axis].values - scan.image[axis].values.mean() for axis in ("x", "y"))
    place = 4 * scan.vectors[0] - 2 * scan.vectors[1]
    # The atoms are where the phases 0.3 and -0.2 of any_scan vanish.
    atom = np.array([-0.3, 0.2]) / (2 * np.pi) @ scan.vectors
    away = np.hypot(x - (place + atom)[0], (y - (place + atom)[1])[:, None])
    image = scan.image + 8 * np.exp(-(away**2) / (2 * 0.15**2))
    prepared = prepare(image, lattice, Steps(wavevector=None, mask_bragg=True))
    final = prepared.final_lattice
    assert abs(float(final.anisotropy.value) - 1) < 3e-3
    np.testing.assert_allclose(
        final.lengths.value, 10 * np.linalg.norm(final.ideal, axis=1), rtol=2e-3
    )
    middle = np.array([float(image[axis].mean()) for axis in ("x", "y")])
    sites = prepared.network_input(16, prepared.site(prepared.corrected((middle + atom).tolist())))
    values = np.where(symmetric_window(lattice, 16), sites.ldos_change.values, 0)
    r1, r2 = np.unravel_index(values.argmax(), values.shape)
    images = {tuple(g @ (4, -2)) for g in operations(f"C{bravais(lattice).order}", lattice)}
    assert (int(r1) - 8, int(r2) - 8) in images
    assert Lattice.from_dict(sites.attrs).name == lattice.name
    written = Lattice.from_dict(sites.attrs)
    np.testing.assert_allclose(written.vectors, lattice.vectors)
    assert written.constant == pytest.approx(lattice.constant, rel=3e-3)


def mirrored(angle: float) -> tuple[AnyScan, Lattice, str]:
    """A scan of an oblique crystal from its other side, its cell, and the option to be given."""
    own, other = Lattice.from_cell(3.5, 4.1, angle), Lattice.from_cell(3.5, 4.1, 180 - angle)
    return any_scan(other, degrees=12.0, noise=0.05), own, f"--cell 3.5 4.1 {180 - angle:g}"


@pytest.mark.parametrize("angle", [97.0, 105.0])
def test_a_lattice_that_is_not_found_but_mirrored_is_told(angle: float) -> None:
    scan, own, option = mirrored(angle)
    with pytest.raises(LatticeNotFoundError) as caught:
        prepare(scan.image, own, Steps(wavevector=None))
    assert "mirror image" in caught.value.received
    assert option in caught.value.remedy


@pytest.mark.parametrize("angle", [88.0, 93.0])
def test_a_strain_that_a_mirrored_lattice_does_not_need_is_told(angle: float) -> None:
    """Near 90 degrees either hand is found; the remedy helps, and is then no longer given."""
    scan, own, option = mirrored(angle)
    assert option in report(prepare(scan.image, own, Steps(wavevector=None)))
    right = prepare(scan.image, scan.lattice, Steps(wavevector=None))
    assert float(right.lattice.anisotropy.value) == pytest.approx(1, abs=1e-3)
    assert "mirror" not in report(right)


def test_a_strained_oblique_lattice_is_not_taken_for_its_mirror_image() -> None:
    lattice = Lattice.from_cell(3.5, 4.1, 97.0)
    scan = any_scan(lattice, degrees=12.0, strain=0.02, noise=0.05)
    assert "mirror" not in report(prepare(scan.image, lattice, Steps(wavevector=None)))


def test_the_star_of_a_wave_is_made_by_the_lattices_rotations() -> None:
    square, rectangular = LATTICES["square"], LATTICES["rectangular"]
    np.testing.assert_allclose(star((0.25, 0.0), square), [[0.25, 0.0], [0.0, 0.25]])
    np.testing.assert_allclose(star((0.25, 0.0), rectangular), [[0.25, 0.0]])
    scan = any_scan(square, degrees=5.0, wave=((0.5, 0.5), (0.5, -0.5)), ratio=0.5)
    wave = find_density_wave(scan.image, find_lattice(scan.image, square), (0.5, 0.5))
    assert wave.found
    assert wave.commensurate
    assert len(wave.peaks) == 2


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("square", ("C2", "C2v", "C4", "C4v")),
        ("rectangular", ("C2", "C2v")),
        ("centred", ("C2", "C2v")),
        ("oblique", ("C2",)),
    ],
)
def test_a_map_is_averaged_over_the_groups_of_its_lattice(
    name: str, groups: tuple[str, ...]
) -> None:
    lattice = LATTICES[name]
    assert groups_of(lattice) == groups
    values = np.random.default_rng(0).standard_normal((16, 16))
    inside = symmetric_window(lattice, 16)
    for group in groups:
        assert len(operations(group, lattice)) == int(group[1]) * (2 if "v" in group else 1)
        found = operations(group, lattice)
        assert len({g.tobytes() for g in found}) == len(found)
        planes = [isometry(g, lattice.vectors) for g in found]
        mirrored = any(np.allclose(w, np.diag([-1.0, 1.0])) for w in planes)
        assert mirrored == ("v" in group)
        sites = symmetrise_sites(values, group, lattice)
        image = symmetrise_image(qpi_image(values, lattice), group, lattice)
        np.testing.assert_allclose(qpi_image(sites, lattice), image, atol=1e-12)
        # Averaging again changes nothing, to the last bit.
        again = symmetrise_sites(np.where(inside, sites, 0), group, lattice)
        np.testing.assert_allclose(again[inside], sites[inside], atol=1e-14)
    with pytest.raises(PreparationError, match=f"on the {lattice.name} one"):
        prepare(any_scan(lattice, pixels=64).image, lattice, Steps(symmetry="C3v"))


@pytest.mark.parametrize("name", LATTICES)
def test_superlattices_have_the_rotations_of_the_lattice_and_stand_once(name: str) -> None:
    of = bravais(LATTICES[name])
    assert (of.cells >= 1).all()
    for rows in of.superlattices:
        again = rows @ of.turn.T @ np.linalg.inv(rows)
        np.testing.assert_allclose(again, np.rint(again), atol=1e-9)
    seen = set()
    for rows in of.superlattices:
        sites = np.argwhere(np.ones((16, 16)))
        whole = sites @ np.linalg.inv(rows)
        seen.add((np.abs(whole - np.rint(whole)) < 1e-6).all(axis=1).tobytes() + bytes(of.order))
    cells = sorted(of.cells[of.cells <= 10].tolist())
    if of.order == 4:  # m^2 + n^2, as often as there are Gaussian integers up to a unit
        assert cells == [1, 2, 4, 5, 5, 8, 9, 10, 10]
    else:  # all sublattices: the sum of the divisors
        assert [cells.count(n) for n in range(1, 9)] == [1, 3, 4, 7, 6, 12, 8, 15]
        assert len(seen) == len(of.cells)
