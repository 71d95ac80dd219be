"""Every Bragg peak of a map is taken out: of all lattices, of atoms that are round."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from any_lattice_maps import any_scan
from gapscope.measured.preparation import Prepared, Steps, find_lattice, prepare
from gapscope.measured.preparation.bragg_vectors import bragg_vectors
from gapscope.measured.preparation.pipeline import prepare_alike
from gapscope.physics.lattice import Lattice
from gapscope.physics.setting import Setting
from lattice_maps import as_map, rotation

LATTICES = {
    "triangular": Lattice("triangular", 3.6),
    "square": Lattice("square", 3.8),
    "rectangular": Lattice.from_cell(3.2, 4.8, 90.0),
    "centred": Lattice.from_cell(3.8, 3.8, 105.0),
    "centred, b1 - b2 the shortest": Lattice.from_cell(3.8, 3.8, 130.0),
    "centred, b1 + b2 the shortest": Lattice.from_cell(4.5, 4.5, 45.0),
    "oblique": Lattice.from_cell(3.5, 4.6, 110.0),
    "oblique, acute": Lattice.from_cell(3.5, 4.1, 83.0),
}
STEP, PIXELS, SIZE = 0.06, 160, 0.2
"""nm per pixel, pixels per side, and radius of an atom in lattice constants."""
LEFT = 30.0
"""Above the threshold of 17 for the map before it is resampled, which takes away some noise."""


def atoms(
    vectors: NDArray[np.float64], radius: float, noise: float, seed: int = 0
) -> NDArray[np.float64]:
    """Gaussian atoms on the sites of rows a1, a2 in nm, the brightest wave 1, and white noise."""
    along = STEP * (np.arange(PIXELS) - (PIXELS - 1) / 2)
    r = np.stack(np.meshgrid(along, along), axis=-1)
    reciprocal = 2 * np.pi * np.linalg.inv(vectors).T
    values, largest = np.zeros((PIXELS, PIXELS)), 0.0
    for m in np.ndindex(9, 9):
        g = (np.array(m) - 4) @ reciprocal
        if m != (4, 4) and np.abs(g).max() < np.pi / STEP:
            amplitude = float(np.exp(-((radius * np.linalg.norm(g)) ** 2) / 2))
            largest = max(largest, 2 * amplitude)
            values += amplitude * np.cos(r @ g)
    return values / largest + noise * np.random.default_rng(seed).standard_normal(values.shape)


def scan(lattice: Lattice, seed: int, noise: float = 0.15) -> xr.DataArray:
    """A lattice turned by any angle, with up to 3 % of strain in each element."""
    rng = np.random.default_rng(seed)
    turned = lattice.vectors @ rotation(rng.uniform(-180, 180)).T
    distortion = np.eye(2) + 0.03 * rng.uniform(-1, 1, (2, 2))
    vectors = 0.1 * lattice.constant * turned @ distortion.T
    return as_map(atoms(vectors, SIZE * 0.1 * lattice.constant, noise, seed), STEP)


def standing_out(prepared: Prepared, step: str = "masked") -> dict[tuple[int, int], float]:
    """Power over that of the noise at the vectors up to 4 b1 + 4 b2, where it exceeds LEFT."""
    image, lattice = prepared.images[step], prepared.final_lattice
    window = [np.hanning(n + 2)[1:-1] for n in image.shape]
    values = (image.values - image.values.mean()) * np.outer(*window)
    noise = np.median(np.abs(np.fft.fft2(values)) ** 2) / np.log(2)
    left = {}
    for m in np.ndindex(9, 9):
        one = (m[0] - 4, m[1] - 4)
        qx, qy = lattice.momentum(one)
        if one > (0, 0) and max(abs(qx), abs(qy)) < 0.95 * np.pi / STEP:
            wave = np.exp(-1j * qy * image.y.values) @ values @ np.exp(-1j * qx * image.x.values)
            power = float(abs(wave) ** 2 / noise)
            if power > LEFT:
                left[one] = power
    return left


@pytest.mark.parametrize("phase", [None, 6.0])
@pytest.mark.parametrize("name", LATTICES)
def test_no_bragg_peak_is_left_in_a_masked_map(name: str, phase: float | None) -> None:
    steps = Steps(wavevector=None, phase=phase, mask_bragg=True)
    prepared = prepare(scan(LATTICES[name], int(phase is None)), LATTICES[name], steps)
    # More than the two or three that the lattice is found by.
    assert len(standing_out(prepared, "drift" if phase is None else "phase")) > 4
    assert not standing_out(prepared)
    # Noise stays: a notch is a small part of the zone.
    assert float(prepared.final.std()) > 0.1


@pytest.mark.parametrize("name", LATTICES)
def test_the_shape_of_the_given_cell_does_not_matter(name: str) -> None:
    """A crystal file may give any cell of the lattice, turned or sheared by whole vectors."""
    image = scan(LATTICES[name], 5)
    lattice = LATTICES[name]
    for change in ([[1, 0], [2, 1]], [[3, 1], [-1, 0]]):
        turned = lattice.constant * lattice.vectors @ rotation(37.0).T
        other = Setting.of(np.array(change) @ turned).lattice
        assert not standing_out(prepare(image, other, Steps(wavevector=None, mask_bragg=True)))


def test_what_does_not_stand_out_is_left_alone() -> None:
    """No other vector than b1 and b2 is taken for a peak in their noise; noise has none at all."""
    lattice = LATTICES["oblique"]
    image = any_scan(lattice, degrees=12.0).image
    found = find_lattice(image, lattice)
    assert bragg_vectors(found, image).tolist() == [[1, 0], [0, 1]]
    counts = []
    for seed in range(10):
        noise = np.random.default_rng(seed).standard_normal(image.shape)
        counts.append(len(bragg_vectors(found, image.copy(data=noise))) - 2)
    assert counts == 10 * [0]


def test_vectors_are_named_by_either_of_two_opposites_and_the_innermost_first() -> None:
    lattice = LATTICES["square"]
    image = scan(lattice, 1)
    found = find_lattice(image, lattice)
    seen = [tuple(m) for m in bragg_vectors(found, image).tolist()]
    assert seen[:2] == [(1, 0), (0, 1)]
    assert set(seen[2:4]) == {(1, 1), (1, -1)}
    assert {(2, 0), (0, 2)} <= set(seen)
    assert len(set(seen) | {(-m1, -m2) for m1, m2 in seen}) == 2 * len(seen)


def test_peaks_of_a_second_map_are_taken_out_too() -> None:
    """The first shows b1 and b2, the second the atoms in full."""
    lattice = LATTICES["square"]
    vectors = 0.1 * lattice.constant * lattice.vectors @ rotation(9.0).T
    plain = as_map(atoms(vectors, 0.25, 0.1), STEP)  # harmonics below the noise
    full = as_map(atoms(vectors, 0.08, 0.1, seed=1), STEP)
    first = prepare(plain, lattice, Steps(wavevector=None, mask_bragg=True))
    second = prepare_alike(first, full)
    assert len(second.bragg) >= len(first.bragg)
    assert not standing_out(second)
    third = prepare(plain, lattice, Steps(wavevector=None, mask_bragg=True), topograph=full)
    assert {(1, 1), (1, -1)} <= {tuple(m) for m in third.bragg.tolist()}
