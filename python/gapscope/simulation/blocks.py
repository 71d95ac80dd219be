"""Blocks of a Hamiltonian as the kernel divides it, and what it keeps of each.

The rules are those of blocks.jl, pair.jl, dense.jl and mirrors.jl.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.bonds import Bonds
from gapscope.physics.layers import depth

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
    is_mirrored : rows m1 and -m1 follow from each other, and half of them are computed.
    """

    size: int
    fields: int
    elements: int
    copies: int
    is_pair: bool
    is_mirrored: bool = False


def blocks(
    bonds: Bonds, *, whole: bool, zero: bool = False, touched: AbstractSet[int] | None = None
) -> list[Block]:
    """Blocks of Bogoliubov-de Gennes bonds.

    Parameters
    ----------
    whole : elements between holes are transformed, too: several impurities, or w and -w at once.
    zero : the energy is zero, where a pair with a real gap is made of three fields.
    touched : components that an impurity couples to: of large blocks elements without any of them
        are not transformed. Without them all are.
    """
    electrons = bonds.dimension // 2
    families: list[tuple[Bonds, int, list[NDArray[np.int64]]]] = []
    for rows in _connected(bonds):
        own = Bonds(bonds.vectors, bonds.matrices[:, rows][:, :, rows])
        leading = int((rows < electrons).sum())
        for model, of_model, copies in families:
            order = _order(own, leading, model, of_model)
            if order is not None:
                copies.append(rows[order])
                break
        else:
            families.append((own, leading, [rows]))
    return [_block(*family, whole=whole, zero=zero, touched=touched) for family in families]


def _block(
    own: Bonds,
    leading: int,
    copies: list[NDArray[np.int64]],
    *,
    whole: bool,
    zero: bool,
    touched: AbstractSet[int] | None,
) -> Block:
    size = own.dimension
    if size == 2 and leading == 1 and not depth(own):
        real = _real_gap(own)
        fields = 3 if zero and real else (4 if real else 6) + 2 * whole
        return Block(2, fields, 4 if whole or fields == 3 else 3, len(copies), is_pair=True)
    wanted = np.ones(size, np.bool_)
    if touched is not None:
        wanted = np.array([bool(touched & set(rows)) for rows in np.transpose(copies).tolist()])
    if not wanted.any():
        wanted[0] = True
    seen = np.arange(size) < (size if whole else max(1, leading))
    kept = (wanted[:, None] | wanted) & (seen[:, None] | seen)
    elements = int(kept.sum())
    return Block(
        size, 2 * elements, elements, len(copies), is_pair=False, is_mirrored=_has_mirror(own)
    )


def _has_mirror(own: Bonds) -> bool:
    """Whether H_gR = u H_R u^H, or u H_R^T u^H, with gR = (-R1, R2) or (-R1, -R2).

    In the latter case bonds to layers below answer to those to layers above.
    """
    numbers = {tuple(r): n for n, r in enumerate(own.vectors.tolist())}
    model = own.matrices
    for turn in (-1, 1):
        for below, other in ((-1, model.transpose(0, 2, 1)), (1, model)):
            image = np.zeros_like(model)
            for (r1, r2, *layer), n in numbers.items():
                at = (-r1, turn * r2, *(below * r3 for r3 in layer))
                if at in numbers:
                    image[n] = model[numbers[at]]
            if _gauged(image, other):
                return True
    return False


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


def _order(one: Bonds, leading: int, model: Bonds, electrons: int) -> list[int] | None:
    """The order of rows in which H_R[i, j] = u_i u_j^* times the model's, u being phases.

    The model may be complex conjugated; electrons (the leading rows) stay among themselves.
    """
    if one.dimension != model.dimension or leading != electrons:
        return None
    turned = model.matrices.conj(), model.matrices
    return next(filter(None, (_matched(one.matrices, other, leading) for other in turned)), None)


def _matched(image: Matrices, model: Matrices, leading: int) -> list[int] | None:
    d, theirs, ours = model.shape[1], np.abs(image), np.abs(model)
    close, tried = ROUNDING * ours.max(), 0

    def extended(order: list[int]) -> list[int] | None:
        nonlocal tried
        i = len(order)
        if i == d:
            return order if _gauged(image[:, order][:, :, order], model) else None
        for j in sorted(set(range(d)) - set(order), key=lambda j: j != i):
            if (i < leading) != (j < leading) or tried >= MOST_ORDERS:
                continue
            tried += 1
            longer = [*order, j]
            fits = np.abs(theirs[:, j, longer] - ours[:, i, : i + 1]).max() <= close
            found = extended(longer) if fits else None
            if found is not None:
                return found
        return None

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
