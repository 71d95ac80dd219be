"""The gaps of one shell and channel as a real vector space, on which the group acts.

A gap is {R: Delta_R} with Delta_-R = -Delta_R^T (Pauli) and Delta_R -> U Delta_R U^T on g R, where
d stands in (psi + d.sigma) i sigma_y. With U = SU(2) x O, O real, it falls into channels:

    s    Delta_R = A_R x i sigma_y             A_-R = A_R^T      A -> O A O^T
    tz   Delta_R = -i A_R x sigma_z i sigma_y  A_-R = -A_R^T     A -> det(g) g_zz O A O^T
    txy  the same with A_x sigma_x + A_y sigma_y, which turns like an axial vector

with real A, by which Delta is even under time reversal. No operation of a planar crystal mixes z
with x and y, so channels never mix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array, kron

from gapscope.physics.bonds import Bonds
from gapscope.physics.gaps.shells import Shell
from gapscope.physics.group.operation import Operation
from gapscope.physics.spin import S0, SX, SY, SZ

CHANNELS = ("s", "tz", "txy")
I_SY = 1j * SY
SPIN: dict[str, tuple[NDArray[np.complex128], ...]] = {
    "s": (S0 @ I_SY,),
    "tz": (SZ @ I_SY,),
    "txy": (SX @ I_SY, SY @ I_SY),
}
_COMPONENTS = {"s": None, "tz": slice(2, 3), "txy": slice(0, 2)}


@dataclass(frozen=True, eq=False)
class PairSpace:
    """All gaps of a shell in a channel.

    Parameters
    ----------
    channel : s, tz or txy.
    orbitals : number n of orbitals of the crystal.
    elements : (m, 4) integers (R1, R2, i, j): amplitudes A_R of orbitals i and j.
    seeds : (components * m, states) orthonormal columns that span what Pauli's principle allows,
        each one pair of orbitals on one bond.
    """

    channel: str
    orbitals: int
    elements: NDArray[np.int64]
    seeds: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        shell: Shell,
        channel: str,
        sites: NDArray[np.int64],
        positions: NDArray[np.float64],
        vectors: NDArray[np.float64],
    ) -> PairSpace:
        """Space of a shell.

        Parameters
        ----------
        sites : (n,) site of each orbital.
        positions : (sites, 2), reduced.
        vectors : rows a1, a2.
        """
        members = [np.flatnonzero(sites == site) for site in range(len(positions))]
        rows = []
        for a, b, r1, r2 in shell.bonds:
            x, y = (positions[b] - positions[a] + (r1, r2)) @ vectors
            # From 0 to 360 degrees, so that a pair begins with the bond next to the x axis.
            angle = round(float(np.degrees(np.arctan2(y, x))) % 360, 3) % 360
            for i, j in ((int(i), int(j)) for i in members[a] for j in members[b]):
                rows.append((min(i, j), max(i, j), i, angle, (r1, r2, i, j)))
        elements = np.array([row[-1] for row in sorted(rows)])
        return cls(channel, len(sites), elements, _seeds(channel, elements))

    @property
    def states(self) -> int:
        """Number of independent gaps."""
        return int(self.seeds.shape[1])

    def representation(self, operation: Operation) -> csr_array:
        """T(g) on the amplitudes, (components * m, components * m)."""
        number = {tuple(key): k for k, key in enumerate(self.elements.tolist())}
        o = operation.orbitals
        rows, columns, values = [], [], []
        for k, (r1, r2, i, j) in enumerate(self.elements.tolist()):
            q1, q2 = operation.moved_vector(np.array([r1, r2]), i, j).tolist()
            into_i, into_j = np.flatnonzero(o[:, i]), np.flatnonzero(o[:, j])
            for p in into_i:
                for q in into_j:
                    rows.append(number[q1, q2, int(p), int(q)])
                    columns.append(k)
                    values.append(o[p, i] * o[q, j])
        m = len(self.elements)
        orbital = csr_array(coo_array((values, (rows, columns)), (m, m)))
        part = _COMPONENTS[self.channel]
        if part is None:
            return orbital
        return csr_array(kron(operation.planar.axial[part, part], orbital))

    def bonds(self, amplitudes: NDArray[np.float64]) -> Bonds:
        """Delta_R, (n, 2 orbitals, 2 orbitals), of amplitudes (components * m,)."""
        n = self.orbitals
        parts = amplitudes.reshape(-1, len(self.elements))
        factor = 1.0 if self.channel == "s" else -1j
        total: dict[tuple[int, int], NDArray[np.complex128]] = {}
        for part, spin in zip(parts, SPIN[self.channel], strict=True):
            for (r1, r2, i, j), value in zip(self.elements.tolist(), part.tolist(), strict=True):
                if value:
                    matrix = total.setdefault((r1, r2), np.zeros((2 * n, 2 * n), complex))
                    matrix[i::n, j::n] += factor * value * spin
        return Bonds.from_dict(total)


def _seeds(channel: str, elements: NDArray[np.int64]) -> NDArray[np.float64]:
    """One column for each pair of an element with its partner (-R, j, i)."""
    number = {tuple(key): k for k, key in enumerate(elements.tolist())}
    m, sign = len(elements), 1 if channel == "s" else -1
    columns = []
    done = set()
    for k, (r1, r2, i, j) in enumerate(elements.tolist()):
        partner = number[-r1, -r2, j, i]
        if k in done:
            continue
        done |= {k, partner}
        if partner == k and sign < 0:
            continue
        column = np.zeros(m)
        column[k] = 1.0
        column[partner] = 1.0 if partner == k else sign
        columns.append(column / np.linalg.norm(column))
    one = np.array(columns).T if columns else np.zeros((m, 0))
    return np.kron(np.eye(len(SPIN[channel])), one)
