"""Impurities in a superconductor whose Green's function is known: T-matrix and density.

T = V (1 - g V)^-1 with g_ab = G(R_a - R_b) between the impurities' sites, and
A(r) = sum_ab Tr_e[G(r - R_a) T_ab G(R_b - r)], as the kernel has it (scatterers.jl).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gapscope.physics.specification import Scatterers

Complex = NDArray[np.complex128]
PIECE = 2**22
"""Numbers that are worked on at a time."""


def reach_of(scatterers: Scatterers) -> int:
    """Largest \\|r1\\| or \\|r2\\| of a site; G is needed that far beyond the window."""
    return int(np.abs(scatterers.sites).max())


def t_matrix(green: Complex, scatterers: Scatterers) -> Complex:
    """T at one energy, (n d, n d) of n sites with d Nambu components each, site major.

    Parameters
    ----------
    green : G(r), (2s + 1, 2s + 1, d, d), r = 0 at s; s is at least the distance of two sites.
    """
    sites, d = scatterers.sites, green.shape[-1]
    count, middle = len(sites), len(green) // 2
    apart = sites[:, None] - sites[None, :] + middle
    g = green[apart[..., 0], apart[..., 1]].transpose(0, 2, 1, 3).reshape(count * d, count * d)
    blocks = np.zeros((count, d, count, d), dtype=np.complex128)
    for (a, b), block in zip(scatterers.pairs, scatterers.potentials, strict=True):
        blocks[a, :, b] += block
    v = blocks.reshape(count * d, count * d)
    return np.asarray(np.linalg.solve((np.eye(count * d) - g @ v).T, v.T).T)


def scattered_trace(green: Complex, scatterers: Scatterers, window: int) -> Complex:
    """A(r) of every electron component e at one energy, (e, L, L), r1 and r2 from -L/2.

    Parameters
    ----------
    green : as of :func:`t_matrix`; s is at least L/2 plus the reach of the sites, too.
    """
    d, half = green.shape[-1], window // 2
    electrons, first = d // 2, len(green) // 2 - half
    count = len(scatterers.sites)
    t = t_matrix(green, scatterers).reshape(count, d, count, d)
    turned = green[::-1, ::-1]  # G(-r)
    trace = np.zeros((electrons, window, window), dtype=np.complex128)
    step = max(1, PIECE // (window * electrons * d))
    for a, (a1, a2) in enumerate(scatterers.sites.tolist()):
        for b, (b1, b2) in enumerate(scatterers.sites.tolist()):
            rows, columns = t[a, :, b].any(axis=1), t[a, :, b].any(axis=0)
            between = t[a, :, b][np.ix_(rows, columns)]
            for start in range(0, window if rows.any() else 0, step):
                here = slice(first + start, first + min(start + step, window))
                left = _moved(green, here, a1)[:, first - a2 :][:, :window]
                right = _moved(turned, here, b1)[:, first - b2 :][:, :window]
                forth = left[..., :electrons, rows] @ between
                back = right[..., columns, :electrons]
                part = np.einsum("xyej,xyje->exy", forth, back)
                trace[:, start : start + step] += part
    return trace


def _moved(values: Complex, rows: slice, by: int) -> Complex:
    return values[rows.start - by : rows.stop - by]
