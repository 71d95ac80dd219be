"""A metal like NbSe2 with five d and six p orbitals, made up of Slater and Koster's integrals.

Geometry, signs and sizes are a dichalcogenide's, energies are no fit: what counts here is a
Hamiltonian with two blocks of 22 whose Fermi surface is like the real one. Orbitals are vectors p
and traceless tensors Q, so that a hopping along the unit vector n follows from p.n, n.Q.n and what
of Q n is perpendicular to n (J. C. Slater, G. F. Koster, Phys. Rev. 94, 1498 (1954)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.physics import Bonds, Lattice, Material

LATTICE, HEIGHT = 3.44, 1.67
"""Lattice constant, and the selenium's distance from the niobium's plane, in angstrom."""
DD, PP, PD = (-900.0, 250.0, 230.0), (1200.0, -470.0), (3700.0, -1240.0)
"""Sigma, pi and delta integrals in meV."""
LEVELS = np.array([-1100.0, -1500.0, -1500.0, 0.0, 0.0] + 2 * [-3600.0, -3600.0, -6900.0])
"""Energies in meV of z2, x2-y2, xy, xz, yz, and x, y, z of either selenium."""
SPIN_ORBIT = (90.0, 40.0)
"""Coupling in meV on niobium and selenium; only L_z S_z, so that s_z is conserved."""
FILLED = 6.5
"""Bands of a spin below the Fermi energy: the one of niobium half."""

X, Y, Z = np.eye(3)
Array = NDArray[np.float64]


def _pair(a: Array, b: Array) -> Array:
    return (np.outer(a, b) + np.outer(b, a)) / np.sqrt(2)


TENSORS = [
    np.diag([-1.0, -1.0, 2.0]) / np.sqrt(6),
    np.diag([1.0, -1.0, 0.0]) / np.sqrt(2),
    _pair(X, Y),
    _pair(X, Z),
    _pair(Y, Z),
]


def _across(n: Array, vectors: Array) -> Array:
    return vectors - np.outer(vectors @ n, n)


def _parts(n: Array) -> tuple[Array, Array, Array, Array]:
    """Sigma and pi components along n of the tensors and of the vectors."""
    along = np.array([n @ q @ n for q in TENSORS]) * np.sqrt(1.5)
    bent = _across(n, np.array([q @ n for q in TENSORS])) * np.sqrt(2)
    return along, bent, n, _across(n, np.eye(3))


def _dd(n: Array) -> Array:
    along, bent, _, _ = _parts(n)
    sigma, pi, delta = DD
    return (
        delta * np.eye(5) + (sigma - delta) * np.outer(along, along) + (pi - delta) * bent @ bent.T
    )


def _pp(n: Array) -> Array:
    _, _, along, bent = _parts(n)
    return PP[0] * np.outer(along, along) + PP[1] * bent @ bent.T


def _dp(n: Array) -> Array:
    """Rows d, columns p; n points from d to p."""
    d_along, d_bent, p_along, p_bent = _parts(n)
    return PD[0] * np.outer(d_along, p_along) + PD[1] * d_bent @ p_bent.T


def _turning() -> NDArray[np.complex128]:
    """L_z, by the rotation that takes x to y."""
    j = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 0]])
    lz = np.zeros((11, 11), complex)
    turned = [j @ q - q @ j for q in TENSORS]
    lz[:5, :5] = [[1j * np.sum(a * b) for b in turned] for a in TENSORS]
    lz[5:8, 5:8] = lz[8:, 8:] = 1j * j
    return lz


def eleven_orbitals() -> Material:
    """Five d orbitals of niobium and three p orbitals of each selenium, spin up before down."""
    a1, a2 = LATTICE * X[:2], LATTICE * np.array([-0.5, np.sqrt(0.75)])
    places = [np.zeros(3)]
    places += [np.append((a1 + 2 * a2) / 3, height) for height in (HEIGHT, -HEIGHT)]
    of_atom = [slice(0, 5), slice(5, 8), slice(8, 11)]
    reach = 1.02 * LATTICE
    terms: dict[tuple[int, int], NDArray[np.complex128]] = {}
    for r1 in (-1, 0, 1):
        for r2 in (-1, 0, 1):
            matrix = np.zeros((11, 11), complex)
            for i, one in enumerate(places):
                for j, other in enumerate(places):
                    # H_R goes from the home cell to R: rows at R.
                    apart = np.append(r1 * a1 + r2 * a2, 0) + one - other
                    distance = float(np.linalg.norm(apart))
                    if not 0 < distance < reach:
                        continue
                    n = apart / distance
                    if i == j == 0:
                        block = _dd(n)
                    elif i == 0:
                        block = _dp(-n)
                    elif j == 0:
                        block = _dp(n).T
                    else:
                        block = _pp(n)
                    matrix[of_atom[i], of_atom[j]] += block
            if np.abs(matrix).max() > 0:
                terms[r1, r2] = matrix
    spin_orbit = _turning() * np.repeat(SPIN_ORBIT, (5, 6))[:, None] / 2
    terms[0, 0] = terms.get((0, 0), 0) + np.diag(LEVELS)
    fermi = _fermi_energy(Bonds.from_dict(terms | {(0, 0): terms[0, 0] + spin_orbit}))
    terms[0, 0] -= fermi * np.eye(11)
    bonds = {r: np.kron(np.eye(2), h) for r, h in terms.items()}
    bonds[0, 0] = bonds[0, 0] + np.kron(np.diag([1, -1]), spin_orbit)
    return Material("eleven", Lattice("triangular", LATTICE), Bonds.from_dict(bonds))


def _fermi_energy(bonds: Bonds, n: int = 48) -> float:
    m = (np.arange(n) + 0.5) / n
    momenta = np.stack(np.meshgrid(m, m), -1).reshape(-1, 2)
    energies = np.sort(np.linalg.eigvalsh(bonds.at(momenta)).ravel())
    return float(energies[int(FILLED * n * n)])
