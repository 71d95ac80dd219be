"""A slow, double-precision T-matrix code for any Nambu Hamiltonian, written from the equations.

H(k) is a function of reduced momenta m (..., 2), k = m1 b1 + m2 b2, returning (..., d, d) in meV;
its first d/2 rows are electrons. The momenta are the uniform grid m = j/N, so that sites live on an
N x N torus. Nothing here uses gapscope.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.complex128]
Hamiltonian = Callable[[NDArray[np.float64]], Matrix]


def uniform_grid(n: int) -> NDArray[np.float64]:
    """m = j/N, (N, N, 2)."""
    j = np.arange(n) / n
    return np.stack(np.meshgrid(j, j, indexing="ij"), axis=-1)


def greens_function(h: Matrix, omega: float, broadening: float) -> Matrix:
    """G0 = [omega + i delta - H]^-1, (..., d, d)."""
    return np.linalg.inv((omega + 1j * broadening) * np.eye(h.shape[-1]) - h)


def electron_trace(matrix: Matrix) -> NDArray[np.complex128]:
    """Tr_e: the sum over the electron half of the diagonal."""
    half = matrix.shape[-1] // 2
    return np.asarray(np.trace(matrix[..., :half, :half], axis1=-2, axis2=-1))


@dataclass(frozen=True)
class Oracle:
    """One impurity V (d, d) on the site r = 0 of the N x N torus, at one energy, all in meV."""

    hamiltonian: Hamiltonian
    impurity: ArrayLike
    n: int
    omega: float = 0.0
    broadening: float = 0.1

    @cached_property
    def green(self) -> Matrix:
        """G0(k), (N, N, d, d)."""
        return greens_function(self.hamiltonian(uniform_grid(self.n)), self.omega, self.broadening)

    @cached_property
    def local(self) -> Matrix:
        """g0, the average of G0 over the grid."""
        return np.asarray(self.green.mean(axis=(0, 1)))

    @cached_property
    def t_matrix(self) -> Matrix:
        """T = V (1 - g0 V)^-1."""
        v = np.asarray(self.impurity, dtype=complex)
        return v @ np.linalg.inv(np.eye(len(v)) - self.local @ v)

    @cached_property
    def propagator(self) -> Matrix:
        """G(r) = (1/N^2) sum_k exp(i k.r) G0(k), index r modulo N."""
        return np.fft.ifft2(self.green, axes=(0, 1))

    def trace(self, window: int) -> NDArray[np.complex128]:
        """A(r) = Tr_e[G(r) T G(-r)], (L, L), r1 and r2 from -L/2 to L/2 - 1."""
        r = np.arange(-window // 2, window // 2)
        forth = self.propagator[np.ix_(r % self.n, r % self.n)]
        back = self.propagator[np.ix_(-r % self.n, -r % self.n)]
        return electron_trace(forth @ self.t_matrix @ back)

    def ldos_change(self, window: int) -> NDArray[np.float64]:
        """drho(r) = -(1/pi) Im A(r) per meV and site, (L, L)."""
        return -self.trace(window).imag / np.pi

    def momentum_sum(self) -> NDArray[np.complex128]:
        """(1/N^2) sum_k Tr_e[G0(k) T G0(k + q)] of eq. 12 term by term, q = j/N with j from 0."""
        n = self.n
        out = np.empty((n, n), dtype=complex)
        for j1, j2 in np.ndindex(n, n):
            shifted = np.roll(self.green, (-j1, -j2), axis=(0, 1))
            out[j1, j2] = electron_trace(self.green @ self.t_matrix @ shifted).mean()
        return out

    def scattered(
        self, sites: list[tuple[int, int]], potentials: ArrayLike, window: int
    ) -> NDArray[np.complex128]:
        """A(r) of impurities V_a on sites R_a: the plain sum over a and b, (L, L)."""
        v, d, g = np.asarray(potentials, dtype=complex), self.local.shape[0], self.propagator
        between = np.block([[g[r1 - s1, r2 - s2] for s1, s2 in sites] for r1, r2 in sites])
        onsite = np.zeros_like(between)
        for a in range(len(sites)):
            onsite[a * d : (a + 1) * d, a * d : (a + 1) * d] = v[a]
        t = onsite @ np.linalg.inv(np.eye(len(onsite)) - between @ onsite)
        r = np.arange(-window // 2, window // 2)
        out = np.zeros((window, window), dtype=complex)
        for a, (a1, a2) in enumerate(sites):
            for b, (b1, b2) in enumerate(sites):
                forth = g[np.ix_((r - a1) % self.n, (r - a2) % self.n)]
                back = g[np.ix_((b1 - r) % self.n, (b2 - r) % self.n)]
                ab = t[a * d : (a + 1) * d, b * d : (b + 1) * d]
                out += electron_trace(forth @ ab @ back)
        return out

    @property
    def dos(self) -> float:
        """-(1/pi) Im Tr_e g0 per meV and site."""
        return float(-electron_trace(self.local).imag / np.pi)


def spectral_function(
    hamiltonian: Hamiltonian, m: ArrayLike, omega: float, broadening: float
) -> NDArray[np.float64]:
    """A(k, omega) = -(1/pi) Im Tr_e G0(k, omega) per meV at reduced momenta m."""
    green = greens_function(hamiltonian(np.asarray(m, dtype=float)), omega, broadening)
    return -electron_trace(green).imag / np.pi


def inverted_torus(
    hamiltonian: Hamiltonian,
    impurity: ArrayLike,
    n: int,
    omega: float,
    broadening: float,
    sites: tuple[tuple[int, int], ...] = ((0, 0),),
) -> NDArray[np.float64]:
    """drho(r) without a T matrix: the n x n torus with impurities in it, inverted as a whole.

    (n, n), index r modulo n; the matrix has d n^2 rows. The same impurity stands on all sites.
    """
    hopping = np.fft.ifft2(hamiltonian(uniform_grid(n)), axes=(0, 1))
    d = hopping.shape[-1]
    r = np.arange(n)
    difference = (r[:, None] - r[None, :]) % n
    blocks = hopping[difference[:, None, :, None], difference[None, :, None, :]]
    clean = blocks.transpose(0, 1, 4, 2, 3, 5).reshape(d * n**2, d * n**2)
    dirty = clean.copy()
    for r1, r2 in sites:
        at = d * (r1 % n * n + r2 % n)
        dirty[at : at + d, at : at + d] += impurity
    change = greens_function(dirty, omega, broadening) - greens_function(clean, omega, broadening)
    onsite = np.diagonal(change).reshape(n, n, d)[..., : d // 2]
    return np.asarray(-onsite.sum(axis=-1).imag / np.pi)
