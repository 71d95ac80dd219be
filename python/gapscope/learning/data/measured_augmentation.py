"""Augmentation: single-impurity maps as a measurement and its preparation would leave them.

On the lattice sites r of a network's window, with drho_1 the map of one impurity on r = 0,

    f(r) = sum_d phi(e(r) - d) [rho0 + sum_j drho_1(r + d - R_j)] / Z,  e(r) = s + E r + B(r),

R_j being other impurities at random sites (R_0 = 0), s a residual shift of the sampled positions
against the atoms, E a residual affine distortion, B a quadratic one as creep leaves it, phi the
Gaussian of an atom's image and rho0 the clean density of states; gapscope.instrument makes
whole images of it. At constant current the feedback divides by what flows up to the setpoint,
N/N0 = 1 + sum_j (N_1(r - R_j) - N0)/N0, so that (rho0 + sum_j drho_1) N0/N - rho0 stands for the
sum (gapscope.instrument.setpoint). Temperature and lock-in average drho_1 and rho0 over energies
(gapscope.instrument.resolution), here with a kernel (1 - p) delta + p K: K is that of a resolution
of the dataset, and the variance p times K's. Then follow noise (white, 1/f, offsets of scan lines),
a field of view outside of which the map is zero, its mean inside taken away, and an amplitude that
no measured map tells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import TrainingError
from gapscope.instrument.distortion import residual
from gapscope.instrument.image import misplaced
from gapscope.instrument.setpoint import regulated
from gapscope.instrument.site_noise import NoiseModel
from gapscope.instrument.sites import scaled_positions, superpose
from gapscope.learning.data.single_impurity import Broadened, Feedback
from gapscope.physics.lattice import Lattice, symmetric_window, window_coordinates

Real = NDArray[np.float64]


@dataclass(frozen=True)
class MeasurementAugmentation:
    """Random measurements of maps; every strength is the largest one, and zero leaves it out.

    Attributes
    ----------
    size : sites per side of the result, even.
    density : mean number of other impurities per site, itself drawn between zero and this.
    orbital : width of an atom's image in lattice constants; None: values of sites are not mixed,
        and shift, affine and bend have no effect.
    shift : shift of the sampled positions in x and in y, in lattice constants.
    affine : bound of each element of E, so that it moves the window's edge by size/2 times this.
    bend : bound of B's six coefficients, in lattice constants at the window's edge.
    background : rho0 in units of the map's contrast, which a misplaced position mixes in: some
        hundreds in reality, but hardly any where preparation took the Bragg peaks out.
    least_field : smallest width of the field of view as a part of the window's, up to 1.
    white, pink, lines : standard deviations of noise in units of the contrast; each map draws the
        cube of a uniform number times this.
    amplitude : the map is multiplied by exp(x), |x| at most this.
    resolution : p, part of a broadened map in a mixture, where the dataset has some; all parts up
        to this, and all its resolutions, are alike.
    constant_current : part of the maps that are taken so, each with any of the setpoints, where the
        dataset has some; the others are taken at constant height.

    Raises
    ------
    TrainingError : a value outside its range.
    """

    size: int = 64
    density: float = 0.004
    orbital: float | None = 0.3
    shift: float = 0.05
    affine: float = 0.002
    bend: float = 0.08
    background: float = 3.0
    least_field: float = 0.6
    white: float = 0.4
    pink: float = 0.4
    lines: float = 0.4
    amplitude: float = 1.0
    resolution: float = 1.0
    constant_current: float = 0.5

    def __post_init__(self) -> None:
        window_coordinates(self.size)
        for name in (
            *("density", "shift", "affine", "bend", "background"),
            *("white", "pink", "lines", "amplitude"),
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise TrainingError(f"{name} is a number >= 0.", value, "Change it.")
        if not (
            0.1 <= self.least_field <= 1
            and 0 <= self.constant_current <= 1
            and 0 <= self.resolution <= 1
            and (self.orbital is None or 0.1 <= self.orbital <= 0.45)
            and self.density < 0.1
            and self.shift + self.affine * self.size + 3 * self.bend <= 0.5
        ):
            raise TrainingError(
                "least_field lies between 0.1 and 1, constant_current and resolution between 0 and"
                " 1, orbital between 0.1 and 0.45 or is None, density is below 0.1, and"
                " shift + affine * size + 3 * bend is at most 0.5.",
                self,
                "Change it.",
            )

    def __call__(
        self,
        single: NDArray[np.floating],
        rng: np.random.Generator,
        feedback: Feedback | None = None,
        broadened: Broadened | None = None,
        *,
        lattice: Lattice | str,
    ) -> NDArray[np.float32]:
        """A measurement (energies, size, size) of one impurity's drho (energies, W, W).

        Impurities are put where the single map reaches the whole window, |R1|, |R2| <=
        (W - size)/2: none at W = size. All energies share impurities, positions and field.

        Raises
        ------
        TrainingError : a map that is not square, of odd W or smaller than ``size``.
        """
        width = single.shape[-1]
        if single.ndim != 3 or single.shape[-2] != width or width < self.size or width % 2:
            raise TrainingError(
                f"A map to be augmented has the shape (energies, W, W), W even, W >= {self.size}.",
                single.shape,
                "Use maps of a larger window.",
            )
        if broadened is not None:
            single, feedback = self._resolved(single, feedback, broadened, rng)
        if feedback is not None and rng.random() < self.constant_current:
            values = self._at_constant_current(single, feedback, rng)
        else:
            values = self._superposed(single, rng)
        model = _model(lattice, self.size)
        contrast = model.contrast(values)
        if self.orbital is not None:
            background = rng.uniform(0, self.background) * contrast[:, None, None]
            values = self._misplaced(values + background, self.orbital, lattice, rng)
        values = values + contrast[:, None, None] * self._noise(model, len(values), rng)
        inside = self._field(lattice, rng)
        values = values - values[:, inside].mean(axis=-1)[:, None, None]
        amplitude = np.exp(rng.uniform(-self.amplitude, self.amplitude))
        return np.asarray(np.where(inside, amplitude * values, 0), dtype=np.float32)

    def _resolved(
        self,
        single: NDArray[np.floating],
        feedback: Feedback | None,
        broadened: Broadened,
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.floating], Feedback | None]:
        """Map and density of states at a mixture of the sharp kernel and a broad one."""
        chosen, part = rng.integers(len(broadened.maps)), rng.uniform(0, self.resolution)
        mixed = (1 - part) * single + part * broadened.maps[chosen]
        if feedback is not None:
            density = (1 - part) * feedback.density + part * broadened.density[chosen]
            feedback = replace(feedback, density=density)
        return mixed, feedback

    def _superposed(self, single: NDArray[np.floating], rng: np.random.Generator) -> Real:
        """Sum of the map and of others that are shifted, all of them with the same sign."""
        room = (single.shape[-1] - self.size) // 2
        number = rng.poisson(rng.uniform(0, self.density) * (2 * room + 1) ** 2)
        others = rng.integers(-room, room + 1, size=(number, 2))
        # The site in the middle is taken: what the truth says is the impurity there.
        others = others[others.any(axis=1)]
        return superpose(single, [(0, 0), *others.tolist()], self.size)

    def _at_constant_current(
        self, single: NDArray[np.floating], feedback: Feedback, rng: np.random.Generator
    ) -> Real:
        """(rho0 + drho) N0/N - rho0 of the impurities together, for one of the setpoints."""
        integral = feedback.integrals[rng.integers(len(feedback.integrals))]
        together = self._superposed(np.concatenate([single, integral[None]]), rng)
        return regulated(together[:-1], together[-1], feedback.density)

    def _misplaced(
        self, values: Real, orbital: float, lattice: Lattice | str, rng: np.random.Generator
    ) -> Real:
        """Values between the atoms, from each position's atom and its neighbours."""
        matrix = rng.uniform(-self.affine, self.affine, size=(2, 2))
        shift = rng.uniform(-self.shift, self.shift, size=2)
        bend = rng.uniform(-self.bend, self.bend, size=(3, 2))
        error = residual(self.size, lattice, shift, matrix, bend)
        return misplaced(values, error, orbital, lattice)

    def _noise(self, model: NoiseModel, energies: int, rng: np.random.Generator) -> Real:
        """Noise in units of the contrast, (energies, size, size)."""
        white, pink, lines = (
            strength * rng.random() ** 3 for strength in (self.white, self.pink, self.lines)
        )
        noise = white * model.white_field((energies,), rng)
        noise += pink * model.pink_field((energies,), rng)
        return np.asarray(noise + lines * model.line_field(energies, rng))

    def _field(self, lattice: Lattice | str, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Sites of the symmetric window within a smaller one, or within a turned rectangle."""
        inside = symmetric_window(lattice, self.size)
        part = rng.uniform(self.least_field, 1.0)
        if rng.random() < 0.5:
            edge = self.size - 2 * round(part * self.size / 2)
            kept = symmetric_window(lattice, self.size - edge)
            return np.asarray(inside & np.pad(kept, edge // 2))
        angle = rng.uniform(0, np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        across = scaled_positions(self.size, lattice) @ turn
        # The impurity need not stand in the middle of the field.
        reach = part * self.size / 2 * rng.uniform(self.least_field, 1.0, size=(2, 2))
        return np.asarray(inside & ((across <= reach[0]) & (across >= -reach[1])).all(axis=-1))


@cache
def _model(lattice: Lattice | str, size: int) -> NoiseModel:
    return NoiseModel.on(lattice, size)
