"""What goes with the shapes of an irrep's maps: their amplitude, and what is odd in them.

With the shape s = asinh(Re rho / u), u = <|Re rho|>, :mod:`gapscope.learning.emulator.regression`
gives y(s) and the scale e(s) of its error for y = log u and for the principal components of
o = Im rho / |Re rho|. A map's two scores are

    log [(|log u - y(s)| + FLOORS[0]) / (e(s) + FLOORS[0])],
    log [(|o - y(s)| + FLOORS[1]) / (e(s) + FLOORS[1])].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import CalibrationError
from gapscope.learning.emulator.emulator import Emulator
from gapscope.learning.emulator.regression import Array, Regression
from gapscope.learning.uncertainty.novelty import principal
from gapscope.support.array_file import Arrays, half_precision

FEWEST_POINTS = 1250
"""Maps of a surface that amplitudes are learned from; they are doubled while that is not enough."""
ACCURATE = 0.01
"""Enough: log u is known that well for 99 of 100 maps."""
ODD_COMPONENTS = 12
ODD = 1e-6
"""Components of smaller odd parts are rounding."""
FLOORS = (1e-3, 1e-4)
"""Errors count from here on: amplitudes agree to 0.1 %, odd parts to 1e-4 of the image."""
SAME = 0.02
"""Distance, in units of a surface's first component, within which two maps are one."""

Half = NDArray[np.float32]


@dataclass(frozen=True)
class Expected:
    """What goes with the shapes of one irrep.

    Attributes
    ----------
    amplitude : regression of log u, (energies,).
    odd_mean, odd_basis : (pixels,) and (pixels, components), of o.
    odd : regression of o's components.
    """

    amplitude: Regression
    odd_mean: Half
    odd_basis: Half
    odd: Regression

    @classmethod
    def fit(cls, emulator: Emulator, shape: Half, scale: Array, odd: Half) -> Self:
        """From the first maps of a surface, as :func:`_described` gives them.

        Raises
        ------
        CalibrationError : maps that are not the first ones of the surface.
        """
        points = _components(emulator, emulator.points)
        found = _components(emulator, emulator.coordinates(shape, scale))
        known = points[: len(found)]
        if len(known) < len(found) or np.abs(found - known).max() > SAME:
            raise CalibrationError(
                "A companion learns from the maps that the network's surfaces begin with.",
                "a dataset of other maps, or in another order",
                "Name the folder of the dataset that the run was trained on (--training).",
            )
        mean = half_precision(odd.mean(axis=0))
        basis, held = principal(odd - mean, np.random.default_rng(0))
        basis = half_precision(basis[:, :ODD_COMPONENTS][:, held[:ODD_COMPONENTS] > ODD**2])
        inside = (odd - mean) @ basis
        beyond = np.square(odd - mean - inside @ basis.T).sum(axis=1).astype(np.float64)
        regression, _ = Regression.fit(known, inside.astype(np.float64), beyond)
        return cls(_amplitude(emulator, points), mean, basis, regression)

    def apart(
        self, emulator: Emulator, shape: Half, scale: Array, odd: Half
    ) -> tuple[Array, Array]:
        """log u - y, (n, energies), and the two scores (n, 2)."""
        points = _components(emulator, emulator.points)
        x = _components(emulator, emulator.coordinates(shape, scale))
        there, amplitude_scale = self.amplitude(points, x)
        known = _log_scale(emulator)
        there = np.clip(there, known.min(axis=0), known.max(axis=0))  # no further than training
        components, odd_scale = self.odd(points, x)
        apart = scale - there
        missed = np.linalg.norm(odd - self.odd_mean - components @ self.odd_basis.T, axis=1)
        errors = np.stack([np.abs(apart).max(axis=1), missed], axis=1)
        scales = np.stack([amplitude_scale, odd_scale], axis=1)
        return apart, np.log((errors + FLOORS) / (scales + FLOORS))

    def arrays(self) -> Arrays:
        """All of it as arrays by name, for a file."""
        return {
            "odd_mean": self.odd_mean.astype(np.float16),
            "odd_basis": self.odd_basis.astype(np.float16),
            **self.amplitude.arrays("amplitude"),
            **self.odd.arrays("odd"),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, emulator: Emulator) -> Self:
        """Inverse of :meth:`arrays`; any error means arrays of another kind."""
        mean, basis = (arrays[f"odd_{name}"].astype(np.float32) for name in ("mean", "basis"))
        (pixels,), (half, components) = emulator.mean.shape, basis.shape
        if mean.shape != (pixels,) or half != pixels or components > ODD_COMPONENTS:
            raise ValueError(f"shapes {mean.shape}, {basis.shape}")
        if not (np.isfinite(mean).all() and np.isfinite(basis).all()):
            raise ValueError("numbers that are not finite")
        energies, maps = len(emulator.scale_mean), len(emulator.points)
        amplitude = Regression.from_arrays(arrays, "amplitude", energies, maps)
        return cls(amplitude, mean, basis, Regression.from_arrays(arrays, "odd", components, maps))


def _amplitude(emulator: Emulator, points: Half) -> Regression:
    """log u on the first maps of a surface, on as many as make it accurate, or on all."""
    scale = _log_scale(emulator)
    count = FEWEST_POINTS
    while True:
        regression, errors = Regression.fit(points[:count], scale[:count])
        if count >= len(points) or np.quantile(errors, 0.99) <= ACCURATE:
            return regression
        count *= 2


def _log_scale(emulator: Emulator) -> Array:
    """log u of a surface's maps, (maps, energies)."""
    strength = emulator.points[:, emulator.basis.shape[1] :]
    return np.asarray(strength * emulator.scale_spread + emulator.scale_mean)


def _components(emulator: Emulator, coordinates: NDArray[np.floating]) -> NDArray[Any]:
    """Coordinates without the amplitude."""
    return coordinates[:, : emulator.basis.shape[1]]
