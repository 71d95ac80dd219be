"""Noise on maps over lattice sites: white, pink (1/f), offsets of scan lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.instrument.sites import window_positions
from gapscope.physics.lattice import Lattice, named, symmetric_window, window_coordinates

MAP = (-2, -1)


@dataclass(frozen=True)
class NoiseModel:
    """Noise over the r of an L x L window, its strength relative to the map's own contrast.

    Attributes
    ----------
    sites : mask (L, L), the symmetric window without r = 0.
    pink : (L, L), factors on the Fourier amplitudes of white noise: |q|^(-1/2) for a power 1/|q|
        and none at q = 0, with a mean square of one, so that the variance stays.
    positions : (L, L, 2), of the sites in lattice constants.
    """

    sites: NDArray[np.bool_]
    pink: NDArray[np.float64]
    positions: NDArray[np.float64]

    @classmethod
    def on(cls, lattice: Lattice | str, size: int) -> NoiseModel:
        """Noise on the window of a lattice."""
        sites = symmetric_window(lattice, size)
        sites[size // 2, size // 2] = False
        return cls(sites, _pink_factors(lattice, size), window_positions(size, lattice))

    def contrast(self, maps: NDArray[np.floating]) -> NDArray[np.float64]:
        """Standard deviation of maps (..., L, L) over the symmetric window without r = 0."""
        return np.asarray(maps[..., self.sites].std(axis=-1), dtype=np.float64)

    def white_field(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        """Gaussian noise of unit variance, (..., L, L)."""
        return rng.standard_normal((*shape, *self.sites.shape))

    def pink_field(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        """Gaussian noise of unit variance with the power spectrum 1/|q|, (..., L, L)."""
        spectrum = np.fft.fft2(self.white_field(shape, rng), axes=MAP) * self.pink
        return np.asarray(np.fft.ifft2(spectrum, axes=MAP).real)

    def line_field(self, maps: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Offsets of unit variance of scan lines, (maps, L, L).

        The lines lie at any angle to the lattice, 0.2 to 1 lattice constant apart.
        """
        angle, pitch = rng.uniform(0, np.pi), rng.uniform(0.2, 1.0)
        across = self.positions @ [-np.sin(angle), np.cos(angle)]
        line = np.floor(across / pitch).astype(np.int64)
        line -= line.min()
        offsets = rng.standard_normal((maps, int(line.max()) + 1))
        return np.asarray(offsets[:, line])

    def add(
        self,
        maps: NDArray[np.floating],
        rng: np.random.Generator,
        *,
        gaussian: float = 0.0,
        pink: float = 0.0,
    ) -> NDArray[np.float32]:
        """Maps (..., L, L) with noise of standard deviation ``gaussian`` and ``pink`` contrasts."""
        noise = np.zeros(maps.shape)
        if gaussian:
            noise += gaussian * self.white_field(maps.shape[:-2], rng)
        if pink:
            noise += pink * self.pink_field(maps.shape[:-2], rng)
        contrast = self.contrast(maps)[..., None, None]
        return np.asarray(maps + contrast * noise, dtype=np.float32)


def _pink_factors(lattice: Lattice | str, size: int) -> NDArray[np.float64]:
    """Factors over the FFT's order of momenta, with |q| that of the shortest equivalent q."""
    cell = named(lattice)
    j = np.fft.ifftshift(window_coordinates(size)) / size
    reduced = np.stack(np.meshgrid(j, j, indexing="ij"), axis=-1)
    shifts = [np.array([n1, n2]) for n1 in range(-2, 3) for n2 in range(-2, 3)]
    distance = np.min(
        [np.linalg.norm(cell.momentum(reduced + shift), axis=-1) for shift in shifts], axis=0
    )
    factors = np.zeros_like(distance)
    factors[distance > 0] = distance[distance > 0] ** -0.5
    return np.asarray(factors / np.sqrt(np.mean(factors**2)))
