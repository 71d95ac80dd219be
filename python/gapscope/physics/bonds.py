"""A Hamiltonian or a gap as bonds: the finite Fourier series H(k) = sum_R H_R exp(i k.R)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gapscope.errors import SpecificationError
from gapscope.physics.kinds import require_kind

Vector = TypeVar("Vector", bound=tuple[int, ...])
ROUNDING = 1e-12
"""Relative size below which an amplitude counts as the rounding of an exact zero."""


@dataclass(frozen=True, eq=False, repr=False)
class Bonds:
    """Matrices on lattice vectors, H(k) = sum_R H_R exp(2 pi i (m1 R1 + m2 R2)).

    Where a crystal has layers, R has a third number, of cells along a3, and m a third component.

    Parameters
    ----------
    vectors : (n, 2) or (n, 3) integers, lattice vectors R = R1 a1 + R2 a2 (+ R3 a3), each once.
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
        if vectors.ndim != 2 or vectors.shape[1] not in (2, 3) or not whole.all():
            raise SpecificationError(
                "Bond vectors are integer multiples of a1 and a2, and of a3 between layers.",
                vectors.tolist(),
                "Give each bond as two whole numbers, or all as three.",
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
        order = np.lexsort(vectors.T[::-1])
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
    def from_dict(cls, bonds: Mapping[Vector, ArrayLike]) -> Bonds:
        """Bonds from {(R1, R2) or (R1, R2, R3): matrix or number}; raises SpecificationError."""
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
        """Sum of bond lists, equal vectors added; exact zeros are dropped, the origin is kept.

        Those without a third number lie in every layer, R3 = 0, where others have one.
        """
        total: dict[tuple[int, ...], NDArray[np.complex128]] = {}
        terms = list(terms)
        length = max((term.vectors.shape[1] for term in terms), default=2)
        for term in terms:
            flat = (0,) * (length - term.vectors.shape[1])
            for vector, matrix in zip(term.vectors.tolist(), term.matrices, strict=True):
                r = (*vector, *flat)
                total[r] = total.get(r, 0) + matrix
        kept = {r: m for r, m in total.items() if m.any()}
        if not kept:
            kept = {(0,) * length: np.zeros_like(next(iter(total.values())))}
        return cls.from_dict(kept)

    @property
    def dimension(self) -> int:
        """Number d of rows of each matrix."""
        return int(self.matrices.shape[1])

    @property
    def layered(self) -> bool:
        """Whether vectors have a third number, of layers."""
        return bool(self.vectors.shape[1] == 3)

    def in_plane(self) -> Bonds:
        """Bonds of H(k) at k3 = 0, the sum over the layers; these bonds where there are none."""
        if not self.layered:
            return self
        total: dict[tuple[int, int], NDArray[np.complex128]] = {}
        for (r1, r2, _), matrix in zip(self.vectors.tolist(), self.matrices, strict=True):
            total[r1, r2] = total.get((r1, r2), 0) + matrix
        return Bonds.from_dict(total)

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
        """H(k) at reduced momenta m of shape (..., 2), or (..., 3); returns (..., d, d).

        Raises
        ------
        SpecificationError : a crystal with layers and momenta in the plane.
        """
        momenta = np.asarray(k, dtype=np.float64)
        if self.layered and momenta.shape[-1] == 2:
            raise SpecificationError(
                "A half-infinite crystal has no bands over the plane: at each k of the plane the"
                " bulk's k3 makes a continuum of states.",
                f"H(k) of bonds between layers, {self!r}",
                'Use gs.spectral_function for its surface, or cut the bulk: kz = "Gamma" or "Z".',
            )
        phases = np.exp(2j * np.pi * (momenta @ self.vectors.T))
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
