"""A lattice as it was found in a measured map: vectors, distortion, and their errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from gapscope.measured.preparation.bravais import Bravais, Matrix, bravais
from gapscope.measured.preparation.grid import Real
from gapscope.measured.preparation.peaks import Peak
from gapscope.physics.lattice import Lattice

ANGSTROM = 0.1
"""One Angstrom in nm."""


@dataclass(frozen=True)
class Measured:
    """A value, or several, with its errors.

    Attributes
    ----------
    value : the whole map's value.
    noise : standard error by the noise alone.
    spread : standard deviation of the values of the map's quarters beyond their noise, what creep
        and drift that changes leave; 0 where the quarters do not show it.
    choice : root mean square distance to the values of the lattices that it might be instead, each
        with its probability; 0 where it is clear which one it is.
    """

    value: Real
    noise: Real
    spread: Real | float = 0.0
    choice: Real | float = 0.0

    @property
    def error(self) -> Real:
        """All together, sqrt(noise^2 + spread^2 + choice^2)."""
        return np.asarray(np.hypot(np.hypot(self.noise, self.spread), self.choice))

    def __format__(self, spec: str) -> str:
        """The first value with its error, each in the format given."""
        value, error = self.value.flat[0], self.error.flat[0]
        return f"{value:{spec}} ± {error:{spec}}"


def plus_minus(value: float, error: float, least: int = 0) -> str:
    """A value and its standard error, of which one figure at least is told.

    Parameters
    ----------
    least : digits behind the point that are told of any value.
    """
    digits = -math.floor(math.log10(error)) if 0.0 < error < math.inf else 4
    digits = max(least, digits)
    return f"{value:.{digits}f} ± {error:.{digits}f}"


@dataclass(frozen=True)
class Rival:
    """Another lattice that a map might show instead.

    Attributes
    ----------
    reciprocal : rows b1, b2 in 1/nm, labelled as those of FoundLattice.
    probability : that it is this one, if it is one of those that are told.
    superlattice : rows A1, A2, in units of a1, a2, of the one that explains the map's other peaks
        best; ((1, 0), (0, 1)): none.
    seen : whether its Bragg peaks stand out of the noise; if not, only its superlattice is seen.
    """

    reciprocal: Real
    probability: float
    superlattice: Matrix
    seen: bool


@dataclass(frozen=True)
class FoundLattice:
    """Reciprocal vectors of a map, and what follows from them.

    With F the matrix that takes the vectors a1, a2 of the perfect lattice, in its standard setting
    (:mod:`gapscope.physics.cell`; triangular: a1 along x), to the measured ones,
    F = V R (polar decomposition, V symmetric): R is the orientation of the lattice, V = 1 its
    perfect shape, and V^-1 the correction.

    Attributes
    ----------
    perfect : the lattice that was looked for, the material's.
    reciprocal : rows b1, b2 in 1/nm, 2 pi included, measured.
    covariance : covariance of (b1x, b1y, b2x, b2y), 1/nm^2.
    peaks : the Bragg peaks at b1, b2 and, on the triangular lattice, -(b1 + b2); their opposites
        say nothing else.
    closure : chi^2 (2 degrees of freedom) of three peaks' adding up to zero; 0 of two.
    false_alarm : bound of the probability that noise alone shows such peaks.
    quarters : the lattice in those quarters of the map that show it; none in a small or noisy map.
    rivals : other lattices that are nearly as plausible, the most probable first.
    """

    perfect: Lattice
    reciprocal: Real
    covariance: Real
    peaks: tuple[Peak, ...]
    closure: float
    false_alarm: float
    quarters: tuple[FoundLattice, ...] = ()
    rivals: tuple[Rival, ...] = ()

    @property
    def material_constant(self) -> float:
        """Lattice constant |a1| of the material in Angstrom."""
        return self.perfect.constant

    @property
    def kind(self) -> Bravais:
        """The rotations of the lattice, and its innermost vectors."""
        return bravais(self.perfect)

    @property
    def ambiguous(self) -> bool:
        """Whether it might be another lattice; see ``rivals``."""
        return bool(self.rivals)

    def instead(self, rival: Rival) -> FoundLattice:
        """A rival as the lattice: without errors, its peaks were not looked at more closely."""
        return replace(
            self, reciprocal=rival.reciprocal, covariance=np.zeros((4, 4)), quarters=(), rivals=()
        )

    @property
    def vectors(self) -> Real:
        """Rows a1, a2 in nm, a_i . b_j = 2 pi delta_ij."""
        return _vectors(self.reciprocal)

    @property
    def ideal(self) -> Real:
        """Rows a1, a2 in nm of the material's lattice in the orientation that was found."""
        return np.asarray(self.vectors @ self.correction.value.T)

    @property
    def constant(self) -> Measured:
        """Lattice constant in Angstrom: that of the perfect lattice, made as large per cell."""
        return self._derived(lambda b: _constant(_vectors(b), self.perfect))

    @property
    def lengths(self) -> Measured:
        """Lengths in Angstrom of a1, a2 and what operations of the lattice make of them.

        Those are a1, a2 and a2 - a1 on the triangular lattice, equal in a perfect one; else a1, a2.
        """
        shortest = self.kind.shortest

        def lengths(b: Real) -> Real:
            return np.asarray(np.linalg.norm(shortest @ _vectors(b), axis=1) / ANGSTROM)

        return self._derived(lengths)

    @property
    def orientation(self) -> Measured:
        """Angle of the rotation R in degrees: how the corrected map's lattice is turned against its
        standard orientation, in which a1, on a centred lattice a1 + a2, lies along x.

        With n rotations of the lattice it lies in (-180/n, 180/n], n = 6 on the triangular lattice,
        4 on the square one, 2 on all others: of the equivalent ones the one nearest to 0 is chosen.
        """
        return self._derived(
            lambda b: np.degrees(_rotation(_deformation(b, self._ideal))),
            period=360.0 / self.kind.order,
        )

    @property
    def opening(self) -> Measured:
        """Angle between a1 and a2 in degrees, 60 in a perfect triangular lattice."""

        def opening(b: Real) -> Real:
            a1, a2 = _vectors(b)
            return np.asarray(np.degrees(np.arctan2(a1[0] * a2[1] - a1[1] * a2[0], a1 @ a2)))

        return self._derived(opening)

    @property
    def correction(self) -> Measured:
        """Symmetric matrix V^-1: r -> V^-1 r gives the material's lattice without turning it."""
        return self._derived(lambda b: _correction(_deformation(b, self._ideal)))

    @property
    def anisotropy(self) -> Measured:
        """Largest over smallest stretch of the lattice, 1 in a perfect one."""

        def ratio(b: Real) -> Real:
            stretches = np.linalg.svd(_deformation(b, self._ideal), compute_uv=False)
            return np.asarray(stretches[0] / stretches[1])

        return self._derived(ratio)

    def momentum(self, reduced: ArrayLike) -> Real:
        """Momenta (..., 2) in 1/nm of reduced ones."""
        return np.asarray(reduced, dtype=np.float64) @ self.reciprocal

    def reduced(self, momentum: ArrayLike) -> Real:
        """Reduced momenta (..., 2) of those in 1/nm."""
        return np.asarray(momentum, dtype=np.float64) @ self.vectors.T / (2 * np.pi)

    @property
    def _ideal(self) -> Real:
        return _ideal_vectors(self.perfect)

    def _derived(self, function: Callable[[Real], Real], period: float = np.inf) -> Measured:
        whole, *parts = (
            propagate(lambda b: function(b.reshape(2, 2)), one.reciprocal.ravel(), one.covariance)
            for one in (self, *self.quarters)
        )
        if len(parts) > 1:
            whole = replace(whole, spread=_spread(parts))
        if self.rivals:
            apart = np.array([np.abs(function(r.reciprocal) - whole.value) for r in self.rivals])
            apart = np.minimum(apart, np.abs(period - apart))
            weights = [rival.probability for rival in self.rivals]
            whole = replace(whole, choice=np.sqrt(np.tensordot(weights, apart**2, axes=1)))
        return whole


def propagate(function: Callable[[Real], Real], at: Real, covariance: Real) -> Measured:
    """f(p) and its standard error to first order, sqrt(diag(J C J^T)), J by central differences."""
    step = 1e-6 * np.abs(at).max()
    slopes = [
        (np.asarray(function(at + shift)) - function(at - shift)) / (2 * step)
        for shift in step * np.eye(len(at))
    ]
    jacobian = np.moveaxis(np.array(slopes), 0, -1)
    variance = np.einsum("...i,ij,...j->...", jacobian, covariance, jacobian)
    return Measured(np.asarray(function(at)), np.sqrt(np.maximum(variance, 0)))


def _spread(parts: list[Measured]) -> Real:
    """Standard deviation of several values that their noise does not explain."""
    variance = np.var([part.value for part in parts], axis=0, ddof=1)
    noise = np.mean([part.noise**2 for part in parts], axis=0)
    return np.asarray(np.sqrt(np.maximum(variance - noise, 0)))


def turned_to_labels(reciprocal: Real, lattice: Lattice) -> int:
    """Smallest rotations of a lattice that bring rows b1, b2 next to its standard orientation."""
    angle = np.degrees(_rotation(_deformation(reciprocal, _ideal_vectors(lattice))))
    return int(np.ceil(angle / (360 / bravais(lattice).order) - 0.5))


def _ideal_vectors(lattice: Lattice) -> Real:
    return np.asarray(lattice.vectors * lattice.constant * ANGSTROM)


def _vectors(reciprocal: Real) -> Real:
    return np.asarray(2 * np.pi * np.linalg.inv(reciprocal).T)


def _constant(vectors: Real, lattice: Lattice) -> Real:
    cell = abs(np.linalg.det(lattice.vectors))
    return np.asarray(np.sqrt(1 / cell * abs(np.linalg.det(vectors))) / ANGSTROM)


def _deformation(reciprocal: Real, ideal: Real) -> Real:
    """F of measured = F ideal, for vectors as columns."""
    return np.asarray(_vectors(reciprocal).T @ np.linalg.inv(ideal.T))


def _rotation(deformation: Real) -> Real:
    """Angle of R in F = V R: that of F + (det F) F^-T, which has the same R."""
    return np.asarray(
        np.arctan2(deformation[1, 0] - deformation[0, 1], deformation[0, 0] + deformation[1, 1])
    )


def _correction(deformation: Real) -> Real:
    left, stretches, _ = np.linalg.svd(deformation)
    return np.asarray((left / stretches) @ left.T)
