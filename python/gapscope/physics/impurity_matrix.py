"""Impurity terms given by a matrix: on a site, between two sites, and in the gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gapscope.errors import SpecificationError
from gapscope.physics.spin import D0, S0

Site = tuple[int, int]
Rows = tuple[tuple[complex, ...], ...]
Block = tuple[Site, Site, NDArray[np.complex128]]
KINDS = ("onsite", "hopping", "gap")
ROUNDING = 1e-12


@dataclass(frozen=True, repr=False)
class MatrixTerm:
    """What an impurity adds to the Hamiltonian between the sites a and b, in meV.

    ========  ==================================================================================
    onsite    c_a^dagger M c_a, M Hermitian (a = b)
    hopping   c_a^dagger M c_b + h.c.
    gap       (1/2) c_a^dagger D (c_b^dagger)^T + h.c., and -D^T on (b, a); on one site D = -D^T
    ========  ==================================================================================

    Matrices are 2n x 2n, spin major; n x n ones act alike on both spins (in the gap: times i s_y).
    """

    kind: str
    matrix: Rows
    site: Site
    to: Site

    def __post_init__(self) -> None:
        m = np.array(self.matrix)
        if m.ndim != 2 or m.shape[0] != m.shape[1] or not np.isfinite(m).all():
            raise SpecificationError(
                "An impurity's matrix is square, of finite numbers in meV.",
                f"a {' x '.join(map(str, m.shape))} matrix{_infinite(m)}",
                "Give an n x n or 2n x 2n matrix for a material of n orbitals.",
            )
        if self.kind == "hopping" and self.site == self.to:
            raise SpecificationError(
                "A hopping leads from one site to another.",
                f"site = {self.site}, to = {self.to}",
                "Use Impurity.onsite for a matrix on one site.",
            )
        scale = float(np.abs(m).max())
        if self.kind == "onsite" and np.abs(m - m.conj().T).max() > ROUNDING * scale:
            raise SpecificationError(
                "An impurity's matrix on a site is Hermitian.",
                f"one that differs from its adjoint by {np.abs(m - m.conj().T).max():.3g} meV",
                "Give M with M = M^dagger.",
            )

    def __repr__(self) -> str:
        where = f"site={self.site}" if self.kind == "onsite" else f"{self.site}, {self.to}"
        if self.kind == "gap" and self.site == self.to:
            where = f"{self.site}"
        return f"Impurity.{self.kind}({[list(row) for row in self.matrix]}, {where})"

    def moved(self, by: Site) -> MatrixTerm:
        """The same, by a lattice vector away."""
        a, b = ((r1 + by[0], r2 + by[1]) for r1, r2 in (self.site, self.to))
        return replace(self, site=a, to=b)

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites that it acts on, each once."""
        return (self.site,) if self.site == self.to else (self.site, self.to)

    def blocks(self, orbitals: int) -> Iterator[Block]:
        """Blocks (a, b, V_ab) in Nambu space, (4n, 4n): V = [[M, D], [D^dagger, -M^T]] as a whole.

        Raises
        ------
        SpecificationError : a matrix of another size, or a gap on a site that is not
            antisymmetric.
        """
        m = self._spin_major(orbitals)
        zero = np.zeros_like(m)
        a, b = self.site, self.to
        if self.kind == "onsite":
            yield a, a, np.block([[m, zero], [zero, -m.T]])
        elif self.kind == "hopping":
            yield a, b, np.block([[m, zero], [zero, -m.conj()]])
            yield b, a, np.block([[m.conj().T, zero], [zero, -m.T]])
        elif a == b:
            if np.abs(m + m.T).max() > ROUNDING * np.abs(m).max():
                raise SpecificationError(
                    "A gap on one site obeys D = -D^T (Pauli principle).",
                    f"one with |D + D^T| up to {np.abs(m + m.T).max():.3g} meV",
                    "Give a symmetric orbital matrix (n x n), or an antisymmetric 2n x 2n one.",
                )
            yield a, a, np.block([[zero, m], [m.conj().T, zero]])
        else:
            yield a, b, np.block([[zero, m], [-m.conj(), zero]])
            yield b, a, np.block([[zero, -m.T], [m.conj().T, zero]])

    def _spin_major(self, orbitals: int) -> NDArray[np.complex128]:
        m = np.array(self.matrix, dtype=np.complex128)
        if len(m) == 2 * orbitals:
            return m
        if len(m) == orbitals:
            return np.asarray(np.kron(D0 if self.kind == "gap" else S0, m))
        raise SpecificationError(
            "An impurity's matrix has one row per orbital, or two (up, then down).",
            f"{len(m)} rows for {orbitals} orbitals",
            f"Give {orbitals} x {orbitals} or {2 * orbitals} x {2 * orbitals} numbers.",
        )

    def to_dict(self) -> dict[str, object]:
        """Parameters for JSON."""
        m = np.array(self.matrix)
        return {
            "kind": self.kind,
            "real": m.real.tolist(),
            "imag": m.imag.tolist(),
            "site": list(self.site),
            "to": list(self.to),
        }


def _infinite(m: NDArray[np.complex128]) -> str:
    return "" if np.isfinite(m).all() else " with NaN or infinity in it"


def rows_of(matrix: ArrayLike) -> Rows:
    """A matrix, or a number, as rows of complex numbers."""
    try:
        m = np.atleast_2d(np.asarray(matrix, dtype=np.complex128))
    except (TypeError, ValueError) as error:
        raise SpecificationError(
            "An impurity's matrix is made of numbers.", str(matrix), "Give numbers in meV."
        ) from error
    if m.ndim != 2:
        raise SpecificationError(
            "An impurity's matrix has rows and columns.", f"an array {m.shape}", "Give a matrix."
        )
    return tuple(tuple(complex(x) for x in row) for row in m)
