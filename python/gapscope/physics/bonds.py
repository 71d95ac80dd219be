"""A Hamiltonian or a gap as bonds: the finite Fourier series H(k) = sum_R H_R exp(i k.R)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gapscope.errors import SpecificationError
from gapscope.physics.kinds import require_kind

ROUNDING = 1e-12
"""Relative size below which an amplitude counts as the rounding of an exact zero."""


@dataclass(frozen=True, eq=False, repr=False)
class Bonds:
    """Matrices on lattice vectors, H(k) = sum_R H_R exp(2 pi i (m1 R1 + m2 R2)).

    Parameters
    ----------
    vectors : (n, 2) integers, lattice vectors R = R1 a1 + R2 a2, each once.
    matrices : (n, d, d) complex, H_R in meV (or dimensionless for form factors).

    Raises
    ------
    SpecificationError : shapes do not match, a number is not finite, a vector stands twice.
    """

    vectors: NDArray[np.int64]
    matrices: NDArray[np.complex128]

    def __post_init__(self) -> None:
        vectors = np.asarray(self.vectors, dtype=np.float64)
        matrices = np.array(self.matrices, dtype=np.complex128)
        whole = np.isfinite(vectors) & (vectors == np.rint(vectors))
        if vectors.ndim != 2 or vectors.shape[1] != 2 or not whole.all():
            raise SpecificationError(
                "Bond vectors are integer multiples of a1 and a2.",
                vectors.tolist(),
                "Give each bond as two whole numbers.",
            )
        vectors = vectors.astype(np.int64)
        if matrices.ndim != 3 or matrices.shape[0] != len(vectors) or len(vectors) == 0:
            raise SpecificationError(
                "Bonds need one square matrix per lattice vector.",
                f"vectors of shape {vectors.shape}, matrices of shape {matrices.shape}",
                "Give n vectors and an array of shape (n, d, d).",
            )
        if matrices.shape[1] != matrices.shape[2]:
            raise SpecificationError("Bond matrices are square.", matrices.shape, "Use (n, d, d).")
        if not np.isfinite(matrices).all():
            raise SpecificationError(
                "Bond amplitudes are finite numbers.",
                f"{np.count_nonzero(~np.isfinite(matrices))} entries that are NaN or infinite",
                "Check the file or the parameters the bonds come from.",
            )
        order = np.lexsort((vectors[:, 1], vectors[:, 0]))
        vectors, matrices = vectors[order], matrices[order]
        if (vectors[1:] == vectors[:-1]).all(axis=1).any():  # sorted: equal ones are neighbours
            raise SpecificationError(
                "Each bond vector stands once.",
                vectors.tolist(),
                "Add the matrices of equal bonds.",
            )
        vectors.flags.writeable = matrices.flags.writeable = False
        object.__setattr__(self, "vectors", vectors)
        object.__setattr__(self, "matrices", matrices)

    def __repr__(self) -> str:
        size, largest = self.dimension, float(np.abs(self.matrices).max())
        count = f"{len(self.vectors)} bond{'s' if len(self.vectors) > 1 else ''}"
        return f"<{count}, {size} x {size}, amplitudes up to {largest:.6g}>"

    @classmethod
    def from_dict(cls, bonds: Mapping[tuple[int, int], ArrayLike]) -> Bonds:
        """Bonds from {(R1, R2): matrix or number}; raises SpecificationError."""
        require_kind(bonds, Mapping, "A list of bonds", "{(1, 0): -100.0, (-1, 0): -100.0}")
        try:
            rows = [np.atleast_2d(np.asarray(m, dtype=np.complex128)) for m in bonds.values()]
            vectors: Any = np.array(list(bonds), dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise SpecificationError(
                "Bonds are matrices or numbers by lattice vectors.",
                f"{bonds!r:.200}",
                "Give for example {(1, 0): -100.0, (-1, 0): -100.0}.",
            ) from error
        if len({row.shape for row in rows}) != 1:
            raise SpecificationError(
                "All bond matrices have the same shape.",
                sorted({row.shape for row in rows}),
                "Use one d x d matrix per bond.",
            )
        return cls(vectors, np.stack(rows))

    @classmethod
    def sum(cls, terms: Iterable[Bonds]) -> Bonds:
        """Sum of bond lists, equal vectors added; exact zeros are dropped, the origin is kept."""
        total: dict[tuple[int, int], NDArray[np.complex128]] = {}
        for term in terms:
            for (r1, r2), matrix in zip(term.vectors.tolist(), term.matrices, strict=True):
                total[r1, r2] = total.get((r1, r2), 0) + matrix
        kept = {r: m for r, m in total.items() if m.any()}
        if not kept:
            kept = {(0, 0): np.zeros_like(next(iter(total.values())))}
        return cls.from_dict(kept)

    @property
    def dimension(self) -> int:
        """Number d of rows of each matrix."""
        return int(self.matrices.shape[1])

    def scaled(self, factor: complex) -> Bonds:
        """All amplitudes multiplied by a number."""
        return Bonds(self.vectors, factor * self.matrices)

    def kron(self, left: ArrayLike | None = None, right: ArrayLike | None = None) -> Bonds:
        """Kronecker product left x H_R x right on every bond."""
        matrices = self.matrices
        if left is not None:
            matrices = np.kron(np.asarray(left), matrices)
        if right is not None:
            matrices = np.kron(matrices, np.asarray(right))
        return Bonds(self.vectors, matrices)

    def reversed(self) -> Bonds:
        """Bonds of H(-k): H_R moves to -R."""
        return Bonds(-self.vectors, self.matrices)

    def transpose(self) -> Bonds:
        """Bonds of H(k)^T."""
        return Bonds(self.vectors, self.matrices.transpose(0, 2, 1))

    def adjoint(self) -> Bonds:
        """Bonds of H(k)^dagger: (H_R)^dagger moves to -R."""
        return Bonds(-self.vectors, self.matrices.conj().transpose(0, 2, 1))

    def at(self, k: ArrayLike) -> NDArray[np.complex128]:
        """H(k) at reduced momenta m of shape (..., 2); returns (..., d, d)."""
        phases = np.exp(2j * np.pi * (np.asarray(k, dtype=np.float64) @ self.vectors.T))
        return np.asarray(np.tensordot(phases, self.matrices, axes=1))

    def distance(self, other: Bonds) -> float:
        """Largest difference of amplitudes, relative to the largest amplitude of the two."""
        difference = Bonds.sum([self, other.scaled(-1)])
        scale = max(np.abs(self.matrices).max(), np.abs(other.matrices).max())
        return float(np.abs(difference.matrices).max() / scale) if scale else 0.0

    def to_dict(self) -> dict[str, list[object]]:
        """Plain lists for JSON: vectors, real and imaginary parts."""
        return {
            "vectors": self.vectors.tolist(),
            "real": self.matrices.real.tolist(),
            "imag": self.matrices.imag.tolist(),
        }


def require_hermitian(bonds: Bonds, what: str) -> None:
    """Raise unless H(k) = H(k)^dagger, that is H_{-R} = (H_R)^dagger."""
    error = bonds.distance(bonds.adjoint())
    if error > ROUNDING:
        raise SpecificationError(
            f"{what}: H(-R) = H(R)^dagger must hold on every bond (a Hermitian Hamiltonian).",
            f"bonds that break it by {error:.2g} of the largest amplitude",
            "Give the bond -R with the conjugate transpose of the matrix on R.",
        )


def require_fermionic(bonds: Bonds) -> None:
    """Raise unless Delta(k) = -Delta(-k)^T, that is Delta_{-R} = -(Delta_R)^T (Pauli principle)."""
    error = bonds.distance(bonds.reversed().transpose().scaled(-1))
    if error > ROUNDING:
        raise SpecificationError(
            "A gap obeys Delta(k) = -Delta(-k)^T (Pauli principle): Delta(-R) = -Delta(R)^T.",
            f"bonds that break it by {error:.2g} of the largest amplitude",
            "Even form factors go with singlet (i sy), odd ones with triplet matrices.",
        )
