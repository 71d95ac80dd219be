"""Density of states on pixels: G between points in space, from that between orbitals.

G(r, r') = sum_RR' sum_ij W_i(r - R) G_ij(R - R') W_j(r' - R') (A. Kreisel et al., Phys. Rev. Lett.
114, 217002 (2015); P. Wahl et al., SciPost Phys. Codebases 61 (2025)), electrons of both spins;
with impurities G_ij(R - R') + sum_ab [G(R - R_a) T_ab G(R_b - R')]_ij.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.scattering import t_matrix
from gapscope.physics.specification import Scatterers
from gapscope.simulation.continuum.tip import Seen

Complex = NDArray[np.complex128]
PIECE = 2**22
"""Complex numbers that are worked on at a time."""


def clean_trace(green: Complex, tip: Seen) -> Complex:
    """Tr G(r, r) of the clean crystal on the pixels of a cell, (pixels, pixels), at one energy.

    Parameters
    ----------
    green : G_ij(r), (2s + 1, 2s + 1, d, d), r = 0 at s; s is at least twice the tip's reach.
    """
    middle, electrons = len(green) // 2, green.shape[-1] // 2
    n = electrons // 2
    apart = tip.cells[None] - tip.cells[:, None] + middle  # R - R' = m' - m
    total = np.zeros(tip.values.shape[1:3], np.complex128)
    for spin in range(2):
        own = slice(spin * n, (spin + 1) * n)
        between = green[apart[..., 0], apart[..., 1], own, own]
        for waves in tip.values:
            total += np.einsum("uvmi,mpij,uvpj->uv", waves, between, waves, optimize=True)
    return total


def scattered_trace(green: Complex, scatterers: Scatterers, tip: Seen, window: int) -> Complex:
    """What impurities add to Tr G(r, r) at one energy, (L pixels, L pixels), from r = -L/2.

    Parameters
    ----------
    green : as of :func:`clean_trace`; s is at least L/2 plus the reach of tip and impurities.
    """
    pixels = tip.values.shape[1]
    d, count = green.shape[-1], len(scatterers.sites)
    t = t_matrix(green, scatterers)
    left, right = (_active(t, axis, count) for axis in (1, 0))
    rows = np.concatenate([a * d + chosen for a, chosen in enumerate(left)])
    columns = np.concatenate([b * d + chosen for b, chosen in enumerate(right)])
    between = t[np.ix_(rows, columns)]
    out = np.zeros((window, pixels, window, pixels), np.complex128)
    if not between.size:
        return out.reshape(window * pixels, window * pixels)
    back = green[::-1, ::-1].swapaxes(-1, -2)  # G(-r)^T
    _, m, n = tip.values.shape[2:]
    wide = max(len(rows), len(columns))
    step = max(1, PIECE // (2 * window * wide * max(m * n, 2 * pixels**2)))
    for waves in tip.values:
        flat = waves.reshape(pixels**2, m * n)
        for start in range(0, window, step):
            here = np.arange(start, min(start + step, window)) - window // 2
            forth = _waves(green, scatterers, left, flat, tip.cells, here, window)
            return_ = _waves(back, scatterers, right, flat, tip.cells, here, window)
            # (pixels^2, cells, spins, components)
            part = ((forth @ between) * return_).sum(axis=(-2, -1))
            part = part.reshape(pixels, pixels, len(here), window)
            out[start : start + len(here)] += part.transpose(2, 0, 3, 1)
    return out.reshape(window * pixels, window * pixels)


def _active(t: Complex, axis: int, count: int) -> list[NDArray[np.int64]]:
    """Numbers of the Nambu components of each impurity that scatter."""
    used = np.abs(t).max(axis=axis) > 0
    return [np.flatnonzero(one) for one in used.reshape(count, -1)]


def _waves(
    green: Complex,
    scatterers: Scatterers,
    active: list[NDArray[np.int64]],
    waves: NDArray[np.float64],
    cells: NDArray[np.int64],
    rows: NDArray[np.int64],
    window: int,
) -> Complex:
    """sum_R,i W_i(r - R) G_i,alpha(R - R_a) on the pixels of rows of cells.

    (pixels^2, rows L, spins, components of all impurities), alpha being those that are active.
    """
    middle, n = len(green) // 2, green.shape[-1] // 4
    columns = np.arange(-(window // 2), window // 2)
    parts = []
    for (r1, r2), chosen in zip(scatterers.sites.tolist(), active, strict=True):
        if not len(chosen):
            continue
        own = green[..., : 2 * n, chosen]  # the electrons' rows
        near = np.empty((len(cells), n, len(rows), window, 2, len(chosen)), np.complex128)
        for k, (m1, m2) in enumerate(cells.tolist()):
            # R = r - m, so that W stands in its cell m.
            first, second = rows - m1 - r1 + middle, columns - m2 - r2 + middle
            found = own[first[0] : first[-1] + 1, second[0] : second[-1] + 1]
            found = found.reshape(len(rows), window, 2, n, len(chosen))
            near[k] = found.transpose(3, 0, 1, 2, 4)
        # W is real: a product of real matrices.
        flat = near.reshape(waves.shape[1], -1).view(np.float64)
        made = (waves @ flat).view(np.complex128)
        parts.append(made.reshape(len(waves), len(rows) * window, 2, len(chosen)))
    return np.concatenate(parts, axis=-1)
