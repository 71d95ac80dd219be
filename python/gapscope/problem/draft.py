"""A sample in the making: state, impurity and instrument as numbers, before they are built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gapscope.physics.impurity import Impurity
from gapscope.physics.material import Material

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Draft:
    """All that one map follows from, as numbers that unknowns set one after another.

    Parameters
    ----------
    material : normal state.
    broadening : delta in meV.
    scalar, moment : of the impurity on r = 0, in meV; ``weights`` of the orbitals, None: all.
    gap, angles : magnitude in meV, and the candidate's angles in rad by name.
    eps0 : onsite energy in meV.
    temperature, modulation : in K and in meV rms; both zero: a perfect energy resolution.
    """

    material: Material
    broadening: float
    scalar: float = 0.0
    moment: Vector = (0.0, 0.0, 0.0)
    weights: tuple[float, ...] | None = None
    gap: float = 1.0
    angles: Mapping[str, float] = field(default_factory=dict)
    eps0: float = 0.0
    temperature: float = 0.0
    modulation: float = 0.0

    def impurity(self) -> Impurity:
        """The scatterer."""
        return Impurity.scalar(self.scalar, self.weights) + Impurity.magnetic(
            self.moment, self.weights
        )


def direction(moment: Vector) -> tuple[float, float, float]:
    """Size, polar angle from z and azimuth from x of a moment, both in rad; zero lies along z."""
    size = float(np.linalg.norm(moment))
    x, y, z = moment
    return size, float(np.arctan2(np.hypot(x, y), z)), float(np.arctan2(y, x))


def moment_along(size: float, polar: float, azimuth: float) -> Vector:
    """Inverse of :func:`direction`; components that are zero but for rounding are zero."""
    parts = (
        np.sin(polar) * np.cos(azimuth),
        np.sin(polar) * np.sin(azimuth),
        np.cos(polar),
    )
    x, y, z = (size * float(p) if abs(p) > 1e-15 else 0.0 for p in parts)
    return x, y, z
