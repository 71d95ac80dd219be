"""Impurities: scalar, magnetic, orbital-selective, on one site or on several, and sums of them.

The potential acts on electrons as M = sum_terms (v s0 + J.sigma) x P, with P a diagonal matrix of
orbital weights, the terms of each site added up; in Nambu space V = diag(M, -M^T) (paper, section
II B, for M = v on the site r = 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.errors import SpecificationError
from gapscope.physics.spin import S0, SX, SY, SZ

Site = tuple[int, int]
ORIGIN: Site = (0, 0)


@dataclass(frozen=True, repr=False)
class ImpurityTerm:
    """One term (v s0 + J.sigma) x diag(weights) on the site r1 a1 + r2 a2.

    Strengths in meV; no weights: all orbitals.
    """

    scalar: float
    moment: tuple[float, float, float]
    weights: tuple[float, ...] | None
    site: Site = ORIGIN

    def __repr__(self) -> str:
        """As it is written in Python: of scalar and moment, what is not zero."""
        rest = "" if self.weights is None else f", orbitals={list(self.weights)}"
        rest += "" if self.site == ORIGIN else f", site={self.site}"
        parts = [f"Impurity.magnetic({self.moment}{rest})"] if any(self.moment) else []
        if self.scalar or not parts:
            parts = [f"Impurity.scalar({self.scalar}{rest})", *parts]
        return " + ".join(parts)

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


@dataclass(frozen=True, repr=False)
class Impurity:
    """A sum of impurity terms, on the site r = 0 unless they say otherwise; add with ``+``.

    Quasiparticles scatter from site to site: two impurities are more than the sum of their maps.

    Raises
    ------
    SpecificationError : a strength or weight that is not a finite number, or a site that is not
        a pair of whole numbers.
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

    def __repr__(self) -> str:
        return " + ".join(repr(term) for term in self.terms)

    @classmethod
    def scalar(
        cls, strength: float, orbitals: Sequence[float] | None = None, site: Sequence[int] = ORIGIN
    ) -> Impurity:
        """Potential scatterer V = v tau3 s0 of strength v in meV, on all or weighted orbitals."""
        term = ImpurityTerm(float(strength), (0.0, 0.0, 0.0), _weights(orbitals), _site(site))
        return cls((term,))

    @classmethod
    def magnetic(
        cls,
        moment: Sequence[float],
        orbitals: Sequence[float] | None = None,
        site: Sequence[int] = ORIGIN,
    ) -> Impurity:
        """Classical moment J.sigma with J = (Jx, Jy, Jz) in meV, on all or weighted orbitals."""
        if len(moment) != 3:
            raise SpecificationError(
                "A magnetic moment has three components Jx, Jy, Jz.",
                list(moment),
                "Give three numbers in meV.",
            )
        jx, jy, jz = (float(j) for j in moment)
        return cls((ImpurityTerm(0.0, (jx, jy, jz), _weights(orbitals), _site(site)),))

    def __add__(self, other: Impurity) -> Impurity:
        return Impurity(self.terms + other.terms)

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites that carry a term, each once."""
        return tuple(dict.fromkeys(term.site for term in self.terms))

    def electron_matrix(self, orbitals: int = 1, site: Site = ORIGIN) -> NDArray[np.complex128]:
        """M on a site, (2n, 2n) in meV, spin major."""
        m = np.zeros((2 * orbitals, 2 * orbitals), dtype=np.complex128)
        for term in self.terms:
            if term.site == site:
                m += term.matrix(orbitals)
        return m

    def nambu_matrix(self, orbitals: int = 1, site: Site = ORIGIN) -> NDArray[np.complex128]:
        """V = diag(M, -M^T) on a site, (4n, 4n) in meV."""
        m = self.electron_matrix(orbitals, site)
        zero = np.zeros_like(m)
        return np.block([[m, zero], [zero, -m.T]])

    def to_dict(self) -> list[dict[str, object]]:
        """Parameters for JSON, one entry per term."""
        return [
            {
                "scalar": t.scalar,
                "moment": list(t.moment),
                "weights": None if t.weights is None else list(t.weights),
                "site": list(t.site),
            }
            for t in self.terms
        ]


def _site(site: Sequence[int]) -> Site:
    if len(site) != 2 or not all(isinstance(r, (int, np.integer)) for r in site):
        raise SpecificationError(
            "An impurity stands on a lattice site, two whole numbers (r1, r2).",
            site,
            "Give for example site=(3, -1).",
        )
    return int(site[0]), int(site[1])


def _weights(orbitals: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if orbitals is None else tuple(float(w) for w in orbitals)
