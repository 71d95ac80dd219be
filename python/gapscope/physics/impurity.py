"""Impurities on one site: scalar, magnetic, orbital-selective, and sums of them.

The potential acts on electrons as M = sum_terms (v s0 + J.sigma) x P, with P a diagonal matrix of
orbital weights; in Nambu space V = diag(M, -M^T) (paper, section II B, for M = v).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import SpecificationError
from gapscope.physics.spin import S0, SX, SY, SZ


@dataclass(frozen=True)
class ImpurityTerm:
    """One term (v s0 + J.sigma) x diag(weights), strengths in meV; no weights: all orbitals."""

    scalar: float
    moment: tuple[float, float, float]
    weights: tuple[float, ...] | None

    def matrix(self, orbitals: int) -> NDArray[np.complex128]:
        """(2n, 2n) electron matrix in meV, spin major."""
        weights = (1.0,) * orbitals if self.weights is None else self.weights
        if len(weights) != orbitals:
            raise SpecificationError(
                "An orbital-selective impurity has one weight per orbital of the material.",
                f"{len(weights)} weights for {orbitals} orbitals",
                f"Give {orbitals} weights.",
            )
        jx, jy, jz = self.moment
        spin = self.scalar * S0 + jx * SX + jy * SY + jz * SZ
        return np.asarray(np.kron(spin, np.diag(weights)), dtype=np.complex128)


@dataclass(frozen=True)
class Impurity:
    """A sum of impurity terms on the site r = 0; add impurities with ``+``.

    Raises
    ------
    SpecificationError : a strength or weight that is not a finite number.
    """

    terms: tuple[ImpurityTerm, ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise SpecificationError(
                "An impurity has at least one term.", "no term", "Use Impurity.scalar(0.0)."
            )
        for term in self.terms:
            numbers = (term.scalar, *term.moment, *(term.weights or ()))
            if not np.isfinite(numbers).all():
                raise SpecificationError(
                    "Impurity strengths and orbital weights are finite numbers (meV).",
                    term,
                    "For the unitary limit use a large finite strength, for example 1e6 meV.",
                )

    @classmethod
    def scalar(cls, strength: float, orbitals: Sequence[float] | None = None) -> Impurity:
        """Potential scatterer V = v tau3 s0 of strength v in meV, on all or weighted orbitals."""
        return cls((ImpurityTerm(float(strength), (0.0, 0.0, 0.0), _weights(orbitals)),))

    @classmethod
    def magnetic(cls, moment: Sequence[float], orbitals: Sequence[float] | None = None) -> Impurity:
        """Classical moment J.sigma with J = (Jx, Jy, Jz) in meV, on all or weighted orbitals."""
        if len(moment) != 3:
            raise SpecificationError(
                "A magnetic moment has three components Jx, Jy, Jz.",
                list(moment),
                "Give three numbers in meV.",
            )
        jx, jy, jz = (float(j) for j in moment)
        return cls((ImpurityTerm(0.0, (jx, jy, jz), _weights(orbitals)),))

    def __add__(self, other: Impurity) -> Impurity:
        return Impurity(self.terms + other.terms)

    def electron_matrix(self, orbitals: int = 1) -> NDArray[np.complex128]:
        """M, (2n, 2n) in meV, spin major."""
        return np.asarray(np.sum([term.matrix(orbitals) for term in self.terms], axis=0))

    def nambu_matrix(self, orbitals: int = 1) -> NDArray[np.complex128]:
        """V = diag(M, -M^T), (4n, 4n) in meV."""
        m = self.electron_matrix(orbitals)
        zero = np.zeros_like(m)
        return np.block([[m, zero], [zero, -m.T]])

    def to_dict(self) -> list[dict[str, object]]:
        """Parameters for JSON, one entry per term."""
        return [
            {
                "scalar": t.scalar,
                "moment": list(t.moment),
                "weights": None if t.weights is None else list(t.weights),
            }
            for t in self.terms
        ]


def _weights(orbitals: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if orbitals is None else tuple(float(w) for w in orbitals)
