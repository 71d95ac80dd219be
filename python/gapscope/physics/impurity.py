"""Impurities: scalar, magnetic, orbital-selective, on one site or on several, and sums of them.

The potential acts on electrons as M = sum_terms (v s0 + J.sigma) x P, with P a diagonal matrix of
orbital weights, the terms of each site added up; in Nambu space V = diag(M, -M^T) (paper, section
II B, for M = v on the site r = 0). Terms given by a matrix act between orbitals, between sites, and
in the gap (:mod:`gapscope.physics.impurity_matrix`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gapscope.errors import SpecificationError
from gapscope.physics.impurity_file import read_terms
from gapscope.physics.impurity_matrix import MatrixTerm, rows_of
from gapscope.physics.kinds import is_number
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

    def moved(self, by: Site) -> ImpurityTerm:
        """The same, by a lattice vector away."""
        return replace(self, site=(self.site[0] + by[0], self.site[1] + by[1]))

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

    terms: tuple[ImpurityTerm | MatrixTerm, ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise SpecificationError(
                "An impurity has at least one term.", "no term", "Use Impurity.scalar(0.0)."
            )
        for term in self.terms:
            if not isinstance(term, MatrixTerm):
                _numbers((term.scalar, *term.moment, *(term.weights or ())))

    def __repr__(self) -> str:
        return " + ".join(repr(term) for term in self.terms)

    @classmethod
    def scalar(
        cls, strength: float, orbitals: Sequence[float] | None = None, site: Sequence[int] = ORIGIN
    ) -> Impurity:
        """Potential scatterer V = v tau3 s0 of strength v in meV, on all or weighted orbitals."""
        strength = _numbers([strength])[0]
        term = ImpurityTerm(strength, (0.0, 0.0, 0.0), _weights(orbitals), _site(site))
        return cls((term,))

    @classmethod
    def magnetic(
        cls,
        moment: Sequence[float],
        orbitals: Sequence[float] | None = None,
        site: Sequence[int] = ORIGIN,
    ) -> Impurity:
        """Classical moment J.sigma with J = (Jx, Jy, Jz) in meV, on all or weighted orbitals."""
        numbers = _numbers(moment)
        if len(numbers) != 3:
            raise SpecificationError(
                "A magnetic moment has three components Jx, Jy, Jz.",
                list(numbers),
                "Give three numbers in meV.",
            )
        jx, jy, jz = numbers
        return cls((ImpurityTerm(0.0, (jx, jy, jz), _weights(orbitals), _site(site)),))

    @classmethod
    def onsite(cls, matrix: ArrayLike, site: Sequence[int] = ORIGIN) -> Impurity:
        """c^dagger M c on a site, with a Hermitian M in meV between orbitals (and spins).

        M is 2n x 2n, spin major, or n x n for both spins alike.
        """
        place = _site(site)
        return cls((MatrixTerm("onsite", rows_of(matrix), place, place),))

    @classmethod
    def hopping(
        cls, matrix: ArrayLike, site: Sequence[int] = ORIGIN, to: Sequence[int] = (1, 0)
    ) -> Impurity:
        """A changed bond, c_site^dagger M c_to + h.c. in meV: M adds to He_R with R = to - site.

        M is a number for one orbital, n x n for both spins alike, or 2n x 2n.
        """
        return cls((MatrixTerm("hopping", rows_of(matrix), _site(site), _site(to)),))

    @classmethod
    def gap(
        cls, matrix: ArrayLike, site: Sequence[int] = ORIGIN, to: Sequence[int] | None = None
    ) -> Impurity:
        """A changed gap: D in meV adds to Delta_R with R = to - site (on the site itself: R = 0).

        D is 2n x 2n; an n x n one, or a number, is a singlet: times i s_y. The partner -D^T on -R
        is added.
        """
        here = _site(site)
        there = here if to is None else _site(to)
        return cls((MatrixTerm("gap", rows_of(matrix), here, there),))

    @classmethod
    def from_toml(cls, path: str | Path) -> Impurity:
        """The sum of the terms of a file: ``schema = 1`` and a list ``[[terms]]``.

        Each has a ``kind`` and the arguments of the maker of that name, in meV: ``scalar``
        (``strength``, ``orbitals``), ``magnetic`` (``moment``, ``orbitals``), ``onsite``,
        ``hopping`` and ``gap`` (``real`` and ``imag``, matrices n x n or 2n x 2n, spin major), and
        ``site`` and ``to`` where these have them.

        Raises
        ------
        SpecificationError : a file that does not hold that, or a term that is refused.
        """
        made: list[ImpurityTerm | MatrixTerm] = []
        for kind, first, others in read_terms(Path(path)):
            made += getattr(cls, kind)(*first, **others).terms
        return cls(tuple(made))

    def __add__(self, other: Impurity) -> Impurity:
        return Impurity(self.terms + other.terms)

    @property
    def scatters(self) -> bool:
        """Whether any term has a strength."""
        return any(
            np.any(term.matrix)
            if isinstance(term, MatrixTerm)
            else any((term.scalar, *term.moment)) and any(term.weights or (1.0,))
            for term in self.terms
        )

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites that carry a term, each once."""
        sites: list[Site] = []
        for term in self.terms:
            sites += term.sites if isinstance(term, MatrixTerm) else (term.site,)
        return tuple(dict.fromkeys(sites))

    def blocks(self, orbitals: int = 1) -> dict[tuple[Site, Site], NDArray[np.complex128]]:
        """V_ab in Nambu space, (4n, 4n) in meV, by the sites a and b; every site with itself.

        Raises
        ------
        SpecificationError : a term that does not fit the number of orbitals.
        """
        found = {(site, site): self._diagonal(orbitals, site) for site in self.sites}
        for term in self.terms:
            if isinstance(term, MatrixTerm):
                for a, b, block in term.blocks(orbitals):
                    found[a, b] = found.get((a, b), 0) + block
        return found

    def electron_matrix(self, orbitals: int = 1, site: Site = ORIGIN) -> NDArray[np.complex128]:
        """M on a site, (2n, 2n) in meV, spin major."""
        m = np.zeros((2 * orbitals, 2 * orbitals), dtype=np.complex128)
        for term in self.terms:
            if isinstance(term, MatrixTerm):
                for a, b, block in term.blocks(orbitals):
                    if a == b == site:
                        m += block[: 2 * orbitals, : 2 * orbitals]
            elif term.site == site:
                m += term.matrix(orbitals)
        return m

    def nambu_matrix(self, orbitals: int = 1, site: Site = ORIGIN) -> NDArray[np.complex128]:
        """V on a site, diag(M, -M^T) but for a changed gap there, (4n, 4n) in meV."""
        found = self.blocks(orbitals).get((site, site))
        return np.zeros((4 * orbitals, 4 * orbitals), np.complex128) if found is None else found

    def _diagonal(self, orbitals: int, site: Site) -> NDArray[np.complex128]:
        """diag(M, -M^T) of the scalar and magnetic terms of a site."""
        m = np.zeros((2 * orbitals, 2 * orbitals), dtype=np.complex128)
        for term in self.terms:
            if not isinstance(term, MatrixTerm) and term.site == site:
                m += term.matrix(orbitals)
        zero = np.zeros_like(m)
        return np.block([[m, zero], [zero, -m.T]])

    def to_dict(self) -> list[dict[str, object]]:
        """Parameters for JSON, one entry per term."""
        return [
            t.to_dict()
            if isinstance(t, MatrixTerm)
            else {
                "scalar": t.scalar,
                "moment": list(t.moment),
                "weights": None if t.weights is None else list(t.weights),
                "site": list(t.site),
            }
            for t in self.terms
        ]


def _numbers(given: Sequence[float]) -> tuple[float, ...]:
    listed = np.iterable(given) and not isinstance(given, (bytes, Mapping))
    if not (listed and all(map(is_number, given))):
        raise SpecificationError(
            "Impurity strengths and orbital weights are finite numbers (meV).",
            f"{given!r:.200}",
            "For the unitary limit use a large finite strength, for example 1e6 meV.",
        )
    return tuple(float(one) for one in given)


def _site(site: Sequence[int]) -> Site:
    if (
        not np.iterable(site)
        or len(site) != 2
        or not all(isinstance(r, (int, np.integer)) for r in site)
    ):
        raise SpecificationError(
            "An impurity stands on a lattice site, two whole numbers (r1, r2).",
            site,
            "Give for example site=(3, -1).",
        )
    return int(site[0]), int(site[1])


def _weights(orbitals: Sequence[float] | None) -> tuple[float, ...] | None:
    return None if orbitals is None else _numbers(orbitals)
