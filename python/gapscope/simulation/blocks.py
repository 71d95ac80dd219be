"""Blocks of a Hamiltonian as the kernel divides it, and what it keeps of each.

The rules are those of blocks.jl, pair.jl and dense.jl.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.bonds import Bonds

ROUNDING = 1e-10
MOST_ORDERS = 10_000
Matrices = NDArray[np.complex128]
MOMENTA = np.random.default_rng(5).uniform(-0.5, 0.5, (5, 2))


@dataclass(frozen=True)
class Block:
    """One block that is computed.

    Parameters
    ----------
    size : rows of the matrix.
    fields : real functions of k whose transforms are kept, at most.
    elements : elements of G(r) that they make.
    copies : blocks that have it or follow from it by time reversal.
    is_pair : one electron and one hole, inverted in closed form, the poles being known.
    """

    size: int
    fields: int
    elements: int
    copies: int
    is_pair: bool


def blocks(bonds: Bonds, *, whole: bool, zero: bool = False) -> list[Block]:
    """Blocks of Bogoliubov-de Gennes bonds.

    Parameters
    ----------
    whole : elements between holes are transformed, too: several impurities, or w and -w at once.
    zero : the energy is zero, where a pair with a real gap is made of three fields.
    """
    electrons = bonds.dimension // 2
    found: list[Block] = []
    models: list[tuple[Bonds, int]] = []
    for rows in _connected(bonds):
        own = Bonds(bonds.vectors, bonds.matrices[:, rows][:, :, rows])
        leading = int((rows < electrons).sum())
        twin = next((n for n, one in enumerate(models) if _follows(own, leading, *one)), None)
        if twin is not None:
            found[twin] = replace(found[twin], copies=found[twin].copies + 1)
            continue
        models.append((own, leading))
        is_pair = len(rows) == 2 and leading == 1
        if is_pair:
            real = _real_gap(own)
            fields = 3 if zero and real else (4 if real else 6) + 2 * whole
            elements = 4 if whole or fields == 3 else 3
        else:
            rest = 0 if whole else len(rows) - max(1, leading)
            elements = len(rows) ** 2 - rest**2
            fields = 2 * elements
        found.append(Block(len(rows), fields, elements, 1, is_pair))
    return found


def has_particle_hole(bonds: Bonds) -> bool:
    """Whether tau_x H(-k)^* tau_x = -H(k), so that w and -w share a Green's function."""
    half = bonds.dimension // 2
    swapped = np.r_[half : 2 * half, :half]
    turned = -bonds.matrices.conj()[:, swapped][:, :, swapped]
    return bonds.distance(Bonds(bonds.vectors, turned)) < ROUNDING


def _connected(bonds: Bonds) -> list[NDArray[np.int64]]:
    coupled = np.abs(bonds.matrices).max(axis=0) > 0
    reach = coupled | coupled.T | np.eye(bonds.dimension, dtype=bool)
    for _ in range(bonds.dimension.bit_length()):
        reach = (reach.astype(float) @ reach) > 0
    return _joined([np.flatnonzero(row) for row in np.unique(reach, axis=0)[::-1]], bonds)


def _joined(found: list[NDArray[np.int64]], bonds: Bonds) -> list[NDArray[np.int64]]:
    """Blocks in which each lone electron is with a lone hole, that with the opposite energy."""
    electrons = bonds.dimension // 2
    lone = [int(rows[0]) for rows in found if len(rows) == 1]
    holes = [row for row in lone if row >= electrons]
    blocks = [rows for rows in found if len(rows) > 1]
    energies = bonds.matrices.diagonal(axis1=1, axis2=2)
    for e in (row for row in lone if row < electrons):
        apart = [float(np.abs(energies[:, e] + energies[:, h]).max()) for h in holes]
        pair = [e, holes.pop(int(np.argmin(apart)))] if holes else [e]
        blocks.append(np.array(pair))
    return [*blocks, *(np.array([h]) for h in holes)]


def _follows(one: Bonds, leading: int, model: Bonds, electrons: int) -> bool:
    """Whether H_R[i, j] = u_i u_j^* times the model's, or its complex conjugate, with phases u.

    The rows may be in another order, electrons (the leading ones) among themselves.
    """
    if one.dimension != model.dimension or leading != electrons:
        return False
    turned = model.matrices.conj(), model.matrices
    return any(_matched(one.matrices, other, leading) for other in turned)


def _matched(image: Matrices, model: Matrices, leading: int) -> bool:
    d, theirs, ours = model.shape[1], np.abs(image), np.abs(model)
    close, tried = ROUNDING * ours.max(), 0

    def extended(order: list[int]) -> bool:
        nonlocal tried
        i = len(order)
        if i == d:
            return _gauged(image[:, order][:, :, order], model)
        for j in sorted(set(range(d)) - set(order), key=lambda j: j != i):
            if (i < leading) != (j < leading) or tried >= MOST_ORDERS:
                continue
            tried += 1
            longer = [*order, j]
            fits = np.abs(theirs[:, j, longer] - ours[:, i, : i + 1]).max() <= close
            if fits and extended(longer):
                return True
        return False

    return extended([])


def _gauged(image: Matrices, model: Matrices) -> bool:
    d = model.shape[1]
    u = np.zeros(d, np.complex128)
    for start in range(d):
        if u[start]:
            continue
        u[start], reached = 1, [start]
        for i in reached:  # grows while it is walked through
            for j in np.flatnonzero(u == 0):
                n = int(np.abs(model[:, i, j]).argmax())
                if model[n, i, j] != 0 and image[n, i, j] != 0:
                    ratio = image[n, i, j] / (u[i] * model[n, i, j])
                    u[j] = ratio.conj() / abs(ratio)
                    reached.append(int(j))
    turned = u[:, None] * u.conj() * model
    scale = np.abs(image).max(axis=0)
    return bool((np.abs(image - turned) <= ROUNDING * scale).all())


def _real_gap(pair: Bonds) -> bool:
    """Whether one phase makes D(k) real at every k."""
    gap = pair.at(MOMENTA)[:, 0, 1]
    largest = gap[np.abs(gap).argmax()]
    if largest == 0:
        return True
    return bool(np.abs((gap * largest.conj()).imag).max() < 1e-9 * abs(largest) ** 2)
