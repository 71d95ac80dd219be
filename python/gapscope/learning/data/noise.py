"""Noise that clean maps get: of one strength, or of random ones as in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.instrument.site_noise import NoiseModel


@dataclass(frozen=True)
class SiteNoise:
    """White and 1/f noise in units of a map's contrast.

    Attributes
    ----------
    gaussian, pink : standard deviations, or the largest ones.
    drawn : whether each map draws its own strengths, each the cube of a uniform number times the
        largest one.
    """

    gaussian: float
    pink: float
    drawn: bool = True

    def added(
        self, model: NoiseModel, maps: NDArray[np.floating], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Maps (energies, L, L) with noise."""
        white, pink = (x * strength(rng) if self.drawn else x for x in (self.gaussian, self.pink))
        return model.add(maps, rng, gaussian=white, pink=pink)


def strength(rng: np.random.Generator) -> float:
    """Noise between none and the largest, small more often: the cube of a uniform number.

    A network that sees clean maps often reads parameters finely; one that also sees the noise of a
    poor measurement reads the irrep there too.
    """
    return float(rng.random() ** 3)
